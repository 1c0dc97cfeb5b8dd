"""What each row of a file is about: which client, which session.

Rows that do not say are set aside, and so are rows that stand twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.packed import is_repeated, packed
from alliance.ingest.partners import others
from alliance.ingest.people import is_site_name, same_spelling
from alliance.ingest.problems import MOST_ROWS_OF_COLUMN, rows_where
from alliance.ingest.reading import Reading
from alliance.ingest.rules import NOT_SELECTED
from alliance.likeness import Words, seen

# How spreadsheet programs and people call the row below a table that sums it up.
SUMMARIES = Words(
    ("total", "totals", "grand total", "sum", "mean", "average", "avg", "median", "sd", "n",
     "count", "min", "max", "summe", "gesamt", "gesamtsumme", "gesamtergebnis", "mittelwert",
     "durchschnitt", "anzahl", "total général", "somme", "moyenne", "totale", "somma", "media",
     "suma", "promedio", "totaal", "som", "gemiddelde", "totalt", "snitt")
)  # fmt: skip
_ROUNDED = r"[0-9][.,][0-9]+E\+[0-9]{2}"  # a long number as a spreadsheet program shows it


def select_rows(reading: Reading) -> None:
    """Leave out the rows that the mapping does not want (`keep_rows`); the ledger counts them."""
    for column, kept in reading.table["keep_rows"].items():
        texts = reading.raw.column(column).fillna("")  # "" stands for an empty cell
        # What differs in capitals may be another event: left out, and told (`look_alikes`).
        reading.set_aside(NOT_SELECTED, ~parse.is_one_of(texts, Words(kept, (seen,))).to_numpy())


def own_sites(reading: Reading, site: str) -> pd.Series:
    """Return the site of each row: the mapping's own, or what the site column says.

    Missing where the table has no site column of its own but another table has
    (`site_by_client` then fills it).
    """
    given = reading.table["site"]
    if given is None:
        return pd.Series(site, index=range(len(reading.raw)), dtype="str")
    texts = same_spelling(reading.cells(given["column"]), reading.table["same_as"]["site"])
    names: pd.Series = given["prefix"] + texts.str.strip()
    named = names.dropna()
    bad = named.index[[not is_site_name(name) for name in named]]
    is_bad = np.zeros(len(names), dtype=bool)
    is_bad[bad] = True
    reading.set_aside("no-site", names.isna().to_numpy(), column=given["column"])
    reading.set_aside("bad-site", is_bad, column=given["column"])
    return names.mask(is_bad)


def site_by_client(readings: list[Reading]) -> None:
    """Give the rows of tables without site column the site that other tables name for the client.

    A client whom other tables place at two sites, or at none, gets none: those rows are set aside.
    """
    with_site = [r for r in readings if r.table["site"] is not None]
    if not with_site:
        return
    pairs = pd.concat(
        [pd.DataFrame({"id": r.own_id, "site": r.site}) for r in with_site], ignore_index=True
    ).dropna()
    pairs = pairs.drop_duplicates()
    at_two = pairs["id"].duplicated(keep=False)
    site_of = pairs[~at_two].set_index("id")["site"]
    for reading in readings:
        if reading.table["site"] is None:
            reading.site = reading.own_id.map(site_of).astype("str")
            twice = reading.own_id.isin(pairs.loc[at_two, "id"]).to_numpy()
            reading.set_aside("client-at-two-sites", twice, column=reading.table["client"])
            without = reading.site.isna().to_numpy() & reading.own_id.notna().to_numpy()
            reading.set_aside("no-site", without, column=reading.table["client"])


def find_clients(reading: Reading) -> None:
    """Read the client ids, as text exactly as they stand; rows without one are set aside.

    A text that the mapping lists as missing is no id.
    """
    column = reading.table["client"]
    reading.own_id = same_spelling(reading.cells(column), reading.table["same_as"]["client"])
    is_blank = reading.raw.column(column).isna().to_numpy()
    reading.set_aside("no-client-id", is_blank, column=column)
    reading.set_aside("summary-row", _at_the_end(reading.own_id, SUMMARIES), column=column)
    real = reading.raw.dates.get(column)
    if real is not None:
        rows = rows_where(real.to_numpy() & reading.alive, reading.raw.rows)
        reading.problems.add("id-is-a-date", reading.place(), rows=rows, column=column)
    rounded = reading.own_id.str.fullmatch(_ROUNDED).fillna(False).to_numpy(dtype=bool)
    rows = rows_where(rounded & reading.alive, reading.raw.rows)
    reading.problems.add("id-is-rounded", reading.place(), rows=rows, column=column)
    reading.set_aside(
        "no-client-id",
        reading.own_id.isna().to_numpy(),
        column=column,
        expected="a client id; the text that stands here is listed in `missing` of this table",
        remedy="enter the id, or take the text out of `missing` if it is one",
    )


def _at_the_end(ids: pd.Series, words: Words) -> np.ndarray:
    """Return where one of `words` stands below the last other text, shape (n,)."""
    named = parse.is_one_of(ids.str.rstrip(":"), words).to_numpy()
    others = np.flatnonzero(~named & ids.notna().to_numpy())
    below = np.arange(len(ids)) > (others[-1] if len(others) else len(ids))
    return np.asarray(named & below)


def find_sessions(reading: Reading) -> None:
    """Read the session numbers of rows that are sessions or answers."""
    given = reading.table["session"]
    if given is None:
        return
    if given["order_by"]:
        first = given["order_by"][0]
        reading.set_aside("no-session-number", reading.cells(first).isna().to_numpy(), column=first)
        return  # numbered by `number_sessions`, once duplicates are out
    if given["by_date"]:
        _find_dates(reading, given["by_date"])
        return  # numbered by `number_dates`, once all tables are read
    column = given["column"]
    texts = reading.cells(column)
    about_client = parse.is_one_of(texts, Words(given["about_client"])).to_numpy()
    reading.about_client = about_client
    reading.set_aside(NOT_SELECTED, parse.is_one_of(texts, Words(given["ignore"])).to_numpy())
    names_events = bool(given["pattern"] or given["codes"])
    numbers = parse.by_unique(texts, _session_parser(given))
    unknown = np.isnan(numbers) & ~about_client
    blank = texts.isna().to_numpy()
    reading.set_aside("no-session-number", unknown & blank, column=column)
    rule = "unknown-event" if names_events else "bad-session-number"
    reading.set_aside(rule, unknown & ~blank, column=column)
    reading.session = np.where(np.isnan(numbers), 0, numbers).astype(np.int64)


def _find_dates(reading: Reading, column: str) -> None:
    """Set aside the rows without a date that could name their session."""
    blank = reading.cells(column).isna().to_numpy()
    reading.set_aside("no-session-number", blank, column=column, expected="a date in every row")
    reading.set_aside(
        "bad-session-number",
        np.isnan(_date_of(reading, column)),
        column=column,
        expected="a possible date, written as the site mapping says (`dates`)",
        remedy="mend the date: sessions are numbered by it",
    )


def _date_of(reading: Reading, column: str) -> np.ndarray:
    """Return days since 1970-01-01, shape (n,)."""
    return parse.dates(reading.cells(column), reading.table["dates"], reading.raw.dates.get(column))


def _session_parser(given: Mapping[str, Any]) -> Any:
    if given["codes"]:
        return parse.number_parser(".", given["codes"])
    if given["pattern"]:
        before, after = seen(given["pattern"]).split("{session}")
        number = re.escape(before) + r"0*([1-9][0-9]{0,5})" + re.escape(after)
        event = re.compile(number, re.IGNORECASE)
    else:
        event = re.compile(r"0*([1-9][0-9]{0,5})(?:[.,]0*)?")

    def session(text: str) -> float:
        match = event.fullmatch(seen(text))
        return float(match.group(1)) if match else np.nan

    return session


def _keys(reading: Reading) -> list[np.ndarray]:
    """Return what may stand in one row only: the client, and the session, form and item."""
    keys = [reading.client]
    given = reading.table["session"]
    if given is not None and given["order_by"]:
        keys += [order_of(reading, column) for column in given["order_by"]]
    elif given is not None and given["by_date"]:
        keys.append(_date_of(reading, given["by_date"]))
    elif given is not None:
        keys += [reading.session, reading.about_client.astype(int)]
    if reading.kind == "responses":
        keys += [reading.measure, reading.item]
    return keys


def set_duplicates_aside(reading: Reading) -> None:
    """Set aside rows on the same thing: copies but for the first, contradictions altogether."""
    if reading.table["rows_repeat"]:
        return
    alive = np.flatnonzero(reading.alive)
    by_key = packed([key[alive] for key in _keys(reading)])
    shared = is_repeated(by_key)
    if not shared.any():
        return
    alive, sharing = alive[shared], pd.Series(by_key[shared])
    content = pd.DataFrame(
        {i: reading.raw.column(name).iloc[alive].str.strip().to_numpy()
         for i, name in enumerate(reading.columns.used)}
    ).fillna("")  # fmt: skip
    whole = pd.Series(["\x1f".join(row) for row in content.to_numpy(dtype=object)], dtype="str")
    differs = whole.groupby(sharing).transform("nunique").to_numpy() > 1
    is_first = ~sharing.duplicated(keep="first").to_numpy()
    named = [f"row {row}" for row in reading.raw.rows[alive]]
    for rule, chosen, words in (
        ("conflicting-duplicate", differs, "{} says otherwise"),
        ("exact-duplicate", ~differs & ~is_first, "{} says the same"),
    ):
        mask = np.zeros(len(reading.raw), dtype=bool)
        mask[alive[chosen]] = True
        told = others(list(sharing), named, np.flatnonzero(chosen)[:MOST_ROWS_OF_COLUMN])
        reading.set_aside(rule, mask, against=[words.format(each) for each in told])


def number_sessions(reading: Reading) -> None:
    """Give each client's remaining rows numbers from 1, in the order of the `order_by` columns."""
    given = reading.table["session"]
    if given is None or not given["order_by"]:
        return
    alive = np.flatnonzero(reading.alive)
    ordered = pd.DataFrame(
        {"client": reading.client[alive]}
        | {str(i): order_of(reading, name)[alive] for i, name in enumerate(given["order_by"])}
    )
    ordered = ordered.sort_values(list(ordered.columns), kind="stable")
    numbers = ordered.groupby("client", sort=False).cumcount() + 1
    session = np.zeros(len(reading.raw), dtype=np.int64)
    session[alive[numbers.index.to_numpy()]] = numbers.to_numpy()
    reading.session = session


def number_dates(readings: list[Reading]) -> None:
    """Number each client's different dates from 1, over all tables that are numbered by date."""
    dated = [r for r in readings if r.table["session"] and r.table["session"]["by_date"]]
    if not dated:
        return
    alive = [np.flatnonzero(reading.alive) for reading in dated]
    together = pd.DataFrame(
        {
            "client": np.concatenate([r.client[at] for r, at in zip(dated, alive, strict=True)]),
            "day": np.concatenate(
                [
                    _date_of(r, r.table["session"]["by_date"])[at]
                    for r, at in zip(dated, alive, strict=True)
                ]
            ),
        }
    )
    numbers = together.groupby("client")["day"].rank(method="dense").to_numpy(dtype=np.int64)
    ends = np.cumsum([len(at) for at in alive])[:-1]
    for reading, at, own in zip(dated, alive, np.split(numbers, ends), strict=True):
        reading.session[at] = own


def order_of(reading: Reading, column: str) -> np.ndarray:
    """Return sort keys of a column: dates, times and numbers by value, other texts by letters."""
    texts = reading.cells(column)
    moments = parse.moments(texts, reading.table["dates"], reading.raw.dates.get(column))
    if reading.table["session_facts"].get("date") == column:
        return moments
    numbers = parse.by_unique(texts, parse.number_parser(reading.table["decimal"]))
    for values in (numbers, moments, parse.by_unique(texts, parse.time_of_day)):
        if not (np.isnan(values) & texts.notna().to_numpy()).any():
            return values
    return pd.factorize(texts.fillna(""), sort=True)[0].astype(float)
