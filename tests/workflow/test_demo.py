"""`make demo` from the raw files to the report, and what an edit reruns."""

import csv
import json
import os

import pandas as pd
import pytest

RESULTS = "results/demo"


def results(project, name):
    return project.folder / RESULTS / name


def fits(project):
    paths = sorted(results(project, "fits").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}


def test_makes_report_and_findings(finished_demo):
    assert results(finished_demo, "report.html").stat().st_size > 10_000
    assert json.loads(results(finished_demo, "audit/findings.json").read_text())


def test_every_model_converged(finished_demo):
    statuses = {name: fit["status"] for name, fit in fits(finished_demo).items()}
    assert set(statuses.values()) <= {"converged", "singular"}, statuses


def test_second_run_does_nothing(finished_demo):
    again = finished_demo.run()
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_planted_faults_are_found_and_none_else(finished_demo):
    truth = json.loads((finished_demo.folder / "data/raw/demo/truth.json").read_text())
    problems = pd.read_csv(results(finished_demo, "checks/problems.csv"))
    coordinates = ["site", "file", "sheet", "row", "column", "rule"]

    def places(rows):
        return sorted(
            tuple(
                "" if pd.isna(row.get(c)) else str(row[c]).removesuffix(".0") for c in coordinates
            )
            for row in rows
        )

    assert places(problems.to_dict("records")) == places(truth["planted_faults"])


def test_rows_read_are_kept_or_accounted_for(finished_demo):
    ledger = pd.read_csv(results(finished_demo, "checks/ledger.csv"))
    for _, part in ledger.groupby(["site", "file", "table", "unit"], dropna=False):
        counts = part.groupby("reason")["count"].sum()
        assert counts["read"] == counts.drop("read").sum()


@pytest.mark.parametrize(
    "model", ["alliance_growth", "symptom_growth", "alliance_to_symptoms", "symptoms_to_alliance",
              "dropout_hazard"],
)  # fmt: skip
def test_truth_lies_in_the_interval_or_the_report_says_why(finished_demo, model):
    truth = json.loads((finished_demo.folder / "data/raw/demo/truth.json").read_text())
    fit = fits(finished_demo)[model]
    estimates = {row["term"]: row for row in fit["estimates"] if row["role"] == "main"}
    estimands = [e for e in truth["estimands"] if e["model"] == model and e["term"] in estimates]
    assert estimands
    report = results(finished_demo, "report.html").read_text()
    for estimand in estimands:
        row = estimates[estimand["term"]]
        if not row["ci_low"] <= estimand["value"] <= row["ci_high"]:
            assert estimand["note"] in report


def test_numbers_of_the_page_are_its_findings(finished_demo):
    from alliance.findings import check_findings

    differences = check_findings(
        report=results(finished_demo, "report.html"),
        findings=results(finished_demo, "audit/findings.json"),
        results_folder=finished_demo.folder / RESULTS,
    )
    assert differences == []


def test_every_printed_number_and_every_test_was_checked(finished_demo):
    with open(results(finished_demo, "checks/printed_numbers.csv"), newline="") as stream:
        lines = list(csv.DictReader(stream))
    by_file = {line["file"]: line for line in lines}
    assert int(by_file["report.html"]["findings"]) > 3000
    assert int(by_file["report.html"]["tests_recomputed"]) > 100
    assert all(line["differences"] in ("", "0") and line["disagreements"] == "0" for line in lines)
    assert {f"fits/{name}.json" for name in fits(finished_demo)} <= set(by_file)


def edited(path):
    """Change the file's text (a comment) so that its content differs."""
    path.write_text(path.read_text() + "\n# edited\n")
    # the edit must be newer than the outputs even on a coarse clock
    later = path.stat().st_mtime + 2
    os.utime(path, (later, later))


DOWNSTREAM = {"draw_figures", "make_tables", "write_report", "check_printed_numbers"}
MODELS = {"fit_growth", "fit_coupling", "fit_hazard", "fit_continuous_time"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "rerun", "spared"),
    [
        (
            "config/instruments/phq-9.yaml",
            {"ingest_site", "pool_sites", "score_measures", "build_panel", "describe_cohort",
             "describe_dropout"}
            | MODELS | DOWNSTREAM,
            set(),
        ),
        (
            "src/alliance/families/hazard/model.py",
            {"fit_hazard", "record_run"} | DOWNSTREAM,
            {"ingest_site", "score_measures", "build_panel", "fit_growth", "fit_coupling"},
        ),
        (
            "src/alliance/report/__init__.py",
            {"write_report", "check_printed_numbers"},
            {"ingest_site", "draw_figures"} | MODELS,
        ),
        ("config/instruments/bdi-ii.yaml", set(), {"score_measures", "write_report"}),
    ],
    ids=["instrument in use", "model module", "report module", "instrument not in use"],
)  # fmt: skip
def test_an_edit_reruns_what_depends_on_it(finished_demo, path, rerun, spared):
    file = finished_demo.folder / path
    before, stat = file.read_text(), file.stat()
    try:
        edited(file)
        would = finished_demo.would_run()
    finally:
        file.write_text(before)
        os.utime(file, (stat.st_atime, stat.st_mtime))
    assert rerun <= set(would), would
    assert not spared & set(would), would
    assert finished_demo.would_run() == {}


@pytest.mark.slow
def test_one_sites_raw_file_rereads_that_site_only(finished_demo):
    file = finished_demo.folder / "data/raw/demo/south/discharge.csv"
    before, stat = file.read_bytes(), file.stat()
    try:
        file.write_bytes(before + b"\n")
        os.utime(file, (stat.st_mtime + 5000, stat.st_mtime + 5000))
        would = finished_demo.would_run()
    finally:
        file.write_bytes(before)
        os.utime(file, (stat.st_atime, stat.st_mtime))
    assert would["ingest_site"] == 1
    assert {"pool_sites", "write_report"} <= set(would)


@pytest.mark.slow
def test_a_raw_file_replaced_by_an_older_one_is_noticed(finished_demo):
    file = finished_demo.folder / "data/raw/demo/south/discharge.csv"
    before, stat = file.read_bytes(), file.stat()
    try:
        file.write_bytes(before + b"\n")
        os.utime(file, (0, 0))
        would = finished_demo.would_run()
    finally:
        file.write_bytes(before)
        os.utime(file, (stat.st_atime, stat.st_mtime))
    assert would["ingest_site"] == 1


@pytest.mark.slow
def test_same_bytes_in_another_place_under_another_hash_seed(finished_demo, project):
    project.copy_demo_data()
    environment = {
        "PYTHONHASHSEED": "123",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "OMP_NUM_THREADS": "2",
    }
    assert project.run(**environment).returncode == 0
    left_aside = {"logs", "benchmarks"}  # times and temporary paths
    first, second = finished_demo.folder / "results", project.folder / "results"
    names = [
        p.relative_to(first)
        for p in sorted(first.rglob("*"))
        if p.is_file() and not left_aside & set(p.parts) and p.name != ".run"
    ]
    assert len(names) > 20
    differing = [str(n) for n in names if (first / n).read_bytes() != (second / n).read_bytes()]
    assert differing == []
    figure = second / "demo" / "figures" / "flow.svg"
    figure.write_bytes(b"")
    again = project.run()
    assert "flow.svg was changed" in again.stdout, "an emptied figure is made again"
    assert figure.read_bytes() == (first / "demo" / "figures" / "flow.svg").read_bytes()
