"""The outcomes of a fit: in which unit each enters the engine, and which row belongs to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from alliance.mixed.design import centre_of, scale_of
from alliance.mixed.terms import OUTCOME, Atom, Factor, Product


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Units of one or several outcomes; an outcome enters the engine as (y - centre) / scale.

    Attributes
    ----------
    names : tuple of str
    row : numpy.ndarray or None
        Place of each sorted row's outcome, shape (n,); None for one outcome.
    centres, scales : numpy.ndarray
        Shape (outcomes,). The scales are powers of two, so that scaling rounds nothing.
    """

    names: tuple[str, ...]
    row: np.ndarray | None = field(default=None, repr=False)
    centres: np.ndarray = field(default_factory=lambda: np.zeros(1))
    scales: np.ndarray = field(default_factory=lambda: np.ones(1))

    def __len__(self) -> int:
        """Give the number of outcomes."""
        return len(self.names)

    @property
    def counts(self) -> np.ndarray:
        """Number of rows per outcome, several outcomes only, shape (outcomes,)."""
        assert self.row is not None
        return np.bincount(self.row, minlength=len(self))

    def fitted_to(self, values: np.ndarray, fixed: Iterable[Product]) -> Outcomes:
        """Choose centres (where the fixed part has the intercept) and scales."""
        products = set(fixed)
        centres, scales = np.zeros(len(self)), np.ones(len(self))
        for place, own in enumerate(self.split(values)):
            centres[place] = centre_of(own) if self.intercept(place) in products else 0.0
            scales[place] = scale_of(own, float(centres[place]))
        return replace(self, centres=centres, scales=scales)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Values by outcome."""
        if self.row is None:
            return [values]
        return [values[self.row == place] for place in range(len(self))]

    def to_internal(self, values: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
        """Put values of some sorted rows on the engine's scale."""
        if self.row is None:
            return np.asarray((values - self.centres[0]) / self.scales[0])
        own = self.row[rows]
        return np.asarray((values - self.centres[own]) / self.scales[own])

    def place_of(self, product: Product) -> int:
        """Outcome that a design column belongs to."""
        return next((f.atom.degrees for f in product if f.atom.transform == OUTCOME), 0)

    def scales_of(self, products: Iterable[Product]) -> np.ndarray:
        """Scale of the outcome of each design column."""
        return self.scales[[self.place_of(product) for product in products]]

    def intercept(self, place: int) -> Product:
        """Design column that is an outcome's intercept."""
        return () if self.row is None else (outcome_factor(self.names, place),)


def outcome_factor(names: tuple[str, ...], place: int) -> Factor:
    """Indicator of one of several outcomes."""
    return Factor(outcome_atom(place), 0, names[place])


def outcome_atom(place: int) -> Atom:
    """Atom that picks an outcome, which no term of a user can name."""
    return Atom(OUTCOME, OUTCOME, place)
