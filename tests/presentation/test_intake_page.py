"""The data page: there even when the intake stops, vouched for to the last digit, nobody on it."""

import csv
import html
import io
import re

import pandas as pd
import pytest

from alliance import files
from alliance.findings import check_findings
from alliance.ingest.problems import Place, Problems
from alliance.ingest.rules import RULES
from alliance.intake_page import write_intake_page
from alliance.intake_page.coverage import FEWEST, coverage
from alliance.intake_page.describe import PLAUSIBILITY
from alliance.intake_page.queries import COLUMNS, query_list
from alliance.intake_page.words import ranges_words


@pytest.fixture
def demo_results(finished_demo):
    return finished_demo.folder / "results" / "demo"


def read_queries(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


@pytest.mark.slow
def test_every_digit_is_vouched_for(demo_results):
    list_of_findings = demo_results / "audit" / "intake_findings.json"
    assert check_findings(demo_results / "intake.html", list_of_findings, demo_results) == []


@pytest.mark.slow
def test_the_page_needs_nothing_and_asks_nobody(demo_results):
    page = (demo_results / "intake.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in html.unescape(page)
    assert "<script" not in page and "@import" not in page
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", page)
    assert ' style="' not in page  # it would be blocked by the policy


@pytest.mark.slow
def test_nobody_stands_on_the_page_or_in_the_lists(finished_demo, demo_results):
    made = [demo_results / "intake.html", demo_results / "intake.json"]
    made += (demo_results / "checks").glob("queries_*.csv")
    text = "\n".join(path.read_text(encoding="utf-8") for path in made)
    lookups = (finished_demo.folder / "private" / "demo").glob("ids_*.csv")
    people = pd.concat([pd.read_csv(path, dtype=str) for path in lookups])
    words = set(re.findall(r"[\w-]+", text))
    long_ids = {own for own in people["id"] if len(own) > 4}  # short ones are numbers of rows, too
    assert len(long_ids) > 100
    assert not long_ids & words and not set(people["pseudonym"]) & words


@pytest.mark.slow
def test_lists_and_page_have_every_problem(finished_demo, demo_results):
    problems = pd.read_csv(demo_results / "checks" / "problems.csv", dtype=str)
    about = files.read_json(demo_results / "intake.json")
    assert about["problems"] == len(problems)
    assert sum(place["problems"] for place in about["places"] + about["plausibility"]) == len(
        problems
    )
    for site in about["sites"]:
        listed = read_queries(demo_results / "checks" / f"queries_{site}.csv")
        assert len(listed) == (problems["site"] == site).sum()


@pytest.mark.slow
def test_check_reads_and_makes_the_page_and_nothing_more(project):
    project.copy_demo_data()
    result = project.check()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "results/demo/intake.html" in result.stdout
    assert "Next: make results COHORT=demo" in result.stdout
    assert not (project.folder / "results" / "demo" / "checks" / "problems.csv").exists()
    assert not (project.folder / "data" / "processed" / "demo" / "panel.parquet").exists()


@pytest.mark.slow
def test_the_page_is_there_when_the_intake_stops(project):
    project.copy_demo_data()
    (project.folder / "data" / "raw" / "demo" / "east" / "sessions.sav").unlink()
    page = project.folder / "results" / "demo" / "intake.html"
    checked = project.check()
    assert checked.returncode == 1
    assert "Problems that stop the run: 1" in checked.stdout
    assert "cannot be used yet" in page.read_text(encoding="utf-8")
    page.unlink()
    ran = project.run()
    assert ran.returncode != 0
    assert page.is_file() and "intake.html" in ran.stderr
    listed = read_queries(page.parent / "checks" / "queries_east.csv")
    assert [row["problem"] for row in listed] == ["file missing"]
    assert listed[0]["urgency"] == "must be mended"
    assert check_findings(page, page.parent / "audit" / "intake_findings.json", page.parent) == []


def site_tables(folder, quarantine):
    """A site of which nothing was read but problems."""
    kinds = {
        "clients": {"site": "str", "client": "str", "therapist": "str", "end_status": "str",
                    "sessions_planned": "Int64"},
        "sessions": {"site": "str", "client": "str", "session": "int64",
                     "weeks_since_intake": "float64", "attended": "bool"},
        "responses": {"site": "str", "client": "str", "session": "int64", "measure": "str",
                      "item": "int64", "value": "float64"},
        "ledger": {"site": "str", "file": "str", "sheet": "str", "table": "str", "unit": "str",
                   "reason": "str", "count": "int64"},
    }  # fmt: skip
    for name, columns in kinds.items():
        empty = pd.DataFrame({key: pd.Series(dtype=kind) for key, kind in columns.items()})
        files.write_parquet(empty, folder / f"{name}.parquet")
    files.write_parquet(quarantine, folder / "quarantine.parquet")


def test_a_hostile_column_name_is_text_everywhere(tmp_path):
    """A name of a column is not ours: no formula in the list, no element on the page."""
    problems = Problems("one")
    for name in ("=cmd|' /C calc'!A0", "<script>alert(1)</script>", "@x", "-2+3", "+1", "\tq"):
        problems.add("column-missing", Place("a.csv", None, "sessions"), column=name)
    site_tables(tmp_path / "one", problems.table())
    write_intake_page(
        cohort="c", title="<b>T</b>", simulated=False, measures={"m": {"label": "<i>M</i>"}},
        site_folders={"one": tmp_path / "one"}, description=tmp_path / "intake.json",
        page=tmp_path / "intake.html", findings=tmp_path / "f.json",
        queries=[tmp_path / "queries_one.csv"],
    )  # fmt: skip
    page = (tmp_path / "intake.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>T</b>" not in page and "<i>M</i>" not in page
    listed = read_queries(tmp_path / "queries_one.csv")
    assert len(listed) == 6
    assert not [cell for row in listed for cell in row.values() if cell[:1] in tuple("=+-@\t\r\n")]
    assert check_findings(tmp_path / "intake.html", tmp_path / "f.json", tmp_path) == []


def test_the_list_begins_with_what_stops_the_run():
    problems = Problems("one")
    place = Place("a.csv", None, "sessions")
    problems.add("look-alike-id", place, rows=[3])
    problems.add("out-of-range", place, rows=[9, 2], column="wai_1")
    problems.add("column-missing", place, column="wai_2")
    listed = list(csv.DictReader(io.StringIO(query_list(problems.table()).removeprefix("\ufeff"))))
    assert tuple(listed[0]) == COLUMNS
    told = [(row["query"], row["problem"], row["row"]) for row in listed]
    assert told == [
        ("1", "column missing", ""), ("2", "out of range", "2"), ("3", "out of range", "9"),
        ("4", "look alike id", "3"),
    ]  # fmt: skip
    assert [row["to_be_mended_by"] for row in listed] == [
        "the site, or whoever keeps the site mapping", "the site", "the site",
        "whoever keeps the site mapping",  # two spellings of one id are declared there
    ]  # fmt: skip


def test_an_empty_list_has_its_header():
    assert query_list(Problems("one").table()) == "\ufeff" + ",".join(COLUMNS) + "\n"


def test_rows_in_words():
    assert ranges_words([7, 3, 8, 9, 15]) == "3, 7–9, 15"
    assert ranges_words(range(1, 100, 2), most=2) == "1, 3 and 48 more"


def test_shares_over_few_clients_are_not_shown():
    names = [f"c{i:02}" for i in range(20)]
    clients = pd.DataFrame({"site": "a", "client": names})
    came = [(name, s) for i, name in enumerate(names) for s in (1, 2, 3) if s == 1 or i < 8 - s + 2]
    sessions = pd.DataFrame(came, columns=["client", "session"]).assign(site="a")
    forms = sessions[sessions["session"] != 2].assign(measure="m")
    found = coverage(clients, sessions, forms, {"m": "M"})
    reach, (measure,) = found["sites"][0]["clients"], found["sites"][0]["measures"]
    assert [cell["percent"] for cell in reach] == [100.0, 40.0, None]  # 20, 8 and 7 of 20 came
    assert [cell["percent"] for cell in measure["cells"]] == [100.0, 0.0, None]
    assert reach[2]["few"] and FEWEST == 8


def test_a_long_course_is_put_into_groups():
    sessions = pd.DataFrame({"site": "a", "client": "c", "session": range(1, 51)})
    clients = pd.DataFrame({"site": ["a"], "client": ["c"]})
    empty = sessions.head(0).assign(measure="m")
    labels = [group["label"] for group in coverage(clients, sessions, empty, {})["groups"]]
    assert labels[0] == "1–3" and labels[-1] == "49–50" and len(labels) == 17


def test_rules_of_plausibility_exist():
    assert set(RULES) >= PLAUSIBILITY


def test_problems_of_a_site_within_an_export_go_to_whoever_sent_it(tmp_path):
    problems = Problems("network")
    problems.add("out-of-range", Place("a.csv", None, "responses"), rows=[2], column="wai_1")
    site_tables(tmp_path / "network", problems.table())
    clients = pd.DataFrame({"site": ["site-21"], "client": ["x"]}).assign(
        therapist=pd.Series([None], dtype="str"), end_status=pd.Series([None], dtype="str"),
        sessions_planned=pd.array([pd.NA], dtype="Int64"),
    )  # fmt: skip
    files.write_parquet(clients, tmp_path / "network" / "clients.parquet")
    odd = Problems("site-21")
    odd.add("straight-lining", Place("a.csv", None, "responses"), expected="other answers; seen")
    files.write_parquet(odd.table(), tmp_path / "implausible.parquet")
    write_intake_page(
        cohort="c", title="T", simulated=False, measures={},
        site_folders={"network": tmp_path / "network"}, description=tmp_path / "intake.json",
        page=tmp_path / "intake.html", findings=tmp_path / "f.json",
        queries=[tmp_path / "queries_network.csv"], implausible=tmp_path / "implausible.parquet",
    )  # fmt: skip
    told = [row["problem"] for row in read_queries(tmp_path / "queries_network.csv")]
    assert told == ["out of range", "straight lining"]
    about = files.read_json(tmp_path / "intake.json")
    assert [entry["rule"] for entry in about["plausibility"]] == ["straight-lining"]
