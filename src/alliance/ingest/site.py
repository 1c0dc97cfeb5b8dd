"""Read one site's files into the canonical tables; what is wrong with them is data, no error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.instruments import Instrument
from alliance.config.measure_keys import keys_of
from alliance.config.site import load_site
from alliance.ingest import (
    answers,
    boxes,
    facts,
    look_alikes,
    mapping_faults,
    odd_sessions,
    odd_values,
    people,
    pseudonyms,
    rowkeys,
    sources,
    therapists,
    totals,
)
from alliance.ingest.columns import lettered, resolve
from alliance.ingest.content_order import content_rank
from alliance.ingest.header import (
    MOST_COLUMNS,
    MOST_MISSING,
    align,
    note_missing_columns,
    note_shared_labels,
    note_too_wide,
)
from alliance.ingest.joining import JoinedFiles, join
from alliance.ingest.layouts import per_answer
from alliance.ingest.ledger import Ledger
from alliance.ingest.packed import order_of, packed
from alliance.ingest.problems import Place, Problems
from alliance.ingest.raw import RawTable, UnreadableError
from alliance.ingest.readers import read_table
from alliance.ingest.reading import CANONICAL, Reading
from alliance.ingest.unchanged import unchanged

TABLES = ("clients", "sessions", "responses", "quarantine", "ledger")
_OWN_FACTS = ("therapist", "end_status", "sessions_planned", "intake_date")


@dataclass(frozen=True, slots=True)
class SiteTables:
    """A site's tables (docs/architecture.md), ids already pseudonyms; `sources` if asked for."""

    clients: pd.DataFrame
    sessions: pd.DataFrame
    responses: pd.DataFrame
    quarantine: pd.DataFrame
    ledger: pd.DataFrame
    places: pd.DataFrame
    sources: pd.DataFrame | None = None


def ingest_site(
    *,
    cohort: str,
    site: str,
    mapping: str | Path,
    raw_folder: str | Path,
    raw_files: Iterable[str | Path] = (),
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Iterable[str | Path],
    private_folder: str | Path,
    simulated: bool,
    out_folder: str | Path,
) -> None:
    """Read one site's raw files and write its five tables to `out_folder`.

    Parameters
    ----------
    cohort, site
        Their short names.
    mapping
        The site's mapping file.
    raw_folder, raw_files
        Where the site's raw files lie, and those of them that must not change meanwhile.
    measures
        The config's measures by name; of each only its `instrument` is used.
    instruments
        Files of the scoring keys in use.
    private_folder
        Where the key of the pseudonyms and the list to look them up lie.
    simulated
        Whether the cohort is made up (then the key is public).
    out_folder
        Where `clients`, `sessions`, `responses`, `quarantine` and `ledger` are written (.parquet).

    Raises
    ------
    ConfigError
        The mapping or a scoring key is not right. Problems of the data are written, never raised.
    DataError
        A file was changed while it was read.
    """
    keys = keys_of(measures, instruments)
    del cohort  # named by the workflow for its logs; every path is given
    with unchanged(raw_files):
        tables, lookup = read_site(
            site=site,
            mapping=load_site(mapping),
            raw_folder=raw_folder,
            keys=keys,
            key=pseudonyms.key_of(private_folder, simulated),
        )
    pseudonyms.write_lookup(private_folder, site, lookup)
    look_alikes.write_private_list(private_folder, site, lookup)
    for name in (*TABLES, "places"):
        files.write_parquet(getattr(tables, name), Path(out_folder) / f"{name}.parquet")


def read_site(
    *,
    site: str,
    mapping: Mapping[str, Any],
    raw_folder: str | Path,
    keys: Mapping[str, Instrument],
    key: bytes,
    with_sources: bool = False,
) -> tuple[SiteTables, dict[str, dict[tuple[str, str], str]]]:
    """Read one site's files.

    Parameters
    ----------
    site
        Its short name.
    mapping
        Its completed mapping (`alliance.config.cohort.load_site`).
    raw_folder
        Where its files lie.
    keys
        Scoring key by measure.
    key, with_sources
        Key of the pseudonyms; whether to say which raw rows stand behind each form.

    Returns
    -------
    tuple
        The tables, and the pseudonyms by kind and (site, id).
    """
    problems, ledger = Problems(site), Ledger(site)
    joined = JoinedFiles()
    readings = readings_of(mapping, raw_folder, keys, problems, joined)
    known = _find_rows(readings, site, keys)
    told = facts.client_facts(readings, problems, len(known))
    sessions = facts.session_table(readings, problems, told.get("intake_date"))
    held_by = therapists.of_clients(sessions, mapping["therapist_of_client"], len(known))
    if held_by is not None:
        told["therapist"] = held_by
        therapists.note_changes(sessions, readings, problems)
    joined.account(problems, ledger)
    valid = answers.responses(readings, keys, ledger)
    for reading in readings:
        totals.note_disagreements(reading, keys)
        reading.count_rows(ledger)
    present = _present(readings)
    odd_sessions.note_odd_dates(sessions, told.get("intake_date"), readings, problems)
    odd_sessions.note_forms_at_missed_sessions(valid, sessions, readings, problems)
    odd_values.note_odd_numbers(readings, problems)
    odd_values.note_odd_words(readings, problems)
    odd_values.note_odd_calendars(sessions, readings, problems)
    mapping_faults.note_sweeping_rules(readings, problems)
    if not problems.stopped:
        facts.note_odd_clients(readings, problems, sessions, present, told)
        facts.note_clients_not_in_file(readings, problems, present)
        look_alikes.note_ids(readings, problems)
        look_alikes.note_categories(readings, problems)
    tables, lookup = _canonical(known, present, told, sessions, valid, list(keys), key)
    named = sources.places(valid, readings, list(keys), site)
    found, accounts = problems.table(), ledger.table()
    if not with_sources:
        return SiteTables(*tables, found, accounts, named), lookup
    rows = sources.source_rows(readings, valid, list(keys), known, lookup["client"])
    return SiteTables(*tables, found, accounts, named, rows), lookup


def readings_of(
    mapping: Mapping[str, Any],
    raw_folder: str | Path,
    keys: Mapping[str, Instrument],
    problems: Problems,
    joined: JoinedFiles,
) -> list[Reading]:
    """Read every file of the mapping; one that cannot be read, or lacks a column, is noted."""
    readings = []
    n_items = {measure: instrument.n_items for measure, instrument in keys.items()}
    for table in mapping["tables"]:
        place = Place(table["file"], table["sheet"], CANONICAL[table["rows"]])
        raw = _raw_table(raw_folder, table, place, problems)
        if raw is None:
            continue
        raw.header = lettered(table, raw.header)
        align(table, raw, place, problems)
        for entry in table["join"]:
            beside = Place(entry["file"], entry["sheet"], place.table)
            other = _raw_table(raw_folder, entry, beside, problems)
            found = join(table, raw, entry, other, place, problems)
            if found is not None:
                joined.add(found)
        boxes.add_facts(table, raw)
        columns = resolve(table, [*raw.header, *raw.untold], n_items)
        if len(columns.used) > MOST_COLUMNS:
            note_too_wide(len(columns.used), place, problems)
            continue
        note_missing_columns(table, raw.header, columns, place, problems)
        if len(columns.missing) > MOST_MISSING:
            continue  # it is another file: nothing in it can be judged
        note_shared_labels(raw, columns, place, problems)
        for name in columns.twice:
            problems.add("column-twice", place, column=name)
        if not len(raw):
            problems.add("file-without-rows", place)
        reading = Reading(table=table, raw=raw, columns=columns, problems=problems)
        reading.note_astray()
        readings.append(reading)
    return readings


def _raw_table(
    raw_folder: str | Path, source: Mapping[str, Any], place: Place, problems: Problems
) -> RawTable | None:
    """Return a file as text; None where it cannot be read, which is noted."""
    try:
        return read_table(raw_folder, source)
    except UnreadableError as error:
        rows = None if error.row is None else [error.row]
        expected = error.found and f"a readable file; {error.found}"
        remedy = error.remedy
        if error.rule == "file-missing" and remedy is None:
            folder = Path(raw_folder).as_posix()
            remedy = f"put the file into {folder}/, or mend its name in the site mapping"
        problems.add(error.rule, place, rows=rows, expected=expected or None, remedy=remedy)
        return None


def _find_rows(readings: list[Reading], site: str, keys: Mapping[str, Instrument]) -> people.People:
    """Find out what each row is about; set aside those that do not say or stand twice."""
    n_items = {measure: instrument.n_items for measure, instrument in keys.items()}
    for reading in readings:
        rowkeys.select_rows(reading)
        look_alikes.note_rows_left_out(reading)
        look_alikes.note_words(reading)
        rowkeys.find_clients(reading)
    for reading in readings:
        reading.site = rowkeys.own_sites(reading, site)
    rowkeys.site_by_client(readings)
    for reading in readings:
        rowkeys.find_sessions(reading)
        odd_values.note_sessions_from_zero(reading, reading.problems)
        if reading.kind == "responses":
            per_answer.find_items(reading, n_items)
    known, numbers = people.number_people(
        [reading.site for reading in readings],
        [reading.own_id.where(reading.alive) for reading in readings],
    )
    for reading, client in zip(readings, numbers, strict=True):
        reading.client = client
        rowkeys.set_duplicates_aside(reading)
        rowkeys.number_sessions(reading)
    rowkeys.number_dates(readings)
    return known


def _present(readings: list[Reading]) -> np.ndarray:
    """Return the numbers of the clients of whom a row is kept."""
    kept = [reading.client[reading.alive] for reading in readings]
    numbers = np.unique(np.concatenate(kept)) if kept else np.array([], dtype=np.int64)
    return numbers[numbers >= 0]


def _canonical(
    known: people.People,
    present: np.ndarray,
    told: Mapping[str, pd.Series],
    sessions: pd.DataFrame,
    valid: pd.DataFrame,
    measures: list[str],
    key: bytes,
) -> tuple[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], dict[str, dict[tuple[str, str], str]]]:
    """Return clients, sessions and responses under pseudonyms, clients in `content_rank`."""
    everyone = list(zip(known.sites, known.ids, strict=True))
    of_client = pseudonyms.pseudonyms([everyone[i] for i in present], "client", key)
    # By client number; those of whom no row is kept occur in no table.
    names = np.array([of_client.get(pair, "") for pair in everyone], dtype=object)

    therapist = told.get("therapist", pd.Series(pd.NA, index=range(len(known)), dtype="str"))
    pairs = list(zip(known.sites, therapist, strict=True))
    held_by = list(zip(known.sites[sessions["client"]], sessions["therapist"], strict=True))
    named = [pair for pair in [pairs[i] for i in present] + held_by if isinstance(pair[1], str)]
    of_therapist = pseudonyms.pseudonyms(dict.fromkeys(named), "therapist", key)
    names_held = np.array([of_therapist.get(pair) for pair in held_by], dtype=object)
    sessions = sessions.assign(therapist=names_held)

    clients = {
        "site": known.sites,
        "client": names,
        "therapist": [of_therapist.get(p) for p in pairs],
    }
    blank = pd.Series(pd.NA, index=range(len(known)))
    clients |= {name: told.get(name, blank) for name in ("end_status", "sessions_planned")}
    clients |= {name: told[name] for name in sorted(set(told) - set(_OWN_FACTS))}
    kinds = dict.fromkeys(("site", "client", "therapist", "end_status"), "str")
    table = pd.DataFrame(clients).astype(kinds | {"sessions_planned": "Int64"})
    rank = content_rank(table, sessions, valid, measures)
    in_order = present[np.argsort(rank[present])]
    tables = (
        table.iloc[in_order].reset_index(drop=True),
        _sessions(sessions, known.sites, names, rank),
        _responses(valid, known.sites, names, rank, measures),
    )
    return tables, {"client": of_client, "therapist": of_therapist}


def _sessions(
    sessions: pd.DataFrame, sites: np.ndarray, names: np.ndarray, rank: np.ndarray
) -> pd.DataFrame:
    client, session = (sessions[key].to_numpy(dtype=np.int64) for key in ("client", "session"))
    order = np.lexsort((session, rank[client]))
    table = pd.DataFrame(
        {
            "site": _texts(sites, client[order]),
            "client": _texts(names, client[order]),
            "session": session[order],
            "weeks_since_intake": sessions["weeks_since_intake"].to_numpy(dtype=float)[order],
            "attended": sessions["attended"].to_numpy(dtype=bool)[order],
        }
    )
    if sessions["therapist"].notna().any():  # only where the site tells who held each session
        table["therapist"] = pd.Series(sessions["therapist"].to_numpy()[order], dtype="str")
    return table


def _responses(
    valid: pd.DataFrame,
    sites: np.ndarray,
    names: np.ndarray,
    rank: np.ndarray,
    measures: list[str],
) -> pd.DataFrame:
    by_letter = np.argsort(np.argsort(np.array(measures, dtype=str)))
    keys = [rank[valid["client"].to_numpy()], valid["session"].to_numpy()]
    keys += [by_letter[valid["measure"].to_numpy()], valid["item"].to_numpy()]
    order = order_of(packed(keys)) if len(valid) else None
    del keys
    columns = {key: valid[key].to_numpy() for key in (*answers.KEY, "value")}
    if order is not None:
        columns = {key: column[order] for key, column in columns.items()}
    return pd.DataFrame(
        {
            "site": _texts(sites, columns["client"]),
            "client": _texts(names, columns["client"]),
            "session": columns["session"].astype(np.int64, copy=False),
            "measure": _texts(np.array(measures, dtype=object), columns["measure"]),
            "item": columns["item"].astype(np.int64),
            "value": columns["value"],
        }
    )


def _texts(distinct: np.ndarray, positions: np.ndarray) -> pd.Series:
    """Return distinct[positions] as text, without making each text anew."""
    texts = pd.Series(distinct, dtype="str")
    return texts.take(positions).reset_index(drop=True)
