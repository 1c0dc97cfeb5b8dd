"""One datum, one panel: a table gives the same result whatever format it is written in."""

import datetime
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from alliance.ingest import parse
from alliance.ingest.readers.cells import cell_text

FORMATS = ["csv", "xlsx", "ods", "sav", "zsav", "por", "dta", "xpt", "parquet"]
# A statistics program writes names of eight capital letters at most.
HEADER = ["PID", "MOMENT", "DAY", "CLOCK", "WAI1", "WAI2", "WAI3", "TH", "AGE", "SEX"]
VISITS = ["VPID", "VMOMENT", "HELD"]
FACTS = {
    "therapist": "TH",
    "age_years": {"column": "AGE", "type": "number"},
    "gender": "SEX",
}  # fmt: skip


def rows_of(chance):
    """Return sessions of a few clients, several a day, told apart by the time of day only."""
    rows, visits = [], []
    for client in range(4):
        moment = datetime.datetime(2024, 1, 30, 8) + datetime.timedelta(client)
        for _ in range(chance.randint(2, 5)):
            step = chance.choice([60, 3_600, 86_400, 7 * 86_400])
            moment += datetime.timedelta(seconds=step + chance.choice([0, 1, 30]))
            answers = [chance.choice([1, 2, 3, 4, 5, None]) for _ in range(3)]
            who = [f"T{client % 2} Muller", 20.5 + client, chance.choice("fm")]
            rows.append([f"P{client:02}", moment, moment.date(), moment.time(), *answers, *who])
            visits.append([f"P{client:02}", moment, f"T{chance.randrange(3)}"])
        for row in rows:
            if row[0] == f"P{client:02}":
                row[-1] = who[-1]
    order = list(range(len(rows)))
    chance.shuffle(order)
    return [rows[i] for i in order], visits


def table_of(ending, session):
    return {
        "file": f"toy.{ending}", "dates": "yyyy-mm-dd HH:MM:SS", "rows": "session",
        "client": "PID", "session": {"order_by": session}, "client_facts": FACTS,
        "session_facts": {"date": "MOMENT"}, "measures": {"alliance": "WAI{item}"},
    }  # fmt: skip


@settings(
    max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(seed=st.integers(0, 10**6), session=st.sampled_from([["MOMENT"], ["DAY", "CLOCK"]]))
def test_one_table_in_every_format(site, made, seed, session):
    chance = random.Random(seed)
    rows, visits = rows_of(chance)
    expected = None
    made.write(site.raw / "visits.csv", VISITS, visits)
    facts = {name: told for name, told in FACTS.items() if name != "therapist"}
    for ending in FORMATS:
        made.write(site.raw / f"toy.{ending}", HEADER, rows)
        made.write(site.raw / f"visits.{ending}", VISITS, visits)
        other = chance.choice(["csv", ending])
        join = {"file": f"visits.{other}", "take": ["HELD"], "dates": "yyyy-mm-dd HH:MM:SS",
                "by": {"PID": "VPID", "MOMENT": "VMOMENT"}}  # fmt: skip
        table = {**table_of(ending, session), "join": [join], "client_facts": facts}
        table["session_facts"] = {"date": "MOMENT", "therapist": "HELD"}
        read = site.read(table)
        assert set(read.quarantine["rule"]) <= {"therapist-changed"}, (ending, read.quarantine)
        expected = read if expected is None else expected
        for name in ("clients", "sessions", "responses"):
            assert_frame_equal(getattr(read, name), getattr(expected, name), obj=ending)
    assert len(expected.sessions) == len(rows)


@pytest.mark.parametrize("ending", FORMATS)
def test_times_of_day_order_sessions(site, made, ending):
    """Sessions at 9:05, 14:30 and 23:59:59 of one day, in no order in the file."""
    day = datetime.date(2024, 2, 29)
    times = [datetime.time(14, 30), datetime.time(23, 59, 59), datetime.time(9, 5)]
    rows = [["P1", datetime.datetime.combine(day, t), day, t, i, None, None, "T1", 30.0, "f"]
            for i, t in enumerate(times, 1)]  # fmt: skip
    made.write(site.raw / f"toy.{ending}", HEADER, rows)
    for session in (["MOMENT"], ["DAY", "CLOCK"]):
        read = site.read(table_of(ending, session))
        assert read.responses["value"].tolist() == [3, 1, 2]
        assert read.sessions["weeks_since_intake"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("ending", FORMATS)
def test_forms_of_one_day_are_one_session_by_date(site, made, ending):
    moments = [datetime.datetime(2024, 3, d, h) for d, h in ((1, 9), (1, 17), (8, 9))]
    rows = [["P1", m, m.date(), m.time(), *([2, None, None] if i else [None, 3, None]), "T1", 30.0,
             "f"] for i, m in enumerate(moments)]  # fmt: skip
    made.write(site.raw / f"toy.{ending}", HEADER, rows[::2])
    read = site.read({**table_of(ending, []), "session": {"by_date": "MOMENT"}})
    assert read.sessions["weeks_since_intake"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("12.01.2024 14:30", "dd.mm.yyyy HH:MM", "2024-01-12 14:30:00"),
        ("1/12/2024 2:30 PM", "mm/dd/yyyy HH:MM AM", "2024-01-12 14:30:00"),
        ("1/12/2024 12:05 am", "mm/dd/yyyy HH:MM AM", "2024-01-12 00:05:00"),
        ("2024-01-12T14:30:00.250", "yyyy-mm-ddTHH:MM:SS", "2024-01-12 14:30:00.250"),
        ("2024-01-12 00:00:00.000", "yyyy-mm-dd HH:MM:SS", "2024-01-12"),
    ],
)
def test_written_moments(text, style, expected):
    days = parse.moment_parser(style)(text)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(days)
    assert cell_text(moment) == expected
    assert abs(parse._real_moment(expected) - days) < 1e-9


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (datetime.datetime(2024, 1, 12, 14, 29, 59, 999_999), "2024-01-12 14:30:00"),
        (datetime.datetime(2024, 1, 12, 23, 59, 59, 999_999), "2024-01-13"),
        (datetime.time(9, 5), "09:05:00"),
        (datetime.timedelta(hours=26, minutes=3), "26:03:00"),
    ],
)
def test_cells_with_a_time(cell, expected):
    assert cell_text(cell) == expected


def test_a_number_that_is_no_date_is_not_read_as_one():
    assert parse._real_moment("20240112") != parse._real_moment("20240112")  # NaN
