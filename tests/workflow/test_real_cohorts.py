"""The whole workflow on public data of other shapes: no alliance, no therapists, one or 32 sites.

The files lie outside the project (ALLIANCE_SHARED_DATA, else ../shared/data), no part of it.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from alliance.consistency.check import contents_of, contradictions
from tests.conftest import ROOT, Project

SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the public data sets are not here"),
]
RAW = {
    "claus2020": ("claus2020", ["claus2020/claus_2020_items_wide.csv"]),
    "lee2024": (
        "lee2024",
        [
            f"lee2024_simulated/{name}.xlsx"
            for name in (
                "participants_register_form",
                "therapeutic_relationship",
                "mental_health_survey",
            )
        ],
    ),
    "ctn0094": (
        "network",
        [
            f"ctn0094/{name}"
            for name in ("site_masked.csv", "demographics.csv", "everybody.csv", "visit.csv.gz")
        ],
    ),
}


@pytest.fixture(scope="module", params=RAW)
def finished(request, tmp_path_factory):
    cohort = request.param
    project = Project(tmp_path_factory.mktemp(cohort) / "project")
    site, names = RAW[cohort]
    raw = project.folder / "data" / "raw" / cohort / site
    raw.mkdir(parents=True)
    for name in names:
        shutil.copy(SHARED / name, raw)
    shutil.copytree(ROOT / "tests" / "cohorts" / cohort, project.folder / "cohorts" / cohort)
    result = project.run("--config", f"cohorts/{cohort}/config.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    results = project.folder / "results" / cohort
    fits = {p.stem: json.loads(p.read_text()) for p in (results / "fits").glob("*.json")}
    return cohort, project, results, fits


def test_report_is_written(finished):
    _, _, results, _ = finished
    assert (results / "report.html").stat().st_size > 10_000


def test_what_a_cohort_does_not_have_is_one_line_of_the_page(finished):
    cohort, _, results, _ = finished
    if cohort != "ctn0094":
        pytest.skip("only for the cohort without questionnaires")
    page = (results / "report.html").read_text()
    for name in ("measurement", "alliance", "change", "coupling"):
        section = re.search(f'<section id="{name}">.*?</section>', page, re.DOTALL)[0]
        assert section.count("<p") == 1, name
        assert "<figure" not in section, name


def test_each_fit_converged_or_says_plainly_why_not(finished):
    cohort, _, _, fits = finished
    for fit in fits.values():
        if fit["status"] in ("refused", "failed"):
            assert fit["message"].endswith(".")
            assert fit["estimates"] == []
    if cohort == "claus2020":
        assert {fit["status"] for fit in fits.values()} <= {"converged", "singular"}
        terms = [row["term"] for row in fits["depression_by_arm"]["estimates"]]
        assert "session:treatment[TAU]" in terms
    if cohort == "lee2024":
        assert fits["alliance_growth"]["status"] in ("converged", "singular")
        assert fits["alliance_to_distress"]["outcome"]["label"].startswith(
            "Distress (DASS-21): depression"
        )
        assert fits["alliance_to_distress"]["status"] in ("converged", "singular")
        assert "No client" in fits["dropout_hazard"]["message"]
    if cohort == "ctn0094":
        assert fits["leaving"]["status"] == "converged"


def test_description_matches_the_files(finished):
    cohort, _, results, _ = finished
    flow = pd.DataFrame(json.loads((results / "description.json").read_text())["flow"])
    everyone = flow[flow["site"] == "all"].iloc[0]
    clients, sites = {"claus2020": (43, 1), "lee2024": (8, 1), "ctn0094": (3560, 32)}[cohort]
    assert everyone["clients"] == clients
    assert everyone["sites"] == sites


def test_dropout_by_site_in_ctn0094_by_independent_counting(finished):
    cohort, _, results, _ = finished
    if cohort != "ctn0094":
        pytest.skip("only for the cohort of 32 sites")
    flow = pd.DataFrame(json.loads((results / "description.json").read_text())["flow"])
    visits = pd.read_csv(SHARED / "ctn0094" / "visit.csv.gz", dtype=str)
    site_of = pd.read_csv(SHARED / "ctn0094" / "site_masked.csv", dtype=str)
    left = visits.loc[visits["is_left_study"] == "1", "who"].unique()
    expected = site_of.assign(left=site_of["who"].isin(left)).groupby("site_masked")["left"].sum()
    got = flow[flow["site"] != "all"].set_index("site")["dropout"]
    got.index = got.index.str.removeprefix("site-")
    assert got.sort_index().to_dict() == expected.sort_index().to_dict()


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_dropout_by_trial_and_site_as_r_counts_it(finished, tmp_path):
    """R reads the raw tables by itself (tests/reference/ctn0094/count_dropout.R)."""
    cohort, project, results, _ = finished
    if cohort != "ctn0094":
        pytest.skip("only for the cohort of three trials")
    script = ROOT / "tests" / "reference" / "ctn0094" / "count_dropout.R"
    command = ["Rscript", str(script), str(SHARED / "ctn0094"), str(tmp_path / "counts.json")]
    subprocess.run(command, check=True, capture_output=True)
    counts = json.loads((tmp_path / "counts.json").read_text())
    expected = pd.DataFrame(counts["by_site"])
    clients = pd.read_parquet(project.folder / "data" / "processed" / cohort / "clients.parquet")
    clients = clients.assign(
        trial=clients["trial"].str.removeprefix("ctn00"),
        site=clients["site"].str.removeprefix("site-"),
        left=clients["end_status"].eq("dropout").fillna(False),
    )
    got = clients.groupby(["trial", "site"])["left"].agg(["size", "sum"])
    told = expected.set_index(["trial", "site"])[["people", "left"]].sort_index()
    assert got.sort_index().to_numpy(int).tolist() == told.to_numpy(int).tolist()
    described = json.loads((results / "dropout.json").read_text())
    by_trial = pd.DataFrame(counts["by_trial"])
    assert described["definitions"][0]["dropouts"] == by_trial["left_with_visits"].sum() == 136
    # the files do not say how treatment ended for anybody else: nothing competes with leaving
    assert {curve["cause"] for curve in described["incidence"]} == {"dropout"}


def test_no_two_numbers_of_one_concept_contradict(finished):
    cohort, project, results, _ = finished
    paths = [p for p in results.rglob("*.json") if "findings" not in p.name]
    paths.append(project.folder / "data" / "processed" / cohort / "datapackage.json")
    assert contradictions(contents_of(paths, results)) == []
