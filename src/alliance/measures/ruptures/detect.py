"""Find ruptures and their repair in many courses at once.

A course is a row of a matrix; the only loop is over sessions, so that tens of thousands of courses
take seconds: the null model and the recovery study rest on that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.measures.courses import first_scores
from alliance.measures.reliable_change import error_of_difference
from alliance.measures.ruptures.rules import Rule

REPAIRED, UNREPAIRED, ENDED = 0, 1, 2
OUTCOMES = ("repaired", "unrepaired", "course ended")
RANGE_TO_SIGMA = 1.128
"""d2 of ranges of two: mean moving range / 1.128 estimates sigma; 3 / 1.128 = 2.66."""
FEWEST_FOR_AN_SD = 3
RUNS = ((2, 3, 2.0), (4, 5, 1.0), (8, 8, 0.0))
"""Western Electric: at least so many of the last so many scores, more than so many sigmas below."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a rule needs to know of the cohort, in points.

    Attributes
    ----------
    pooled_sd
        Within clients, pooled.
    sample_sd
        Of all scores.
    difference_error
        Standard error of the difference of two scores; None where no reliability is known.
    """

    pooled_sd: float
    sample_sd: float
    difference_error: float | None


@dataclass(frozen=True, slots=True)
class Ruptures:
    """Ruptures found; every array has one entry a rupture, sorted by client and onset.

    Attributes
    ----------
    row
        Which client (row of the matrix).
    onset
        Session of onset, from 1.
    before
        The level that the drop is counted from, in points.
    lowest
        Lowest score of the episode.
    unit
        The rule's unit in points.
    outcome
        0 repaired, 1 not repaired in time, 2 the course ended before.
    repair
        Session of repair, 0 for none.
    lowest_session
        Session of the lowest score.
    repaired_at
        Score at repair, NaN for none.
    """

    row: np.ndarray
    onset: np.ndarray
    before: np.ndarray
    lowest: np.ndarray
    unit: np.ndarray
    outcome: np.ndarray
    repair: np.ndarray
    lowest_session: np.ndarray
    repaired_at: np.ndarray

    @property
    def depth(self) -> np.ndarray:
        """Return points from the level before to the lowest score."""
        return np.asarray(self.before - self.lowest)

    @property
    def duration(self) -> np.ndarray:
        """Return sessions from onset to repair, NaN where there was none."""
        return np.where(self.outcome == REPAIRED, self.repair - self.onset, np.nan)

    @property
    def speed(self) -> np.ndarray:
        """Return points regained a session from the lowest score to repair, NaN without repair."""
        steps = np.maximum(self.repair - self.lowest_session, 1)
        return np.asarray((self.repaired_at - self.lowest) / steps)


def scale_of(scores: np.ndarray, reliability: float | None) -> Scale:
    """Return a cohort's scale from its scores, shape (n_clients, n_sessions), NaN where missing."""
    seen = ~np.isnan(scores)
    n = seen.sum(axis=1)
    total = np.where(seen, scores, 0.0).sum(axis=1)
    mean = total / np.maximum(n, 1)
    squares = np.where(seen, (scores - mean[:, None]) ** 2, 0.0).sum()
    df = np.maximum(n - 1, 0).sum()
    first = first_scores(scores)
    first = first[~np.isnan(first)]
    error = None
    if reliability is not None and len(first) > 1:
        error = error_of_difference(float(np.std(first, ddof=1)), reliability)
    return Scale(
        pooled_sd=float(np.sqrt(squares / df)) if df else 0.0,
        sample_sd=float(np.std(scores[seen], ddof=1)) if seen.sum() > 1 else 0.0,
        difference_error=error,
    )


def detect(scores: np.ndarray, rule: Rule, scale: Scale) -> Ruptures:
    """Find ruptures by a rule.

    Parameters
    ----------
    scores
        Shape (n_clients, n_sessions), NaN where missing; higher is better.
    rule
        What counts.
    scale
        The cohort's.

    Raises
    ------
    ValueError
        The rule counts in reliable changes, but no reliability is known.

    Notes
    -----
    A score at least `threshold` units below the baseline opens an episode. It closes with the first
    score that reaches the target (repaired) or when `within` sessions have passed (unrepaired);
    until then no other rupture begins. An episode still open at the client's last score is
    censored. A session without a score neither opens nor closes one.
    """
    judged, baseline, unit = _levels(scores, rule, scale)
    with np.errstate(invalid="ignore"):
        low = judged & (baseline - scores >= rule.threshold * unit) & (unit > 0)
    if rule.runs:
        low |= judged & (unit > 0) & _runs_below(scores, baseline, unit)
    target = _targets(scores, rule)
    return _episodes(scores, low, baseline, unit, target, rule)


def judged_sessions(scores: np.ndarray, rule: Rule, scale: Scale) -> np.ndarray:
    """Say at which sessions the rule could be applied at all, shape (n_clients, n_sessions)."""
    return _levels(scores, rule, scale)[0]


def _levels(
    scores: np.ndarray, rule: Rule, scale: Scale
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the rule can judge, and baseline and unit there; shape of `scores` each."""
    seen = ~np.isnan(scores)
    baseline = _baseline(scores, rule)
    unit = _unit(scores, rule, scale)
    if rule.baseline in ("own_line", "own_mean"):
        enough = (seen.sum(axis=1) >= rule.history)[:, None]
    else:
        enough = np.cumsum(seen, axis=1) - seen >= rule.history
    judged = seen & enough & ~np.isnan(baseline) & ~np.isnan(unit)
    return judged, baseline, unit


def _baseline(scores: np.ndarray, rule: Rule) -> np.ndarray:
    if rule.baseline == "previous":
        return _last_seen(scores, rule.window)
    if rule.baseline == "window_max":
        best = np.full(scores.shape, np.nan)
        for back in range(1, min(rule.window, scores.shape[1] - 1) + 1):
            best[:, back:] = np.fmax(best[:, back:], scores[:, :-back])
        return best
    if rule.baseline == "running_mean":
        return _mean_before(scores)
    if rule.baseline == "own_mean":
        return np.broadcast_to(own_mean(scores)[:, None], scores.shape)
    return own_line(scores)


def _last_seen(scores: np.ndarray, window: int) -> np.ndarray:
    """Return the last score before each session, at most `window` sessions back."""
    found = np.full(scores.shape, np.nan)
    for back in range(min(window, scores.shape[1] - 1), 0, -1):
        earlier = scores[:, :-back]
        found[:, back:] = np.where(np.isnan(earlier), found[:, back:], earlier)
    return found


def _mean_before(scores: np.ndarray) -> np.ndarray:
    seen = ~np.isnan(scores)
    n = np.cumsum(seen, axis=1) - seen
    filled = np.where(seen, scores, 0.0)
    total = np.cumsum(filled, axis=1) - filled
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def own_mean(scores: np.ndarray) -> np.ndarray:
    """Return each client's mean, NaN for none, shape (n,)."""
    seen = ~np.isnan(scores)
    n = seen.sum(axis=1)
    return np.where(n > 0, np.where(seen, scores, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)


def own_line(scores: np.ndarray) -> np.ndarray:
    """Return each client's least-squares line over session numbers; NaN under three scores."""
    seen = ~np.isnan(scores)
    n = seen.sum(axis=1)
    session = np.arange(1.0, scores.shape[1] + 1)
    time_mean = (seen * session).sum(axis=1) / np.maximum(n, 1)
    time = np.where(seen, session - time_mean[:, None], 0.0)
    level = own_mean(scores)
    spread = (time**2).sum(axis=1)
    with np.errstate(invalid="ignore"):
        slope = np.where(seen, time * (scores - level[:, None]), 0.0).sum(axis=1)
    slope = np.where(spread > 0, slope / np.where(spread > 0, spread, 1.0), 0.0)
    line = level[:, None] + slope[:, None] * (session - time_mean[:, None])
    return np.where((n >= FEWEST_FOR_AN_SD)[:, None], line, np.nan)


def _unit(scores: np.ndarray, rule: Rule, scale: Scale) -> np.ndarray:
    """Return the unit in points, shape of `scores`; NaN where it cannot be formed."""
    if rule.unit == "reliable_change" and scale.difference_error is None:
        msg = f"The rule {rule.name} counts in reliable changes, but no reliability is known."
        raise ValueError(msg)
    constants = {
        "raw": 1.0,
        "pooled_sd": scale.pooled_sd,
        "sample_sd": scale.sample_sd,
        "reliable_change": scale.difference_error or 0.0,
    }
    if rule.unit in constants:
        return np.full(scores.shape, constants[rule.unit])
    if rule.unit == "own_sd_so_far":
        return _sd_before(scores)
    if rule.unit == "moving_range":
        own = mean_moving_range(scores) / RANGE_TO_SIGMA
    else:
        own = _own_sd(scores, around_line=rule.baseline == "own_line")
    if rule.unit == "larger_sd":
        own = np.maximum(own, scale.sample_sd)
    return np.repeat(own[:, None], scores.shape[1], axis=1)


def _own_sd(scores: np.ndarray, *, around_line: bool) -> np.ndarray:
    """Return each client's SD around the mean (n - 1) or the line (n - 2), NaN under 3 scores."""
    centre = own_line(scores) if around_line else own_mean(scores)[:, None]
    seen = ~np.isnan(scores)
    n = seen.sum(axis=1)
    with np.errstate(invalid="ignore"):
        squares = np.where(seen, (scores - centre) ** 2, 0.0).sum(axis=1)
    df = n - (2 if around_line else 1)
    sd = np.sqrt(squares / np.maximum(df, 1))
    return np.where((n >= FEWEST_FOR_AN_SD) & (df > 0), sd, np.nan)


def _sd_before(scores: np.ndarray) -> np.ndarray:
    """Return the SD of all scores before each session, NaN under three."""
    seen = ~np.isnan(scores)
    n = np.cumsum(seen, axis=1) - seen
    centred = np.where(seen, scores - own_mean(scores)[:, None], 0.0)
    total = np.cumsum(centred, axis=1) - centred
    squares = np.cumsum(centred**2, axis=1) - centred**2
    variance = (squares - total**2 / np.maximum(n, 1)) / np.maximum(n - 1, 1)
    return np.where(n >= FEWEST_FOR_AN_SD, np.sqrt(np.maximum(variance, 0.0)), np.nan)


def mean_moving_range(scores: np.ndarray) -> np.ndarray:
    """Return the mean absolute step between neighbouring sessions, NaN under two steps."""
    steps = np.abs(np.diff(scores, axis=1))
    seen = ~np.isnan(steps)
    n = seen.sum(axis=1)
    mean = np.where(seen, steps, 0.0).sum(axis=1) / np.maximum(n, 1)
    return np.where(n >= 2, mean, np.nan)


def _runs_below(scores: np.ndarray, centre: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Say where one of the runs below the centre is complete; a missing score breaks none."""
    missing = np.isnan(scores)
    order = np.argsort(missing, axis=1, kind="stable")  # the scores that are there, side by side
    # a course without any step has no sigma; the caller leaves it out
    with np.errstate(invalid="ignore", divide="ignore"):
        sigmas_below = np.take_along_axis((centre - scores) / sigma, order, axis=1)
    hit = np.zeros(scores.shape, dtype=bool)
    for least, span, sigmas in RUNS:
        with np.errstate(invalid="ignore"):
            below = sigmas_below > sigmas
        count = np.cumsum(below, axis=1)
        count[:, span:] = count[:, span:] - count[:, :-span].copy()
        hit |= below & (count >= least)
    back = np.empty_like(hit)
    np.put_along_axis(back, order, hit, axis=1)
    return np.asarray(back & ~missing)


def _targets(scores: np.ndarray, rule: Rule) -> np.ndarray | None:
    if rule.repair.target == "own_mean":
        return np.broadcast_to(own_mean(scores)[:, None], scores.shape)
    if rule.repair.target == "own_line":
        return own_line(scores)
    return None


def _episodes(
    scores: np.ndarray,
    low: np.ndarray,
    baseline: np.ndarray,
    unit: np.ndarray,
    target: np.ndarray | None,
    rule: Rule,
) -> Ruptures:
    """Walk through the sessions, all clients side by side."""
    n = len(scores)
    state = {
        "onset": np.zeros(n, dtype=int),  # 0: no open episode
        "lowest_session": np.zeros(n, dtype=int),
        "before": np.full(n, np.nan),
        "lowest": np.full(n, np.nan),
        "unit": np.full(n, np.nan),
    }
    closed: list[dict[str, np.ndarray]] = []

    def close(rows: np.ndarray, outcome: int, session: int) -> None:
        if not len(rows):
            return
        repaired = outcome == REPAIRED
        closed.append(
            {name: values[rows] for name, values in state.items()}
            | {
                "row": rows,
                "outcome": np.full(len(rows), outcome),
                "repair": np.full(len(rows), session if repaired else 0),
                "repaired_at": scores[rows, session - 1]
                if repaired
                else np.full(len(rows), np.nan),
            }
        )
        state["onset"][rows] = 0

    for column in range(scores.shape[1]):
        session, score = column + 1, scores[:, column]
        is_open = state["onset"] > 0
        if target is not None:
            goal = target[:, column]
        elif rule.repair.target == "half_of_drop":
            goal = (state["before"] + state["lowest"]) / 2
        else:
            goal = state["before"]
        with np.errstate(invalid="ignore"):
            reached = is_open & (score >= goal - rule.repair.tolerance * state["unit"])
        # a score that the rule calls low is no repair, however near the target has come
        reached &= ~low[:, column]
        close(np.flatnonzero(reached), REPAIRED, session)
        if rule.repair.within is not None:
            over = (state["onset"] > 0) & (session - state["onset"] >= rule.repair.within)
            close(np.flatnonzero(over), UNREPAIRED, session)
        with np.errstate(invalid="ignore"):
            deeper = (state["onset"] > 0) & (score < state["lowest"])
        state["lowest"][deeper] = score[deeper]
        state["lowest_session"][deeper] = session
        begins = (state["onset"] == 0) & low[:, column] & ~reached
        state["onset"][begins] = state["lowest_session"][begins] = session
        state["before"][begins] = baseline[begins, column]
        state["lowest"][begins] = score[begins]
        state["unit"][begins] = unit[begins, column]
    close(np.flatnonzero(state["onset"] > 0), ENDED, scores.shape[1])
    return _sorted(closed)


def _sorted(closed: list[dict[str, np.ndarray]]) -> Ruptures:
    names = Ruptures.__dataclass_fields__
    if not closed:
        whole = {"row", "onset", "outcome", "repair", "lowest_session"}
        return Ruptures(**{k: np.array([], dtype=int if k in whole else float) for k in names})
    joined = {name: np.concatenate([part[name] for part in closed]) for name in names}
    order = np.lexsort((joined["onset"], joined["row"]))
    return Ruptures(**{name: values[order] for name, values in joined.items()})
