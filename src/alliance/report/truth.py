"""Lay the truth of a simulated cohort beside the estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alliance.findings.fields import Field

FIXED_EFFECTS = "fixed effects"  # how `truth.json` calls that estimator
USABLE = ("converged", "singular")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A true value and its estimate.

    Attributes
    ----------
    estimand
        Entry of `truth.json`: model, term, estimator, value, scale, note, perhaps `expected` (what
        the same method gives in a very large cohort), and for a variance component level, name_1
        and name_2.
    fit
        The fit that estimates it, or None where there is none.
    entry
        The estimate or variance component, or None where the fit has none under that name.
    value, low, high
        Estimate and interval; None with `entry`. A variance component has no interval.
    """

    estimand: Field
    fit: Field | None = None
    entry: Field | None = None
    value: Field | None = None
    low: Field | None = None
    high: Field | None = None

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.estimand["model"].raw)

    @property
    def is_component(self) -> bool:
        """Whether it is a variance or covariance."""
        return "name_1" in self.estimand

    @property
    def is_main(self) -> bool:
        """Whether the model was fitted for it."""
        return self.entry is not None and "role" in self.entry and self.entry["role"].raw == "main"

    @property
    def is_comparable(self) -> bool:
        """Whether there is a true value, and an interval of a fit that converged."""
        numbers = (self.estimand["value"], self.value, self.low, self.high)
        return (
            self.fit is not None
            and self.fit["status"].raw in USABLE
            and all(number is not None and number.raw is not None for number in numbers)
        )

    @property
    def is_inside(self) -> bool:
        """Whether the truth lies in the interval; False where it cannot be compared."""
        if not self.is_comparable or self.low is None or self.high is None:
            return False
        return bool(self.low.raw <= self.estimand["value"].raw <= self.high.raw)


def compare(truth: Field | None, fits: Sequence[Field]) -> list[Comparison]:
    """Return a comparison for every estimand of the truth, in its order."""
    if truth is None or "estimands" not in truth:
        return []
    by_model = {fit["model"].raw: fit for fit in fits}
    return [
        _compare(estimand, by_model.get(estimand["model"].raw)) for estimand in truth["estimands"]
    ]


def _compare(estimand: Field, fit: Field | None) -> Comparison:
    if fit is None:
        return Comparison(estimand)
    if "name_1" in estimand:
        names = {key: estimand[key].raw for key in ("level", "name_1", "name_2")}
        components = fit["variance_components"].where(**names)
        if not components:
            return Comparison(estimand, fit)
        return Comparison(estimand, fit, components[0], components[0]["variance_or_covariance"])
    checks = "estimator" in estimand and estimand["estimator"].raw == FIXED_EFFECTS
    found = fit["companions" if checks else "estimates"].where(term=estimand["term"].raw)
    if not found:
        return Comparison(estimand, fit)
    entry = found[0]
    return Comparison(estimand, fit, entry, entry["estimate"], entry["ci_low"], entry["ci_high"])
