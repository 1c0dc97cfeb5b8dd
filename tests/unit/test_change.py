"""Change and sudden gains on scores whose arithmetic can be done by hand."""

import numpy as np
import pandas as pd
import pytest

from alliance.measures.change import describe_measure, plane
from alliance.measures.reliable_change import (
    INDICES,
    Sample,
    anchored,
    classify,
    crossed,
    cutoffs,
    error_of_difference,
    reliable_points,
)
from alliance.measures.sudden_gains import sudden_changes

ENTRY = {
    "reliability": 0.8,
    "reliability_last": 0.8,
    "functional": {"mean": 5.0, "sd": 2.0},
    "cutoff": "c",
    "method": "jacobson-truax",
    "anchor": None,
    "sudden_points": None,
}


def test_cutoffs_on_either_side():
    # clinical 20 (SD 4), functional 10 (SD 6): a = 20 - 8, b = 10 + 12, c = (4*10 + 6*20)/10
    assert cutoffs(20, 4, "lower", (10, 6)) == {"a": 12, "b": 22, "c": 16}
    assert cutoffs(10, 6, "higher", (20, 4)) == {"a": 22, "b": 12, "c": 16}
    assert cutoffs(20, 4, "lower", None) == {"a": 12, "b": None, "c": None}


def test_jacobson_truax_by_hand():
    first = np.array([18.0, 20, 22])  # SD 2
    sample = Sample(first, np.array([10.0, 20, 30]), 0.92, 0.92)
    error = 2 * np.sqrt(2 * 0.08)  # 0.8
    assert error_of_difference(2.0, 0.92) == pytest.approx(0.8)
    np.testing.assert_allclose(INDICES["jacobson-truax"][1](sample), [-8 / error, 0, 8 / error])


@pytest.mark.parametrize("name", INDICES)
def test_indices_turn_with_the_scale(name):
    rng = np.random.default_rng(1)
    first = rng.normal(20, 4, 60)
    last = first * 0.6 + rng.normal(4, 4, 60)
    _, index, critical = INDICES[name]
    down = index(Sample(first, last, 0.8, 0.8))
    up = index(Sample(50 - first, 50 - last, 0.8, 0.8))
    np.testing.assert_allclose(up, -down, atol=1e-12)
    np.testing.assert_array_equal(
        classify(down, critical, "lower"), classify(up, critical, "higher")
    )
    stretched = index(Sample(3 * first + 7, 3 * last + 7, 0.8, 0.8))
    np.testing.assert_allclose(stretched, down, rtol=1e-9)


def test_classes_need_both_change_and_crossing():
    first, last = np.array([20.0, 20, 20, 20, 5, 5]), np.array([5.0, 14, 20, 27, 20, 5])
    index = (last - first) / 2
    recovered = crossed(first, last, 10, "lower")
    harmed = crossed(first, last, 10, "higher")
    found = classify(index, 1.96, "lower", recovered, harmed)
    assert found.tolist() == [
        "recovered", "improved", "unchanged", "deteriorated", "harmed", "unchanged"
    ]  # fmt: skip


def test_anchor_counts_the_difference_itself():
    found = anchored(np.array([20.0, 20, 20]), np.array([13.0, 14, 27]), 7, "lower")
    assert found.tolist() == ["improved", "unchanged", "deteriorated"]


def test_plane_hides_small_cells():
    rng = np.random.default_rng(2)
    first, last = rng.integers(5, 20, 400).astype(float), rng.integers(0, 20, 400).astype(float)
    found = plane(first, last)
    assert all(cell["clients"] >= 5 and cell["clients"] % 5 == 0 for cell in found["cells"])
    for cell in found["cells"]:
        inside = (
            (first >= cell["first_low"])
            & (first < cell["first_low"] + found["width"])
            & (last >= cell["last_low"])
            & (last < cell["last_low"] + found["width"])
        )
        assert inside.sum() >= 8


def panel(n=30, sessions=(1, 2, 3), seed=3):
    rng = np.random.default_rng(seed)
    rows = [
        {"site": "s", "client": f"c{i:02d}", "therapist": f"t{i % 4}", "session": s,
         "symptoms": float(15 - s + rng.integers(-3, 4))}
        for i in range(n)
        for s in sessions
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("table", "entry", "words"),
    [
        (panel(n=5), ENTRY, "Fewer than 8 clients"),
        (panel(sessions=(1,)), ENTRY, "Fewer than 8 clients"),
        (panel(), ENTRY | {"reliability": None}, "no reliability"),
        (panel().assign(symptoms=9.0), ENTRY, "All first scores are the same"),
    ],
)
def test_what_cannot_be_judged_is_said(table, entry, words):
    found = describe_measure(table, "symptoms", entry, "lower")
    assert words in found["message"]
    assert found["methods"] == []
    assert found["plane"] is None


def test_few_therapists_are_not_shown():
    found = describe_measure(panel(), "symptoms", ENTRY, "lower")
    assert found["by_therapist"]["therapists"] is None
    assert (
        "Fewer" in found["by_therapist"]["message"] or "fewer" in found["by_therapist"]["message"]
    )


def test_cutoff_without_norms_falls_back_and_says_so():
    found = describe_measure(panel(), "symptoms", ENTRY | {"functional": None}, "lower")
    assert found["cutoff"]["kind"] == "a"
    assert "needs norms" in found["cutoff"]["note"]


# sudden gains -------------------------------------------------------------------------------------


def gains(course, points=7.0, **options):
    found, _ = sudden_changes(np.array([course], dtype=float), points, "lower", **options)
    return found


NAN = np.nan


def test_a_gain_is_seen_at_the_session_after():
    found = gains([30, 31, 30, 15, 16, 15])
    assert found.session.tolist() == [4]
    assert found.points.tolist() == [15]
    assert found.known_session.tolist() == [6]  # n = 3: sessions 4 to 6 must have been
    assert not found.reversed[0]
    assert found.share[0] == pytest.approx(1.0)  # 15 of 30 - 15


def test_each_criterion_can_stop_it():
    assert len(gains([30, 31, 30, 24, 24, 24]).session) == 0  # 6 < 7 points
    assert len(gains([60, 61, 60, 50, 50, 50]).session) == 0  # 10 < a quarter of 60
    assert len(gains([30, 10, 30, 20, 30, 10]).session) == 0  # unstable


def test_missing_scores_use_the_critical_value_of_those_that_are_there():
    # before 30, 32 (NaN 31), after 20, 22, 21: df = 3, t = 3.182
    # pooled variance (1*2 + 2*1)/3 = 1.333; 31 - 21 = 10 > 3.182 * 1.155
    assert gains([NAN, 32, 30, 20, 22, 21]).session.tolist() == [4]
    assert len(gains([NAN, NAN, 30, 20, 22, 21]).session) == 0  # one score before
    assert len(gains([31, 32, NAN, 20, 22, 21]).session) == 0  # no score at n


def test_reversal_is_more_than_half_lost_again():
    assert gains([30, 31, 30, 15, 16, 15, 23]).reversed[0]  # half way is 22.5
    assert not gains([30, 31, 30, 15, 16, 15, 22]).reversed[0]


def test_losses_and_scales_where_high_is_good_are_mirrors():
    course = np.array([[30.0, 31, 30, 15, 16, 15]])
    loss, _ = sudden_changes(course, 7, "higher", gains=False)
    assert loss.session.tolist() == [4]
    none, _ = sudden_changes(course, 7, "higher")
    assert len(none.session) == 0


@pytest.mark.parametrize("sessions", [0, 1, 2, 3])
def test_courses_too_short_for_a_gain(sessions):
    found, judged = sudden_changes(np.full((4, sessions), 20.0), 7, "lower")
    assert len(found.session) == 0
    assert not judged.any()


def test_first_criterion():
    assert reliable_points(10.5, 0.931) == pytest.approx(7.6451307, abs=1e-7)
