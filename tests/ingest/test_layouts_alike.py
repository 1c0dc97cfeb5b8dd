"""One made cohort in many layouts and formats leads to one panel, to the last bit."""

import io

import pytest
from pandas.testing import assert_frame_equal

from alliance.measures.scoring import scores_of
from alliance.panel.build import panel_of

FORMATS = ["csv", "xlsx", "ods", "sav", "zsav", "por", "dta", "xpt", "parquet"]


@pytest.fixture(scope="session")
def real_keys(make_keys):
    return make_keys()


def panel(read, keys):
    scores, _ = scores_of(read.responses, keys)
    return panel_of(read.clients, read.sessions, scores, list(keys))


@pytest.fixture(scope="session")
def expected(new_site, tmp_path_factory, made, real_keys):
    """The tables and the panel of the plainest file: one row a session, CSV."""
    _, sessions = made.cohort()
    site = new_site(tmp_path_factory.mktemp("plain"))
    made.write(site.raw / "plain.csv", made.HEADER, made.session_rows(sessions))
    read = site.read({"file": "plain.csv", **made.BY_SESSION}, keys=real_keys)
    assert read.quarantine.empty
    return read, panel(read, real_keys)


def bytes_of(table):
    stream = io.BytesIO()
    table.to_parquet(stream)
    return stream.getvalue()


def assert_alike(read, expected, keys, told=frozenset()):
    tables, its_panel = expected
    assert set(read.quarantine["rule"]) == told, read.quarantine[["file", "row", "column", "rule"]]
    for name in ("clients", "sessions", "responses"):
        assert_frame_equal(getattr(read, name), getattr(tables, name))
    own = panel(read, keys)
    assert_frame_equal(own, its_panel)
    assert bytes_of(own) == bytes_of(its_panel)


def test_the_expected_tables_are_those_that_were_made(expected, made):
    clients, sessions = made.cohort()
    read, its_panel = expected
    assert len(read.clients) == len(clients)
    assert len(read.sessions) == len(its_panel) == len(sessions)
    answers = [x for s in sessions for x in (*s.wai, *s.phq) if x is not None]
    assert len(read.responses) == len(answers)
    assert read.responses["value"].sum() == sum(answers)
    assert read.clients["age_years"].sum() == sum(c.age for c in clients)
    assert its_panel["alliance"].notna().sum() > 20
    assert sorted(read.clients["gender"]) == sorted(made.GENDERS[c.gender] for c in clients)


@pytest.mark.parametrize(
    "habit",
    ["wide", "long", "per_answer", "redcap", "redcap_labels", "redcap_repeating", "workbook",
     "qualtrics", "limesurvey", "events", "counted_otherwise", "look_alike"],
)  # fmt: skip
def test_layouts_lead_to_one_panel(site, made, expected, real_keys, habit):
    tables = made.HABITS[habit](site.raw, *made.cohort())
    told = {"look-alike-name"} if habit == "look_alike" else set()
    assert_alike(site.read(*tables, keys=real_keys), expected, real_keys, told)


@pytest.mark.parametrize("ending", FORMATS)
def test_formats_lead_to_one_panel(site, made, expected, real_keys, ending):
    _, sessions = made.cohort()
    header, table = made.HEADER, made.BY_SESSION
    made.write(site.raw / f"toy.{ending}", header, made.session_rows(sessions))
    if ending == "por":  # names are capital letters in a portable file
        table = capital(table)
    read = site.read({"file": f"toy.{ending}", **table}, keys=real_keys)
    assert_alike(read, expected, real_keys)


@pytest.mark.parametrize("ending", ["csv", "sav", "dta", "parquet", "ods"])
def test_packed_formats_lead_to_one_panel(site, made, expected, real_keys, ending):
    import gzip

    _, sessions = made.cohort()
    made.write(site.raw / f"toy.{ending}", made.HEADER, made.session_rows(sessions))
    data = (site.raw / f"toy.{ending}").read_bytes()
    (site.raw / f"toy.{ending}.gz").write_bytes(gzip.compress(data))
    read = site.read({"file": f"toy.{ending}.gz", **made.BY_SESSION}, keys=real_keys)
    assert_alike(read, expected, real_keys)


def capital(table):
    """Return a mapping with the column names in capital letters."""
    facts = {
        name: told.upper() if isinstance(told, str) else {**told, "column": told["column"].upper()}
        for name, told in table["client_facts"].items()
    }
    return {
        **table, "client": "ID", "session": "NR", "session_facts": {"date": "DAY"},
        "client_facts": facts, "measures": {"alliance": "WAI{item}", "symptoms": "PHQ{item}"},
    }  # fmt: skip
