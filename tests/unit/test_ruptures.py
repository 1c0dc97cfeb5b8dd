"""Rules for ruptures on courses whose arithmetic can be done by hand."""

import numpy as np
import pytest

from alliance.config.change import IN_RELIABLE_CHANGES, KNOWN_IN_TIME, WHOLE_COURSE
from alliance.config.closed_schema import schema
from alliance.measures.ruptures import PRESETS, Repair, Rule, Scale, detect, rule_from, scale_of
from alliance.measures.ruptures.agreement import intraclass_agreement, jaccard, kappa
from alliance.measures.ruptures.detect import OUTCOMES, own_line
from alliance.measures.ruptures.rules import WHOLE_COURSE as WHOLE_COURSE_OF_RULES

NAN = np.nan
SCALE = Scale(pooled_sd=2.0, sample_sd=5.0, difference_error=3.0)


def found(course, rule):
    ruptures = detect(np.array([course], dtype=float), rule, SCALE)
    return [
        (int(o), OUTCOMES[k], int(r))
        for o, k, r in zip(ruptures.onset, ruptures.outcome, ruptures.repair, strict=True)
    ]


def rule(**words):
    return Rule("mine", **({"baseline": "previous", "unit": "raw", "threshold": 5.0} | words))


def test_drop_and_return():
    course = [40, 41, 35, 38, 41, 41]  # falls by 6 at session 3, is back at 41 at session 5
    assert found(course, rule()) == [(3, "repaired", 5)]
    ruptures = detect(np.array([course], dtype=float), rule(), SCALE)
    assert ruptures.depth[0] == 6
    assert ruptures.duration[0] == 2
    assert ruptures.speed[0] == pytest.approx(3.0)  # 35 to 41 in two sessions


def test_repair_must_come_in_time():
    course = [40, 34, 35, 35, 35, 40]
    assert found(course, rule(repair=Repair(within=3))) == [(2, "unrepaired", 0)]
    assert found(course, rule(repair=Repair(within=4))) == [(2, "repaired", 6)]
    assert found(course, rule(repair=Repair(within=None))) == [(2, "repaired", 6)]


def test_course_that_ends_in_a_rupture_is_censored():
    assert found([40, 40, 34, 35], rule()) == [(3, "course ended", 0)]


def test_repair_targets():
    course = [40, 40, 30, 35, 38]
    assert found(course, rule(repair=Repair("half_of_drop"))) == [(3, "repaired", 4)]
    assert found(course, rule(repair=Repair(tolerance=2.0))) == [(3, "repaired", 5)]
    assert found(course, rule(repair=Repair("own_mean"))) == [(3, "repaired", 5)]  # mean 36.6


def test_one_episode_at_a_time():
    assert found([40, 34, 28, 22, 40], rule()) == [(2, "repaired", 5)]


def test_missing_sessions_neither_open_nor_close():
    assert found([40, NAN, 34, 40], rule()) == []  # the score before is too old
    assert found([40, NAN, 34, 40], rule(window=2)) == [(3, "repaired", 4)]
    assert found([40, 34, NAN, 40], rule()) == [(2, "repaired", 4)]


def test_window_max_sees_a_slow_fall():
    course = [40, 38, 36, 34, 40]
    assert found(course, rule()) == []
    assert found(course, rule(baseline="window_max", window=3)) == [(4, "repaired", 5)]


def test_running_mean_and_history():
    course = [40, 42, 35, 41]  # mean before session 3 is 41
    assert found(course, rule(baseline="running_mean")) == [(3, "repaired", 4)]
    assert found(course, rule(baseline="running_mean", history=3)) == []


@pytest.mark.parametrize(
    ("unit", "threshold", "seen"),
    [("pooled_sd", 3.0, True), ("pooled_sd", 3.1, False), ("sample_sd", 1.2, True),
     ("sample_sd", 1.3, False), ("reliable_change", 2.0, True), ("reliable_change", 2.1, False)],
)  # fmt: skip
def test_units_of_the_cohort(unit, threshold, seen):
    course = [40, 40, 34, 40]  # 6 points: 3 pooled SDs, 1.2 sample SDs, 2 errors
    assert bool(found(course, rule(unit=unit, threshold=threshold))) is seen


def test_own_line_and_own_sd():
    line = own_line(np.array([[10.0, 12, 14, NAN, 18]]))
    np.testing.assert_allclose(line, [[10, 12, 14, 16, 18]])
    preset = PRESETS["drop_of_2_sd_below_own_line"]
    course = [40, 41, 40, 41, 40, 30, 40, 41, 40, 41, 40, 41]
    assert [f[0] for f in found(course, preset)] == [6]


def test_control_chart_limit_is_2_66_moving_ranges():
    # steps of 1 but for one fall and one return
    base = [40, 41] * 3 + [None] + [40, 41] * 3
    for drop, seen in ((4, False), (25, True)):
        course = [40.5 - drop if v is None else v for v in base]
        steps = np.abs(np.diff(course)).mean()
        below = np.mean(course) - (40.5 - drop)
        assert bool(below >= 3 / 1.128 * steps) is seen
        assert bool(found(course, PRESETS["own_control_chart"])) is seen


def test_runs_below_the_centre():
    chart, runs = PRESETS["own_control_chart"], PRESETS["own_control_chart_with_runs"]
    course = [44, 45, 44, 45, 44, 45, 44, 45, 41, 40, 41, 40, 41, 40, 41, 40]
    assert found(course, chart) == []
    assert found(course, runs) != []


def test_reliable_change_without_reliability_is_refused():
    with pytest.raises(ValueError, match="no reliability"):
        detect(np.ones((1, 4)), rule(unit="reliable_change"), Scale(1.0, 1.0, None))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_rows_do_not_depend_on_each_other_nor_on_the_scale(preset):
    rng = np.random.default_rng(4)
    scores = np.rint(45 + 4 * rng.standard_normal((60, 14)))
    scores[rng.random(scores.shape) < 0.1] = NAN
    scale = scale_of(scores, 0.9)
    whole = detect(scores, preset, scale)
    alone = [detect(scores[i : i + 1], preset, scale) for i in range(60)]
    assert whole.onset.tolist() == [o for part in alone for o in part.onset.tolist()]
    stretched = detect(2 * scores - 7, preset, scale_of(2 * scores - 7, 0.9))
    assert stretched.onset.tolist() == whole.onset.tolist()
    np.testing.assert_allclose(stretched.depth, 2 * whole.depth)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_rules_known_in_time_do_not_look_ahead(preset):
    rng = np.random.default_rng(5)
    scores = np.rint(45 + 4 * rng.standard_normal((80, 14)))
    scale = scale_of(scores, 0.9)
    whole, cut = detect(scores, preset, scale), detect(scores[:, :9], preset, scale)
    same = whole.onset[whole.onset <= 9].tolist() == cut.onset.tolist()
    if not preset.looks_ahead:
        assert same
    assert preset.looks_ahead is (preset.name not in KNOWN_IN_TIME)


def test_config_and_rules_say_the_same():
    definitions = schema("config")["$defs"]
    assert list(PRESETS) == definitions["rupture_rule_name"]["enum"]
    assert set(KNOWN_IN_TIME) == {n for n, r in PRESETS.items() if not r.looks_ahead}
    assert set(IN_RELIABLE_CHANGES) == {
        n for n, r in PRESETS.items() if r.unit == "reliable_change"
    }
    assert WHOLE_COURSE == WHOLE_COURSE_OF_RULES
    words = definitions["rupture_rule"]["properties"]
    assert set(words) == set(Rule.__dataclass_fields__) - {"source"}
    assert set(words["repair"]["properties"]) == set(Repair.__dataclass_fields__)


def test_own_rule_from_the_config():
    entry = {"name": "mine", "baseline": "window_max", "unit": "raw", "threshold": 4, "window": 2,
             "repair": {"target": "half_of_drop", "within": 2}}  # fmt: skip
    made = rule_from(entry)
    assert made.repair == Repair("half_of_drop", 0.0, 2)
    assert made.title == "4 points below the best of the scores before (2 sessions back at most)"


# agreement ----------------------------------------------------------------------------------------


def test_kappa_and_jaccard():
    one = np.array([True] * 20 + [True] * 5 + [False] * 10 + [False] * 15)
    other = np.array([True] * 20 + [False] * 5 + [True] * 10 + [False] * 15)
    assert kappa(one, other) == pytest.approx(0.4)  # textbook: agree .7, by chance .5
    assert jaccard(one, other) == pytest.approx(20 / 35)
    assert kappa(np.ones(4, bool), np.ones(4, bool)) is None
    assert jaccard(np.zeros(4, bool), np.zeros(4, bool)) is None


def test_intraclass_correlation_of_shrout_and_fleiss():
    # Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(2,1) .29
    ratings = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    )
    icc = intraclass_agreement(ratings.astype(float))
    assert icc.icc == pytest.approx(0.289764, abs=5e-7)
    assert icc.ci_low == pytest.approx(0.01879, abs=5e-5)  # psych::ICC 2.2.9
    assert icc.ci_high == pytest.approx(0.76108, abs=5e-5)
    assert intraclass_agreement(ratings[:, :1].astype(float)) is None
    assert intraclass_agreement(np.ones((5, 2))) is None


def test_scale_counts_the_right_degrees_of_freedom():
    scores = np.array([[1.0, 3, NAN], [5, 7, 9]])
    scale = scale_of(scores, 0.75)
    assert scale.pooled_sd == pytest.approx(np.sqrt((2 + 8) / 3))
    assert scale.sample_sd == pytest.approx(np.std([1, 3, 5, 7, 9], ddof=1))
    assert scale.difference_error == pytest.approx(np.std([1, 5], ddof=1) * np.sqrt(0.5))


def test_empty_courses():
    for preset in PRESETS.values():
        for shape in ((0, 5), (3, 1), (3, 2)):
            scores = np.full(shape, 40.0)
            assert len(detect(scores, preset, SCALE).onset) == 0
