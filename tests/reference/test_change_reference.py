"""Change and sudden gains against numbers that this project did not make.

`change/hlm.json` is from lme4 (script beside it). The counts on claus2020 and sgdata are the
published ones of the R packages clinicalsignificance (tests/testthat/_snaps, README) and
suddengains (tests/testthat); these data lie outside the project.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.measures.change import slope_index
from alliance.measures.reliable_change import (
    CLASSES,
    INDICES,
    Sample,
    anchored,
    classify,
    crossed,
    crossed_back,
    crossed_in_true_scores,
    cutoffs,
)
from alliance.measures.sudden_gains import sudden_changes

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", ROOT.parent / "shared" / "data"))
CLAUS = SHARED / "claus2020" / "claus_2020_long.csv"
SGDATA = SHARED / "suddengains" / "sgdata.csv"
needs_claus = pytest.mark.skipif(not CLAUS.is_file(), reason="claus2020 is not here")
needs_sgdata = pytest.mark.skipif(not SGDATA.is_file(), reason="sgdata is not here")


def claus(outcome, better="lower"):
    table = pd.read_csv(CLAUS).pivot(index="id", columns="time", values=outcome)[[1, 4]].dropna()
    return table[1].to_numpy(float), table[4].to_numpy(float)


def counts(classes):
    return [int((classes == name).sum()) for name in CLASSES]


@needs_claus
@pytest.mark.parametrize(
    ("method", "published"),
    [
        ("jacobson-truax", [26, 3, 10, 1, 0]),
        ("edwards-nunnally", [26, 6, 5, 3, 0]),
        ("hsu-linn-lord", [12, 0, 16, 11, 1]),
        ("gulliksen-lord-novick", [26, 3, 10, 1, 0]),
        ("nunnally-kotsch", [26, 2, 11, 1, 0]),  # reliability at the last session .50
        ("hageman-arrindell", [23, 9, 7, 1, 0]),
    ],
)
def test_classes_on_claus2020(method, published):
    first, last = claus("hamd")
    sample = Sample(first, last, 0.80, 0.50)
    _, index, critical = INDICES[method]
    if method == "hageman-arrindell":
        _, up, down = crossed_in_true_scores(sample, "lower", (8, 8), "c")
    else:
        cutoff = cutoffs(first.mean(), sample.sd_first, "lower", (8, 8))["c"]
        up = crossed(first, last, cutoff, "lower")
        down = crossed_back(first, last, cutoff, "lower")
    assert counts(classify(index(sample), critical, "lower", up, down)) == published


@needs_claus
def test_slopes_on_claus2020():
    table = pd.read_csv(CLAUS)
    table = table.assign(site="s", client=table["id"].astype(str), session=table["time"])
    both = table.pivot(index="client", columns="time", values="hamd")[[1, 4]].dropna()
    index = slope_index(table, "hamd").set_index("client").loc[both.index, "index"].to_numpy()
    cutoff = cutoffs(both[1].mean(), both[1].std(), "lower", (8, 8))["c"]
    up = crossed(both[1].to_numpy(), both[4].to_numpy(), cutoff, "lower")
    down = crossed_back(both[1].to_numpy(), both[4].to_numpy(), cutoff, "lower")
    assert counts(classify(index, 1.96, "lower", up, down)) == [10, 1, 20, 9, 0]


@needs_claus
def test_anchor_on_claus2020():
    found = anchored(*claus("bdi"), 7, "lower")
    assert [int((found == c).sum()) for c in ("improved", "unchanged", "deteriorated")] == [
        25, 11, 4
    ]  # fmt: skip


def test_slopes_against_lme4():
    expected = json.loads((HERE / "change" / "hlm.json").read_text())
    table = pd.read_csv(HERE / "mixed" / "sleepstudy.csv")
    table = table.assign(site="s", client=table["Subject"].astype(str), session=table["Days"])
    found = slope_index(table, "Reaction").set_index("client")["index"]
    deviation = np.array(expected["deviation"]) / np.array(expected["sd"])
    # lme4 stops its optimiser at a relative change that leaves about five digits
    np.testing.assert_allclose(found.loc[expected["subject"]], deviation, rtol=2e-4)


@needs_sgdata
def test_sudden_gains_of_sgdata():
    table = pd.read_csv(SGDATA)
    scores = table[[f"bdi_s{k}" for k in range(1, 13)]].to_numpy(float)
    gains, _ = sudden_changes(scores, 7, "lower")
    assert len(gains.row) == 24
    assert len(np.unique(gains.row)) == 15
    steps = np.bincount(gains.session, minlength=12)[3:12]  # 2to3 ... 10to11
    assert steps.tolist() == [3, 8, 1, 3, 1, 2, 5, 1, 0]
    losses, _ = sudden_changes(scores, 7, "lower", gains=False)
    assert len(losses.row) == len(np.unique(losses.row)) == 3
