"""What makes a model impossible for these data, said before it is fitted, all in one message."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alliance.errors import FitError
from alliance.sem.sample import Sample
from alliance.sem.structure import Structure

COLLINEAR = 1e-10
"""Share of a variable's variance that the others must leave unexplained."""

ROUNDING = 1e-14
"""A share that is no more than what rounding leaves of an exact combination."""


def data_faults(sample: Sample, where: str = "") -> list[str]:
    """Return what makes the means and covariances of a group impossible to estimate.

    Parameters
    ----------
    sample
        The data.
    where
        Words put behind each statement, such as " in group 'north'".
    """
    p = sample.p
    if sample.n == 0:
        return [f"there are no values{where}"]
    faults = []
    pairs = sample.pairs_observed()
    _, variance = sample.available()
    never = [name for name, count in zip(sample.names, np.diag(pairs), strict=True) if count == 0]
    faults += [f"'{name}' has no values{where}" for name in never]
    seen = np.diag(pairs) > 0
    scale = float(variance[seen].max()) if seen.any() else 0.0
    constant = (variance <= 1e-14 * max(scale, 1e-300)) & seen
    faults += [
        f"'{name}' never varies{where}"
        for name, is_constant in zip(sample.names, constant, strict=True)
        if is_constant
    ]
    usable = seen & ~constant
    for i in range(p):
        for j in range(i):
            if usable[i] and usable[j] and pairs[i, j] < 2:
                pair = f"'{sample.names[j]}' and '{sample.names[i]}'"
                faults.append(f"{pair} are never answered together{where}")
    if sample.n <= p:
        faults.append(f"{sample.n} rows are too few for {p} variables{where} (at least {p + 1})")
    elif sample.complete and not faults:
        faults += _collinear(sample, where)
    return faults


def _collinear(sample: Sample, where: str) -> list[str]:
    _, _, cov = sample.pattern(0)
    size = np.sqrt(np.diag(cov))
    values, vectors = np.linalg.eigh(cov / np.outer(size, size))
    if values[0] > COLLINEAR:
        return []
    part = np.abs(vectors[:, 0])
    names = [f"'{sample.names[i]}'" for i in np.flatnonzero(part > 0.1 * part.max())]
    listed = ", ".join(names)
    if values[0] <= ROUNDING:
        return [f"one of {listed} is an exact combination of the others{where}"]
    return [f"one of {listed} is nearly a combination of the others ({values[0]:.0e}){where}"]


def check_identified(
    structures: Sequence[Structure],
    names: Sequence[str],
    start: np.ndarray,
    seen: Sequence[np.ndarray],
    *,
    means: Sequence[bool],
) -> None:
    """Refuse a model whose parameters the moments cannot tell apart, and name them.

    The Jacobian of the moments is taken at three points near the start (a symmetric start can hide
    that a model is identified; no single point can show more than local identification).

    Parameters
    ----------
    structures, names, start
        Blocks, names of the parameters and start values.
    seen
        Per block how often each pair of variables was observed together, shape (p, p).
    means
        Per block whether its means can be estimated.
    """
    if len(start) == 0:
        raise FitError("The model has no free parameter: there is nothing to estimate.")
    n_moments = 0
    for structure, pairs, mean in zip(structures, seen, means, strict=True):
        n_moments += int((pairs[structure.lower] > 0).sum()) + (structure.p if mean else 0)
    if len(start) > n_moments:
        raise FitError(
            f"The model asks for {len(start)} numbers, but the data give only {n_moments} means, "
            "variances and covariances. Fix some parameters, or use more items per factor."
        )
    rng = np.random.default_rng(20)
    unclear: np.ndarray | None = None
    for _ in range(3):
        point = start * rng.uniform(0.7, 1.3, len(start)) + 0.05 * rng.normal(size=len(start))
        rows = []
        for structure, pairs, mean in zip(structures, seen, means, strict=True):
            try:
                jacobian = structure.implied(point).jacobian()
            except np.linalg.LinAlgError:
                continue
            kept = np.concatenate([np.full(structure.p, mean), pairs[structure.lower] > 0])
            rows.append(jacobian[kept])
        stacked = np.vstack(rows)
        size = np.sqrt(np.square(stacked).sum(axis=0))
        size[size == 0] = 1.0
        _, singular, vectors = np.linalg.svd(stacked / size, full_matrices=True)
        spread = np.zeros(len(start))
        spread[: len(singular)] = singular
        flat = spread < 1e-8 * spread.max()
        part = np.sqrt(np.square(vectors[flat]).sum(axis=0))
        unclear = part if unclear is None else np.minimum(unclear, part)
    assert unclear is not None
    if (unclear > 1e-4).any():
        told = ", ".join(
            f"'{name}'" for name, share in zip(names, unclear, strict=True) if share > 1e-4
        )
        raise FitError(
            f"The model is not identified: these parameters cannot be told apart: {told}. "
            "Fix one of them (a factor needs a fixed variance or loading, and a fixed mean), "
            "or use at least three items per factor."
        )
