"""Where in the raw files answers stand, and which rows are behind each client, session and form.

The rows are listed only where they are asked for (`alliance.audit.rows`), for the lab alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from alliance.ingest.layouts import LAYOUTS
from alliance.ingest.people import People
from alliance.ingest.reading import Reading

CLIENT, SESSION = "client", "session"  # what a row is about, beside a measure
SET_ASIDE = "set aside: "  # and the rule, of a row that no table has


def places(
    valid: pd.DataFrame, readings: Sequence[Reading], measures: Sequence[str], site: str
) -> pd.DataFrame:
    """Return where the answers to each item stand first: file, sheet, column."""
    first = valid.drop_duplicates(["measure", "item", "reading"])
    first = first.sort_values(["measure", "item", "reading", "column"], kind="stable")
    at = [readings[number] for number in first["reading"]]
    kinds = {"site": "str", "measure": "str", "item": "int64", "file": "str", "sheet": "str",
             "column": "str"}  # fmt: skip
    return pd.DataFrame(
        {
            "site": site,
            "measure": [measures[number] for number in first["measure"]],
            "item": first["item"].to_numpy(dtype=np.int64),
            "file": [reading.table["file"] for reading in at],
            "sheet": [reading.table["sheet"] for reading in at],
            "column": [
                reading.raw.header[number]
                for reading, number in zip(at, first["column"], strict=True)
            ],
        }
    ).astype(kinds)


def source_rows(
    readings: Sequence[Reading],
    valid: pd.DataFrame,
    measures: Sequence[str],
    people: People,
    pseudonyms: Mapping[tuple[str, str], str],
) -> pd.DataFrame:
    """Return every raw row with what it is about.

    Parameters
    ----------
    readings
        The site's files as they were read.
    valid
        The valid answers (`alliance.ingest.answers.responses`).
    measures
        Names of the measures by their number in `valid`.
    people
        The clients by number.
    pseudonyms
        By (site, id); clients of whom no row is kept have none.

    Returns
    -------
    DataFrame
        site, client, session (Int64; missing for what is about the client), about (`client`,
        `session`, a measure, or `set aside: ` and the rule), file, sheet, row (as a spreadsheet
        shows it). A file that is joined on is not named: its row is the one with the same key.
    """
    parts = [part for number, one in enumerate(readings) for part in _of_file(number, one)]
    forms = valid.drop_duplicates(["client", "session", "measure", "reading", "at"])
    for number, of_file in forms.groupby("reading"):
        rows = readings[int(str(number))].raw.rows[of_file["at"].to_numpy()]
        about = np.array(measures, dtype=object)[of_file["measure"].to_numpy()]
        parts.append(_part(of_file["client"], of_file["session"], about, int(str(number)), rows))
    found = pd.concat(parts, ignore_index=True)
    places = [(one.table["file"], one.table["sheet"]) for one in readings]
    client = found["client"].to_numpy(dtype=np.int64)
    pairs = zip(people.sites, people.ids, strict=True)
    names = np.array([pseudonyms.get(pair, "") for pair in pairs], dtype=object)
    table = pd.DataFrame(
        {
            "site": _named(people.sites, client),
            "client": _named(names, client),
            "session": found["session"].astype("Int64"),
            "about": found["about"],
            "file": [places[number][0] for number in found["reading"]],
            "sheet": [places[number][1] for number in found["reading"]],
            "row": found["row"].astype("int64"),
        }
    )
    return table.drop_duplicates().reset_index(drop=True)


def _of_file(number: int, reading: Reading) -> Iterator[pd.DataFrame]:
    """Yield the rows of one file that are about clients, about sessions, and set aside."""
    known = np.flatnonzero(reading.alive & reading.about_client & (reading.client >= 0))
    yield _part(reading.client[known], pd.NA, CLIENT, number, reading.raw.rows[known])
    for sessions in LAYOUTS[reading.table["rows"]].sessions(reading):
        of_someone = sessions[sessions["client"] >= 0]
        yield _part(of_someone["client"], of_someone["session"], SESSION, number, of_someone["row"])

    lost = np.flatnonzero(~reading.alive)
    why = [f"{SET_ASIDE}{rule}" for rule in reading.reason[lost]]
    yield _part(reading.client[lost], pd.NA, why, number, reading.raw.rows[lost])


def _named(names: np.ndarray, client: np.ndarray) -> np.ndarray:
    """Return the name of each client, empty where a row says nobody."""
    found: np.ndarray = np.append(names, "")[client]  # -1, nobody, is the last one
    return found


def _part(
    client: object, session: object, about: object, reading: int, rows: object
) -> pd.DataFrame:
    values = {"client": np.asarray(client), "session": session, "about": about}
    part = pd.DataFrame(values | {"reading": reading, "row": np.asarray(rows)})
    return part.astype({"session": "Int64"})
