"""The model of a cohort: all that a twin is drawn from, and all that it discloses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.cohort import instrument_path, load_cohort
from alliance.config.instruments import Instrument
from alliance.config.measure_keys import keys_of
from alliance.errors import ReportError
from alliance.persons import Persons
from alliance.twin import items as of_items
from alliance.twin.courses import FITTED, Courses, Sources, courses_of, factor_of
from alliance.twin.items import OF_FORM, Items
from alliance.twin.leaving import Ends, ends_of
from alliance.twin.margins import (
    SMALLEST,
    Categories,
    Number,
    about,
    categories,
    missing_share,
    numbers,
    share,
    three_digits,
)

OWN = ("site", "client", "therapist", "end_status")  # columns of clients that are no facts
PLANNED = "sessions_planned"
DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Therapists:
    """Clients a therapist has: mean, and the shape of the gamma law of how much they differ."""

    mean: float
    shape: float
    missing: float


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days from session to session, weeks at the first one, shares of sessions missed, not held."""

    gaps: Categories
    first: float
    missed: float
    not_there: float


@dataclass(frozen=True, slots=True)
class Forms:
    """Share of attended sessions with a form, by session; share of items left out in a form."""

    filled_in: tuple[float, ...]
    unanswered: float


@dataclass(frozen=True, slots=True)
class Model:
    """The model of a cohort; `sites` has about how many clients each has."""

    sites: dict[str, int]
    therapists: Therapists
    facts: dict[str, Categories | Number]
    calendar: Calendar
    courses: Courses
    ends: Ends
    forms: dict[str, Forms]
    items: dict[str, Items]
    factors: dict[str, float]

    def told(self) -> dict[str, Any]:
        """Return it as plain values, for the record that stands beside the twin's files."""
        parts = {name: asdict(getattr(self, name)) for name in ("therapists", "calendar", "ends")}
        courses = asdict(self.courses)
        facts = {name: asdict(margin) for name, margin in self.facts.items()}
        forms = {name: asdict(form) for name, form in self.forms.items()}
        told = {"sites": self.sites, "facts": facts, "forms": forms, "courses": courses, **parts}
        told["items"] = {name: of_items.told(own) for name, own in self.items.items()}
        return dict(files.plain(told))


def keys_of_cohort(config: Path) -> dict[str, Instrument]:
    """Return the scoring key of each measure of a cohort."""
    measures = load_cohort(config)["measures"]
    paths = {instrument_path(config, entry["instrument"]) for entry in measures.values()}
    return keys_of(measures, sorted(path for path in paths if path))


def model_of(config: Path, processed: Path, results: Path) -> Model:
    """Return the model of a cohort that was run.

    Raises
    ------
    ReportError
        The cohort was not run.
    """
    cohort = load_cohort(config)
    if not (results / "measurement.json").is_file():
        msg = f"A twin is made of a finished run. First: make results COHORT={cohort['cohort']}"
        raise ReportError(msg)
    keys = keys_of_cohort(config)
    persons = Persons()
    clients, sessions, responses = (
        persons.numbered(files.read_parquet(processed / f"{name}.parquet"))
        for name in ("clients", "sessions", "responses")
    )
    answers = {m: of_items.scored(key, responses[responses["measure"] == m])
               for m, key in keys.items()}  # fmt: skip
    fits = {path.stem: files.read_json(path) for path in sorted((results / "fits").glob("*.json"))}
    sources = Sources(
        entries=cohort["models"],
        fits=fits,
        keys=keys,
        measurement=files.read_json(results / "measurement.json"),
        sums=_sums(keys, answers),
        weeks_between=float(_gaps(sessions).median() or DAYS_A_WEEK) / DAYS_A_WEEK,
    )
    factors = {measure: factor_of(key) or 1.0 for measure, key in keys.items()}
    mean = sources.sums.groupby("measure")["value"].mean()
    means = {m: float(mean.get(m, 0.0)) / factors[m] for m in keys}
    ends = ends_of(clients, sessions, _hazard(sources), means)
    return Model(
        sites={str(site): about(n) for site, n in clients["site"].value_counts(sort=False).items()},
        therapists=_therapists(clients),
        facts={str(name): _fact(clients[name]) for name in clients if name not in OWN},
        calendar=_calendar(sessions),
        courses=courses_of(sources),
        ends=ends,
        forms={m: _forms(keys[m], answers[m], sessions, ends.longest) for m in keys},
        items={m: of_items.items_of(keys[m], answers[m].dropna()) for m in keys},
        factors=factors,
    )


def _sums(keys: Mapping[str, Instrument], answers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = [
        answers[measure][OF_FORM].assign(
            measure=measure, value=of_items.sums(key, answers[measure])
        )
        for measure, key in keys.items()
    ]
    columns = [*OF_FORM, "measure", "value"]
    return pd.concat(parts).dropna() if parts else pd.DataFrame(columns=columns)


def _hazard(sources: Sources) -> Mapping[str, Any] | None:
    """Return the first fitted hazard of dropout, by sessions and on the log odds."""
    for name, entry in sources.entries.items():
        plain = entry["family"] == "hazard" and entry["ends"] == ["dropout"]
        fit = sources.fits.get(name)
        if plain and entry["link"] == "logit" and fit and fit["status"] in FITTED:
            return fit
    return None


def _therapists(clients: pd.DataFrame) -> Therapists:
    counts = clients["therapist"].value_counts()
    if len(clients) - clients["therapist"].isna().sum() < SMALLEST:
        return Therapists(0.0, 0.0, missing=1.0)
    mean, variance = float(counts.mean()), float(counts.var()) if len(counts) > 1 else 0.0
    shape = mean**2 / (variance - mean) if variance > mean else 100.0
    missing = missing_share(clients["therapist"])
    return Therapists(three_digits(mean), three_digits(shape), missing)


def _fact(column: pd.Series) -> Categories | Number:
    is_number = pd.api.types.is_numeric_dtype(column) and column.name != PLANNED
    return numbers(column) if is_number else categories(column)


def _calendar(sessions: pd.DataFrame) -> Calendar:
    first = sessions.groupby("client")["weeks_since_intake"].first().mean()
    numbers_to_last = sessions.groupby("client")["session"].max().sum()
    return Calendar(
        gaps=categories(_gaps(sessions)),
        first=0.0 if np.isnan(first) else round(float(first)),
        missed=share(float((~sessions["attended"]).sum()), len(sessions)),
        not_there=share(float(numbers_to_last - len(sessions)), float(numbers_to_last)),
    )


def _gaps(sessions: pd.DataFrame) -> pd.Series:
    """Return whole days from each session to the next one."""
    by_client = sessions.sort_values(["client", "session"]).groupby("client")
    next_one = by_client["session"].diff() == 1
    days = by_client["weeks_since_intake"].diff()[next_one] * DAYS_A_WEEK
    return days[days >= 0].round()


def _forms(key: Instrument, answers: pd.DataFrame, sessions: pd.DataFrame, longest: int) -> Forms:
    attended = sessions[sessions["attended"] & sessions["site"].isin(answers["site"].unique())]
    numbers_of = range(1, longest + 1)
    due = attended["session"].value_counts().reindex(numbers_of, fill_value=0)
    given = answers["session"].value_counts().reindex(numbers_of, fill_value=0)
    usual = share(float(given.sum()), float(due.sum()))
    filled_in = tuple(
        min(1.0, share(given[s], due[s])) if due[s] >= SMALLEST else usual for s in numbers_of
    )
    items = answers[list(range(1, key.n_items + 1))]
    return Forms(filled_in, share(float(items.isna().sum().sum()), items.size))
