"""What is read off a fit of joint courses: each a `alliance.mixed.inference.derived.Quantity`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import expm

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


def total_effect(
    fit: MixedFit, of: str, on: str, *, first: Collection[str] = (), group: Any = None
) -> Quantity:
    """Effect on an outcome, in the long run, of one unit's lasting push to another.

    (I - Phi)^-1 without the unit itself: the sum of the responses over all later sessions.
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)
    before = _places(fit, first)

    def at(point: Point) -> float:
        unit = np.eye(len(point.phi(g)))
        later = np.linalg.inv(unit - point.phi(g)) - unit
        return float((later @ (unit + _taken(point, before, g)))[a, b])

    return Quantity(f"{of} -> {on} in total", at)


def link(
    fit: MixedFit,
    level: str,
    of: Mapping[str, float] | str,
    on: Mapping[str, float] | str,
    *,
    standardised: bool = False,
    per_sd: bool = False,
) -> Quantity:
    """Regression of one random effect of a level on another: Cov(on, of) / Var(of).

    NaN where the variance is estimated as zero.

    Parameters
    ----------
    fit : MixedFit
    level : str
    of, on : str or mapping of str to float
        A random effect by its name (``"alliance: 1"``), or a combination of them, such as
        ``{"alliance: 1": 1, "alliance: week": 6}`` for the level at week 6.
    standardised : bool
        The correlation instead.
    per_sd : bool
        Of a standard deviation of `of` instead of a unit.
    """
    depth = fit.depth_of(level)
    names = fit.prepared.random_names(depth)
    x, y = _weights(names, of), _weights(names, on)

    def at(point: Point) -> float:
        covariance = point.level(depth)
        both, own, other = y @ covariance @ x, x @ covariance @ x, y @ covariance @ y
        if not own > 0 or (standardised and not other > 0):
            return np.nan  # at the boundary: nothing varies that could be regressed on
        if standardised:
            return float(both / np.sqrt(own * other))
        return float(both / (np.sqrt(own) if per_sd else own))

    suffix = " standardised" if standardised else " per SD" if per_sd else ""
    return Quantity(f"{level}: {_label(of)} -> {_label(on)}{suffix}", at)


def within_session(
    fit: MixedFit, of: str, on: str, *, first: Collection[str] = (), group: Any = None
) -> Quantity:
    """Effect within one session of an outcome answered first on one answered after.

    With Q the covariance of the same session's innovations and F the outcomes answered first (by
    default `of` alone): an element of Q_on,F Q_FF^-1. The likelihood is the same whichever comes
    first, but the lagged effects then mean what is left beside it (`ordered_effect`).
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)
    before = _places(fit, first) or [b]
    return Quantity(f"{of} -> {on} in the session", lambda p: float(_taken(p, before, g)[a, b]))


def ordered_effect(
    fit: MixedFit, of: str, on: str, *, first: Collection[str] | str, group: Any = None
) -> Quantity:
    """Effect of one session on `on` in the next, given the outcomes `first` of that next session.

    For `on` answered after them: Phi_on,of - Q_on,F Q_FF^-1 Phi_F,of.
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)
    names = [first] if isinstance(first, str) else list(first)
    before = _places(fit, names)
    if a in before:
        raise FitError(f"'{on}' cannot be answered before itself.")

    def at(point: Point) -> float:
        phi = point.phi(g)
        return float(phi[a, b] - _taken(point, before, g)[a] @ phi[:, b])

    return Quantity(f"{of} -> {on} given {', '.join(names)}", at)


def response(
    fit: MixedFit,
    of: str,
    on: str,
    distance: float,
    *,
    first: Collection[str] = (),
    group: Any = None,
) -> Quantity:
    """Deviation of one outcome a distance after another's deviation of one unit.

    Phi^distance b: b is the unit itself and, where `of` is answered before others of its session
    (`first`), what they take from it there (Lütkepohl 2005, section 2.3.2).
    """
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)
    before = _places(fit, first)

    def at(point: Point) -> float:
        unit = np.eye(len(point.within(g)))
        after = point.phi(g, distance) if distance else unit
        return float((after @ (unit + _taken(point, before, g)))[a, b])

    return Quantity(f"{of} -> {on} after {distance:g}", at)


def held_effect(
    fit: MixedFit,
    of: str,
    on: str,
    distance: float = np.inf,
    *,
    first: Collection[str] = (),
    group: Any = None,
) -> Quantity:
    """Deviation of one outcome where another is held one unit above its course for a distance.

    With B what outcomes take from those answered before them in the same session and C = I - B,
    the others follow C_rr x_t + C_rk = (C Phi)_rr x_t-1 + (C Phi)_rk, r the others and k the one
    held from session 0 on. In real time dx = (D_rr x + D_rk) dt. The default is the long run.
    """
    a, k, g = _place(fit, on), _place(fit, of), _group(fit, group)
    if a == k:
        raise FitError(f"'{of}' is what is held.")
    rest = [place for place in range(len(course_structure(fit).outcomes)) if place != k]
    before, continuous = _places(fit, first), course_structure(fit).parameters.continuous

    def at(point: Point) -> float:
        if continuous:
            drift = point.drift(g)
            inner, start = drift[np.ix_(rest, rest)], np.zeros(len(rest))
            ends = -np.linalg.solve(inner, drift[rest, k])
            left = expm(inner * distance) if np.isfinite(distance) else 0.0 * inner
        else:
            own = np.eye(len(rest) + 1) - _taken(point, before, g)
            step = np.linalg.inv(own[np.ix_(rest, rest)]) @ (own @ point.phi(g))[rest]
            inner, start = step[:, rest], -np.linalg.solve(own[np.ix_(rest, rest)], own[rest, k])
            ends = np.linalg.solve(np.eye(len(rest)) - inner, start + step[:, k])
            left = 0.0 * inner
            if np.isfinite(distance):
                left = np.linalg.matrix_power(inner, int(distance))
        return float((ends + left @ (start - ends))[rest.index(a)])

    suffix = f" for {distance:g}" if np.isfinite(distance) else ""
    return Quantity(f"{of} held -> {on}{suffix}", at)


def per_sd(fit: MixedFit, quantity: Quantity, of: str, *, group: Any = None) -> Quantity:
    """Give an effect within clients of one standard deviation within clients instead of a unit."""
    b, g = _place(fit, of), _group(fit, group)

    def at(point: Point) -> float:
        return float(quantity.at(point) * np.sqrt(point.within(g)[b, b]))

    return Quantity(f"{quantity.name} per SD", at)


def in_sds(fit: MixedFit, quantity: Quantity, of: str, on: str, *, group: Any = None) -> Quantity:
    """Give an effect within clients in standard deviations within clients of both outcomes."""
    a, b, g = _place(fit, on), _place(fit, of), _group(fit, group)

    def at(point: Point) -> float:
        v = np.diag(point.within(g))
        return float(quantity.at(point) * np.sqrt(v[b] / v[a]))

    return Quantity(f"{quantity.name} standardised", at)


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


def _taken(point: Point, first: Sequence[int], group: int) -> np.ndarray:
    """What outcomes take from those answered before them in the same session; 0 elsewhere."""
    phi, within = point.phi(group), point.within(group)
    taken = np.zeros_like(within)
    after = [place for place in range(len(within)) if place not in first]
    if first and after:
        new = within - phi @ within @ phi.T
        of_first = new[np.ix_(first, first)]
        taken[np.ix_(after, first)] = np.linalg.solve(of_first, new[np.ix_(first, after)]).T
    return taken


def _places(fit: MixedFit, outcomes: Collection[str]) -> list[int]:
    return [_place(fit, outcome) for outcome in outcomes]


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
