"""The highest likelihood: 300 simulated sets against the best of lme4 and mixedlm.

For each set `mixed/exactness.R` took the best end of three lme4 optimisers from three starts each
and polished it, because a single optimiser stops short on some of them; `exactness_mixedlm.py`
added mixedlm's end. More than half of the sets have a variance or correlation at the boundary.
The promise: never lower by more than 1e-6, or 1e-5 at a boundary.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent / "mixed"))
from mixed_cases import HERE, arguments_of

from alliance.mixed import fit_mixed

CASES = json.loads((HERE / "exactness.json").read_text())["cases"]
MIXEDLM = json.loads((HERE / "exactness_mixedlm.json").read_text())["log_likelihoods"]


@cache
def sets() -> dict[int, pd.DataFrame]:
    """The 300 sets; ids repeat across parents, so they are made unique for shallow models."""
    data = pd.read_csv(HERE / "exactness.csv.gz")
    data["therapist"] += 100 * data["site"]
    data["client"] += 100 * data["therapist"]
    return dict(iter(data.groupby("set")))


def shortfall(case: dict) -> float:
    """How far the engine stays below the best peer; negative where it is higher."""
    fit = fit_mixed(sets()[case["case"]], **arguments_of(case), df="none")
    return max(case["log_likelihood"], MIXEDLM[case["case"] - 1]) - fit.log_likelihood


def test_the_sets_are_hard():
    assert len(CASES) == 300
    assert sum(case["singular"] for case in CASES) >= 150


@pytest.mark.parametrize("case", CASES[:24], ids=lambda case: str(case["case"]))
def test_never_below_the_best_peer(case):
    assert shortfall(case) < (1e-5 if case["singular"] else 1e-6)


@pytest.mark.exhaustive
def test_never_below_the_best_peer_in_300_sets():
    short = {case["case"]: shortfall(case) for case in CASES}
    limit = {case["case"]: 1e-5 if case["singular"] else 1e-6 for case in CASES}
    assert not {k: value for k, value in short.items() if not value < limit[k]}
