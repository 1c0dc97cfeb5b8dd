"""Simulated cohorts as tables: the courses that were really attended, in canonical columns."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.simulate.attendance import FIRST_INTAKE, Attendance, plan_attendance
from alliance.simulate.courses import Courses, draw_courses
from alliance.simulate.items import FORMS, Form, draw_items
from alliance.simulate.leaving import draw_leaving
from alliance.simulate.parameters import Parameters

KEY = ["site", "client", "session"]


@dataclass(frozen=True, slots=True)
class Cohort:
    """A simulated cohort.

    Attributes
    ----------
    parameters, seed
        What it was made from.
    clients, sessions, responses, scores
        The canonical tables (see `docs/architecture.md`), sorted by their keys. `scores` holds
        forms that were filled in, one row a measure, subscale `total`, scored from the responses.
    calendar
        site, client, session, date: the day of every session.
    courses
        site, client, session and, without anything missing, `alliance`, `symptoms`,
        `alliance_therapist` (points), `alliance_residual`, `symptoms_residual` (points from the
        client's own course).
    ruptures
        site, client, onset (session), sequel (session of repair or further drop), repaired;
        only those whose onset was attended.
    """

    parameters: Parameters
    seed: int
    clients: pd.DataFrame
    sessions: pd.DataFrame
    responses: pd.DataFrame
    scores: pd.DataFrame
    calendar: pd.DataFrame
    courses: pd.DataFrame
    ruptures: pd.DataFrame


def simulate_courses(
    parameters: Parameters | None = None, seed: int = 0, *, items: bool = True
) -> Cohort:
    """Simulate a cohort by the equations in the docstring of `alliance.simulate`.

    Parameters
    ----------
    parameters
        Defaults to `Parameters()`.
    seed
        The same seed and parameters give the same cohort.
    items
        Also draw item answers. Without them `responses` is empty and `scores` are the courses
        themselves, less the forms that were left out: about five times as fast.

    Returns
    -------
    Cohort
    """
    parameters = parameters or Parameters()
    # One stream a concern: drawing items differently leaves the courses as they are.
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)]
    attendance = plan_attendance(parameters, streams[0])
    drawn = draw_courses(parameters, attendance, streams[1])
    n_attended, end_status = draw_leaving(parameters, attendance, drawn, streams[2])

    clients = attendance.clients.assign(end_status=end_status)
    courses = _attended(attendance, drawn, n_attended)
    filled = _filled_in(parameters, courses, streams[3])
    if items:
        responses, scores = _answers(parameters, courses, filled, streams[3], streams[4])
    else:
        responses, scores = _no_responses(), _scores_from_courses(courses, filled)
    ruptures = _ruptures(clients, drawn, n_attended)
    days = courses.pop("days")
    calendar = courses[KEY].assign(
        date=[FIRST_INTAKE + dt.timedelta(days=int(day)) for day in days]
    )
    first_day = days.groupby([courses["site"], courses["client"]]).transform("min")
    sessions = courses[KEY].assign(weeks_since_intake=(days - first_day) / 7.0, attended=True)
    return Cohort(
        parameters=parameters,
        seed=seed,
        clients=_sorted(_client_columns(clients), ["site", "client"]),
        sessions=_sorted(sessions, KEY),
        responses=_sorted(responses, [*KEY, "measure", "item"]),
        scores=_sorted(scores, [*KEY, "measure", "subscale"]),
        calendar=_sorted(calendar, KEY),
        courses=_sorted(courses.drop(columns="person"), KEY),
        ruptures=_sorted(ruptures, ["site", "client"]),
    )


def _sorted(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    return frame.sort_values(key, kind="stable", ignore_index=True)


def _client_columns(clients: pd.DataFrame) -> pd.DataFrame:
    columns = ["site", "client", "therapist", "end_status", "sessions_planned"]
    return clients[[*columns, "age_years", "gender"]].astype({"sessions_planned": "Int64"})


def _attended(attendance: Attendance, drawn: Courses, n_attended: np.ndarray) -> pd.DataFrame:
    """Return one row an attended session, with days, courses and the client's number."""
    person = np.repeat(np.arange(len(n_attended)), n_attended)
    session = np.concatenate([np.arange(1, n + 1) for n in n_attended])
    cells = (person, session - 1)
    return pd.DataFrame(
        {
            "site": attendance.clients["site"].to_numpy()[person],
            "client": attendance.clients["client"].to_numpy()[person],
            "session": session,
            "person": person,
            "days": attendance.days[cells],
            "alliance": drawn.alliance[cells],
            "symptoms": drawn.symptoms[cells],
            "alliance_therapist": drawn.alliance_therapist[cells],
            "alliance_residual": drawn.alliance_residual[cells],
            "symptoms_residual": drawn.symptoms_residual[cells],
        }
    )


def _filled_in(
    parameters: Parameters, courses: pd.DataFrame, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return for each measure which sessions have its form."""
    # ASSUME forms are left out at random, whatever is felt.
    given = {form.measure: rng.random(len(courses)) >= parameters.missing_forms for form in FORMS}
    due = courses["session"].to_numpy() % parameters.therapist_rating_every == 0
    given["alliance_therapist"] &= due
    return given


def _answers(
    parameters: Parameters,
    courses: pd.DataFrame,
    filled: dict[str, np.ndarray],
    missing_rng: np.random.Generator,
    items_rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return responses and scores of all forms that were filled in."""
    responses, scores = [], []
    for form in FORMS:
        here = courses[filled[form.measure]]
        raw = draw_items(
            form,
            here[form.measure].to_numpy(),
            here["person"].to_numpy(),
            parameters,
            items_rng,
        )
        # ASSUME items are skipped at random.
        answered = missing_rng.random(raw.shape) >= parameters.missing_items
        responses.append(_long(form, here, raw, answered))
        scores.append(_score(form, here, raw, answered))
    return pd.concat(responses), pd.concat(scores)


def _long(form: Form, here: pd.DataFrame, raw: np.ndarray, answered: np.ndarray) -> pd.DataFrame:
    """Return one row an answer."""
    row, item = np.nonzero(answered)
    keys = here[KEY].iloc[row].reset_index(drop=True)
    return keys.assign(measure=form.measure, item=item + 1, value=raw[row, item].astype(float))


def _score(form: Form, here: pd.DataFrame, raw: np.ndarray, answered: np.ndarray) -> pd.DataFrame:
    """Return total scores; up to a quarter of the items may be missing and is prorated."""
    scored = raw.copy()
    for item in form.reverse:
        scored[:, item - 1] = form.minimum + form.maximum - raw[:, item - 1]
    n_valid = answered.sum(axis=1)
    refused = form.n_items - n_valid > form.n_items // 4
    mean = np.where(answered, scored, 0).sum(axis=1) / np.maximum(n_valid, 1)
    return here[KEY].assign(
        measure=form.measure,
        subscale="total",
        score=np.where(refused, np.nan, mean * form.n_items),
        n_items=form.n_items,
        n_valid=n_valid,
        prorated=(n_valid < form.n_items) & ~refused,
        refused=refused,
    )


def _no_responses() -> pd.DataFrame:
    return pd.DataFrame(
        {"site": [], "client": [], "session": [], "measure": [], "item": [], "value": []}
    )


def _scores_from_courses(courses: pd.DataFrame, filled: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return scores as if every item of a form that was filled in had been answered."""
    return pd.concat(
        courses.loc[filled[form.measure], KEY].assign(
            measure=form.measure,
            subscale="total",
            score=courses.loc[filled[form.measure], form.measure].astype(float),
            n_items=form.n_items,
            n_valid=form.n_items,
            prorated=False,
            refused=False,
        )
        for form in FORMS
    )


def _ruptures(clients: pd.DataFrame, drawn: Courses, n_attended: np.ndarray) -> pd.DataFrame:
    """Return the ruptures whose onset was attended."""
    table = clients[["site", "client"]].assign(
        onset=drawn.rupture_onset, sequel=drawn.sequel, repaired=drawn.repaired
    )
    return table[(drawn.rupture_onset > 0) & (drawn.rupture_onset <= n_attended)]
