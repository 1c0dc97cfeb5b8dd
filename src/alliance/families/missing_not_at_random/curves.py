"""How the main effects move as each assumption worsens, and where they are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from alliance.families.common.tipping import Lost, tipping_point
from alliance.families.facts import Estimator
from alliance.families.fit import Curve, Estimate
from alliance.families.missing_not_at_random.completed import Found
from alliance.families.missing_not_at_random.patterns import Patterns

RANDOM = (Estimator.MULTIPLE_IMPUTATION, 0.0)
WORSE = {
    Estimator.DELTA_ADJUSTED: "Points more at each session after leaving",
    Estimator.JUMP_TO_REFERENCE: "Share of the jump to the reference group",
    Estimator.COPY_INCREMENTS: "Share of the change of the reference group",
    Estimator.LAST_MEAN: "Share of the way to no further change",
    Estimator.BASELINE_MEAN: "Share of the way back to the beginning",
}
WHICH: tuple[Lost, ...] = ("sign", "interval")
UNLIKE = "Times as unlike those who stayed as seen"


def curves_of(main: Sequence[Estimate], found: Found, patterns: Patterns | None) -> list[Curve]:
    """Return a curve for each way to worsen and main effect, named by the estimator's code."""
    curves = []
    for k, effect in enumerate(main):
        y_label = f"{effect.label}, {effect.unit}"
        for code, x_label in WORSE.items():
            x = sorted([*(far for one, far in found if one == code), 0.0])
            if len(x) == 1:
                continue
            pools = [found[code, far][k] if far else found[RANDOM][k] for far in x]
            lines = _lines([one.numbers() for one in pools])
            curves.append(Curve(code, effect.label, x_label, y_label, x, *lines))
        if patterns is not None:
            lines = _lines([of[k].numbers() for of in patterns.found.values()])
            x = list(patterns.found)
            curves.append(
                Curve(Estimator.PATTERN_MIXTURE, effect.label, UNLIKE, y_label, x, *lines)
            )
    return curves


def _lines(numbers: Sequence[Mapping[str, float]]) -> list[list[float]]:
    """Return estimates, and the lower and upper ends of their intervals."""
    return [[one[key] for one in numbers] for key in ("estimate", "ci_low", "ci_high")]


def tipping_points(curves: Sequence[Curve]) -> dict[str, float | None]:
    """Return where each curve loses its sign and its interval, None where it does not."""
    found: dict[str, float | None] = {}
    for curve in curves:
        x, estimate = np.asarray(curve.x, float), np.asarray(curve.estimate, float)
        low, high = np.asarray(curve.ci_low, float), np.asarray(curve.ci_high, float)
        for which in WHICH:
            name = f"{curve.name} loses its {which} at: {curve.group}"
            found[name] = tipping_point(x, estimate, low, high, which)
    return found
