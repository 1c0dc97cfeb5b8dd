"""The first configuration: right where it can be, open where it cannot, silent about people."""

import importlib.util
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.cohort import PROJECT, load_cohort
from alliance.config.instruments import load_instrument
from alliance.config.site import load_site
from alliance.config.strict_yaml import parse
from alliance.errors import AllianceError, ConfigError
from alliance.ingest import pseudonyms
from alliance.ingest.site import read_site
from alliance.newcohort import propose
from alliance.newcohort.families import families
from alliance.newcohort.look import look_at
from alliance.newcohort.nodes import scalar
from alliance.newcohort.profiles import profiles
from alliance.newcohort.scales import candidates, chosen


def _toy():
    path = Path(__file__).with_name("toy.py")
    spec = importlib.util.spec_from_file_location("toy", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def propose_for(tmp_path, cohort="mylab", **options):
    raw = tmp_path / "data" / "raw" / cohort
    return propose(
        cohort=cohort, raw_folder=raw, config_folder=tmp_path / "config", **options
    )  # fmt: skip


def write_raw(tmp_path, text, site="one", name="a.csv", encoding="utf-8"):
    folder = tmp_path / "data" / "raw" / "mylab" / site
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode(encoding))


def mapping_text(tmp_path, site="one"):
    return (tmp_path / "config" / "sites" / "mylab" / f"{site}.yaml").read_text(encoding="utf-8")


def words(text):
    """The words of a file, its comments unfolded."""
    return " ".join(text.replace("#", " ").split())


def keys_of(text):
    """The content of a proposed file (the strict reader must find nothing odd)."""
    document = parse(text, "proposed")
    assert document.problems == []
    return document.content


def decide(path, *answers):
    """Edit a file as its reader would: (what stands there, what is written instead)."""
    text = path.read_text(encoding="utf-8")
    for before, after in answers:
        assert before in text, f"{before!r} is not in\n{text}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def read(config, raw, site):
    cohort = load_cohort(config)
    mapping = load_site(config.parent / "sites" / cohort["cohort"] / f"{site}.yaml")
    folder = PROJECT / "config" / "instruments"
    keys = {
        name: load_instrument(folder / f"{measure['instrument']}.yaml")
        for name, measure in cohort["measures"].items()
    }
    key = pseudonyms.key_of(raw.parent, simulated=True)
    tables, _ = read_site(site=site, mapping=mapping, raw_folder=raw / site, keys=keys, key=key)
    return tables


# --------------------------------------------------------------------------------------------------
# whole cohorts


@pytest.fixture
def toy(tmp_path):
    truth = _toy().write_toy(tmp_path / "data" / "raw" / "mylab")
    return truth, propose_for(tmp_path)


def test_nothing_runs_before_the_toys_questions_are_answered(toy, tmp_path):
    config, _, praxis = toy[1].written
    with pytest.raises(ConfigError, match="measures → wai → instrument: has no value"):
        load_cohort(config)
    decide(config, ("    instrument:\n", "    instrument: wai-sr-c\n"))
    with pytest.raises(ConfigError, match="measures → wai → codes → immer: has no value"):
        load_cohort(config)
    assert "# DECIDE: which number does the form give to each answer?" in praxis.read_text()


def test_the_toy_is_read_whole_once_its_questions_are_answered(toy, tmp_path):
    truth, made = toy
    config, ambulanz, praxis = made.written
    assert [made.questions[path] for path in (config, ambulanz, praxis)] == [1, 0, 1]
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"  wai:\n.*?\n    instrument:\n", "", text, flags=re.DOTALL))
    decide(config, ("  wai_growth: {family: growth, outcome: wai, time: session}\n", ""))
    codes = {"selten": 1, "manchmal": 2, "häufig": 3, "sehr häufig": 4, "immer": 5}
    written = "codes: {" + ", ".join(f"{word}: {n}" for word, n in codes.items()) + "}\n"
    text = praxis.read_text(encoding="utf-8")
    question = r"codes: +# DECIDE.*?(?=      symptoms)|codes:\n(?= {10}\w+:\n).*?(?=      symptoms)"
    text = re.sub(question, written, text, flags=re.DOTALL)
    praxis.write_text(text.replace("      wai:", "      alliance:"), encoding="utf-8")
    for site in ("ambulanz", "praxis"):
        tables = read(config, tmp_path / "data" / "raw" / "mylab", site)
        assert len(tables.clients) == truth[site]["clients"]
        assert len(tables.responses) == truth[site]["answers"]
        assert set(tables.responses["measure"]) == {"alliance", "symptoms"}
        stopped = tables.quarantine[tables.quarantine["action"] != "noted"]
        assert stopped.empty, stopped
    assert tables.clients["end_status"].notna().all()


def test_no_client_is_told(toy, tmp_path, capsys):
    _, made = toy
    text = "".join(path.read_text(encoding="utf-8") for path in made.written)
    text += capsys.readouterr().out
    assert not re.search(r"K0\d\d|001\d\d|müde|besser|verschoben|Preis|\d\d\.\d\d\.2024", text)
    assert not re.search(r"\bT1\b|\bAB\b|\bCD\b", text)


@pytest.mark.slow
def test_the_demos_raw_files_are_guessed_but_for_two_questions(tmp_path):
    raw = tmp_path / "data" / "raw" / "mylab"
    for site in ("north", "east", "south", "west"):
        shutil.copytree(PROJECT / "data" / "raw" / "demo" / site, raw / site)
    made = propose_for(tmp_path)
    config, _, _, south, _ = made.written
    assert sum(made.questions.values()) == 2
    codes = ["dropout", "completed", "transferred", "ongoing"]
    decide(south, *((f"          {n}:\n", f"          {n}: {word}\n")
                    for n, word in enumerate(codes, start=1)))  # fmt: skip
    decide(config, ("    # accept_unverified_key: true", "    accept_unverified_key: true"))
    example = "  primary: {alliance_and_symptoms: [alliance -> symptoms]}\n"  # a comment, set in
    decide(config, (f"# {example}", example.lstrip()))
    assert load_cohort(config)["primary"]
    demo = PROJECT / "config" / "config.yaml"
    names = {"alliance": "alliance", "alliance_therapist": "alliance_therapist",
             "symptoms": "symptoms"}  # fmt: skip
    for site in ("north", "east", "south", "west"):
        guessed = read(config, raw, site)
        known = read(demo, raw, site)
        ours = guessed.responses.assign(measure=guessed.responses["measure"].map(names))
        order = ["client", "session", "measure", "item"]
        pd.testing.assert_frame_equal(
            ours.sort_values(order, ignore_index=True),
            known.responses.sort_values(order, ignore_index=True),
        )
        pd.testing.assert_frame_equal(guessed.sessions, known.sessions)
        same = ["client", "therapist", "end_status", "sessions_planned", "age_years"]
        pd.testing.assert_frame_equal(guessed.clients[same], known.clients[same])


def test_an_existing_configuration_is_not_touched(tmp_path):
    write_raw(tmp_path, "id,session,phq1,phq2\na,1,0,1\na,2,1,2\n")
    propose_for(tmp_path)
    config = tmp_path / "config" / "mylab.yaml"
    config.write_text("mine\n")
    with pytest.raises(ConfigError, match="Nothing was written"):
        propose_for(tmp_path)
    assert config.read_text() == "mine\n"
    made = propose_for(tmp_path, replace=True)
    assert made.kept[config].read_text() == "mine\n"
    assert config.read_text() != "mine\n"


@pytest.mark.parametrize("cohort", ["../up", "a b", "", ".hidden", "demo"])
def test_odd_names_are_refused(tmp_path, cohort):
    with pytest.raises(ConfigError, match="cannot name a cohort"):
        propose_for(tmp_path, cohort)


def test_where_the_files_belong_is_told(tmp_path):
    with pytest.raises(AllianceError, match=r"There is no folder .*mylab"):
        propose_for(tmp_path)
    folder = tmp_path / "data" / "raw" / "mylab"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("id\n1\n")
    with pytest.raises(AllianceError, match="1 files lie in"):
        propose_for(tmp_path)


def test_files_that_are_no_tables_are_named(tmp_path):
    write_raw(tmp_path, "id,session,phq1,phq2\na,1,0,1\na,2,1,2\n")
    write_raw(tmp_path, "%PDF-1.4 x", name="form.pdf")
    made = propose_for(tmp_path)
    assert [name for name, _ in made.unread] == ["one/form.pdf"]
    assert "# Could not be read: form.pdf" in mapping_text(tmp_path)


def test_a_data_dictionary_is_no_data(tmp_path):
    write_raw(tmp_path, "id,session,phq1,phq2\na,1,0,1\na,2,1,2\n")
    write_raw(tmp_path, "Variable / Field Name,Field Type\nphq1,radio\n", name="dictionary.csv")
    made = propose_for(tmp_path)
    assert [name for name, why in made.unread if "`dictionary`" in why] == ["one/dictionary.csv"]


@pytest.mark.parametrize("text", ["id,session,phq1\n", "id\n", "id,id\n1,2\n", ",\n,\n", "x\n" * 9])
def test_odd_little_files_do_no_harm(tmp_path, text):
    write_raw(tmp_path, text)
    propose_for(tmp_path)
    keys_of(mapping_text(tmp_path))


# --------------------------------------------------------------------------------------------------
# dates, sessions, ends: written where there is one reading, else asked for


def answers(i):
    return ",".join("0123"[(i + k) % 4] for k in range(9))


def sessions_csv(dates, sessions=None):
    numbers = sessions or [1, 2, 3, 4]
    rows = [f"p{i // 4:02},{numbers[i % 4]},{date},{answers(i)}" for i, date in enumerate(dates)]
    header = "patient,session,date," + ",".join(f"phq{i}" for i in range(1, 10))
    return "\n".join([header, *rows]) + "\n"


def test_a_date_with_one_reading_is_written(tmp_path):
    write_raw(tmp_path, sessions_csv([f"{day}/03/2024" for day in range(5, 29)]))
    propose_for(tmp_path)
    assert keys_of(mapping_text(tmp_path))["tables"][0]["dates"] == "dd/mm/yyyy"


def test_a_date_with_two_readings_is_asked_for(tmp_path):
    write_raw(tmp_path, sessions_csv([f"{day:02}/03/2024" for day in range(1, 13)]))
    propose_for(tmp_path)
    text = mapping_text(tmp_path)
    assert "dd/mm/yyyy (the day first) or mm/dd/yyyy (the month first)" in words(text)
    with pytest.raises(ConfigError, match="dates: has no value"):
        load_cohort(tmp_path / "config" / "mylab.yaml")


def test_sessions_that_count_from_zero_are_shifted(tmp_path):
    write_raw(tmp_path, sessions_csv(["2024-03-05"] * 40, [0, 1, 2, 3]))
    propose_for(tmp_path)
    session = keys_of(mapping_text(tmp_path))["tables"][0]["session"]
    assert session == {"column": "session", "codes": {"0": 1, "1": 2, "2": 3, "3": 4}}


def test_without_a_session_column_rows_are_numbered_by_date(tmp_path):
    text = sessions_csv([f"2024-03-{day:02}" for day in range(1, 29)])
    write_raw(tmp_path, re.sub(r"(?m)^([^,]*),[^,]*,", r"\1,", text))
    propose_for(tmp_path)
    table = keys_of(mapping_text(tmp_path))["tables"][0]
    assert table["rows"] == "session" and table["session"] == {"order_by": ["date"]}


def test_a_missing_client_column_is_asked_for(tmp_path):
    text = sessions_csv([f"2024-03-{day:02}" for day in range(1, 29)])
    write_raw(tmp_path, text.replace("patient,", "x7,"))
    propose_for(tmp_path)
    assert keys_of(mapping_text(tmp_path))["tables"][0]["client"] is None


def test_a_file_without_names_tells_none(tmp_path):
    write_raw(tmp_path, "\n".join(f"Meier{i},{i},3,2,1" for i in range(30)) + "\n")
    propose_for(tmp_path)
    text = mapping_text(tmp_path)
    assert "Meier" not in text
    assert keys_of(text)["tables"][0]["header_row"] is None


def test_habits_of_a_file(tmp_path):
    text = sessions_csv([f"2024-03-{day:02}" for day in range(1, 29)]).replace(",", "\t")
    write_raw(tmp_path, "Übersicht\n" + text, encoding="utf-16", name="b.csv")
    ((sheet,), unread) = look_at(tmp_path / "data" / "raw" / "mylab" / "one")
    assert unread == []
    assert sheet.source == {"encoding": "utf-16", "delimiter": "\t", "header_row": 2}


# --------------------------------------------------------------------------------------------------
# patterns and keys


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        ([f"wai_s{s}_{i}" for s in (1, 2) for i in (1, 2, 3)], ["wai_s{session}_{item}"]),
        ([f"WAI{i}" for i in range(1, 13)], ["WAI{item}"]),
        ([f"PHQ9_T{t:02}_{i:02}" for t in (1, 2) for i in (1, 2, 3)], ["PHQ9_T{session}_{item}"]),
        ([f"phq{i}_t{t}" for t in (1, 2) for i in (1, 2, 3)], ["phq{item}_t{session}"]),
        ([f"BDI2.{i}" for i in range(1, 22)], ["BDI2.{item}"]),
        ([f"{w}{i}" for w in ("a", "b") for i in (1, 2)], ["a{item}", "b{item}"]),
        (["Datum_S1", "Datum_S2"], ["Datum_S{session}"]),
        (["age", "sex", "phq_total"], []),
    ],
)
def test_patterns(names, patterns):
    assert [family.pattern for family in families(names)] == patterns


@pytest.mark.parametrize(
    ("stem", "n_items", "low", "high", "key"),
    [
        ("wai", 12, 1, 5, "wai-sr-c"),
        ("wai", 12, 1, 7, "wai-s-c"),
        ("wait", 12, 1, 7, "wai-s-t"),
        ("phq9", 9, 0, 3, "phq-9"),
        ("phq", 9, 0, 2, "phq-9"),  # nobody gave the highest answer
        ("q", 9, 0, 3, None),  # the number alone is not enough
        ("phq", 9, 1, 4, "phq-9"),  # counted from 1: no other reading
        ("phq", 9, 1, 5, None),  # another version: asked, not guessed
        ("bdi", 21, 0, 3, "bdi-ii"),
        ("srs", 4, 0, 10, "srs"),
    ],
)
def test_keys(stem, n_items, low, high, key):
    found = chosen(candidates(stem, n_items, low, high))
    assert (found.instrument.id if found else None) == key


def test_a_key_that_fits_by_name_alone_says_what_does_not_fit():
    told = [c.reason for c in candidates("phq", 9, 1, 5) if c.instrument.id == "phq-9"]
    assert "answers run from 1 to 5, not from 0 to 3" in told[0]


@pytest.mark.parametrize(
    "text",
    ["NO", "yes", "007", "1e5", "a: b", "a #b", "#x", "- x", "{a}", "[b]", "'q'", '"q"', "*a",
     "&a", "!t", "2024-01-02", "~", "", " lead", "trail ", "a\tb", "Ja/Nein", "null",
     "WAI_S{session}_{item}", "50min AI", "编号", "sess. no", "%d", "@x", "`x`", "?", ":", "a:b"],
)  # fmt: skip
def test_every_text_comes_back_as_it_was(text):
    document = parse(f"key: {scalar(text)}\n", "x")
    assert document.problems == [] and document.content == {"key": text}


def test_slips_do_not_widen_a_scale(tmp_path):
    rows = [
        f"p{i // 4},{i % 4 + 1}," + ",".join("0123"[(i + k) % 4] for k in range(9))
        for i in range(200)
    ]
    rows[7] = "p1,4,0,1,2,3,0,1,2,3,44"
    header = "patient,session," + ",".join(f"phq{i}" for i in range(1, 10))
    write_raw(tmp_path, "\n".join([header, *rows]) + "\n")
    propose_for(tmp_path)
    config = keys_of((tmp_path / "config" / "mylab.yaml").read_text(encoding="utf-8"))
    assert config["measures"]["symptoms"]["instrument"] == "phq-9"


def test_minus_nine_is_no_answer(tmp_path):
    write_raw(tmp_path, sessions_csv(["2024-03-05"] * 40).replace(",3,0,", ",-9,0,"))
    (sheet,), _ = look_at(tmp_path / "data" / "raw" / "mylab" / "one")
    codes = {code for p in profiles(sheet.raw, ".") for code in p.missing_codes}
    assert codes == {"-9"}
