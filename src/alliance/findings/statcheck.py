"""Recompute every test in a file: do statistic, df, p and interval agree with each other.

A fit says of each test what it found (statistic, df, p) and of each estimate its standard error and
interval. They were computed together; this module computes p and interval anew from the others and
says where they differ. `statcheck_printed` does the same for the rounded numbers as printed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alliance.findings import tails
from alliance.findings.fields import escaped

ALPHA = 0.05
# Files hold every digit. What is left between two libraries' tails of a distribution is rounding,
# some 1e-12 of p (more of it far out: the rounding of a statistic of 100 changes p by 1e-12 too).
# The bound is what the project promises between machines.
RELATIVE = 1e-8
# The key of a p, with those of its statistic and degrees of freedom in the same entry.
OWN_TESTS = {
    "p": (("statistic", "df"), ("chi2", "df")),
    "change_p": (("change_chi2", "change_df"),),
    "change_p_scaled": (("change_chi2_scaled", "change_df"),),
}


@dataclass(frozen=True, slots=True)
class Test:
    """One test: `kind` is the distribution of the statistic: t, z, F, chi2 or mixture.

    A mixture is of chi-squared with df and df - 1, half and half: one variance at its boundary
    (Self & Liang 1987; Stram & Lee 1994).
    """

    kind: str
    statistic: float
    df: float | None
    df2: float | None
    p: float

    def recomputed(self) -> float:
        """Return the p that goes with statistic and df."""
        return p_of(self.kind, self.statistic, self.df, self.df2)

    def __str__(self) -> str:
        df = ", ".join(f"{df:g}" for df in (self.df, self.df2) if df is not None)
        return (
            f"{self.kind}({df}) = {self.statistic:g}" if df else f"{self.kind} = {self.statistic:g}"
        )


@dataclass(slots=True)
class Tally:
    """How many tests were recomputed, where one could not be, and what disagrees."""

    recomputed: int = 0
    not_recomputed: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)


def statcheck(content: Any, source: str) -> Tally:
    """Recompute every test and interval in the content of a fit or another JSON file.

    Parameters
    ----------
    content
        Plain values.
    source
        Name of the file, for the sentences.
    """
    tally = Tally()
    for pointer, entry in _entries(content, ""):
        for key in OWN_TESTS:
            if entry.get(key) is not None:
                _count(tally, entry, key, f"{source}#{pointer}/{key}")
        tally.disagreements += _of_estimate(entry, f"{source}#{pointer}")
    if isinstance(content, Mapping):
        tally.disagreements += _of_steps(content.get("steps") or [], source)
    return tally


def _entries(content: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return every object in a JSON file with its pointer."""
    if isinstance(content, Mapping):
        yield pointer, content
        for key, value in content.items():
            yield from _entries(value, f"{pointer}/{escaped(key)}")
    elif isinstance(content, list):
        for position, value in enumerate(content):
            yield from _entries(value, f"{pointer}/{position}")


def _count(tally: Tally, entry: Mapping[str, Any], key: str, address: str) -> None:
    test = test_of(entry, key)
    if test is None:
        tally.not_recomputed.append(address)
        return
    tally.recomputed += 1
    expected = test.recomputed()
    if not _same(test.p, expected):
        tally.disagreements.append(f"{address}: p is {test.p:.6g}, but {test} gives {expected:.6g}")


def keys_of(entry: Mapping[str, Any], key: str) -> tuple[str, str] | None:
    """Return the keys of statistic and df that go with a p in the same entry, None without."""
    return next((keys for keys in OWN_TESTS[key] if entry.get(keys[0]) is not None), None)


def test_of(entry: Mapping[str, Any], key: str) -> Test | None:
    """Return the test whose p stands under `key`; None where the entry has no statistic for it."""
    keys = keys_of(entry, key)
    if keys is None or entry.get(key) is None:
        return None
    statistic, df = entry[keys[0]], entry.get(keys[1])
    kind, df2 = _kind(entry, keys[0]), entry.get("df2")
    if (kind != "z" and df is None) or (kind == "F" and df2 is None):
        return None
    return Test(kind, statistic, df, df2, entry[key])


def _kind(entry: Mapping[str, Any], statistic: str) -> str:
    if statistic != "statistic":
        return "chi2"
    if "p_kind" in entry:  # a step of a ladder says which distribution it took
        return "mixture" if entry["p_kind"] == "mixture" else "chi2"
    if "estimate" in entry:
        return "z" if entry.get("df") is None else "t"
    return str(entry.get("kind", "chi2"))


def p_of(kind: str, statistic: float, df: float | None, df2: float | None = None) -> float:
    """Return the p of a statistic, two-sided for t and z."""
    if kind == "z":
        return tails.of_z(statistic)
    if df is None:
        return math.nan
    if kind == "t":
        return tails.of_t(statistic, df)
    if kind == "F" and df2 is not None:
        return tails.of_f(statistic, df, df2)
    if kind == "mixture":
        return 0.5 * tails.of_chi2(statistic, df - 1) + 0.5 * tails.of_chi2(statistic, df)
    return tails.of_chi2(statistic, df)


def _of_estimate(entry: Mapping[str, Any], address: str) -> Iterator[str]:
    """Say where an estimate's statistic, interval and ratio do not follow from it.

    An estimate without a statistic (a correlation, a prediction) has an interval of another kind.
    """
    names = ("estimate", "se", "statistic", "ci_low", "ci_high")
    estimate, se, statistic, low, high = (entry.get(name) for name in names)
    for name, ratio in (("estimate", "ratio"), ("ci_low", "ratio_low"), ("ci_high", "ratio_high")):
        value, shown = entry.get(name), entry.get(ratio)
        if value is not None and shown is not None and not _same(shown, math.exp(value)):
            yield f"{address}: {ratio} is {shown:.6g}, but exp({name}) is {math.exp(value):.6g}"
    if estimate is None or not se or statistic is None:
        return
    if not _same(statistic, estimate / se):
        yield f"{address}: statistic is {statistic:.6g}, but estimate / se is {estimate / se:.6g}"
    if low is None or high is None:
        return
    half = _quantile(entry.get("df")) * se
    for name, shown, expected in (
        ("ci_low", low, estimate - half),
        ("ci_high", high, estimate + half),
    ):
        if abs(shown - expected) > RELATIVE * max(se, abs(estimate)):
            yield f"{address}: {name} is {shown:.6g}, but estimate and se give {expected:.6g}"
    p = entry.get("p")
    if p is None or abs(p - ALPHA) <= RELATIVE:
        return
    if (p < ALPHA) != (low > 0 or high < 0):
        yield f"{address}: p is {p:.6g}, but the interval is from {low:.6g} to {high:.6g}"


def _quantile(df: float | None) -> float:
    return tails.z_of(ALPHA) if df is None else tails.t_of(ALPHA, df)


def _of_steps(steps: list[Mapping[str, Any]], source: str) -> Iterator[str]:
    """Say where a likelihood ratio of a ladder does not follow from the two likelihoods."""
    by_label = {step["label"]: step for step in steps}
    for position, step in enumerate(steps):
        smaller = by_label.get(step["against"])
        if smaller is None or step["statistic"] is None:
            continue
        ratio = max(2 * (step["log_likelihood"] - smaller["log_likelihood"]), 0.0)
        more = step["n_parameters"] - smaller["n_parameters"]
        # a difference of two large numbers keeps their absolute rounding, not its own
        if abs(step["statistic"] - ratio) > RELATIVE * abs(step["log_likelihood"]):
            yield (
                f"{source}#/steps/{position}: statistic is {step['statistic']:.6g}, but the two "
                f"likelihoods give {ratio:.6g}"
            )
        if step["df"] != more:
            yield f"{source}#/steps/{position}: df is {step['df']}, but {more} parameters are new"


def _same(one: float, other: float) -> bool:
    """Whether two numbers agree; below the smallest normal one digits are lost, SciPy's p is 0."""
    return abs(one - other) <= max(RELATIVE * max(abs(one), abs(other)), sys.float_info.min)
