"""Counts of persons in all tables together, and how they add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Place(NamedTuple):
    """Where a count is printed."""

    table: str
    row: str
    column: str


@dataclass(frozen=True, slots=True)
class Rule:
    """When a count is small, what the others are rounded to, and how wide a hidden one stays.

    Attributes
    ----------
    fewest
        Counts from 1 to `fewest - 1` are hidden. A zero tells of nobody and may be shown.
    base
        Shown counts are rounded to the nearest multiple of this odd number of persons.
    width
        From the highest to the lowest value that a hidden count could have, in persons.
    """

    fewest: int = 8
    base: int = 5
    width: int = 8

    def is_small(self, count: int) -> bool:
        """Tell whether a count of persons has to be hidden."""
        return 0 < count < self.fewest

    def shown(self, count: int) -> int:
        """Return what is printed of a count that may be shown."""
        return self.base * round(count / self.base)

    def reach(self, printed: int) -> tuple[int, int]:
        """Return the lowest and the highest count that would be printed like this."""
        if printed == 0:
            return 0, 0
        half = self.base // 2
        return max(printed - half, self.fewest), printed + half


@dataclass(slots=True)
class Counts:
    """All counts that might be printed, and the equations between them that anybody could know.

    Attributes
    ----------
    values
        Count of persons (or of their sessions and forms) by key.
    printed
        The key of the count at each place. The same count in two tables has one key.
    equations
        Each a sum of counts with whole factors that is zero.
    basis
        Where a count is not of persons: how many persons it comes from.
    least
        What everybody knows of a count because it is listed at all; 0 for the others.
    totals
        Keys of sums of others.
    """

    values: dict[str, int] = field(default_factory=dict)
    printed: dict[Place, str] = field(default_factory=dict)
    equations: list[dict[str, int]] = field(default_factory=list)
    basis: dict[str, int] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    totals: set[str] = field(default_factory=set)

    def show(
        self,
        place: Place,
        value: int,
        *,
        key: str = "",
        basis: int | None = None,
        least: int = 0,
    ) -> str:
        """Note a count at its place; return its key."""
        key = key or "|".join(place)
        if self.values.setdefault(key, value) != value:
            msg = f"Two values of one count: {key}"
            raise ValueError(msg)
        self.printed[place] = key
        if basis is not None:
            self.basis[key] = basis
        self.least[key] = max(least, self.least.get(key, 0))
        return key

    def total(self, total: str, parts: Sequence[str]) -> None:
        """Note that a count is the sum of others."""
        if self._known({total: 1}, dict.fromkeys(parts, -1)):
            self.totals.add(total)

    def at_most(self, smaller: Mapping[str, int], larger: Mapping[str, int]) -> None:
        """Note that one sum is never above another: what lies between is a count as well."""
        rest = self._sum(larger) - self._sum(smaller)
        if rest < 0:  # not so in these data: nobody could use it
            return
        key = f"between|{len(self.equations)}"
        self.values[key] = rest
        self.equations.append(
            {key: 1, **smaller, **{name: -factor for name, factor in larger.items()}}
        )

    def unprinted(self) -> set[str]:
        """Return the keys of counts that stand nowhere, but follow from others."""
        return set(self.values) - set(self.printed.values())

    def small(self, rule: Rule) -> set[str]:
        """Return the keys of counts of too few persons."""
        return {
            key
            for key, value in self.values.items()
            if rule.is_small(value) or (value and rule.is_small(self.basis.get(key, 0)))
        }

    def _sum(self, factors: Mapping[str, int]) -> int:
        return sum(factor * self.values[key] for key, factor in factors.items())

    def _known(self, *sides: Mapping[str, int]) -> bool:
        equation = {key: factor for side in sides for key, factor in side.items()}
        holds = self._sum(equation) == 0
        if holds:
            self.equations.append(equation)
        return holds
