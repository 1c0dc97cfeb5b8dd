"""Fits without single groups, a few Newton steps from the optimum of the whole.

The criterion without a group (`alliance.mixed.points`) is minimised by Newton's method, for many
groups at a time, without another look at the data. What is neglected is of fourth order in the
change of the covariances (and of third order in the group's own share of them);
`docs/diagnostics.md` compares the results with full refits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from alliance.mixed.criterion import Criterion
from alliance.mixed.forms import Forms, FormsWithout
from alliance.mixed.points import Points, Third
from alliance.mixed.result import MixedFit

P = TypeVar("P")

STEPS = 12
"""Newton steps on the quadratic; after that a group is left to a full refit."""

SAFETY = 3.0
"""On the error that is stated; against full refits of the demo 2 were enough."""

ENDED = 1e-10
"""Another step that would gain less in -2 log L moves nothing that anybody reads."""


@dataclass(frozen=True, slots=True)
class Ends(Generic[P]):
    """Where the criterion without each group has its minimum, to three orders.

    Attributes
    ----------
    start, rough, fine : Points
        At the covariances of the whole; with T and log|V| taken as quadratic in the covariances;
        and as cubic.
    arrived : numpy.ndarray
        Whether there is a minimum near by, shape (n,).
    """

    start: P
    rough: P
    fine: P
    arrived: np.ndarray

    def errors(self, numbers: Callable[[P], np.ndarray]) -> np.ndarray:
        """Bound the errors of quantities at `fine`, shape (n, quantities).

        What the third order moves a quantity (and a tenth of what it moves any of the group's),
        times the share that this is of all that moves: the next order is smaller by about this
        share. `SAFETY` is on top; at most the third order itself.

        Parameters
        ----------
        numbers
            Of each quantity, in its standard errors, shape (n, quantities, numbers).
        """
        start, rough, fine = map(numbers, (self.start, self.rough, self.fine))
        with np.errstate(invalid="ignore", divide="ignore"):
            third = np.abs(fine - rough).max(axis=2)
            most = third.max(axis=1)
            share = np.nan_to_num(most / np.abs(fine - start).max(axis=(1, 2)), nan=1.0)
        errors = np.maximum(third, 0.1 * most[:, None]) * np.minimum(SAFETY * share, 1.0)[:, None]
        return np.where(self.arrived[:, None] & np.isfinite(errors), errors, np.inf)


def nearby(fit: MixedFit, groups: Sequence[np.ndarray]) -> Iterator[Ends[Points]]:
    """Fit without each group of clients, some groups at a time.

    Parameters
    ----------
    fit : MixedFit
    groups : sequence of array of int
        Places of the clients of each in `fit.prepared.nesting`.
    """
    third = Third.of(fit)
    for forms in FormsWithout(fit)(groups):
        centre = np.tile(fit.optimum.theta, (len(forms.rows), 1))
        rough, ended = _minimise(fit.criterion, forms, third.nil, centre)
        fine, arrived = _minimise(fit.criterion, forms, third, centre)
        start = Points.at(fit.criterion, forms, third.nil, centre)
        yield Ends(start, rough, fine, ended & arrived)


def _minimise(
    criterion: Criterion, forms: Forms, third: Third, theta: np.ndarray
) -> tuple[Points, np.ndarray]:
    """Take Newton steps; returns where they lead, and whether that is a minimum."""
    theta, going = theta.copy(), np.arange(len(theta))
    arrived = np.zeros(len(theta), dtype=bool)
    for _ in range(STEPS):
        points = Points.at(criterion, forms.some(going), third, theta[going])
        step, gain, good = points.newton()
        arrived[going] = good & (gain < ENDED)
        on = good & ~arrived[going]
        theta[going[on]] += step[on]
        going = going[on]
        if not len(going):
            break
    return Points.at(criterion, forms, third, theta), arrived
