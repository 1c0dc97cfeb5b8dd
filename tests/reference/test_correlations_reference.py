"""Correlations within and between against psych and base R; `correlations/correlations.R`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.measures.correlations import (
    between_correlation,
    corrected_between,
    spread_of,
    within_correlation,
)

HERE = Path(__file__).parent / "correlations"
R = json.loads((HERE / "correlations.json").read_text(encoding="utf-8"))


def schools(name):
    table = pd.read_csv(HERE / "schools.csv")
    if name == "few":
        place = table.groupby("client").cumcount() + 1
        table = table[(table["client"] % 20 != 0) | (place <= 3)]
    codes = np.asarray(table.groupby("client").ngroup())
    return spread_of(table[["iq", "language"]].to_numpy(float), codes)


@pytest.mark.parametrize("name", ["all", "few"])
def test_within_and_between_are_those_of_psych_and_base_r(name):
    expected, spread = R[name], schools(name)
    assert (spread.rows, spread.clients) == (expected["rows"], expected["clients"])
    within, between = within_correlation(spread), between_correlation(spread)
    assert within.r == pytest.approx(expected["within_psych"], abs=1e-12)
    assert within.df == expected["df_within"]  # that of a regression with a constant per client
    assert between.r == pytest.approx(expected["between"], abs=1e-12)
    for found, level in ((within, "within"), (between, "between")):
        # r.con takes 1.96 from qnorm, as we do
        assert [found.low, found.high] == pytest.approx(expected[f"{level}_ci"], abs=1e-12)
        assert found.p == pytest.approx(expected[f"{level}_p"], rel=1e-9)


@pytest.mark.parametrize("name", ["all", "few"])
def test_corrected_between_is_that_of_the_two_level_analysis_of_variance(name):
    assert corrected_between(schools(name)) == pytest.approx(R[name]["corrected"], abs=1e-12)
