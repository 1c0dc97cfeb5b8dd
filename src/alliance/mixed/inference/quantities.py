"""What is read off a fit of joint courses: each a `alliance.mixed.inference.derived.Quantity`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from alliance.errors import FitError
from alliance.mixed.dynamics import Point, course_structure
from alliance.mixed.inference.derived import Quantity

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


def lagged_effect(
    fit: MixedFit,
    of: str,
    on: str,
    *,
    distance: float = 1.0,
    group: Any = None,
    standardised: bool = False,
) -> Quantity:
    """Effect within clients of one outcome's deviation on another a distance later.

    Phi^distance, or expm(drift distance); `of` equal to `on` is the carry-over. Standardised: times
    sqrt(V_of / V_on), standard deviations within clients.

    Parameters
    ----------
    fit : MixedFit
    of, on : str
        Outcomes.
    distance : float
        Sessions, or units of time.
    group : optional
        Value of ``residual_by``.
    standardised : bool
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)

    def at(point: Point) -> float:
        effect = point.phi(g, distance)[a, b]
        if not standardised:
            return float(effect)
        v = np.diag(point.within(g))
        return float(effect * np.sqrt(v[b] / v[a]))

    parts = [f"{of} -> {on}"]
    parts += [f"after {distance:g}"] if distance != 1.0 else []
    parts += [f"({group})"] if group is not None else []
    parts += ["standardised"] if standardised else []
    return Quantity(" ".join(parts), at)


def total_effect(fit: MixedFit, of: str, on: str, *, group: Any = None) -> Quantity:
    """Effect on an outcome, in the long run, of one unit's lasting push to another.

    (I - Phi)^-1 without the unit itself: the sum of the responses over all later sessions.
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)

    def at(point: Point) -> float:
        unit = np.eye(len(point.phi(g)))
        return float((np.linalg.inv(unit - point.phi(g)) - unit)[a, b])

    return Quantity(f"{of} -> {on} in total", at)


def link(
    fit: MixedFit,
    level: str,
    of: Mapping[str, float] | str,
    on: Mapping[str, float] | str,
    *,
    standardised: bool = False,
) -> Quantity:
    """Regression of one random effect of a level on another: Cov(on, of) / Var(of).

    Parameters
    ----------
    fit : MixedFit
    level : str
    of, on : str or mapping of str to float
        A random effect by its name (``"alliance: 1"``), or a combination of them, such as
        ``{"alliance: 1": 1, "alliance: week": 6}`` for the level at week 6.
    standardised : bool
        The correlation instead.
    """
    depth = fit.depth_of(level)
    names = fit.prepared.random_names(depth)
    x, y = _weights(names, of), _weights(names, on)

    def at(point: Point) -> float:
        covariance = point.level(depth)
        both = y @ covariance @ x
        if standardised:
            return float(both / np.sqrt((x @ covariance @ x) * (y @ covariance @ y)))
        return float(both / (x @ covariance @ x))

    suffix = " standardised" if standardised else ""
    return Quantity(f"{level}: {_label(of)} -> {_label(on)}{suffix}", at)


def within_session(fit: MixedFit, of: str, on: str, *, group: Any = None) -> Quantity:
    """Effect within one session of the outcome answered first on the one answered after.

    With Q the covariance of the same session's innovations, Q_on,of / Q_of,of: the likelihood is
    the same whichever comes first, but the lagged effects then mean what is left beside it
    (`ordered_effect`).
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)
    return Quantity(f"{of} -> {on} in the session", lambda p: float(_first_path(p, a, b, g)))


def ordered_effect(fit: MixedFit, of: str, on: str, *, first: str, group: Any = None) -> Quantity:
    """Effect of one session on `on` in the next, given the outcome `first` of that next session.

    For `on` answered after `first`: Phi_on,of - (Q_on,first / Q_first,first) Phi_first,of.
    """
    a, b, c, g = _place(fit, on), _place(fit, of), _place(fit, first), _group(fit, group)
    if a == c:
        raise FitError(f"'{on}' cannot be answered before itself.")

    def at(point: Point) -> float:
        phi = point.phi(g)
        return float(phi[a, b] - _first_path(point, a, c, g) * phi[c, b])

    return Quantity(f"{of} -> {on} given {first}", at)


def largest_eigenvalue(fit: MixedFit, *, group: Any = None) -> Quantity:
    """Largest modulus of Phi's eigenvalues: how slowly disturbances die away."""
    g = _group(fit, group)
    return Quantity(
        "largest eigenvalue", lambda p: float(np.abs(np.linalg.eigvals(p.phi(g))).max())
    )


def group_differences(fit: MixedFit, group: Any, reference: Any) -> list[Quantity]:
    """Difference of every coefficient of Phi between two groups."""
    names = course_structure(fit).outcomes
    return [
        lagged_effect(fit, of, on, group=group) - lagged_effect(fit, of, on, group=reference)
        for on in names
        for of in names
    ]


def _first_path(point: Point, on: int, of: int, group: int) -> float:
    phi, within = point.phi(group), point.within(group)
    innovations = within - phi @ within @ phi.T
    return float(innovations[on, of] / innovations[of, of])


def _place(fit: MixedFit, outcome: str) -> int:
    names = course_structure(fit).outcomes
    if outcome not in names:
        raise FitError(f"There is no outcome '{outcome}'; the outcomes are {', '.join(names)}.")
    return names.index(outcome)


def _group(fit: MixedFit, group: Any) -> int:
    groups = course_structure(fit).parameters.groups
    if group is None:
        if groups:
            raise FitError(f"Name one of the groups: {', '.join(map(str, groups))}.")
        return 0
    if group not in groups:
        raise FitError(f"There is no group '{group}' of dynamics in this fit.")
    return groups.index(group)


def _weights(names: list[str], effect: Mapping[str, float] | str) -> np.ndarray:
    given = {effect: 1.0} if isinstance(effect, str) else effect
    unknown = [name for name in given if name not in names]
    if unknown:
        raise FitError(f"There is no random effect '{unknown[0]}'; there are {', '.join(names)}.")
    return np.array([float(given.get(name, 0.0)) for name in names])


def _label(effect: Mapping[str, float] | str) -> str:
    if isinstance(effect, str):
        return effect
    return " + ".join(f"{weight:g} ({name})" for name, weight in effect.items())
