"""Reliable and clinically significant change: the published indices and cut-offs, as arithmetic.

All indices take first and last scores of the same clients and say, in standard errors, how far the
last score lies from where it would be expected without real change. What they expect, and which
standard error they use, is where they differ. Formulas checked against the source of the R package
clinicalsignificance, whose published counts the tests reproduce; the original articles were not at
hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Better = Literal["lower", "higher"]
CLASSES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")
TWO_SIDED = 1.96
ONE_SIDED = 1.65
"""Critical values as the authors print them, not to more digits: classes must match theirs."""


@dataclass(frozen=True, slots=True)
class Sample:
    """First and last scores of the same clients, and what the indices need to know of them.

    Attributes
    ----------
    first, last
        Scores, shape (n,), none missing.
    reliability
        Of the measure at the first session, between 0 and 1.
    reliability_last
        Of the measure at the last session; used by Nunnally and Kotsch only.
    before
        First scores of all clients, of those too who have no other; None: they are `first`.
    """

    first: np.ndarray
    last: np.ndarray
    reliability: float
    reliability_last: float
    before: np.ndarray | None = None

    @property
    def sd_first(self) -> float:
        """Return the standard deviation before treatment: errors of measurement rest on it."""
        return float(np.std(self.first if self.before is None else self.before, ddof=1))

    @property
    def mean_first(self) -> float:
        """Return the mean before treatment."""
        return float(np.mean(self.first if self.before is None else self.before))

    @property
    def sd_last(self) -> float:
        """Return the standard deviation of the last scores."""
        return float(np.std(self.last, ddof=1))

    @property
    def error_of_measurement(self) -> float:
        """Return SD (1 - r)^(1/2)."""
        return self.sd_first * float(np.sqrt(1 - self.reliability))

    @property
    def error_of_prediction(self) -> float:
        """Return SD (1 - r^2)^(1/2), the error of a score predicted from another."""
        return self.sd_first * float(np.sqrt(1 - self.reliability**2))

    @property
    def expected_last(self) -> np.ndarray:
        """Return the first scores drawn towards their mean by the reliability, shape (n,)."""
        mean = self.first.mean()
        return np.asarray(self.reliability * (self.first - mean) + mean)


def error_of_difference(sd_first: float, reliability: float) -> float:
    """Return the standard error of a difference of two scores, SD (2 (1 - r))^(1/2)."""
    return sd_first * float(np.sqrt(2 * (1 - reliability)))


def reliable_points(sd_first: float, reliability: float) -> float:
    """Return the points that a change must exceed: 1.96 SD (2 (1 - r))^(1/2).

    The one threshold of reliable change (Jacobson and Truax, 1991), of sudden gains and losses,
    and of leaving without reliable improvement; `sd_first` is that of all clients' first scores.
    """
    return TWO_SIDED * error_of_difference(sd_first, reliability)


def jacobson_truax(sample: Sample) -> np.ndarray:
    """Return (last - first) / standard error of the difference (Jacobson and Truax, 1991)."""
    error = error_of_difference(sample.sd_first, sample.reliability)
    return np.asarray((sample.last - sample.first) / error)


def gulliksen_lord_novick(sample: Sample) -> np.ndarray:
    """Return the distance from the score predicted from the first, in errors of prediction."""
    return np.asarray((sample.last - sample.expected_last) / sample.error_of_prediction)


def hsu_linn_lord(sample: Sample) -> np.ndarray:
    """Return the same with the last scores' own mean: who changed more than the others did."""
    mean_change = sample.last.mean() - sample.first.mean()
    return np.asarray(
        (sample.last - sample.expected_last - mean_change) / sample.error_of_prediction
    )


def edwards_nunnally(sample: Sample) -> np.ndarray:
    """Return the distance from the estimated true first score, in errors of measurement."""
    return np.asarray((sample.last - sample.expected_last) / sample.error_of_measurement)


def nunnally_kotsch(sample: Sample) -> np.ndarray:
    """Return the same with an error for each of the two scores (two reliabilities)."""
    r, r_last, variance = sample.reliability, sample.reliability_last, sample.sd_first**2
    error = np.sqrt(r**2 * variance * (1 - r) + variance * (1 - r_last))
    return np.asarray((sample.last - sample.expected_last) / error)


def hageman_arrindell(sample: Sample) -> np.ndarray:
    """Return the index built on the reliability of the differences (Hageman, Arrindell, 1999).

    The standard error of measurement is that of the first session at both; each session's
    reliability follows from it and the session's own spread.
    """
    error2 = sample.error_of_measurement**2
    v1, v2 = float(np.var(sample.first, ddof=1)), sample.sd_last**2
    covariance = float(np.cov(sample.first, sample.last)[0, 1])
    r_dd = ((v1 - error2) + (v2 - error2) - 2 * covariance) / (v1 + v2 - 2 * covariance)
    if not r_dd > 0:
        msg = "The differences hold no more than errors of measurement: this index is not defined."
        raise ValueError(msg)
    change = sample.last - sample.first
    return np.asarray(
        (change * r_dd + change.mean() * (1 - r_dd)) / (np.sqrt(r_dd) * np.sqrt(2 * error2))
    )


INDICES: dict[str, tuple[str, Callable[[Sample], np.ndarray], float]] = {
    "jacobson-truax": ("Jacobson and Truax", jacobson_truax, TWO_SIDED),
    "gulliksen-lord-novick": ("Gulliksen, Lord and Novick", gulliksen_lord_novick, TWO_SIDED),
    "hsu-linn-lord": ("Hsu, Linn and Lord", hsu_linn_lord, TWO_SIDED),
    "edwards-nunnally": ("Edwards and Nunnally", edwards_nunnally, TWO_SIDED),
    "nunnally-kotsch": ("Nunnally and Kotsch", nunnally_kotsch, TWO_SIDED),
    "hageman-arrindell": ("Hageman and Arrindell", hageman_arrindell, ONE_SIDED),
}
"""Method to its name in print, its index and the critical value."""


def cutoffs(
    mean: float, sd: float, better: Better, functional: tuple[float, float] | None
) -> dict[str, float | None]:
    """Return the cut-offs a, b and c of Jacobson and Truax (1991).

    Parameters
    ----------
    mean, sd
        Of the clinical sample's first scores.
    functional
        Mean and SD of a functional population; without it b and c are None.

    Notes
    -----
    a = two SDs from the clinical mean in the direction of health; b = two SDs from the functional
    mean in the other direction; c = where both distributions are equally far, in their own SDs.
    """
    sign = 1.0 if better == "higher" else -1.0
    found: dict[str, float | None] = {"a": mean + sign * 2 * sd, "b": None, "c": None}
    if functional is not None:
        healthy, spread = functional
        found["b"] = healthy - sign * 2 * spread
        found["c"] = (sd * healthy + spread * mean) / (sd + spread)
    return found


def crossed(first: np.ndarray, last: np.ndarray, cutoff: float, better: Better) -> np.ndarray:
    """Say who went from the clinical to the functional side of the cut-off, shape (n,)."""
    sign = 1.0 if better == "higher" else -1.0
    return np.asarray((sign * first < sign * cutoff) & (sign * last > sign * cutoff))


def crossed_back(first: np.ndarray, last: np.ndarray, cutoff: float, better: Better) -> np.ndarray:
    """Say who went from the functional to the clinical side of the cut-off, shape (n,)."""
    return crossed(first, last, cutoff, "lower" if better == "higher" else "higher")


def crossed_in_true_scores(
    sample: Sample, better: Better, functional: tuple[float, float] | None, kind: str
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return Hageman and Arrindell's cut-off, and who crossed it for the better and the worse.

    The cut-off is that of `cutoffs` with the spreads of true scores, SD r^(1/2); a client has
    crossed it if the last score, drawn towards the mean of last scores by its reliability, lies
    beyond it by more than 1.65 of its standard errors.
    """
    error2 = sample.error_of_measurement**2

    def true_sd(sd: float) -> float:
        return float(np.sqrt(max(sd**2 - error2, 0.0)))

    healthy = None if functional is None else (functional[0], true_sd(functional[1]))
    cutoff = cutoffs(sample.mean_first, true_sd(sample.sd_first), better, healthy)[kind]
    r_last = true_sd(sample.sd_last) ** 2 / sample.sd_last**2
    if cutoff is None or not r_last > 0:
        msg = "The last scores hold no more than errors of measurement: no true scores to compare."
        raise ValueError(msg)
    sign = 1.0 if better == "higher" else -1.0
    regressed = sample.last.mean() + (sample.last - sample.last.mean()) * r_last
    distance = sign * (regressed - cutoff) / np.sqrt(r_last * error2)
    clinical = sign * sample.first < sign * cutoff
    return cutoff, clinical & (distance > ONE_SIDED), ~clinical & (distance < -ONE_SIDED)


def classify(
    index: np.ndarray,
    critical: float,
    better: Better,
    recovered: np.ndarray | None = None,
    harmed: np.ndarray | None = None,
) -> np.ndarray:
    """Return the class of every client, an object array of words of `CLASSES`.

    Parameters
    ----------
    index
        Index of change; its sign is that of last - first.
    critical
        Beyond it change is reliable.
    recovered, harmed
        Who crossed the cut-off for the better and for the worse; None where there is no cut-off,
        then nobody is called recovered or harmed.
    """
    sign = 1.0 if better == "higher" else -1.0
    better_now, worse_now = sign * index > critical, sign * index < -critical
    classes = np.full(len(index), "unchanged", dtype=object)
    classes[better_now] = "improved"
    classes[worse_now] = "deteriorated"
    if recovered is not None:
        classes[better_now & recovered] = "recovered"
    if harmed is not None:
        classes[worse_now & harmed] = "harmed"
    return classes


def anchored(first: np.ndarray, last: np.ndarray, difference: float, better: Better) -> np.ndarray:
    """Return classes by a smallest important difference: at least that many points count."""
    sign = 1.0 if better == "higher" else -1.0
    change = sign * (last - first)
    classes = np.full(len(change), "unchanged", dtype=object)
    classes[change >= difference] = "improved"
    classes[change <= -difference] = "deteriorated"
    return classes
