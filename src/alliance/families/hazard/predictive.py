"""How well a hazard foretells, at therapists that the fit has not seen.

Five-fold cross-validation over therapists (over clients where therapists are not known): the model
is fitted without a fifth of them and predicts their clients' risk after every session, averaged
over the distribution of therapists.

- Calibration: observed share of dropouts against the mean predicted risk, by fifths of the risk.
- Discrimination over time: after a session, the probability that a client who leaves had a higher
  predicted risk than one who stays (the incident/dynamic AUC of Heagerty & Zheng, 2005), sessions
  with few dropouts joined; standard error by Hanley & McNeil (1982).
- Accuracy: the mean squared error of the risk (Brier, 1950), beside that of the sessions' rates
  without any predictor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.fit import Curve
from alliance.families.hazard.rows import session_intervals
from alliance.mixed import LogitFit

FOLDS = 5
FIFTHS = 5
FEWEST_IN_A_FIFTH = 40


@dataclass(frozen=True, slots=True)
class Performance:
    """Curves and summary numbers of a fit's predictions, in the form of a fit's JSON."""

    curves: list[Curve]
    statistics: dict[str, float]


def cross_validated(
    rows: pd.DataFrame, fit: Callable[[pd.DataFrame], LogitFit]
) -> Performance | None:
    """Return the performance of held-out predictions; None where a fold cannot be fitted.

    Parameters
    ----------
    rows
        What the model was fitted to, with `dropout_event`, `session`, `client`, `therapist`.
    fit
        Fits the same model to other rows.
    """
    held_out = _predictions(rows, fit)
    if held_out is None:
        return None
    risk, without = held_out
    event = rows["dropout_event"].to_numpy(float)
    intervals = session_intervals(rows)
    sessions = rows["session"].to_numpy()
    named = rows["session"].map(intervals).to_numpy(dtype=object)
    auc = _auc(event, risk, sessions)
    statistics = {
        "cross_validated_auc": auc[0],
        "cross_validated_calibration_slope": _calibration_slope(event, risk),
        "cross_validated_brier_score": float(np.mean((event - risk) ** 2)),
        "brier_score_without_predictors": float(np.mean((event - without) ** 2)),
    }
    curves = [_calibration(event, risk), _discrimination(event, risk, sessions, named)]
    curves += [
        _brier(event, predicted, sessions, named, group)
        for predicted, group in ((risk, "the model"), (without, "without predictors"))
    ]
    kept = [curve for curve in curves if len(curve.x)]
    return Performance(kept, {k: v for k, v in statistics.items() if np.isfinite(v)})


def _predictions(
    rows: pd.DataFrame, fit: Callable[[pd.DataFrame], LogitFit]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return held-out risks of the model, and the sessions' rates of the other folds."""
    level = "therapist" if rows["therapist"].notna().all() else "client"
    names = np.array(sorted(rows[level].unique()))
    if len(names) < 2 * FOLDS:
        return None
    fold = rows[level].map({name: k % FOLDS for k, name in enumerate(names)}).to_numpy()
    risk, without = np.zeros(len(rows)), np.zeros(len(rows))
    for k in range(FOLDS):
        here = fold == k
        try:
            other = fit(rows[~here])
            predicted = other.predict(rows[here], levels="none", population=True)
        except FitError:
            return None
        risk[here] = np.asarray(predicted)
        named = session_intervals(rows[~here])
        last = named[max(named)]
        there = rows[~here]["session"].map(named)
        rates = rows[~here]["dropout_event"].groupby(there).mean()
        without[here] = rows[here]["session"].map(lambda s: rates[named.get(s, last)])  # noqa: B023
    return (risk, without) if np.isfinite(risk).all() else None


def _auc(event: np.ndarray, risk: np.ndarray, session: np.ndarray) -> tuple[float, float]:
    """Return the AUC over pairs of one session, and its standard error."""
    pairs = wins = left = stayed = 0.0
    for t in np.unique(session[event == 1]):
        here = session == t
        leavers, stayers = risk[here & (event == 1)], risk[here & (event == 0)]
        difference = leavers[:, None] - stayers[None, :]
        wins += float((difference > 0).sum() + 0.5 * (difference == 0).sum())
        pairs += difference.size
        left, stayed = left + len(leavers), stayed + len(stayers)
    if pairs == 0:
        return float("nan"), float("nan")
    auc = wins / pairs
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (left - 1) * (one - auc**2) + (stayed - 1) * (two - auc**2)
    return auc, float(np.sqrt(max(variance, 0.0) / (left * stayed)))


def _calibration_slope(event: np.ndarray, risk: np.ndarray) -> float:
    """Return the slope of observed on predicted log odds; below 1 the risks are too extreme."""
    import statsmodels.api as sm

    inside = np.clip(risk, 1e-9, 1 - 1e-9)
    x = sm.add_constant(np.log(inside / (1 - inside)))
    return float(sm.GLM(event, x, family=sm.families.Binomial()).fit().params[1])


def _calibration(event: np.ndarray, risk: np.ndarray) -> Curve:
    """Return observed shares by fifths of the predicted risk, with Wilson's band."""
    edges = np.quantile(risk, np.linspace(0, 1, FIFTHS + 1)[1:-1])
    fifth = np.searchsorted(edges, risk, side="right")
    x, y, low, high = [], [], [], []
    for k in range(FIFTHS):
        here = fifth == k
        if here.sum() < FEWEST_IN_A_FIFTH:
            continue
        left = int(event[here].sum())
        band = stats.binomtest(left, int(here.sum())).proportion_ci(0.95, method="wilson")
        x.append(float(risk[here].mean()))
        y.append(left / int(here.sum()))
        low.append(float(band.low))
        high.append(float(band.high))
    return Curve("calibration", "clients not seen before", "Predicted risk",
                  "Observed share of dropouts", x, y, low, high)  # fmt: skip


def _discrimination(
    event: np.ndarray, risk: np.ndarray, session: np.ndarray, interval: np.ndarray
) -> Curve:
    x, y, low, high = [], [], [], []
    for name in _named(interval):
        here = interval == name
        auc, se = _auc(event[here], risk[here], session[here])
        if np.isfinite(auc):
            x.append(float(session[here].mean()))
            y.append(auc)
            low.append(max(0.0, auc - NORMAL_975 * se))
            high.append(min(1.0, auc + NORMAL_975 * se))
    return Curve("discrimination", "clients not seen before", "Session",
                  "Leaver has the higher risk (AUC)", x, y, low, high)  # fmt: skip


def _brier(
    event: np.ndarray, risk: np.ndarray, session: np.ndarray, interval: np.ndarray, group: str
) -> Curve:
    x, y, low, high = [], [], [], []
    for name in _named(interval):
        here = interval == name
        squared = (event[here] - risk[here]) ** 2
        half = NORMAL_975 * float(squared.std(ddof=1)) / np.sqrt(len(squared))
        x.append(float(session[here].mean()))
        y.append(float(squared.mean()))
        low.append(max(0.0, float(squared.mean()) - half))
        high.append(float(squared.mean()) + half)
    return Curve("brier", group, "Session", "Mean squared error (Brier)", x, y, low, high)


def _named(interval: np.ndarray) -> list[str]:
    return sorted(set(interval))
