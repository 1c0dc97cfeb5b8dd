"""A twin has the habits of its cohort and nobody's data."""

import gzip
import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from alliance import files
from alliance.config.cohort import load_cohort, truth_of
from alliance.errors import ConfigError, ReportError
from alliance.twin.nearest import courses, forms, nearness
from alliance.twin.write import write_twin

_SPEC = importlib.util.spec_from_file_location("made_twin", Path(__file__).with_name("made.py"))
made = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(made)
tiny = made.tiny


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """The folder of the tiny cohort and its twin, and the canonical tables of both."""
    folder = tmp_path_factory.mktemp("twin")
    tiny.write(folder, simulated="false")
    real = made.as_if_run(folder, folder / "config" / "tiny.yaml")
    assert write_twin(folder / "config" / "tiny.yaml", folder) == []
    raw = folder / "data" / "raw" / "tiny_twin"
    return folder, real, made.read_cohort(folder / "config" / "tiny_twin.yaml", raw)[1]


def test_its_files_have_the_same_names_columns_and_forms(twin):
    folder, _, _ = twin
    real, other = (
        (folder / "data" / "raw" / name / "clinic" / "sessions.csv").read_text()
        for name in ("tiny", "tiny_twin")
    )
    assert real.split("\n")[0] == other.split("\n")[0]
    cells = pd.read_csv(folder / "data/raw/tiny_twin/clinic/sessions.csv", dtype=str)
    assert cells["day"].str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").all()
    assert set(cells["sex"].dropna()) == {"female", "male"}
    assert set(cells["end"].dropna()) <= {"1", "2"}
    assert cells["wai1"].dropna().str.fullmatch("[1-5]").all()
    assert cells["note"].isna().all()  # no mapping reads it


def test_it_has_no_problem_that_the_real_one_has_not(twin):
    _, real, other = twin
    assert set(other["quarantine"]["rule"]) <= set(real["quarantine"]["rule"])


def test_no_id_date_or_text_of_the_real_files_is_in_it(twin):
    folder, _, _ = twin
    told = tiny.raw_values()
    assert len(told) > 150
    written = [*(folder / "data" / "raw" / "tiny_twin").rglob("*"),
               *(folder / "config").rglob("*twin*")]  # fmt: skip
    for path in filter(Path.is_file, written):
        content = path.read_bytes().decode("latin-1")
        assert [value for value in told if value in content] == []


def test_it_is_simulated_by_the_records_that_stand_beside_it(twin):
    folder, _, _ = twin
    cohort = load_cohort(folder / "config" / "tiny_twin.yaml")
    truth = truth_of(cohort, folder / "data" / "raw" / "tiny_twin")
    told = files.read_json(truth)
    assert told["simulated"] and told["twin_of"] == "tiny"
    assert {"sites", "facts", "courses", "ends", "items", "forms"} <= set(told["model"])
    assert load_cohort(folder / "config" / "tiny.yaml")["simulated"] is False


def test_the_same_cohort_gives_the_same_bytes(twin):
    folder, _, _ = twin
    raw = folder / "data" / "raw" / "tiny_twin"
    before = {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}
    write_twin(folder / "config" / "tiny.yaml", folder)
    assert before == {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}


def test_what_was_not_run_has_no_twin_and_no_other_cohort_is_overwritten(tmp_path):
    tiny.write(tmp_path)
    config = tmp_path / "config" / "tiny.yaml"
    with pytest.raises(ReportError, match="make results COHORT=tiny"):
        write_twin(config, tmp_path)
    made.as_if_run(tmp_path, config)
    theirs = tmp_path / "data" / "raw" / "tiny_twin" / "clinic" / "sessions.csv"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("of somebody")
    with pytest.raises(ConfigError, match="no twin of tiny"):
        write_twin(config, tmp_path)
    assert theirs.read_text() == "of somebody"


# ---- nobody is in it ----------------------------------------------------------------------------


def scores_of(responses):
    keys = ["client", "session", "measure"]
    mean = responses.groupby(keys)["value"].mean().rename("score").reset_index()
    return mean.assign(subscale="total")


def all_nearness(other, real):
    """Return how near a twin is, in whole courses and in the forms of each measure."""
    whole = [courses(scores_of(responses)) for responses in (other, real)]
    found = {"courses": nearness(whole[0].reindex(columns=whole[1].columns), whole[1])}
    for measure in real["measure"].unique():
        found[measure] = nearness(forms(other, measure), forms(real, measure))
    return found


def is_too_near(found, n_clients):
    """Whether a twin is nearer than real people are to one another, by more than chance.

    Three standard errors of a share and of a rank statistic, with clients as the units.
    """
    return found.excess > 3 * np.sqrt(2 * 0.05 * 0.95 / n_clients) or found.nearer > 0.5 + 3 * (
        np.sqrt(1 / (6 * n_clients))
    )


def assert_nobody_is_copied(other, real):
    n = real["client"].nunique()
    near = {part: (found.excess, found.nearer) for part, found in all_nearness(other, real).items()
            if is_too_near(found, n)}  # fmt: skip
    assert near == {}


def test_no_row_of_it_is_nearer_to_a_real_one_than_real_ones_are(twin):
    _, real, other = twin
    assert_nobody_is_copied(other["responses"], real["responses"])


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_twin_that_copies_is_caught(twin, noise):
    _, real, _ = twin
    copied = real["responses"]
    rng = np.random.default_rng(1)
    copied = copied.assign(value=copied["value"] + noise * rng.standard_normal(len(copied)))
    n = real["clients"]["client"].nunique()
    found = all_nearness(copied, real["responses"])
    assert [part for part, near in found.items() if not is_too_near(near, n)] == []


def test_rows_of_ones_own_client_do_not_make_real_rows_near(twin):
    _, real, _ = twin
    table = forms(real["responses"], "alliance")
    doubled = pd.concat([table, table])  # everybody filled in each form twice
    assert nearness(table, doubled).real.min() > 0


# ---- habits -------------------------------------------------------------------------------------

CONFIG = """\
cohort: lab
title: Habits
sites: [a]
measures:
  symptoms: {instrument: phq-9}
"""
SESSIONS = """\
    rows: session
    client: id
    session: nr
    session_facts: {date: day}
    client_facts:
      therapist: th
      age_years: {column: age, type: number}
      gender: {column: sex, codes: {1: female, 2: male}}
      end_status: {column: end, codes: {1: dropout, 2: completed}}
    measures: {symptoms: {items: "phq{item}", stored_as: [1, 4]}}
"""


def rows_of(n_clients=24, seed=3):
    rng = np.random.default_rng(seed)
    rows = []
    for client in range(n_clients):
        last, level = int(rng.integers(2, 7)), rng.normal(2.4, 0.6)
        sex, age = int(rng.integers(1, 3)), round(float(rng.normal(40, 9)), 1)
        for nr in range(1, last + 1):
            items = np.clip(np.rint(rng.normal(level, 0.6, 9)), 1, 4)
            row = {"id": f"P-{client:03}", "th": f"T-{client % 4}", "nr": nr, "free": "secretly"}
            row |= {"day": pd.Timestamp(2022, 3, 1) + pd.Timedelta(days=9 * client + 7 * nr)}
            row |= {"age": age, "sex": sex, "end": 1 + (client % 3 > 0)}
            rows.append(row | {f"phq{i + 1}": v for i, v in enumerate(items)})
    return pd.DataFrame(rows)


def as_text(frame, day, decimal="."):
    shown = frame.assign(day=frame["day"].dt.strftime(day))
    shown["age"] = shown["age"].map(lambda value: f"{value:.1f}".replace(".", decimal))
    items = [name for name in frame if name.startswith("phq")]
    return shown.assign(**{name: shown[name].map("{:.0f}".format) for name in items})


def lab(folder, table, write, sessions=SESSIONS):
    """Write a cohort of one file, make its twin, and return both sites' folders and the notes."""
    raw = folder / "data" / "raw" / "lab" / "a"
    raw.mkdir(parents=True)
    write(raw)
    (folder / "config" / "sites" / "lab").mkdir(parents=True)
    config = folder / "config" / "lab.yaml"
    config.write_text(CONFIG)
    mapping = f"site: a\ntables:\n{table}{sessions}"
    (folder / "config" / "sites" / "lab" / "a.yaml").write_text(mapping)
    real = made.as_if_run(folder, config)
    assert real["quarantine"].empty, real["quarantine"]
    notes = write_twin(config, folder)
    twin = folder / "data" / "raw" / "lab_twin"
    found = made.read_cohort(folder / "config" / "lab_twin.yaml", twin)[1]
    assert found["quarantine"].empty, found["quarantine"].to_string()
    assert set(found["responses"]["value"]) <= {0, 1, 2, 3}
    mean = real["clients"]["age_years"].mean()
    assert found["clients"]["age_years"].mean() == pytest.approx(mean, abs=3 * 8 / np.sqrt(25))
    assert len(found["clients"]) == 25
    for path in twin.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not re.search(rb"P-0[0-9]{2}|T-[0-3]|secretly|2022", content), path
    return raw, twin / "a", notes


def test_delimited_text_keeps_signs_letters_dates_and_line_ends(tmp_path):
    shown = as_text(rows_of(), "%d.%m.%Y", ",").rename(columns={"free": "über"})
    table = '  - file: a.csv\n    delimiter: ";"\n    encoding: latin-1\n    decimal: ","\n'
    table += "    dates: dd.mm.yyyy\n"
    text = shown.to_csv(index=False, sep=";", lineterminator="\r\n").encode("latin-1")
    raw, twin, notes = lab(tmp_path, table, lambda raw: (raw / "a.csv").write_bytes(text))
    assert notes == []
    one, other = (folder / "a.csv" for folder in (raw, twin))
    assert one.read_bytes().split(b"\r\n")[0] == other.read_bytes().split(b"\r\n")[0]
    line = other.read_bytes().split(b"\r\n")[1].decode("latin-1")
    assert re.match(r"twin-c0001;twin-t[0-9]{4};[0-9]+;;[0-9]{2}\.[0-9]{2}\.199[4-6];", line)
    assert re.search(r";[0-9]{2},[0-9];[12];[12];[1-4];", line)


def test_packed_text_stays_packed(tmp_path):
    text = as_text(rows_of(), "%Y-%m-%d").to_csv(index=False).encode()
    write = lambda raw: (raw / "a.csv.gz").write_bytes(gzip.compress(text))  # noqa: E731
    _, twin, notes = lab(tmp_path, "  - file: a.csv.gz\n", write)
    assert notes == []
    header = text.split(b"\n")[0]
    assert gzip.decompress((twin / "a.csv.gz").read_bytes()).split(b"\n")[0] == header


def test_spss_keeps_types_labels_and_what_it_calls_missing(tmp_path):
    frame = rows_of()
    frame["day"] = frame["day"].dt.date
    labels = {"sex": {1: "w", 2: "m"}}

    def write(raw):
        pyreadstat.write_sav(
            frame, str(raw / "a.sav"), variable_value_labels=labels,
            missing_ranges={"phq1": [-9]}, column_labels={"age": "Age at intake"},
        )  # fmt: skip

    raw, twin, notes = lab(tmp_path, "  - file: a.sav\n", write)
    assert notes == []
    metas = [
        pyreadstat.read_sav(str(folder / "a.sav"), metadataonly=True, user_missing=True)[1]
        for folder in (raw, twin)
    ]
    for told in ("column_names", "column_labels", "variable_value_labels", "missing_ranges"):
        assert getattr(metas[0], told) == getattr(metas[1], told)
    kinds = [meta.readstat_variable_types for meta in metas]
    assert kinds[0] == kinds[1]


def test_workbooks_keep_sheets_and_real_dates(tmp_path):
    def write(raw):
        with pd.ExcelWriter(raw / "a.xlsx") as book:
            rows_of().to_excel(book, sheet_name="Visits", index=False)

    raw, twin, notes = lab(tmp_path, "  - file: a.xlsx\n    sheet: Visits\n", write)
    assert notes == []
    one, other = (
        pd.read_excel(f / "a.xlsx", sheet_name="Visits", engine="calamine") for f in (raw, twin)
    )
    assert list(one.columns) == list(other.columns)
    assert pd.api.types.is_datetime64_any_dtype(other["day"])
    assert pd.api.types.is_integer_dtype(other["phq1"])


@pytest.mark.parametrize("ending", ["dta", "parquet"])
def test_stata_and_parquet_keep_the_types_of_columns(tmp_path, ending):
    frame = rows_of()
    if ending == "dta":
        frame["day"] = frame["day"].dt.date
        write = lambda raw: pyreadstat.write_dta(frame, str(raw / "a.dta"))  # noqa: E731
        read = lambda path: pyreadstat.read_dta(str(path))[0]  # noqa: E731
    else:
        write = lambda raw: frame.to_parquet(raw / "a.parquet")  # noqa: E731
        read = pd.read_parquet
    raw, twin, notes = lab(tmp_path, f"  - file: a.{ending}\n", write)
    assert notes == []
    one, other = (read(folder / f"a.{ending}") for folder in (raw, twin))
    assert list(one.columns) == list(other.columns)
    numeric = [[pd.api.types.is_numeric_dtype(f[n]) for n in f] for f in (one, other)]
    assert numeric[0] == numeric[1]


def test_what_cannot_be_written_becomes_plain_csv_and_is_told(tmp_path):
    frame = rows_of()
    visits = as_text(frame, "%Y-%m-%d").drop(columns=["th", "nr"])
    visits["visit"] = range(len(frame))
    table = f"  - file: answers.csv\n    n_rows: {len(frame)}\n    join:\n"
    table += "      - {file: visits.csv, by: visit, take: [th, nr]}\n"

    def write(raw):
        visits.to_csv(raw / "answers.csv", index=False)
        other = frame[["th", "nr"]].assign(visit=range(len(frame)))
        other.to_csv(raw / "visits.csv", index=False)

    _, twin, notes = lab(tmp_path, table, write)
    assert [note.partition(": ")[0] for note in notes] == ["a/answers.csv", "a/answers.csv"]
    assert "joined on" in notes[1]
    assert not (twin / "visits.csv").exists()
