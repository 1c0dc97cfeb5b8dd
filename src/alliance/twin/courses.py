"""The courses of all measures: the run's fits as one model, in sums of items.

    y_tim = fixed effects + f_m(t) slopes + site + therapist + client (levels and slopes) + w_tim
    w_ti  = F w_t-1,i + e_ti,   e ~ N(0, V - F V F'),   w_1 ~ N(0, V)

Two measures of a model of joint courses keep its carry-over and cross-lags F, a measure with a
growth model its fixed effects, variances and autocorrelation; of one without a model that could be
fitted only mean, and variance within and between clients, are kept. Measures that no joint model
links are linked by their correlations within and between clients (`measurement.json`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.config.score_columns import TOTAL
from alliance.twin.margins import SMALLEST
from alliance.twin.normal import possible

LEVELS = ("site", "therapist", "client")
FITTED = ("converged", "singular")
LEVEL, SLOPE = 0, 1
NO_TIME = "none"


@dataclass(frozen=True, slots=True)
class Courses:
    """The model of the courses of M measures.

    Attributes
    ----------
    measures, times
        M names; what time is counted in for each (a column of the panel, or `none`).
    fixed
        By measure: term of the fit to coefficient, in points of the sum of items.
    random
        By level (site, therapist, client): covariance (2M, 2M) of levels and slopes, measure by
        measure: level, slope.
    carry
        F, (M, M): row what is carried to, column what from.
    session
        V, (M, M): covariance of the deviations of one session.
    """

    measures: tuple[str, ...]
    times: tuple[str, ...]
    fixed: dict[str, dict[str, float]]
    random: dict[str, np.ndarray]
    carry: np.ndarray
    session: np.ndarray


@dataclass(frozen=True, slots=True)
class Sources:
    """What the model is read from: the run's files and tables.

    Attributes
    ----------
    entries, fits
        Of the config's models, and what was fitted, by name.
    keys
        Scoring key by measure.
    measurement
        `measurement.json`.
    sums
        site, client, session, measure, value: sums of items (`alliance.twin.items.sums`).
    weeks_between
        Typical weeks from session to session.
    """

    entries: Mapping[str, Mapping[str, Any]]
    fits: Mapping[str, Mapping[str, Any]]
    keys: Mapping[str, Instrument]
    measurement: Mapping[str, Any]
    sums: pd.DataFrame
    weeks_between: float


def courses_of(sources: Sources) -> Courses:
    """Return the model of the courses."""
    measures = tuple(sources.keys)
    m = len(measures)
    random = {level: np.zeros((2 * m, 2 * m)) for level in LEVELS}
    made = Courses(
        measures, (NO_TIME,) * m, {}, random, carry=np.zeros((m, m)), session=np.zeros((m, m))
    )
    times = dict.fromkeys(measures, NO_TIME)
    together: set[frozenset[str]] = set()
    for outcomes, own_times, fit in _used(sources):
        _add_fit(made, fit, outcomes, dict(zip(outcomes, own_times, strict=True)), sources)
        times.update(zip(outcomes, own_times, strict=True))
        together.add(frozenset(outcomes))
    for measure in measures:
        if measure not in made.fixed:
            _add_moments(made, measure, sources)
    _link(made, sources.measurement, together)
    random = {level: possible(matrix) for level, matrix in made.random.items()}
    return Courses(
        measures, tuple(times.values()), made.fixed, random, made.carry, possible(made.session)
    )


def factor_of(key: Instrument) -> float | None:
    """Return by what a total score is multiplied to be the sum of its items; None if by nothing."""
    total = next((score for score in key.scores if score.name == TOTAL), None)
    if total is None or not total.items or not all(isinstance(item, int) for item in total.items):
        return None
    return (len(total.items) if total.rule == "mean" else 1) / total.times


def scored_items(key: Instrument) -> list[int]:
    """Return the items of the total, or of the whole form where it has no total of single items."""
    if factor_of(key) is None:
        return [item for item in range(1, key.n_items + 1) if item not in key.unscored]
    total = next(score for score in key.scores if score.name == TOTAL)
    return [item for item in total.items if isinstance(item, int)]


def _used(sources: Sources) -> Iterator[tuple[list[str], list[str], Mapping[str, Any]]]:
    """Yield the fits that give a measure its course, each measure once: joint ones first."""
    seen: set[str] = set()
    for family in ("joint_courses", "growth"):
        for name, entry in sources.entries.items():
            fit = sources.fits.get(name, {"status": "absent"})
            if entry["family"] != family or fit["status"] not in FITTED or "knot" in entry:
                continue
            outcomes = entry.get("outcomes") or [entry["outcome"]]
            known = all(o in sources.keys and factor_of(sources.keys[o]) for o in outcomes)
            if known and not seen & set(outcomes):
                seen |= set(outcomes)
                yield list(outcomes), list(entry.get("times") or [entry["time"]]), fit


def _add_fit(
    made: Courses, fit: Mapping[str, Any], outcomes: Sequence[str], times: Mapping[str, str],
    sources: Sources,
) -> None:  # fmt: skip
    scale = {o: factor_of(sources.keys[o]) or 1.0 for o in outcomes}
    joint = len(outcomes) > 1
    at = {o: made.measures.index(o) for o in outcomes}

    def of(term: str) -> tuple[str, str]:
        measure, _, rest = term.partition(": ") if joint else (outcomes[0], "", term)
        return (measure, rest) if measure in at else ("", "")

    for row in fit["estimates"]:
        estimator = row["estimator"]["code"]
        measure, term = of(row["term"])
        if estimator == "mixed" and measure:
            made.fixed.setdefault(measure, {})[term] = row["estimate"] * scale[measure]
        source, arrow, target = row["term"].partition(" -> ")
        if joint and arrow and {source, target} <= set(at):
            by = scale[target] / scale[source]
            made.carry[at[target], at[source]] = row["estimate"] * by
    for part in fit["variance_components"]:
        value = part["variance_or_covariance"]
        if part["level"] == "session":
            a, b = (part[n] if joint else outcomes[0] for n in ("name_1", "name_2"))
            made.session[at[a], at[b]] = made.session[at[b], at[a]] = value * scale[a] * scale[b]
            continue
        (a, one), (b, other) = of(part["name_1"]), of(part["name_2"])
        places = [_place(at[x], x_term, times[x]) for x, x_term in ((a, one), (b, other)) if x]
        if len(places) == 2 and None not in places and part["level"] in made.random:
            i, j = places
            matrix = made.random[part["level"]]
            matrix[i, j] = matrix[j, i] = value * scale[a] * scale[b]
    phi = fit["residual"]["phi"]
    if not joint and phi is not None:
        by_time = fit["residual"]["time"] != "session"
        made.carry[at[outcomes[0]], at[outcomes[0]]] = phi ** (
            sources.weeks_between if by_time else 1.0
        )


def _place(at: int, term: str, time: str) -> int | None:
    """Return the row of a random effect in a level's matrix; None if it is neither level nor time.

    Such an effect (of a spline, of another column) is not kept.
    """
    kinds = {"1": LEVEL, time: SLOPE}
    return 2 * at + kinds[term] if term in kinds else None


def _add_moments(made: Courses, measure: str, sources: Sources) -> None:
    """Take mean and variances within and between clients where no model was fitted.

    Of fewer than eight clients nothing is taken: they are all in the middle of the scale.
    """
    of_measure = sources.sums["measure"] == measure
    own, at = sources.sums.loc[of_measure, ["client", "value"]], made.measures.index(measure)
    if own["client"].nunique() < SMALLEST:
        key = sources.keys[measure]
        tops = sum(key.range_of(item)[1] + key.minimum for item in scored_items(key))
        made.fixed[measure] = {"1": tops / 2}
        return
    by_client = own.groupby("client")["value"]
    n_per_client, freedom = by_client.size().mean(), len(own) - own["client"].nunique()
    deviations = own["value"] - by_client.transform("mean")
    within = float((deviations**2).sum() / freedom) if freedom > 0 else 0.0
    between = float(by_client.mean().var()) - within / n_per_client
    made.fixed[measure] = {"1": float(by_client.mean().mean())}
    made.session[at, at] = within
    made.random["client"][2 * at, 2 * at] = max(between, 0.0)


def _link(made: Courses, measurement: Mapping[str, Any], together: set[frozenset[str]]) -> None:
    """Give measures of which no joint model tells the covariance their correlations imply."""
    for row in measurement["correlations"]:
        pair = (row["measure_1"], row["measure_2"])
        known = set(pair) <= set(made.measures) and len(set(pair)) == 2
        totals = row["score_1"] == row["score_2"] == TOTAL
        r = row["r"] if row["corrected"] is None else row["corrected"]
        if not known or not totals or frozenset(pair) in together or r is None:
            continue
        i, j = (made.measures.index(measure) for measure in pair)
        within = row["level"] == "within"
        matrix = made.session if within else made.random["client"]
        i, j = (i, j) if within else (2 * i, 2 * j)
        matrix[i, j] = matrix[j, i] = r * np.sqrt(matrix[i, i] * matrix[j, j])
