"""Three public data sets through the intake: their known defects are found, and none else.

The data is not part of the project: it is looked for in ALLIANCE_SHARED_DATA, else in
`../shared/data` beside the repository.
"""

import csv
import gzip
import os
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.cohort import PROJECT, instrument_path, load_cohort, site_mapping_path
from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site

SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
FOLDER = {"claus2020": "claus2020", "lee2024": "lee2024_simulated", "ctn0094": "ctn0094"}


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Ingest a cohort of tests/cohorts; return its pooled tables and its raw folder."""
    done = {}

    def run(name):
        raw = SHARED / FOLDER[name]
        if not raw.is_dir():
            pytest.skip(f"the public data set {name} is not here ({raw.as_posix()})")
        if name in done:
            return done[name], raw
        config = PROJECT / "tests" / "cohorts" / name / "config.yaml"
        cohort, out = load_cohort(config), tmp_path_factory.mktemp(name)
        keys = sorted({measure["instrument"] for measure in cohort["measures"].values()})
        for site in cohort["sites"]:
            ingest_site(
                cohort=name, site=site, mapping=site_mapping_path(config, name, site),
                raw_folder=raw, measures=cohort["measures"],
                instruments=[instrument_path(config, key) for key in keys],
                private_folder=out / "private", simulated=cohort["simulated"],
                out_folder=out / "sites" / site,
            )  # fmt: skip
        folders = [out / "sites" / site for site in cohort["sites"]]
        pool_sites(site_folders=folders, out_folder=out, checks_folder=out)
        tables = ("clients", "sessions", "responses", "quarantine", "ledger")
        done[name] = {t: pd.read_parquet(out / f"{t}.parquet") for t in tables}
        lookup = pd.concat([pd.read_csv(f, dtype=str) for f in (out / "private").glob("ids_*")])
        done[name]["own_id"] = lookup[lookup["kind"] == "client"].set_index("pseudonym")["id"]
        return done[name], raw

    return run


# --------------------------------------------------------------------------------------------------
# claus2020: items and the authors' own totals

# Where the sum of items differs from the recorded total (README.txt of the data set): id by column.
DISAGREEMENTS = {
    "BDI1.total": [6, 22, 30, 41], "BDI2.total": [8, 19, 25, 31, 35, 38], "BDI3.total": [5, 35, 42],
    "BDI4.total": [25, 30, 41], "SHAPS1.total": [24], "SHAPS3.total": [28, 40], "WHO4.total": [40],
    "HAMD2.total": [5], "HAMD3.total": [33], "HAMD4.total": [8, 38],
}  # fmt: skip


def test_claus2020_totals_disagree_in_exactly_24_places(read):
    tables, _ = read("claus2020")
    noted = tables["quarantine"][tables["quarantine"]["rule"] == "total-disagrees"]
    found = noted.groupby("column")["row"].apply(lambda rows: sorted(int(r) - 1 for r in rows))
    assert found.to_dict() == DISAGREEMENTS  # ids run from 1 in the order of rows
    assert len(noted) == 24
    assert set(noted["action"]) == {"noted"}


def test_claus2020_out_of_range_items(read):
    tables, _ = read("claus2020")
    quarantine = tables["quarantine"]
    found = quarantine[quarantine["rule"] == "out-of-range"]
    # The data set's README names the first two; HAM-D item 4 (insomnia) goes to 2, the file has 4.
    assert dict(zip(found["column"], found["row"], strict=True)) == {
        "BDI4.3": 31, "SHAPS3.9": 29, "HAMD1.4": 17,
    }  # fmt: skip
    assert set(quarantine["rule"]) == {"out-of-range", "total-disagrees", "client-with-one-session"}


def test_claus2020_answers_are_those_of_the_file(read):
    tables, raw = read("claus2020")
    responses = tables["responses"].assign(id=lambda t: t["client"].map(tables["own_id"]))
    got = responses.set_index(["measure", "id", "session", "item"])["value"].to_dict()
    prefix = {"depression": "BDI", "anhedonia": "SHAPS", "wellbeing": "WHO",
              "depression_clinician": "HAMD"}  # fmt: skip
    n_items = {"BDI": 21, "SHAPS": 14, "WHO": 5, "HAMD": 17}
    set_aside = {("BDI4.3", "30"), ("SHAPS3.9", "28"), ("HAMD1.4", "16")}
    expected = {}
    with open(raw / "claus_2020_items_wide.csv", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            for measure, own in prefix.items():
                for session in (1, 2, 3, 4):
                    for item in range(1, n_items[own] + 1):
                        column = f"{own}{session}.{item}"
                        if row[column] and (column, row["id"]) not in set_aside:
                            expected[measure, row["id"], session, item] = float(row[column])
    assert got == expected


def test_claus2020_arms_agree_with_the_long_file(read):
    tables, raw = read("claus2020")
    long = pd.read_csv(raw / "claus_2020_long.csv", dtype=str).drop_duplicates("id").set_index("id")
    clients = tables["clients"].set_index(tables["clients"]["client"].map(tables["own_id"]))
    assert clients["treatment"].value_counts().to_dict() == {"PA": 23, "TAU": 20}
    assert (clients["treatment"] == long["treatment"].loc[clients.index]).all()
    assert (clients["gender"] == long["sex"].loc[clients.index].str.lower()).all()
    assert clients["therapist"].isna().all() and clients["end_status"].isna().all()


# --------------------------------------------------------------------------------------------------
# lee2024: answers as Chinese texts, attention checks between the items


def test_lee2024_answers(read):
    tables, raw = read("lee2024")
    assert tables["quarantine"].empty
    assert len(tables["clients"]) == 8 and len(tables["sessions"]) == 80
    alliance = ["从来没有", "偶尔如此", "有时如此", "经常如此", "总是如此"]
    distress = ["不符合", "有时符合", "常常符合", "总是符合"]
    numbers = {
        "alliance": {text: number for number, text in enumerate(alliance, start=1)},
        "distress": {text: number for number, text in enumerate(distress)},
    }
    files = {"alliance": "therapeutic_relationship.csv", "distress": "mental_health_survey.csv"}
    responses = tables["responses"].assign(id=lambda t: t["client"].map(tables["own_id"]))
    for measure, file in files.items():
        expected = {}
        with open(raw / file, encoding="utf-8-sig") as stream:
            header, *rows = csv.reader(stream)
        # The attention checks are told by their wording here, by their letters in the mapping.
        items = [i for i, name in enumerate(header) if i >= 3 and "认真作答" not in name]
        for row in rows:
            for item, at in enumerate(items, start=1):
                expected[row[1].zfill(5), int(row[2]), item] = numbers[measure][row[at]]
        got = responses[responses["measure"] == measure].set_index(["id", "session", "item"])
        assert got["value"].to_dict() == expected


def test_lee2024_ids_keep_their_zeros(read):
    tables, _ = read("lee2024")
    assert sorted(tables["own_id"]) == [f"{i:05}" for i in range(1, 9)]
    assert sorted(tables["clients"]["treatment"].unique()) == [
        "ai_50min", "ai_always", "control", "human",
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------
# ctn0094: one export that holds 32 sites


def test_ctn0094_people_and_sites(read):
    tables, raw = read("ctn0094")
    clients = tables["clients"]
    assert len(clients) == 3560
    assert clients["site"].nunique() == 32
    with open(raw / "site_masked.csv", encoding="utf-8") as stream:
        site_of = {row["who"]: f"site-{row['site_masked']}" for row in csv.DictReader(stream)}
    assert (
        dict(zip(clients["client"].map(tables["own_id"]), clients["site"], strict=True)) == site_of
    )
    assert clients["trial"].value_counts().to_dict() == {
        "ctn0027": 1920, "ctn0030": 868, "ctn0051": 772,
    }  # fmt: skip


def test_ctn0094_visits_are_numbered_by_day(read):
    tables, raw = read("ctn0094")
    with gzip.open(raw / "visit.csv.gz", "rt", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    took_place = [row for row in rows if row["what"] in ("visit", "final")]
    sessions = tables["sessions"]
    assert len(sessions) == len(took_place) == 41002
    days = {}
    for row in took_place:
        days.setdefault(row["who"], []).append(int(row["when"]))
    sessions = sessions.assign(id=sessions["client"].map(tables["own_id"]))
    for who, of_client in sessions.groupby("id"):
        assert of_client["session"].tolist() == list(range(1, len(of_client) + 1))
        weeks = [day / 7 for day in sorted(days[who])]
        assert of_client["weeks_since_intake"].tolist() == pytest.approx(weeks)
    left = {row["who"] for row in rows if row["is_left_study"] == "1"}
    clients = tables["clients"].assign(id=lambda t: t["client"].map(tables["own_id"]))
    assert set(clients.loc[clients["end_status"] == "dropout", "id"]) == left
    assert len(left) == 136
    assert clients.loc[~clients["id"].isin(left), "end_status"].isna().all()


def test_ctn0094_problems_are_notes(read):
    tables, _ = read("ctn0094")
    counts = tables["quarantine"]["rule"].value_counts().to_dict()
    # 674 came once; of two of them it is known that they left, which explains the one session.
    assert counts == {"client-with-one-session": 672, "client-without-sessions": 437}
    assert tables["responses"].empty
