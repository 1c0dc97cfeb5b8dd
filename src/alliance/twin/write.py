"""Write the twin of a cohort: raw files, configuration, and a record of its model."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.cohort import TWIN, load_cohort, site_mapping_path
from alliance.config.site import load_site
from alliance.errors import ConfigError
from alliance.ingest import parse
from alliance.twin.draw import People, draw
from alliance.twin.mapping import config_text, mapping_text
from alliance.twin.model import Model, keys_of_cohort, model_of
from alliance.twin.rows import Client, Session
from alliance.twin.site_files import RealSite, files_of, real_site

READING = (
    "This cohort is a synthetic twin: nobody in it exists. Its people were drawn from `model`, "
    "which holds fitted parameters and coarse margins of the cohort `twin_of`; what is not in the "
    "model is not kept (docs/twin.md)."
)
# Years by which the calendar goes back: weekdays and leap years fall as they did.
BACK = 28
FIRST_YEAR = 1990  # where no file has a date


def write_twin(config: Path, project: Path) -> list[str]:
    """Write the twin of a cohort that was run; return what in its files is other than in the real.

    Parameters
    ----------
    config
        The cohort's config.
    project
        Folder that holds `data` and `results`.

    Raises
    ------
    ConfigError
        A cohort that is no twin has the twin's name.
    ReportError
        The cohort was not run.
    """
    cohort = load_cohort(config)
    name = cohort["cohort"]
    raw, twin = (project / "data" / "raw" / each for each in (name, f"{name}{TWIN}"))
    _refuse_others(twin, config, name)
    processed = project / "data" / "processed" / name
    model = model_of(config, processed, project / "results" / name)
    people = draw(model, cohort["seed"])
    keys = keys_of_cohort(config)
    real = {
        site: real_site(site, load_site(site_mapping_path(config, name, site)), raw / site, keys)
        for site in cohort["sites"]
    }
    shutil.rmtree(twin, ignore_errors=True)
    writing = _Writing(people, real.values())
    notes: list[str] = []
    for site, own in real.items():
        of_site = files.read_parquet(processed / "sites" / site / "clients.parquet")["site"]
        clients, names = writing.clients_of(sorted(of_site.unique()), own)
        content, as_csv = files_of(own, clients, names)
        for file, data in content.items():
            files.write_bytes(data, twin / site / file)
        text, adapted = mapping_text(site_mapping_path(config, name, site), as_csv)
        files.write_text(text, site_mapping_path(config, f"{name}{TWIN}", site))
        notes += [f"{site}/{note}" for note in adapted]
    text = config_text(config.read_text(encoding="utf-8"), name, cohort["title"])
    files.write_text(text, config.parent / f"{name}{TWIN}.yaml")
    files.write_json(_record(name, cohort["seed"], model, notes), twin / "truth.json")
    return notes


def _record(name: str, seed: int, model: Model, notes: list[str]) -> dict[str, Any]:
    return {
        "simulated": True,
        "twin_of": name,
        "seed": seed,
        "reading": READING,
        "adapted": notes,
        "model": model.told(),
    }


def _refuse_others(twin: Path, config: Path, name: str) -> None:
    truth = twin / "truth.json"
    ours = truth.is_file() and files.read_json(truth).get("twin_of") == name
    if (twin.exists() or (config.parent / f"{name}{TWIN}.yaml").exists()) and not ours:
        msg = (
            f"There is a cohort {name}{TWIN} that is no twin of {name}, and nothing was written. "
            "Give that cohort another name, or delete its config and its folder in data/raw."
        )
        raise ConfigError(msg)


class _Writing:
    """The drawn people with ids and dates that no real file holds."""

    def __init__(self, people: People, real: Iterable[RealSite]) -> None:
        real = list(real)
        self._people = people
        self._start = _start(real)
        self._ids = {
            kind: {id(site): _ids(site, kind) for site in real} for kind in ("client", "therapist")
        }
        forms = _forms(people)
        self._sessions: dict[int, list[Session]] = {}
        for row in people.sessions.itertuples(index=False):
            self._sessions.setdefault(int(str(row.client)), []).append(self._session(row, forms))

    def clients_of(self, sites: list[str], real: RealSite) -> tuple[list[Client], dict[str, str]]:
        """Return the drawn clients of some sites, and how a site column calls these."""
        names = {site: str(1000 + n) for n, site in enumerate(sites, start=1)}
        own = self._people.clients[self._people.clients["site"].isin(sites)]
        told = sorted({name for table in real.mapping["tables"] for name in table["client_facts"]})
        return [self._client(n, row, told, real) for n, row in own.iterrows()], names

    def _client(self, number: Any, row: pd.Series, told: list[str], real: RealSite) -> Client:
        facts = {name: row.get(name) for name in told}
        therapist = int(row["therapist"])
        facts["therapist"] = None if therapist < 0 else self._id("therapist", therapist, real)
        facts["intake_date"] = self._date(row["first_day"])
        sessions = self._sessions.get(int(number), [])
        return Client(self._id("client", int(number), real), row["site"], facts, sessions)

    def _session(self, row: Any, forms: Mapping[tuple[int, int], dict[str, np.ndarray]]) -> Session:
        answers = forms.get((row.client, row.session), {})
        return Session(row.session, self._date(row.day), row.weeks, bool(row.attended), answers)

    def _date(self, day: float) -> datetime.date | None:
        return None if np.isnan(day) else self._start + datetime.timedelta(days=int(day))

    def _id(self, kind: str, number: int, real: RealSite) -> str | float:
        """Return an id that nobody has: longer than any number where the site's are numbers."""
        own = self._ids[kind][id(real)]
        if own and all(text.isdigit() for text in own):
            longest = max(len(text) for ids in self._ids[kind].values() for text in ids)
            return float(10**longest + number + 1)
        return f"twin-{kind[0]}{number + 1:04}"


def _forms(people: People) -> dict[tuple[int, int], dict[str, np.ndarray]]:
    forms: dict[tuple[int, int], dict[str, np.ndarray]] = {}
    for measure, given in people.answers.items():
        keys = zip(given.client.tolist(), given.session.tolist(), strict=True)
        for key, values in zip(keys, given.values, strict=True):
            forms.setdefault(key, {})[measure] = values
    return forms


def _ids(real: RealSite, kind: str) -> set[str]:
    """Return the real ids of a site's clients or therapists, none of which the twin may have."""
    found: set[str] = set()
    for reading in real.readings.values():
        columns = [reading.table["client"]]
        if kind == "therapist":
            fact = reading.table["client_facts"].get("therapist")
            columns = [fact["column"]] if fact else []
            columns += reading.columns.session_facts.get("therapist", {}).values()
        for column in columns:
            found |= {str(text) for text in reading.raw.column(column).dropna().unique()}
    return found


def _start(real: Iterable[RealSite]) -> datetime.date:
    """Return the first day of the twin's calendar: 28 years before the first real date."""
    first = np.inf
    for site in real:
        for reading in site.readings.values():
            for column in reading.columns.session_facts.get("date", {}).values():
                given = reading.raw.dates.get(column)
                days = parse.dates(reading.cells(column), reading.table["dates"], given)
                first = min(first, np.nanmin(days, initial=np.inf))
    if not np.isfinite(first):
        return datetime.date(FIRST_YEAR, 1, 2)
    return datetime.date((datetime.date(1970, 1, 1) + datetime.timedelta(days=int(first))).year
                         - BACK, 1, 2)  # fmt: skip
