"""Which groups have to be left out by a full refit, where all others need none.

Without each group the model is first fitted near by (`alliance.mixed.nearby`), which is cheap and
states its error. A full refit takes its place wherever a printed number could depend on the
error: at the lowest and highest estimate, the largest DFBETAS and Cook's distance, and where a
limit, a sign or the place of an interval against zero is in doubt. So what is printed is what a
full refit without every group would have given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from alliance.families.diagnostics.reading import Effect, NearReader
from alliance.families.fit import Estimate
from alliance.mixed.nearby import Ends

ESTIMATE, SE, LOW, HIGH = range(4)


@dataclass(slots=True)
class Screen:
    """What is known of the fits without each group.

    Attributes
    ----------
    terms : list of str
    effects : numpy.ndarray
        As `Effect`, shape (groups, terms, 4).
    cooks : numpy.ndarray
        Cook's distance of all fixed effects, shape (groups,).
    error, cooks_error : numpy.ndarray
        Of effects and of what Cook's distance is made of, in standard errors, shapes
        (groups, terms) and (groups,); 0 after a full refit, infinite where nothing is known yet.
    """

    terms: list[str]
    effects: np.ndarray
    cooks: np.ndarray
    error: np.ndarray
    cooks_error: np.ndarray

    @classmethod
    def of(cls, fit: Any, near: Iterable[Ends[Any]], reader: NearReader) -> Screen:
        """Read the fits near by.

        Parameters
        ----------
        fit
            To all rows, of either engine.
        near
            Fits without each group.
        reader
            Reads the effects.
        """
        terms: list[str] = []
        parts = []
        inverse, every = np.linalg.inv(fit.covariance.to_numpy()), np.eye(len(fit.covariance))
        for ends in near:
            terms, effects = reader.near(fit, ends.fine)
            values, se, _ = ends.fine.contrasts(fit, every)
            move = values - fit.coefficients["estimate"].to_numpy()
            cooks = np.einsum("ni,ij,nj->n", move, inverse, move) / len(inverse)
            errors = ends.errors(partial(_effects_in_se, fit, reader, effects[:, :, [SE]]))
            own = ends.errors(partial(_coefficients_in_se, fit, every, se)).max(axis=1)
            parts.append((effects, cooks, errors, own))
        return cls(terms, *map(np.concatenate, zip(*parts, strict=True)))

    def put(self, place: int, effects: Mapping[str, Effect] | None, cook: float | None) -> None:
        """Replace what is known of one group by its full refit."""
        nothing = Effect(np.nan, np.nan, np.nan, np.nan)
        self.effects[place] = [(effects or {}).get(term, nothing) for term in self.terms]
        self.cooks[place] = np.nan if cook is None else cook
        self.error[place] = self.cooks_error[place] = 0.0

    def of_group(self, place: int) -> tuple[dict[str, Effect], float]:
        """Return the effects without one group, and Cook's distance."""
        effects = zip(self.terms, self.effects[place].tolist(), strict=True)
        return {term: Effect(*numbers) for term, numbers in effects}, float(self.cooks[place])

    def doubtful(self, mains: Sequence[Estimate]) -> set[int]:
        """Return groups whose error could show in print; none when all is settled.

        Parameters
        ----------
        mains
            The effects in the whole fit.
        """
        unknown = np.flatnonzero(np.isinf(self.cooks_error) | np.isinf(self.error).any(axis=1))
        if len(unknown):
            return set(map(int, unknown))
        n, off = len(self.error), self.cooks_error
        off = 2.0 * off * np.sqrt(self.cooks) + off**2
        found = _highest(self.cooks, off) | _about(self.cooks, 4.0 / n, off)
        for main in mains:
            if main.term not in self.terms or main.estimate is None:
                continue
            place = self.terms.index(main.term)
            error, (estimate, se, low, high) = self.error[:, place], self.effects[:, place].T
            dfbetas = np.abs(float(main.estimate) - estimate) / se
            found |= _highest(estimate, error * se) | _highest(-estimate, error * se)
            found |= _highest(dfbetas, error * (1.0 + dfbetas))
            found |= _about(dfbetas, 2.0 / np.sqrt(n), error * (1.0 + dfbetas))
            for value in (estimate, low, high):
                found |= _about(value, 0.0, error * se)
        return found


def _effects_in_se(fit: Any, reader: NearReader, se: np.ndarray, points: Any) -> np.ndarray:
    return np.asarray(reader.near(fit, points)[1] / se)


def _coefficients_in_se(fit: Any, every: np.ndarray, se: np.ndarray, points: Any) -> np.ndarray:
    return np.asarray((points.contrasts(fit, every)[0] / se)[:, :, None])


def _highest(values: np.ndarray, error: np.ndarray) -> set[int]:
    """Return the group that may be highest, unless it is known exactly."""
    most = np.where(np.isnan(values), -np.inf, values + error)
    place = int(np.argmax(most))
    return {place} if error[place] > 0 and np.isfinite(most[place]) else set()


def _about(values: np.ndarray, limit: float, error: np.ndarray) -> set[int]:
    """Return the groups that may lie on either side of a limit."""
    return set(map(int, np.flatnonzero((error > 0) & (np.abs(values - limit) <= error))))
