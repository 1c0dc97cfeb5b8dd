"""Draw people from the model of a cohort: nobody of them exists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.families.common.times import times_of
from alliance.twin.courses import LEVELS, NO_TIME
from alliance.twin.leaving import draw_ends, fact_of
from alliance.twin.model import DAYS_A_WEEK, PLANNED, Model
from alliance.twin.normal import draw_normal

INTAKE_DAYS = 730  # over which first sessions are spread: the calendar is not kept


@dataclass(frozen=True, slots=True)
class Answers:
    """Forms of one measure: client and session, (n,), answers as ticked, (n, J), NaN: left out."""

    client: np.ndarray
    session: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class People:
    """A drawn cohort.

    Attributes
    ----------
    clients
        A row a client, numbered from 0: site, therapist (number or -1), end_status,
        sessions_planned and the other facts, first_day (days from the first client's intake).
    sessions
        client, session, day (as first_day; NaN without dates), weeks, attended.
    answers
        By measure.
    """

    clients: pd.DataFrame
    sessions: pd.DataFrame
    answers: dict[str, Answers]


def draw(model: Model, seed: int) -> People:
    """Draw a cohort; the same model and seed give the same people."""
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)]
    clients = _clients(model, streams[0])
    weeks = _weeks(model, len(clients), streams[1])
    sums = _sums(model, clients, weeks, streams[2])
    listed, held = _listed_and_held(model, len(clients), streams[3])
    filled = {
        measure: held & (streams[3].random(held.shape) < np.array(form.filled_in))
        for measure, form in model.forms.items()
    }
    scores = {
        measure: np.where(filled[measure], sums[measure] / model.factors[measure], np.nan)
        for measure in model.forms
    }
    last, how = draw_ends(model.ends, scores, clients, streams[3])
    clients["end_status"] = how
    if PLANNED in clients:
        clients[PLANNED] = _planned(clients[PLANNED], last)
    kept = np.arange(1, model.ends.longest + 1) <= last[:, None]
    for marks in (listed, held):
        marks[np.arange(len(held)), last - 1] = True  # the last session took place
    return People(
        clients=clients,
        sessions=_sessions(clients, weeks, kept & listed, held),
        answers={m: _answers(model, m, sums[m], filled[m] & kept, streams[4]) for m in filled},
    )


def _clients(model: Model, rng: np.random.Generator) -> pd.DataFrame:
    site = np.repeat(list(model.sites), list(model.sites.values()))
    facts = {name: margin.draw(len(site), rng) for name, margin in model.facts.items()}
    clients = pd.DataFrame({"site": site, **facts})
    clients["therapist"] = -1
    first = 0
    for _, own in clients.groupby("site", sort=False):
        n = max(1, round(len(own) / max(model.therapists.mean, 1.0)))
        loads = rng.gamma(max(model.therapists.shape, 0.1), size=n) + 1e-9
        held_by = first + rng.choice(n, len(own), p=loads / loads.sum())
        unknown = rng.random(len(own)) < model.therapists.missing
        clients.loc[own.index, "therapist"] = np.where(unknown, -1, held_by)
        first += n
    clients["first_day"] = rng.integers(0, INTAKE_DAYS, len(clients))
    return clients


def _weeks(model: Model, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return weeks since intake at each session, (n, longest); NaN without dates."""
    longest = model.ends.longest
    if not model.calendar.gaps.values:
        return np.full((n, longest), np.nan)
    gaps = model.calendar.gaps.draw(n * longest, rng)
    days = pd.Series(gaps).fillna(DAYS_A_WEEK).to_numpy(float).reshape(n, longest)
    days[:, 0] = model.calendar.first * DAYS_A_WEEK
    return np.asarray(days.cumsum(axis=1) / DAYS_A_WEEK)


def _listed_and_held(
    model: Model, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which sessions stand in the files, and which of these took place, (n, longest)."""
    shape = (n, model.ends.longest)
    listed = rng.random(shape) >= model.calendar.not_there
    return listed, listed & (rng.random(shape) >= model.calendar.missed)


def _sums(
    model: Model, clients: pd.DataFrame, weeks: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the possible sum of items of each measure at each session, (n, longest)."""
    courses, (n, longest) = model.courses, weeks.shape
    m = len(courses.measures)
    own = np.zeros((n, 2 * m))
    group = {
        "site": pd.factorize(clients["site"])[0],
        "therapist": clients["therapist"].to_numpy() + 1,
        "client": np.arange(n),
    }
    for level in LEVELS:
        effects = draw_normal(courses.random[level], int(group[level].max(initial=0)) + 1, rng)
        own += effects[group[level]]
    deviations = _deviations(courses.carry, courses.session, n, longest, rng)
    session = np.tile(np.arange(1.0, longest + 1), (n, 1))
    base = {"session": session, "weeks_since_intake": weeks}
    times = {**base, **times_of(base), NO_TIME: np.zeros_like(session)}
    found = {}
    for at, (measure, time) in enumerate(zip(courses.measures, courses.times, strict=True)):
        course = own[:, [2 * at]] + own[:, [2 * at + 1]] * times[time] + deviations[:, :, at]
        for term, coefficient in courses.fixed[measure].items():
            course += coefficient * _term(term, times, clients)
        found[measure] = model.items[measure].possible(course)
    return found


def _term(term: str, times: dict[str, np.ndarray], clients: pd.DataFrame) -> np.ndarray:
    """Return the value of a fixed term at each session: `1`, a time, facts, and their products."""
    value = np.ones(times[NO_TIME].shape)
    for part in term.split(":") if term != "1" else []:
        value *= times[part] if part in times else fact_of(part, clients)[:, None]
    return value


def _deviations(
    carry: np.ndarray, session: np.ndarray, n: int, longest: int, rng: np.random.Generator
) -> np.ndarray:
    """Return deviations from the courses, (n, longest, M): a stationary VAR(1)."""
    new = session - carry @ session @ carry.T
    found = np.zeros((n, longest, len(carry)))
    found[:, 0] = draw_normal(session, n, rng)
    for s in range(1, longest):
        found[:, s] = found[:, s - 1] @ carry.T + draw_normal(new, n, rng)
    return found


def _planned(planned: pd.Series, last: np.ndarray) -> pd.Series:
    """Return sessions planned, not fewer than were held: a plan that was outlived was longer."""
    told = planned.notna()
    return planned.where(~told, np.maximum(planned.fillna(0).astype(int), last))


def _sessions(
    clients: pd.DataFrame, weeks: np.ndarray, listed: np.ndarray, held: np.ndarray
) -> pd.DataFrame:
    client, at = np.nonzero(listed)
    days = np.rint(weeks[client, at] * DAYS_A_WEEK)
    return pd.DataFrame(
        {
            "client": client,
            "session": at + 1,
            "day": clients["first_day"].to_numpy()[client] + days,
            "weeks": weeks[client, at],
            "attended": held[client, at],
        }
    )


def _answers(
    model: Model, measure: str, sums: np.ndarray, filled: np.ndarray, rng: np.random.Generator
) -> Answers:
    client, at = np.nonzero(filled)
    values = model.items[measure].draw(sums[client, at], client, rng)
    values[rng.random(values.shape) < model.forms[measure].unanswered] = np.nan
    return Answers(client, at + 1, values)
