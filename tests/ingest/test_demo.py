"""The four sites of the demo cohort: each planted fault is found where it is, and none else."""

import json
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.cohort import PROJECT, instrument_path, load_cohort, site_mapping_path
from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site

CONFIG = PROJECT / "config" / "config.yaml"
RAW = PROJECT / "data" / "raw" / "demo"
PLACE = ["site", "file", "sheet", "row", "column", "rule"]


def run(out: Path) -> Path:
    cohort = load_cohort(CONFIG)
    keys = sorted({measure["instrument"] for measure in cohort["measures"].values()})
    for site in cohort["sites"]:
        ingest_site(
            cohort="demo", site=site, mapping=site_mapping_path(CONFIG, "demo", site),
            raw_folder=RAW / site, measures=cohort["measures"],
            instruments=[instrument_path(CONFIG, key) for key in keys],
            private_folder=out / "private", simulated=cohort["simulated"],
            out_folder=out / "sites" / site,
        )  # fmt: skip
    folders = [out / "sites" / site for site in cohort["sites"]]
    pool_sites(site_folders=folders, out_folder=out, checks_folder=out / "checks")
    return out


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return run(tmp_path_factory.mktemp("demo"))


def tables(folder):
    names = ("clients", "sessions", "responses", "quarantine", "ledger")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}


def test_planted_faults_are_found_and_none_else(demo):
    quarantine = tables(demo)["quarantine"].astype(object)
    found = quarantine.where(quarantine.notna(), None)[PLACE]
    planted = json.loads((RAW / "truth.json").read_text(encoding="utf-8"))["planted_faults"]
    expected = [tuple(fault[key] for key in PLACE) for fault in planted]
    assert sorted(map(tuple, found.to_numpy()), key=str) == sorted(expected, key=str)


def test_keys_are_unique_and_agree(demo):
    pooled = tables(demo)
    clients = pooled["clients"].set_index(["site", "client"])
    assert clients.index.is_unique
    assert pooled["sessions"].set_index(["site", "client", "session"]).index.is_unique
    key = ["site", "client", "session", "measure", "item"]
    assert pooled["responses"].set_index(key).index.is_unique
    for name in ("sessions", "responses"):
        who = pooled[name].set_index(["site", "client"]).index.unique()
        assert who.isin(clients.index).all()
    answered = pooled["responses"].set_index(key[:3]).index.unique()
    assert answered.isin(pooled["sessions"].set_index(key[:3]).index).all()


def test_facts(demo):
    clients = tables(demo)["clients"]
    assert set(clients["gender"]) == {"female", "male", "diverse"}
    assert set(clients["end_status"]) == {"dropout", "completed", "transferred", "ongoing"}
    assert clients["age_years"].between(15, 100).all()
    assert clients["sessions_planned"].notna().all()
    assert clients.groupby("site")["therapist"].nunique().between(8, 12).all()
    assert clients["therapist"].notna().all()


def test_every_row_is_accounted_for(demo):
    ledger = tables(demo)["ledger"]
    read = ledger["reason"] == "read"
    account = ["site", "file", "sheet", "table", "unit"]
    sums = ledger.assign(count=ledger["count"].where(read, -ledger["count"]))
    assert (sums.groupby(account, dropna=False)["count"].sum() == 0).all()
    lines = (RAW / "north" / "verlauf.csv").read_bytes().count(b"\n")
    of_file = ledger[read & (ledger["file"] == "verlauf.csv") & (ledger["unit"] == "rows")]
    assert of_file["count"].tolist() == [lines - 1]


def test_no_raw_id_leaves(demo):
    lookup = pd.concat(
        [pd.read_csv(file, dtype=str) for file in (demo / "private").glob("ids_*.csv")]
    )
    ids = set(lookup["id"])
    for name, table in tables(demo).items():
        for column in table.select_dtypes("str"):
            assert not ids & set(table[column].dropna()), (name, column)
    assert set(lookup["pseudonym"]) >= set(tables(demo)["clients"]["client"])


def test_the_same_bytes_again(demo, tmp_path):
    again = run(tmp_path)
    for file in sorted(demo.rglob("*.*")):
        assert file.read_bytes() == (again / file.relative_to(demo)).read_bytes(), file
