"""Is chance what the null model says it is, and are planted ruptures found as the docs say?"""

import csv
from pathlib import Path

import numpy as np
import pytest

from alliance.measures.ruptures import PRESETS, detect, false_alarms, null_model, scale_of
from alliance.simulate.planted import Planting, plant

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("sessions", "autocorrelation"), [(8, 0.3), (12, 0.0), (12, 0.3), (12, 0.6), (20, 0.3)]
)
def test_false_alarms_are_as_many_as_the_null_says(sessions, autocorrelation):
    planting = Planting(sessions=sessions, autocorrelation=autocorrelation, share=0.0)
    planted = plant(planting, 1500, np.random.default_rng(7))
    scale = scale_of(planted.scores, planting.reliability)
    model = null_model(planted.scores, planted.error_of_measurement)
    assert model.autocorrelation.mean() == pytest.approx(autocorrelation, abs=0.08)
    chance = false_alarms(model, list(PRESETS.values()), scale, 4, np.random.default_rng(8))
    for name, rule in PRESETS.items():
        flagged = len(np.unique(detect(planted.scores, rule, scale).row)) / 1500
        predicted = chance.clients[name].mean() / 1500
        # 1500 clients: standard error of a share 1.3 points, the null itself is estimated too
        assert predicted == pytest.approx(flagged, abs=0.055), name


def test_planted_ruptures_are_found_as_the_docs_say():
    planted = plant(Planting(), 3000, np.random.default_rng(9))
    scale = scale_of(planted.scores, 0.9)
    with (DOCS / "rupture_rules.csv").open(encoding="utf-8") as stream:
        middle = [
            row
            for row in csv.DictReader(stream)
            if (row["sessions"], float(row["reliability"]), float(row["autocorrelation"]),
                float(row["depth"])) == ("12", 0.9, 0.3, 2.0)
        ]  # fmt: skip
    assert {row["rule"] for row in middle} == set(PRESETS)
    clean = planted.onset == 0
    for row in middle:
        found = detect(planted.scores, PRESETS[row["rule"]], scale)
        late = found.onset - planted.onset[found.row]
        hit = np.isin(np.arange(3000), found.row[((late == 0) | (late == 1))])
        flagged = np.isin(np.arange(3000), found.row)
        assert hit[~clean].mean() == pytest.approx(float(row["sensitivity"]), abs=0.06)
        assert 1 - flagged[clean].mean() == pytest.approx(float(row["specificity"]), abs=0.05)


def test_ten_thousand_courses_take_no_time():
    planted = plant(Planting(sessions=20), 10_000, np.random.default_rng(1))
    scale = scale_of(planted.scores, 0.9)
    for rule in PRESETS.values():
        assert len(detect(planted.scores, rule, scale).onset)
