"""From parameters to moments: the reticular action model, its first and second derivatives.

With B = (I - A)^-1 and F the selection of the observed variables,

    mu = F B m,    Sigma = F B S B' F'        (McArdle & McDonald 1984, eq. 5 and 8).

A group's moments are one vector beta = (mu, vech Sigma), vech row by row of the lower triangle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.sem.description import Covariance, Entry, Mean, Model, Path

DIRECTED, SYMMETRIC, MEAN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Parameters:
    """The free parameters of all groups (or levels) together.

    Attributes
    ----------
    names : tuple of str
        Labels where given, else the entry's own name, with the group's name behind it if several.
    """

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


class Structure:
    """One group's model with places for numbers.

    Attributes
    ----------
    model : Model
    group : str
    kind, row, column : numpy.ndarray of int, shape (n_free,)
        Matrix (DIRECTED for A, SYMMETRIC for S, MEAN for m) and position of each free entry. In A
        the row is the target, the column the source.
    theta : numpy.ndarray of int, shape (n_free,)
        Which free parameter stands there.
    free : tuple of Entry
        The free entries, in the same order.
    """

    def __init__(self, model: Model, group: str, theta: np.ndarray, n_theta: int) -> None:
        self.model, self.group, self.theta, self.n_theta = model, group, theta, n_theta
        self.p, self.v = len(model.observed), len(model.variables)
        place = {name: index for index, name in enumerate(model.variables)}
        self.a, self.s, self.m = (
            np.zeros((self.v, self.v)),
            np.zeros((self.v, self.v)),
            np.zeros(self.v),
        )
        free: list[Entry] = []
        kind, row, column = [], [], []
        for entry in model.entries:
            what, i, j = _position(entry, place)
            if entry.fixed is None:
                free.append(entry)
                kind.append(what)
                row.append(i)
                column.append(j)
            elif what == DIRECTED:
                self.a[i, j] = entry.fixed
            elif what == SYMMETRIC:
                self.s[i, j] = self.s[j, i] = entry.fixed
            else:
                self.m[i] = entry.fixed
        self.free = tuple(free)
        self.kind, self.row, self.column = (np.array(x, dtype=int) for x in (kind, row, column))
        self.lower = np.tril_indices(self.p)

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return A, S and m at the parameters."""
        a, s, m = self.a.copy(), self.s.copy(), self.m.copy()
        values = theta[self.theta]
        at = self.kind == DIRECTED
        a[self.row[at], self.column[at]] = values[at]
        at = self.kind == SYMMETRIC
        s[self.row[at], self.column[at]] = values[at]
        s[self.column[at], self.row[at]] = values[at]
        at = self.kind == MEAN
        m[self.row[at]] = values[at]
        return a, s, m

    def implied(self, theta: np.ndarray) -> Implied:
        """Return the moments that the parameters imply."""
        a, s, m = self.matrices(theta)
        b = np.linalg.inv(np.eye(self.v) - a)
        c = b @ s @ b.T
        return Implied(self, b, 0.5 * (c + c.T), b @ m)

    def aggregate(self) -> np.ndarray:
        """Return the 0/1 matrix that adds up the entries of one parameter, (n_free, n_theta)."""
        out = np.zeros((len(self.theta), self.n_theta))
        out[np.arange(len(self.theta)), self.theta] = 1.0
        return out


@dataclass(frozen=True, slots=True)
class Implied:
    """Moments of all variables of a group, and the derivatives of the observed ones.

    Attributes
    ----------
    structure : Structure
    b : numpy.ndarray, shape (v, v)
        Total effects (I - A)^-1.
    c : numpy.ndarray, shape (v, v)
        Covariance of all variables.
    eta : numpy.ndarray, shape (v,)
        Means of all variables.
    """

    structure: Structure
    b: np.ndarray
    c: np.ndarray
    eta: np.ndarray

    @property
    def mu(self) -> np.ndarray:
        """Means of the observed variables, shape (p,)."""
        return self.eta[: self.structure.p]

    @property
    def sigma(self) -> np.ndarray:
        """Covariance of the observed variables, shape (p, p)."""
        p = self.structure.p
        return self.c[:p, :p]

    def jacobian(self) -> np.ndarray:
        """Derivative of (mu, vech Sigma) by the parameters, shape (p + p(p+1)/2, n_theta)."""
        st = self.structure
        p, (low_i, low_j) = st.p, st.lower
        u, w = self.b[:p], self.c[:p]
        left = u[:, st.row]
        directed, mean = st.kind == DIRECTED, st.kind == MEAN
        right = np.where(directed, w[:, st.column], u[:, st.column])
        # u u' of a variance is met twice by the symmetric sum below.
        weight = np.where((st.kind == SYMMETRIC) & (st.row == st.column), 0.5, 1.0)
        weight = np.where(mean, 0.0, weight)
        cov = (left[low_i] * right[low_j] + left[low_j] * right[low_i]) * weight
        slope = np.where(mean, 1.0, np.where(directed, self.eta[st.column], 0.0))
        return np.asarray(np.vstack([left * slope, cov]) @ st.aggregate())

    def curvature(self, gradient_mu: np.ndarray, gradient_sigma: np.ndarray) -> np.ndarray:
        """Second derivatives of the moments, weighted by an objective's gradient in them.

        Parameters
        ----------
        gradient_mu : shape (p,)
        gradient_sigma : shape (p, p)
            Symmetric G with d objective = tr(G dSigma).

        Returns
        -------
        numpy.ndarray, shape (n_theta, n_theta)
        """
        st, b, c = self.structure, self.b, self.c
        u = b[: st.p]
        h, k = u.T @ gradient_mu, u.T @ gradient_sigma @ u
        r = c[:, : st.p] @ gradient_sigma @ u
        out = np.zeros((len(st.theta), len(st.theta)))
        (at_a,) = np.nonzero(st.kind == DIRECTED)
        t, s = st.row[at_a], st.column[at_a]
        once = (r[np.ix_(s, t)].T + 0.5 * np.outer(h[t], self.eta[s])) * b[np.ix_(s, t)]
        out[np.ix_(at_a, at_a)] = 2.0 * (once + once.T + k[np.ix_(t, t)] * c[np.ix_(s, s)])
        (at_s,) = np.nonzero(st.kind == SYMMETRIC)
        i, j = st.row[at_s], st.column[at_s]
        cross = 2.0 * (b[np.ix_(s, i)] * k[np.ix_(t, j)] + b[np.ix_(s, j)] * k[np.ix_(t, i)])
        cross = cross * np.where(i == j, 0.5, 1.0)
        out[np.ix_(at_a, at_s)], out[np.ix_(at_s, at_a)] = cross, cross.T
        (at_m,) = np.nonzero(st.kind == MEAN)
        cross = h[t][:, None] * b[np.ix_(s, st.row[at_m])]
        out[np.ix_(at_a, at_m)], out[np.ix_(at_m, at_a)] = cross, cross.T
        total = st.aggregate()
        return np.asarray(total.T @ out @ total)


def _position(entry: Entry, place: dict[str, int]) -> tuple[int, int, int]:
    if isinstance(entry, Path):
        return DIRECTED, place[entry.target], place[entry.source]
    if isinstance(entry, Covariance):
        return SYMMETRIC, place[entry.first], place[entry.second]
    assert isinstance(entry, Mean)
    return MEAN, place[entry.variable], 0


def structures(models: Sequence[tuple[str, Model]]) -> tuple[Parameters, list[Structure]]:
    """Number the free parameters of all groups; equal labels are one parameter."""
    names: dict[str, int] = {}
    indices = []
    for group, model in models:
        suffix = f" [{group}]" if len(models) > 1 else ""
        own = [
            entry.label if entry.label is not None else entry.name + suffix
            for entry in model.entries
            if entry.fixed is None
        ]
        indices.append(np.array([names.setdefault(name, len(names)) for name in own], dtype=int))
    parts = [
        Structure(model, group, index, len(names))
        for (group, model), index in zip(models, indices, strict=True)
    ]
    return Parameters(tuple(names)), parts
