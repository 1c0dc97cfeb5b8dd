"""Fit a joint model: search, standard errors, how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from alliance.errors import FitError
from alliance.mixed.convergence import Convergence
from alliance.mixed.joint.data import Compressed, Courses, Risk, compress
from alliance.mixed.joint.likelihood import Likelihood, Nodes
from alliance.mixed.joint.parameters import Parameters, Shape, unpacked

ROUNDS = 8
"""How often nodes are placed anew at most."""
SETTLED = 1e-4
"""The fit has settled where placing the nodes anew moves no parameter by more of its error."""
FLAT = 1e-3
"""Largest gradient at the end, in log-likelihood per standard error."""
DIFFERENCE = 1e-4
OPTIMISER = "BFGS from the information at the start; nodes placed anew until nothing moves"
AT_ZERO = 1e-3
"""A standard deviation below this share of the residual's, or on the hazard's scale, is zero."""


@dataclass(frozen=True, slots=True)
class JointFit:
    """A fitted joint model.

    Attributes
    ----------
    parameters
        The estimates.
    shape
        Their place in a vector.
    covariance
        Of the vector of parameters, from the observed information; nan for what is zero or fixed.
    log_likelihood, n_parameters
        At the end.
    convergence
        How the search ended.
    nodes_error
        Change of the log-likelihood with two more nodes per dimension: the rule's error.
    """

    parameters: Parameters
    shape: Shape
    covariance: np.ndarray
    log_likelihood: float
    n_parameters: int
    convergence: Convergence
    nodes_error: float

    @property
    def vector(self) -> np.ndarray:
        """The estimates as a vector."""
        return self.parameters.packed(self.shape)

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of the vector; nan for what is zero or fixed."""
        return np.sqrt(np.diag(self.covariance))


def fit_joint(
    courses: Courses, risk: Risk, start: Parameters, *, therapist: np.ndarray | None = None,
    points: int = 3, outer_points: int = 3, fixed_alpha: bool = False,
    known: JointFit | None = None,
) -> JointFit:  # fmt: skip
    """Fit scores and leaving together.

    Parameters
    ----------
    courses, risk
        The data.
    start
        Where to begin: the two models fitted apart, say.
    therapist
        Of each client, codes, or None for no therapist effects.
    points, outer_points
        Nodes per dimension over clients' and therapists' effects.
    fixed_alpha
        Whether the associations stay where they start (sensitivity).
    known
        A fit of the same data whose covariance says how the likelihood curves, to begin with.

    Raises
    ------
    FitError
        The information is not that of a maximum, or a client has no score.
    """
    data = compress(courses, risk, therapist)
    shape = Shape(courses.x.shape[1], courses.z.shape[1], risk.w.shape[1],
                  len(risk.features_x), therapist is not None)  # fmt: skip
    likelihood = Likelihood(data, shape, points, outer_points)
    theta = start.packed(shape)
    free = np.ones(len(theta), dtype=bool)
    free[shape.alpha] = not fixed_alpha
    nodes = likelihood.placed(theta)
    curved = None if known is None else _conditional(known.covariance, free)
    if curved is None:
        curved = _information(likelihood, theta, nodes, free)
    theta, nodes, moved = _climbed(likelihood, theta, free, nodes, _root(curved))
    at_zero = _zeros(theta, data, shape)
    estimated = free & ~at_zero
    value, gradient = likelihood.at(theta, nodes)
    information = _information(likelihood, theta, nodes, estimated)
    covariance = np.full((len(theta), len(theta)), np.nan)
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError as error:
        msg = (
            "The likelihood of scores and leaving together has no clear maximum: the data "
            "do not tell the parameters apart."
        )
        raise FitError(msg) from error
    inverse = np.linalg.inv(information)
    covariance[np.ix_(estimated, estimated)] = inverse
    slope = float(np.abs(gradient[estimated] * np.sqrt(np.diag(inverse))).max())
    finer = Likelihood(data, shape, points + 2, outer_points + 2)
    nodes_error = finer.at(theta, finer.placed(theta))[0] - value
    names = tuple(np.array(_names(shape))[at_zero])
    ended = Convergence(
        converged=bool(slope < FLAT and moved < SETTLED * 10),
        objective=-2.0 * value,
        evaluations=likelihood.evaluations,
        gradient_norm=slope,
        hessian_eigenvalues=tuple(np.linalg.eigvalsh(information).tolist()),
        is_singular=bool(names),
        singular_components=names,
        second_start_difference=np.nan,
        optimiser=OPTIMISER,
    )
    return JointFit(unpacked(theta, shape), shape, covariance, value, int(free.sum()), ended,
                    float(nodes_error))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Minus the log-likelihood in steps of about one standard error from a point."""

    likelihood: Likelihood
    origin: np.ndarray
    free: np.ndarray
    nodes: Nodes
    root: np.ndarray

    def moved(self, x: np.ndarray) -> np.ndarray:
        """Return the parameters at a step."""
        theta = self.origin.copy()
        theta[self.free] += self.root @ x
        return theta

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.likelihood.at(self.moved(x), self.nodes)
        return -value, -self.root.T @ gradient[self.free]


def _conditional(covariance: np.ndarray, free: np.ndarray) -> np.ndarray | None:
    """Return the information of what is free; None where some of it is not known."""
    known = np.isfinite(np.diag(covariance))
    if not known[free].all():
        return None
    information = np.full(covariance.shape, np.nan)
    information[np.ix_(known, known)] = np.linalg.inv(covariance[np.ix_(known, known)])
    return np.asarray(information[np.ix_(free, free)])


def _climbed(
    likelihood: Likelihood, theta: np.ndarray, free: np.ndarray, nodes: Nodes, root: np.ndarray
) -> tuple[np.ndarray, Nodes, float]:
    """Return the maximum, its nodes, and how far the last placing moved it, in errors."""
    moved = np.inf
    for _ in range(ROUNDS):
        here = _Scaled(likelihood, theta, free, nodes, root)
        found = minimize(here, np.zeros(int(free.sum())), jac=True, method="BFGS",
                         options={"gtol": SETTLED / 10, "maxiter": 200})  # fmt: skip
        theta = here.moved(found.x)
        moved = float(np.abs(found.x).max())
        nodes = likelihood.placed(theta)
        if moved < SETTLED:
            break
        root = np.linalg.cholesky(_positive(root @ found.hess_inv @ root.T))
    return theta, nodes, moved


def _information(
    likelihood: Likelihood, theta: np.ndarray, nodes: Nodes, free: np.ndarray
) -> np.ndarray:
    """Return minus the second derivatives, by central differences of the exact gradient."""
    chosen = np.flatnonzero(free)
    found = np.empty((len(chosen), len(chosen)))
    for row, k in enumerate(chosen):
        move = np.zeros(len(theta))
        move[k] = DIFFERENCE * max(1.0, abs(theta[k]))
        up, down = likelihood.at(theta + move, nodes)[1], likelihood.at(theta - move, nodes)[1]
        found[row] = (down - up)[chosen] / (2.0 * move[k])
    return 0.5 * (found + found.T)


def _root(information: np.ndarray) -> np.ndarray:
    """Return a root of the inverse, with what curves the wrong way turned round."""
    values, vectors = np.linalg.eigh(information)
    size = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
    return np.asarray(vectors / np.sqrt(size))


def _positive(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return np.asarray((vectors * np.maximum(values, 1e-12 * values.max())) @ vectors.T)


def _zeros(theta: np.ndarray, data: Compressed, shape: Shape) -> np.ndarray:
    """Return which standard deviations are zero."""
    sigma, size = np.exp(theta[shape.p]), np.sqrt(np.diag(data.zz.sum(axis=0)) / data.n.sum())
    unit = np.append(size[: shape.q + 1] / sigma, 1.0)[: len(shape.sds)]
    found = np.zeros(len(theta), dtype=bool)
    found[shape.sds] = np.abs(theta[shape.sds]) * unit < AT_ZERO
    return found


def _names(shape: Shape) -> list[str]:
    names = [""] * int(shape.ends[5])
    told = ["client: level", "client: line", "client: bend"][: shape.q]
    told += ["therapist: level of the course", "therapist: leaving"] if shape.therapists else []
    for place, name in zip(shape.sds, told, strict=True):
        names[place] = name
    return names
