"""Note what is odd about numbers and dates of one site: codes for missing, units, exchanged parts.

Looked at before the values leave the intake: dates and texts of the files are known here only.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.problems import Problems, rows_where
from alliance.ingest.reading import Reading

# Numbers that stand for "no answer" in most labs' exports. ASSUME a person's number among them
# does not occur in so many rows by chance, alone at its end of the column.
MISSING_CODES = {-1, -2, -3, -7, -8, -9, -77, -88, -99, -777, -888, -999, -9999,
                 9, 77, 88, 99, 777, 888, 999, 9999}  # fmt: skip
# Those that are no number of a category or a therapist either.
WORD_CODES = ["-9", "-77", "-88", "-99", "-777", "-888", "-999", "-9999"]
CODE_LEAST = 3
CODE_GAP = 1.5  # interquartile ranges between the code and the next number
# ASSUME nobody in psychotherapy is older than this, nor younger than nothing, in years.
OLDEST = 105
# ASSUME of two readings of a file's dates the right one has at most a quarter of the other's steps
# back or over more than two months, if those are so many.
BACK_LEAST, BACK_SHARE, LONG_STEP_DAYS = 6, 0.1, 62
ONE_DATE_LEAST, ONE_DATE_CLIENTS, ONE_DATE_SHARE = 20, 5, 0.5
FROM_ZERO_SHARE, FROM_ZERO_LEAST = 0.5, 5


def note_odd_numbers(readings: list[Reading], problems: Problems) -> None:
    """Note codes for missing, and ages that cannot be, in the numbers of the client facts."""
    for reading in readings:
        for name, fact in reading.table["client_facts"].items():
            if fact["type"] != "number" or fact["codes"]:
                continue
            texts = reading.cells(fact["column"])
            values = parse.by_unique(texts, parse.number_parser(reading.table["decimal"]))
            told = reading.alive & ~np.isnan(values)
            first = ~pd.Series(reading.client).where(told).duplicated().to_numpy() & told
            is_age = re.search(r"(^|_)age($|_)", name) is not None
            codes = _codes(values[first], is_age)
            is_code = told & np.isin(values, codes)
            if codes:
                problems.add_finding(
                    "missing-code",
                    reading.place("clients"),
                    fact["column"],
                    f"one such number stands for {int((is_code & first).sum())} of"
                    f" {int(first.sum())} clients, apart from all others",
                    rows_affected=int(is_code.sum()),
                )
            if is_age:
                _note_ages(reading, fact["column"], values, first & ~is_code, problems)


def note_odd_words(readings: list[Reading], problems: Problems) -> None:
    """Note codes for missing that pass for a word of a category or a therapist's id."""
    for reading in readings:
        for name, fact in reading.table["client_facts"].items():
            if fact["type"] != "category" or fact["codes"] or fact["boxes"]:
                continue
            texts = reading.cells(fact["column"]).where(reading.alive).str.strip()
            labels = reading.raw.labels.get(fact["column"], {})
            counts = texts.value_counts()
            codes = [t for t in WORD_CODES if t in counts and t not in labels]
            if codes and len(counts) > len(codes):
                listed = ", ".join(codes)
                problems.add_finding(
                    "missing-code",
                    reading.place("clients"),
                    fact["column"],
                    f"{listed} stands among the words of {name}",
                    remedy=f"if it means “no statement”, set `missing: [{listed}]` for this table"
                    " in the site mapping",
                    rows_affected=int(counts[codes].sum()),
                )


def _codes(values: np.ndarray, is_age: bool) -> list[float]:
    """Return the codes for missing among numbers of clients: repeated, at an end, far off."""
    distinct, counts = np.unique(values, return_counts=True)
    found: list[float] = []
    # Negative codes come in company (-99, -77): none of them is one of the others.
    negative = [code for code in MISSING_CODES if code < 0]
    for code, count in zip(distinct, counts, strict=True):
        if code not in MISSING_CODES or count < CODE_LEAST:
            continue
        others = values[~np.isin(values, [code, *(negative if code < 0 else ())])]
        if len(others) < 2 * CODE_LEAST:
            continue
        low, high = np.percentile(others, [25, 75])
        spread = max(high - low, 1.0)
        beyond = code > others.max() + CODE_GAP * spread or code < others.min() - CODE_GAP * spread
        # A negative number among numbers that are none is a code however near it is, and 99 is
        # nobody's age if three people have it and nobody is near.
        impossible = code < 0 <= others.min() or (is_age and code >= 77 and others.max() < code - 8)
        if beyond or impossible:
            found.append(float(code))
    return found


def _note_ages(
    reading: Reading, column: str, values: np.ndarray, judged: np.ndarray, problems: Problems
) -> None:
    with np.errstate(invalid="ignore"):
        odd = judged & ((values < 0) | (values > OLDEST))
        years = judged & (values >= parse.FIRST_YEAR) & (values <= parse.LAST_YEAR)
    if not odd.any():
        return
    if years.sum() >= max(CODE_LEAST, 0.5 * judged.sum()):
        told = f"{int(years.sum())} of {int(judged.sum())} look like years of birth"
    elif odd.sum() >= max(CODE_LEAST, 0.5 * judged.sum()):
        told = f"{int(odd.sum())} of {int(judged.sum())} are above {OLDEST} (months?)"
    else:
        problems.add(
            "implausible-number",
            reading.place("clients"),
            rows=rows_where(odd, reading.raw.rows),
            column=column,
            expected=f"an age from 0 to {OLDEST} years",
        )
        return
    problems.add_finding(
        "implausible-number", reading.place("clients"), column, told, rows_affected=int(odd.sum())
    )


def note_odd_calendars(sessions: pd.DataFrame, readings: list[Reading], problems: Problems) -> None:
    """Note dates whose month and day were turned round, and dates that are all the same.

    `sessions` as `alliance.ingest.facts.session_table` returns them, sorted by client and session.
    """
    dated = sessions[sessions["date"].notna()]
    if len(dated) < ONE_DATE_LEAST:
        return
    reading = readings[int(dated["reading"].iloc[0])]
    column = dated["date_column"].iloc[0]
    column = None if pd.isna(column) else str(column)
    days = dated["date"].to_numpy(dtype=float).astype(np.int64)
    follows = np.diff(dated["client"].to_numpy()) == 0
    steps = int(follows.sum())
    if not steps:
        return
    here, there = (_odd_steps(d, follows) for d in (days, _turned(days)))
    if here >= max(BACK_LEAST, BACK_SHARE * steps) and there <= here / 4:
        problems.add_finding(
            "month-and-day",
            reading.place("sessions"),
            column,
            f"{here:,} of {steps:,} steps from one session to the next go back or over more than"
            f" two months, {there:,} if month and day change places where they can",
            rows_affected=here,
        )
    same = np.diff(days)[follows] == 0
    n_clients = len(np.unique(dated["client"].to_numpy()[1:][follows][same]))
    if steps >= ONE_DATE_LEAST and n_clients >= ONE_DATE_CLIENTS and same.mean() >= ONE_DATE_SHARE:
        problems.add_finding(
            "one-date-for-all",
            reading.place("sessions"),
            column,
            f"{same.mean():.0%} of {steps:,} sessions have the date of the client's session before",
            rows_affected=int(same.sum()),
        )


def _odd_steps(days: np.ndarray, follows: np.ndarray) -> int:
    step = np.diff(days)[follows]
    return int(((step < 0) | (step > LONG_STEP_DAYS)).sum())


def _turned(days: np.ndarray) -> np.ndarray:
    """Return the days with month and day exchanged where both can be either."""
    distinct, at = np.unique(days, return_inverse=True)
    dates = distinct.astype("datetime64[D]")
    year = dates.astype("datetime64[Y]")
    month = dates.astype("datetime64[M]")
    day_of_month = (dates - month.astype("datetime64[D]")).astype(int)  # from 0
    month_of_year = (month - year.astype("datetime64[M]")).astype(int)  # from 0
    turned = (year.astype("datetime64[M]") + day_of_month).astype("datetime64[D]") + month_of_year
    turned = np.where(day_of_month < 12, turned, dates).astype("datetime64[D]")
    return np.asarray(turned.astype(np.int64)[at])


def note_sessions_from_zero(reading: Reading, problems: Problems) -> None:
    """Note a file whose session numbers begin at 0: those sessions are set aside."""
    given = reading.table["session"]
    if given is None or given["order_by"] or given["pattern"] or given["codes"]:
        return
    texts = reading.cells(given["column"]).str.strip()
    is_zero = texts.isin(["0", "00", "000", "0.0", "0,0"]).to_numpy()
    own_id = reading.own_id
    clients, from_zero = own_id.nunique(), own_id[is_zero].nunique()
    if from_zero >= max(FROM_ZERO_LEAST, FROM_ZERO_SHARE * clients):
        problems.add_finding(
            "sessions-from-zero",
            reading.place(),
            given["column"],
            f"{from_zero} of {clients} clients have a session 0, which is set aside",
            rows_affected=int(is_zero.sum()),
        )
