"""Statistic, degrees of freedom and p of a test go together, in the files and as printed."""

import copy

import pytest

from alliance import files
from alliance.findings.fields import Sources
from alliance.findings.printed import Page, Printed
from alliance.findings.statcheck import p_of, statcheck
from alliance.findings.statcheck_printed import number_of, statcheck_printed

# by hand: t(30) = 2.0423 is the two-sided five per cent point
ESTIMATE = {
    "estimate": 1.0, "se": 0.5, "df": 30.0, "statistic": 2.0, "p": 0.0546250449,
    "ci_low": 1.0 - 0.5 * 2.0422724563, "ci_high": 1.0 + 0.5 * 2.0422724563,
    "ratio": None, "ratio_low": None, "ratio_high": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "statistic", "df", "df2", "p"),
    [
        ("z", 1.959963985, None, None, 0.05),
        ("z", -1.959963985, None, None, 0.05),
        ("t", 2.042272456, 30, None, 0.05),
        ("F", 4.170876786, 1, 30, 0.05),  # the square of the t above
        ("chi2", 3.841458821, 1, None, 0.05),
        ("mixture", 2.705543454, 1, None, 0.05),  # half of the mass is at zero
        ("mixture", 5.138381, 2, None, 0.05),  # a slope beside an intercept; 5.14 in print
        ("mixture", 0.0, 1, None, 1.0),
    ],
)
def test_known_points_of_the_distributions(kind, statistic, df, df2, p):
    assert p_of(kind, statistic, df, df2) == pytest.approx(p, abs=1e-6)


def exact():
    """Return an estimate whose p and interval have all their digits."""
    entry = copy.deepcopy(ESTIMATE)
    entry["p"] = p_of("t", 2.0, 30.0)
    assert entry["p"] == pytest.approx(ESTIMATE["p"], rel=1e-6)
    return entry


def test_an_estimate_that_agrees_with_itself():
    tally = statcheck({"estimates": [exact()]}, "fits/one.json")
    assert (tally.recomputed, tally.not_recomputed, tally.disagreements) == (1, [], [])


@pytest.mark.parametrize(("p", "wrong"), [(0.0, False), (1e-315, False), (1e-300, True)])
def test_p_below_the_smallest_number_with_all_digits_may_be_zero(p, wrong):
    se = 1 / 37.9785  # SciPy says 0, the complementary error function 1.3e-315
    entry = exact() | {"statistic": 37.9785, "df": None, "p": p, "se": se,
                       "ci_low": 1 - 1.959963984540054 * se,
                       "ci_high": 1 + 1.959963984540054 * se}  # fmt: skip
    assert bool(statcheck([entry], "f").disagreements) is wrong


@pytest.mark.parametrize("key", ["estimate", "se", "df", "statistic", "p", "ci_low", "ci_high"])
def test_a_changed_number_of_an_estimate_is_found(key):
    entry = exact()
    entry[key] *= 1.0001
    told = statcheck({"estimates": [entry]}, "fits/one.json").disagreements
    assert told
    assert all(sentence.startswith("fits/one.json#/estimates/0") for sentence in told)


def test_a_ratio_is_the_exponential_of_its_estimate():
    entry = exact() | {"ratio": 2.718281828459045}
    assert statcheck([entry], "f").disagreements == []
    assert statcheck([entry | {"ratio": 2.7}], "f").disagreements


def test_an_estimate_without_a_test_has_an_interval_of_its_own():
    entry = exact() | {"statistic": None, "p": None, "ci_low": 0.1}
    tally = statcheck([entry], "f")
    assert (tally.recomputed, tally.disagreements) == (0, [])


def test_a_p_without_a_statistic_is_counted_as_not_recomputed():
    assert statcheck({"chance": {"p": 0.2}}, "f").not_recomputed == ["f#/chance/p"]


STEPS = [
    {"label": "small", "against": "", "n_parameters": 3, "log_likelihood": -110.0, "p_kind": "",
     "statistic": None, "df": None, "p": None},
    {"label": "large", "against": "small", "n_parameters": 5, "log_likelihood": -107.430788,
     "p_kind": "mixture", "statistic": 5.138424, "df": 2, "p": None},
]  # fmt: skip


def test_a_step_is_tested_by_its_own_distribution_and_likelihoods():
    steps = copy.deepcopy(STEPS)
    steps[1]["p"] = p_of("mixture", 5.138424, 2)
    assert statcheck({"steps": steps}, "f").disagreements == []
    for key, wrong in (("p_kind", "chi2"), ("df", 3), ("log_likelihood", -107.0)):
        changed = copy.deepcopy(steps)
        changed[1][key] = wrong
        assert statcheck({"steps": changed}, "f").disagreements, key


def test_tests_of_invariance_have_keys_of_their_own():
    row = {
        "chi2": 20.0, "df": 10, "p": p_of("chi2", 20.0, 10),
        "change_chi2": 8.0, "change_df": 4, "change_p": p_of("chi2", 8.0, 4),
        "change_chi2_scaled": 6.0, "change_p_scaled": p_of("chi2", 6.0, 4),
    }  # fmt: skip
    assert statcheck([row], "m").recomputed == 3
    assert statcheck([row], "m").disagreements == []
    for key in ("p", "change_p", "change_p_scaled"):
        assert len(statcheck([row | {key: row[key] / 2}], "m").disagreements) == 1


# As printed: the examples follow the kinds that the tests of the R package statcheck use.


def test_a_printed_number_has_a_comparison_and_decimals():
    assert number_of("<\u202f.001").comparison == "<"
    assert number_of("=\u00a0.050").decimals == 3
    assert number_of("\u22121,234.5").value == 1234.5
    assert number_of("3 × 10²") is None


def told_of(tmp_path, kind, statistic, df, p, df2=None):
    """Return what the check says of numbers printed in one line."""
    # what the file says is of no interest but for the kind of the test: another check compares
    entry = {"kind": kind, "statistic": 1.0, "df": None if kind == "z" else 1, "p": 0.5}
    entry["df2"] = 1 if df2 else None
    files.write_json({"tests": [entry]}, tmp_path / "fit.json")
    shown = [("statistic", statistic, "decimals:2"), ("df", df, "df"), ("df2", df2, "df"),
             ("p", p, "p")]  # fmt: skip
    printed = [
        Printed(f"f{k}", f"fit.json#/tests/0/{key}", format, text=text)
        for k, (key, text, format) in enumerate(shown)
        if text is not None
    ]
    return statcheck_printed(Page(printed=printed), Sources(tmp_path))


@pytest.mark.parametrize(
    ("kind", "statistic", "df", "p", "df2"),
    [
        ("t", "2.20", "28", "= .036", None),
        ("t", "−2.20", "28", "= .036", None),
        ("t", "2.20", "28.3", "= .036", None),
        ("t", "2.0", "30", "= .051", None),  # 2.04 would round to 2.0 and has .0503
        ("t", "12.10", "28", "< .001", None),
        ("F", "4.35", "1", "= .046", "28"),
        ("chi2", "3.84", "1", "= .050", None),
        ("z", "0.00", None, "= 1.000", None),
        ("t", "2.34", "1,036", "= .019", None),
    ],
)
def test_numbers_that_may_go_together(tmp_path, kind, statistic, df, p, df2):
    tally = told_of(tmp_path, kind, statistic, df, p, df2)
    assert (tally.recomputed, tally.disagreements) == (1, [])


@pytest.mark.parametrize(
    ("kind", "statistic", "df", "p", "df2", "decision"),
    [
        ("t", "2.20", "28", "= .060", None, True),
        ("t", "1.20", "28", "= .030", None, True),
        ("t", "2.20", "28", "= .038", None, False),
        ("t", "1.20", "28", "< .001", None, True),
        ("t", "3.20", "28", "< .001", None, False),
        ("t", "2.20", "28", "= .000", None, False),
        ("F", "2.20", "2", "= .030", "28", True),
        ("chi2", "52.20", "28", "= .060", None, True),
        ("z", "2.20", None, "= .060", None, True),
        ("z", "2.20", None, "> .060", None, True),
        ("t", "2.20", "28.3", "= .038", None, False),
    ],
)
def test_numbers_that_cannot_go_together(tmp_path, kind, statistic, df, p, df2, decision):
    (told,) = told_of(tmp_path, kind, statistic, df, p, df2).disagreements
    assert ("another side of .05" in told) == decision


def test_a_test_that_is_not_printed_in_full_is_not_recomputed(tmp_path):
    assert told_of(tmp_path, "t", "2.20", None, "= .900").recomputed == 0


def test_numbers_of_two_tests_in_one_line_are_found(tmp_path):
    files.write_json({"tests": [exact(), exact()]}, tmp_path / "fit.json")
    one = Printed("f1", "fit.json#/tests/0/statistic", "decimals:2", text="2.00", line=1)
    other = Printed("f2", "fit.json#/tests/1/p", "p", text="= .055", line=1)
    (told,) = statcheck_printed(Page(printed=[one, other]), Sources(tmp_path)).disagreements
    assert "of two tests" in told
    other.line = 2
    assert statcheck_printed(Page(printed=[one, other]), Sources(tmp_path)).disagreements == []
