"""Recompute every printed p: does it go with the statistic and df printed beside it.

The rules are those of the R package statcheck (Nuijten, Hartgerink, van Assen, Epskamp & Wicherts
2016): a printed statistic stands for every number that rounds to it, so that a range of p goes with
it; a printed p outside of that range, rounded as it is, is an inconsistency, and a decision error
if it is on another side of .05. Two things differ here: fractional degrees of freedom are rounded
in print too, so the range is over them as well; and what is read is each line of a table and each
paragraph as it is printed, so that numbers of two tests put side by side are found.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from alliance.findings.fields import Sources
from alliance.findings.formats import MINUS
from alliance.findings.printed import Page, Printed
from alliance.findings.statcheck import ALPHA, OWN_TESTS, Tally, Test, keys_of, p_of, test_of

P_FORMATS = ("p", "p-cell")
NUMBER = re.compile(r"([<>=]?)\s*(\d[\d,]*\.?\d*|\.\d+)")
WHOLE_FROM = 1000  # from here on `formats.df` prints fractional degrees of freedom as whole ones


@dataclass(frozen=True, slots=True)
class Number:
    """A number as printed: `half` is half a unit of its last digit."""

    comparison: str
    value: float
    decimals: int

    @property
    def half(self) -> float:
        """Half a unit of the last digit: what rounding may have changed."""
        return 0.5 * 10.0**-self.decimals


def number_of(text: str) -> Number | None:
    """Return a number as printed; its sign does not count here, None where it is none."""
    found = NUMBER.fullmatch(
        text.replace("\u202f", " ").replace("\u00a0", " ").lstrip(MINUS + "- ")
    )
    if found is None:
        return None
    digits = found[2].replace(",", "")
    return Number(found[1] or "=", float(digits), len(digits.partition(".")[2]))


def statcheck_printed(page: Page, sources: Sources) -> Tally:
    """Recompute every p that is printed in one line with its statistic and degrees of freedom.

    Parameters
    ----------
    page
        What a reader sees, from `read_page` or `read_word` (then with formats from the list).
    sources
        The JSON files that the findings come from: they say which distribution a statistic has.
    """
    tally = Tally()
    for _, line in itertools.groupby(page.printed, key=lambda printed: printed.line):
        lines = _by_entry(line)
        for parent, numbers in lines.items():
            for key in OWN_TESTS:
                if key in numbers and numbers[key].format in P_FORMATS:
                    _check(tally, parent, key, numbers, sources)
        tally.disagreements += _mixed(lines)
    return tally


def _by_entry(line: Iterator[Printed]) -> dict[str, dict[str, Printed]]:
    """Return the findings of one line by the entry that they come from and their key in it."""
    found: dict[str, dict[str, Printed]] = {}
    for printed in line:
        parent, _, key = printed.address.rpartition("/")
        if printed.format.partition(":")[0] not in ("stars", "text", "change", "choice"):
            found.setdefault(parent, {}).setdefault(key, printed)
    return found


def _check(
    tally: Tally, parent: str, key: str, numbers: dict[str, Printed], sources: Sources
) -> None:
    try:
        entry = sources.look_up(parent)
        test, keys = test_of(entry, key), keys_of(entry, key)
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        return  # the comparison with the files says so
    if test is None or keys is None:
        return
    names = [keys[0], *((keys[1],) if test.df is not None else ())]
    names += ["df2"] if test.df2 is not None else []
    if not all(name in numbers for name in names):
        return  # not reported in full: nothing to recompute from
    shown = [number_of(numbers[name].text) for name in (*names, key)]
    words = ", ".join(numbers[name].text for name in names) + f", p {numbers[key].text}"
    if any(number is None for number in shown):
        tally.disagreements.append(f"{numbers[key].id}: cannot be read as a test: {words!r}")
        return
    *parts, p = (number for number in shown if number is not None)
    tally.recomputed += 1
    if told := _disagreement(test, parts, p):
        tally.disagreements.append(f"{numbers[key].id} ({parent}): {words!r}: {told}")


def _disagreement(test: Test, parts: list[Number], p: Number) -> str:
    """Return what is wrong with a printed p; empty if it may go with the others."""
    lowest, highest = _range(test.kind, parts)
    if p.value <= 0 and p.comparison != ">":
        wrong = True  # no p is zero
    elif p.comparison == "=":
        wrong = not _rounded(lowest, p) <= p.value <= _rounded(highest, p)
    elif p.comparison == "<":
        wrong = p.value < lowest
    else:
        wrong = p.value > highest
    if not wrong:
        return ""
    centre = p_of(test.kind, *_three([number.value for number in parts]))
    significant = p.value <= ALPHA if p.comparison != ">" else p.value < ALPHA
    decision = ", on another side of .05" if significant != (centre <= ALPHA) else ""
    return f"a p from {lowest:.4g} to {highest:.4g} goes with it{decision}"


def _range(kind: str, parts: list[Number]) -> tuple[float, float]:
    """Return the lowest and the highest p of all numbers that would be printed like these.

    p goes one way with each of them, so that the extremes are at corners.
    """
    statistic, *dfs = parts
    ends = [(max(statistic.value - statistic.half, 0.0), statistic.value + statistic.half)]
    for df in dfs:
        rounded = df.decimals > 0 or df.value >= WHOLE_FROM
        ends.append((df.value - df.half, df.value + df.half) if rounded else (df.value, df.value))
    found = [p_of(kind, *_three(list(corner))) for corner in itertools.product(*ends)]
    return min(found), max(found)


def _three(numbers: list[float]) -> tuple[float, float | None, float | None]:
    padded: list[float | None] = [*numbers[1:], None, None]
    return numbers[0], padded[0], padded[1]


def _rounded(value: float, like: Number) -> float:
    return round(value, like.decimals)


def _mixed(lines: dict[str, dict[str, Printed]]) -> Iterator[str]:
    """Say where one line prints the statistic of one test and the p of another."""
    without_p = [n["statistic"] for n in lines.values() if "statistic" in n and "p" not in n]
    without_statistic = [n["p"] for n in lines.values() if "p" in n and "statistic" not in n]
    if without_p and without_statistic:
        one, other = without_p[0], without_statistic[0]
        yield f"{one.id} and {other.id}: a statistic and a p in one line are of two tests"
