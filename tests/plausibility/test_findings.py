"""What a finding tells, and what it must not; where the list of single clients goes."""

import stat
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from alliance.ingest.plausibility.association import ItemRest, PairCorrelations
from alliance.ingest.plausible import check_plausibility
from alliance.ingest.site import ingest_site

sys.path.insert(0, str(Path(__file__).parent))
import wrong_data

INSTRUMENTS = [
    wrong_data.PROJECT / "config" / "instruments" / f"{name}.yaml"
    for name in wrong_data.MEASURES.values()
]
MEASURES = {name: {"instrument": key} for name, key in wrong_data.MEASURES.items()}


@pytest.fixture
def check(tmp_path):
    """Read a lab's exports and check them as the workflow does; return the problems found."""

    def run(lab):
        folders = []
        for site, frame in lab.sites.items():
            raw = tmp_path / "raw" / site
            raw.mkdir(parents=True)
            frame.to_csv(raw / "sessions.csv", index=False)
            mapping = tmp_path / f"{site}.yaml"
            text = yaml.safe_dump({"site": site, "tables": [lab.tables[site]]})
            mapping.write_text(text, encoding="utf-8")
            ingest_site(
                cohort="lab", site=site, mapping=mapping, raw_folder=raw, measures=MEASURES,
                instruments=INSTRUMENTS, private_folder=tmp_path / "private", simulated=True,
                out_folder=tmp_path / "out" / site,
            )  # fmt: skip
            folders.append(tmp_path / "out" / site)
        check_plausibility(
            site_folders=folders, measures=MEASURES, instruments=INSTRUMENTS,
            implausible=tmp_path / "implausible.parquet", private_folder=tmp_path / "private",
        )  # fmt: skip
        return pd.read_parquet(tmp_path / "implausible.parquet")

    return run


def test_place_evidence_and_remedy_of_an_item_turned_round(check):
    rng = np.random.default_rng(1)
    lab = wrong_data.sound(rng, 2)
    frame = lab.sites["east"]
    frame["w4"] = wrong_data.turned(frame["w4"], 1, 5)
    found = check(lab)
    assert found[["site", "file", "column", "rule", "action"]].to_numpy().tolist() == [
        ["east", "sessions.csv", "w4", "item-turned-round", "noted"]
    ]
    assert "item 4 of alliance correlates −" in found["expected"][0]
    assert "elsewhere +" in found["expected"][0]
    assert "compare with the form" in found["remedy"][0].lower()


def test_who_draws_straight_lines_is_told_to_the_lab_alone(check, tmp_path):
    rng = np.random.default_rng(2)
    lab = wrong_data.sound(rng, 1)
    wrong_data.FAULTS["straight_lines"].make(lab, rng)
    found = check(lab)
    assert "straight-lining" in set(found["rule"])
    path = tmp_path / "private" / "odd_forms.csv"
    listed = pd.read_csv(path)
    assert len(listed) >= 5 and set(listed["measure"]) == {"alliance"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = " ".join(found["expected"]) + " ".join(found["remedy"])
    names = [*lab.sites["north"]["id"].unique(), *listed["client"]]
    assert not [name for name in names if name in told]


def test_a_cohort_without_answers_has_nothing_to_judge(check):
    lab = wrong_data.sound(np.random.default_rng(3), 1)
    for frame in lab.sites.values():
        for measure in wrong_data.ITEMS:
            frame[lab.columns(measure)] = ""
    assert not len(check(lab))


def test_nothing_statistical_is_said_of_few_clients(check):
    lab = wrong_data.sound(np.random.default_rng(4), 1)
    frame = lab.sites["north"]
    few = frame[frame["id"].isin(frame["id"].unique()[:8])].reset_index(drop=True)
    few["w4"] = wrong_data.turned(few["w4"], 1, 5)
    lab.sites["north"] = few
    assert not len(check(lab))


def test_item_rest_correlations_are_plain_correlations_where_nothing_is_missing():
    rng = np.random.default_rng(5)
    common = rng.standard_normal((400, 1))
    answers = common + rng.standard_normal((400, 6))
    found = ItemRest.of(answers, np.repeat(np.arange(40), 10))
    z = (answers - answers.mean(axis=0)) / answers.std(axis=0)
    for item in range(6):
        rest = np.delete(z, item, axis=1).sum(axis=1)
        assert found.r[item] == pytest.approx(np.corrcoef(z[:, item], rest)[0, 1], abs=1e-12)


def test_standard_errors_know_that_a_client_fills_in_many_forms():
    """The spread of correlations over 300 samples is what the standard errors say, within 15 %."""
    rng = np.random.default_rng(6)
    client = np.repeat(np.arange(40), 8)
    r, se, pair, pair_se = [], [], [], []
    for _ in range(300):
        level = rng.standard_normal((40, 1))[client]
        habit = rng.standard_normal((40, 5))[client]
        answers = level + 0.7 * habit + 0.7 * rng.standard_normal((320, 5))
        found = ItemRest.of(answers, client)
        r.append(found.r[0])
        se.append(found.se[0])
        pairs = PairCorrelations.of(answers, client)
        pair.append(pairs.r[0, 1])
        pair_se.append(pairs.se[0, 1])
    assert np.mean(se) == pytest.approx(np.std(r), rel=0.15)
    assert np.mean(pair_se) == pytest.approx(np.std(pair), rel=0.15)
