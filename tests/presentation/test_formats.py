"""How numbers are printed: APA style, honest rounding."""

import pytest

from alliance.findings.formats import clean_text, decimals_for, format_value, has_digit


@pytest.mark.parametrize(
    ("name", "values", "printed"),
    [
        ("count", (1234567,), "1,234,567"),
        ("decimals:2", (-0.125,), "−0.12"),
        ("decimals:2", (-0.001,), "0.00"),  # a value that rounds to zero has no sign
        ("decimals:1", (12345.67,), "12,345.7"),
        ("p", (0.0004,), "<\u202f.001"),
        ("p", (0.0005,), "=\u00a0.001"),
        ("p", (0.04,), "=\u00a0.040"),
        ("p-cell", (0.9999,), "1.000"),
        ("p-cell", (0.999,), ".999"),
        ("correlation", (-0.1999,), "−.20"),
        ("correlation", (1.0,), "1.00"),
        ("percent:1", (24.44,), "24.4%"),
        ("share:0", (0.555,), "56%"),
        ("ratio", (0.0123,), "0.012"),
        ("ratio", (0.937,), "0.94"),
        ("ratio", (123.4,), "123.4"),
        ("ratio", (1e9,), ">\u202f1,000"),
        ("df", (38.0,), "38"),
        ("df", (38.26,), "38.3"),
        ("scientific", (2.1e-06,), "2.1 × 10⁻⁶"),
        ("scientific", (0.0,), "0"),
        ("general", (12.0,), "12"),
        ("general", (-1.5,), "−1.5"),
        ("stars", (0.0009, "converged"), "***"),
        ("stars", (0.009, "singular"), "**"),
        ("stars", (0.049, "converged"), "*"),
        ("stars", (0.05, "converged"), ""),
        ("stars", (0.0001, "failed"), ""),
        ("stars", (0.0001, "refused"), ""),
        ("inside:in|out", (1.0, 0.5, 1.0), "in"),
        ("inside:in|out", (1.1, 0.5, 1.0), "out"),
        ("change:more|less|unclear", (0.1, 0.3), "more"),
        ("change:more|less|unclear", (-0.3, -0.1), "less"),
        ("change:more|less|unclear", (-0.3, 0.1), "unclear"),
        ("component", ("1",), "intercept"),
        ("component", ("log_weeks",), "log weeks"),
        ("status", ("failed",), "did not converge"),
    ],
)
def test_a_value_is_printed_in_apa_style(name, values, printed):
    assert format_value(name, *values) == printed


@pytest.mark.parametrize(
    ("se", "format"),
    [(12.0, "decimals:1"), (0.5, "decimals:2"), (0.05, "decimals:2"), (0.012, "decimals:3"),
     (0.0096, "decimals:3"), (0.0004, "decimals:5"), (1e-9, "decimals:5"), (None, "decimals:2")],
)  # fmt: skip
def test_rounding_changes_a_value_by_a_tenth_of_its_standard_error_at_most(se, format):
    assert decimals_for(se, 0.0) == format
    if se and 1e-4 < se < 10:
        half_a_unit = 0.5 * 10.0 ** -int(format.partition(":")[2])
        assert half_a_unit <= 0.1 * se * (1 + 1e-12)


@pytest.mark.parametrize(
    ("ends", "format"),
    [((0.03, 0.4), "decimals:2"), ((0.004, 0.4), "decimals:3"), ((-0.8, -0.0004), "decimals:4"),
     ((0.0, 0.4), "decimals:2"), ((1e-9, 0.4), "decimals:5"), ((None, None), "decimals:2")],
)  # fmt: skip
def test_an_interval_that_does_not_reach_zero_is_not_rounded_to_it(ends, format):
    assert decimals_for(0.1, 0.2, *ends) == format


@pytest.mark.parametrize(
    ("ratio", "printed"),
    [(1.0, "1.00"), (0.997, "0.997"), (1.0049, "1.005"), (0.99996, "1.000"), (0.994, "0.99")],
)
def test_a_ratio_that_is_not_one_is_not_rounded_to_it(ratio, printed):
    assert format_value("ratio", ratio) == printed


def test_an_unknown_format_is_an_error():
    with pytest.raises(KeyError):
        format_value("nonsense", 1)


def test_control_and_direction_characters_are_made_visible():
    assert clean_text("a\x00b\u202ec\x1b") == "a\ufffdb\ufffdc\ufffd"
    assert clean_text("two\nlines\tkept") == "two\nlines\tkept"


@pytest.mark.parametrize("text", ["7", "x²", "٣", "½"])
def test_digits_of_any_script_count_as_digits(text):
    assert has_digit(text)
