"""A structural model as data: paths, covariances and means between named variables.

There is no formula language: a model is a list of entries made in Python, so nothing that a user
types is ever evaluated. What is not named is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from alliance.errors import FitError


@dataclass(frozen=True, slots=True)
class Path:
    """A directed effect: a loading (factor to item) or a regression (predictor to outcome).

    Attributes
    ----------
    source, target : str
        Names of variables, observed or latent.
    fixed : float, optional
        Value of a fixed coefficient; a coefficient without it is free.
    label : str, optional
        Free coefficients of one label are equal, within and across groups.
    start : float, optional
        Where the search begins.
    """

    source: str
    target: str
    fixed: float | None = None
    label: str | None = None
    start: float | None = None

    @property
    def name(self) -> str:
        """How messages and tables call it."""
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True)
class Covariance:
    """A (residual) covariance; of a variable with itself its (residual) variance.

    Attributes as in `Path`.
    """

    first: str
    second: str
    fixed: float | None = None
    label: str | None = None
    start: float | None = None

    @property
    def name(self) -> str:
        """How messages and tables call it."""
        if self.first == self.second:
            return f"variance of {self.first}"
        return f"{self.first} <-> {self.second}"


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a variable without incoming paths, the intercept of another.

    Attributes as in `Path`.
    """

    variable: str
    fixed: float | None = None
    label: str | None = None
    start: float | None = None

    @property
    def name(self) -> str:
        """How messages and tables call it."""
        return f"mean of {self.variable}"


Entry = Path | Covariance | Mean


@dataclass(frozen=True, slots=True)
class Model:
    """A Gaussian structural model of one group.

    ``v = m + A v + e``, ``e ~ N(0, S)`` for all variables v, observed and latent (reticular action
    model, McArdle & McDonald 1984); the LISREL matrices are blocks of A and S.

    Attributes
    ----------
    observed : tuple of str
        Names of the data's columns, in their order.
    latent : tuple of str
    entries : tuple of Path, Covariance or Mean
        Everything that is not zero.

    Raises
    ------
    FitError
        An entry names an unknown variable, or stands twice; all faults in one message.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        known = self.variables
        faults = [
            f"'{name}' is named twice" for name in sorted({v for v in known if known.count(v) > 1})
        ]
        seen: set[object] = set()
        for entry in self.entries:
            ends = _ends(entry)
            faults += [f"{entry.name}: there is no variable '{v}'" for v in ends if v not in known]
            key = (type(entry), frozenset(ends) if isinstance(entry, Covariance) else ends)
            if key in seen:
                faults.append(f"{entry.name}: given twice")
            seen.add(key)
            if isinstance(entry, Path) and entry.source == entry.target:
                faults.append(f"{entry.name}: a variable cannot cause itself")
            if entry.fixed is not None and entry.label is not None:
                faults.append(f"{entry.name}: either fixed or labelled, not both")
        if faults:
            raise FitError("The model is not well formed: " + "; ".join(faults) + ".")

    @property
    def variables(self) -> tuple[str, ...]:
        """Observed, then latent variables."""
        return self.observed + self.latent

    def plus(self, *entries: Entry) -> Model:
        """Return the model with further entries; one for the same place replaces the old one."""
        places = {_place(entry) for entry in entries}
        kept = tuple(entry for entry in self.entries if _place(entry) not in places)
        return Model(self.observed, self.latent, kept + entries)


def _ends(entry: Entry) -> tuple[str, ...]:
    if isinstance(entry, Path):
        return (entry.source, entry.target)
    if isinstance(entry, Covariance):
        return (entry.first, entry.second)
    return (entry.variable,)


def _place(entry: Entry) -> tuple[str, object]:
    ends = _ends(entry)
    return type(entry).__name__, frozenset(ends) if isinstance(entry, Covariance) else ends


def factor_model(
    factors: Mapping[str, Sequence[str]],
    *,
    observed: Sequence[str] | None = None,
    marker: bool = True,
    means: bool = True,
) -> Model:
    """Return a confirmatory factor model: each item on its factors, the factors correlated.

    Parameters
    ----------
    factors
        Factor to its items.
    observed
        Order of the columns; otherwise items in order of first mention.
    marker
        True: the first loading of a factor is 1 and its variance free. False: the variance is 1.
    means
        Whether the items have free intercepts (the factors' means are 0).
    """
    items = list(dict.fromkeys(item for its in factors.values() for item in its))
    names = tuple(observed) if observed is not None else tuple(items)
    entries: list[Entry] = []
    for factor, its in factors.items():
        entries += [
            Path(factor, item, fixed=1.0 if marker and index == 0 else None)
            for index, item in enumerate(its)
        ]
        entries.append(Covariance(factor, factor, fixed=None if marker else 1.0))
    entries += [Covariance(a, b) for a, b in combinations(factors, 2)]
    entries += residuals(names)
    if means:
        entries += intercepts(names)
    return Model(names, tuple(factors), tuple(entries))


def growth_curve(waves: Sequence[str], times: Sequence[float], *, degree: int = 1) -> Model:
    """Return a latent growth curve: intercept, slope (and higher powers), free residual variances.

    Parameters
    ----------
    waves
        Names of the columns, one per wave.
    times
        Time of each wave; the intercept is the level at time 0.
    degree
        1 for a straight line, 2 for a parabola.
    """
    powers = ("intercept", "slope", "curvature")[: degree + 1]
    entries: list[Entry] = []
    for power, name in enumerate(powers):
        entries += [
            Path(name, wave, fixed=float(time) ** power)
            for wave, time in zip(waves, times, strict=True)
        ]
        entries += [Covariance(name, name), Mean(name)]
    entries += [Covariance(a, b) for a, b in combinations(powers, 2)]
    entries += residuals(waves)
    return Model(tuple(waves), powers, tuple(entries))


def residuals(names: Iterable[str]) -> list[Entry]:
    """Return a free (residual) variance for each variable."""
    return [Covariance(name, name) for name in names]


def intercepts(names: Iterable[str]) -> list[Entry]:
    """Return a free mean (intercept) for each variable."""
    return [Mean(name) for name in names]


def saturated_model(names: Sequence[str], *, means: bool = True) -> Model:
    """Return the model that restricts nothing: all variances, covariances and means free."""
    entries = residuals(names) + [Covariance(a, b) for a, b in combinations(names, 2)]
    return Model(tuple(names), (), tuple(entries + (intercepts(names) if means else [])))


def independence_model(names: Sequence[str], *, means: bool = True) -> Model:
    """Return the baseline model: variances and means free, all covariances zero."""
    entries = residuals(names) + (intercepts(names) if means else [])
    return Model(tuple(names), (), tuple(entries))
