"""What a joint model is fitted to: courses, risk rows, and the cross-products of the courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from alliance.errors import FitError

Link = Literal["rate", "logit", "cloglog"]
LINKS: tuple[Link, ...] = ("rate", "logit", "cloglog")


@dataclass(frozen=True, slots=True)
class Courses:
    """The scores of all clients.

    Attributes
    ----------
    y
        Scores, shape (n,).
    x
        Fixed effects' design, shape (n, p).
    z
        Clients' random effects' design, shape (n, q).
    client
        Whose score it is, 0 to N - 1, shape (n,); rows of a client need not lie together.
    """

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    client: np.ndarray


@dataclass(frozen=True, slots=True)
class Risk:
    """The rows at risk of all clients.

    Attributes
    ----------
    event
        1 where the client left, else 0, shape (r,).
    w
        Design of the hazard without the course, shape (r, h).
    client
        Whose row it is, shape (r,).
    features_x, features_z
        What of the course acts on the hazard: feature f of a row is features_x[f] b +
        features_z[f] (u, v), with u the client's effects and v the therapist's level of the course;
        shapes (F, r, p) and (F, r, q + 1).
    link
        `logit` and `cloglog`: the probability of leaving after a session. `rate`: a hazard in
        continuous time, event * eta - exposure * exp(eta), which is a Poisson likelihood; the rows
        are then the points of a rule that integrates the hazard.
    exposure
        With `rate`: the weight of each point, shape (r,).
    """

    event: np.ndarray
    w: np.ndarray
    client: np.ndarray
    features_x: np.ndarray
    features_z: np.ndarray
    link: Link = "logit"
    exposure: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Compressed:
    """Everything that an evaluation touches, clients in the order of their therapists.

    Attributes
    ----------
    n
        Scores per client, shape (N,).
    yy, xy, xx, zy, zx, zz
        Cross-products per client; z has further columns of ones and zeros for the therapist's level
        of the course and of the hazard, so that zz has shape (N, q + 2, q + 2).
    event, exposure, w, fx, fz
        As in `Risk`, sorted by client; fz with the further columns.
    pointer
        First risk row of each client, and the end, shape (N + 1,).
    therapist
        Of each client, 0 to J - 1, ascending, shape (N,).
    link
        Place in `LINKS`.
    order
        The caller's number of each client.
    """

    n: np.ndarray
    yy: np.ndarray
    xy: np.ndarray
    xx: np.ndarray
    zy: np.ndarray
    zx: np.ndarray
    zz: np.ndarray
    event: np.ndarray
    exposure: np.ndarray
    w: np.ndarray
    fx: np.ndarray
    fz: np.ndarray
    pointer: np.ndarray
    therapist: np.ndarray
    link: int
    order: np.ndarray

    @property
    def client_of_row(self) -> np.ndarray:
        """The client of each risk row."""
        return np.repeat(np.arange(len(self.n)), np.diff(self.pointer))


def compress(courses: Courses, risk: Risk, therapist: np.ndarray | None) -> Compressed:
    """Return the cross-products.

    Parameters
    ----------
    courses, risk
        The data.
    therapist
        Of each client, codes of shape (N,), or None for no therapist effects.

    Raises
    ------
    FitError
        A client without a score.
    """
    clients = int(max(courses.client.max(), risk.client.max())) + 1
    own = np.arange(clients) if therapist is None else therapist  # no effects: any grouping will do
    order = np.argsort(own, kind="stable")
    place = np.empty(clients, dtype=int)
    place[order] = np.arange(clients)
    n = np.bincount(place[courses.client], minlength=clients)
    if (n == 0).any():
        msg = "A client has no score: there is no course that leaving could go with."
        raise FitError(msg)
    q = courses.z.shape[1]
    z = np.column_stack([courses.z, np.ones(len(courses.y)), np.zeros(len(courses.y))])
    rows = np.argsort(place[courses.client], kind="stable")
    starts = np.concatenate([[0], np.cumsum(n)[:-1]])

    def summed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(np.add.reduceat(np.einsum("ni,nj->nij", a[rows], b[rows]), starts))

    y = courses.y[:, None]
    at_risk = np.argsort(place[risk.client], kind="stable")
    counts = np.bincount(place[risk.client], minlength=clients)
    features, r = len(risk.features_x), len(risk.event)
    fz = np.zeros((features, r, q + 2))
    fz[:, :, : q + 1] = risk.features_z[:, at_risk]
    exposure = np.ones(r) if risk.exposure is None else risk.exposure
    return Compressed(
        n.astype(float),
        summed(y, y)[:, 0, 0],
        summed(courses.x, y)[:, :, 0],
        summed(courses.x, courses.x),
        summed(z, y)[:, :, 0],
        summed(z, courses.x),
        summed(z, z),
        risk.event[at_risk].astype(float),
        exposure[at_risk],
        risk.w[at_risk],
        risk.features_x[:, at_risk],
        fz,
        np.concatenate([[0], np.cumsum(counts)]),
        np.unique(own[order], return_inverse=True)[1],
        LINKS.index(risk.link),
        order,
    )
