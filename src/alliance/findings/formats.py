"""The named ways to print a value: APA style, honest rounding, the same everywhere.

A format is a name with an optional argument after a colon (`decimals:2`). Most print one value;
some print a word that several values decide (`inside`: is the value within the interval?), so that
such words are findings too and are checked like numbers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from alliance.findings import citations

MINUS = "\u2212"
THIN = "\u202f"  # narrow no-break space
MISSING = "–"
MOST_DECIMALS = 5

STATUS_WORDS = {
    "converged": "converged",
    "singular": "singular: converged on the boundary",
    "failed": "did not converge",
    "refused": "not fitted",
}


def format_value(name: str, *values: Any) -> str:
    """Return the values as printed by the format `name`.

    Raises
    ------
    KeyError
        There is no such format.
    """
    kind, _, argument = name.partition(":")
    return FORMATS[kind](argument, *values)


def decimals_for(se: float | None, value: float | None = None, *ends: float | None) -> str:
    """Return the format in which rounding changes a value by a tenth of its standard error at most.

    An estimate is printed no finer than it is known: two decimals as a rule (one where the standard
    error is above 10), up to five where it is small. Without a standard error the value itself
    takes its place. `ends` are those of its interval, which is read by whether it holds zero: one
    that does not reach zero is not rounded to it.
    """
    scale = abs(se) if se else abs(value or 0.0)
    if not scale or not math.isfinite(scale):
        decimals = 2
    elif scale >= 10:
        decimals = 1
    else:
        decimals = min(MOST_DECIMALS, max(2, math.ceil(-math.log10(0.2 * scale))))
    while decimals < MOST_DECIMALS and any(end and round(end, decimals) == 0 for end in ends):
        decimals += 1
    return f"decimals:{decimals}"


def has_digit(text: str) -> bool:
    """Say whether a text holds a digit of any script."""
    return any(character.isnumeric() for character in text)


def as_value(raw: Any) -> str:
    """Return a value as the `value` attribute has it: full precision, text as it is."""
    return clean_text(raw) if isinstance(raw, str) else json.dumps(raw)


def clean_text(text: str) -> str:
    """Return text without control characters and without those that reverse reading direction."""
    return _CONTROL.sub("\ufffd", text)


_OF_OUTCOME = re.compile(r"'(\w+): 1'")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):
        # A value that rounds to zero has no sign.
        text = text[1:] if float(text.replace(",", "")) == 0 else MINUS + text[1:]
    return text


def _text(argument: str, value: Any) -> str:
    return clean_text(str(value))


def _component(argument: str, value: str) -> str:
    """Print a term of a random effect: the constant is the intercept."""
    return "intercept" if value == "1" else _text(argument, value).replace("_", " ")


def _component_words(argument: str, value: str) -> str:
    """Print how the engine names a component: `'1'` is the intercept, `'y: 1'` that of y."""
    words = _OF_OUTCOME.sub(r"the intercept of \1", _text(argument, value))
    words = words.replace("'1'", "the intercept").replace("_", " ").replace("'", "")
    return words.replace(" -", f" {MINUS}")


def _head(argument: str, value: str) -> str:
    """Print `Alliance, within client` as `Alliance`: without what follows the last comma."""
    return _text(argument, value.rpartition(", ")[0] or value)


def _spoken(argument: str, value: str) -> str:
    """Print a label in running text: `A → B` is `A to B`, `A ↔ B` is `A with B`."""
    return _text(argument, value).replace(" → ", " to ").replace(" ↔ ", " with ")


def _tail(argument: str, value: str) -> str:
    """Print `Alliance, next session` as `next session`: what follows the last comma."""
    return _text(argument, value.rpartition(", ")[2])


def _per(argument: str, value: str) -> str:
    """Print what a unit is counted by: `log odds per point` is `per point`."""
    return _text(argument, value[value.find("per ") :] if "per " in value else value)


def _count(argument: str, value: float) -> str:
    return _fixed(value, 0)


def _decimals(argument: str, value: float) -> str:
    return _fixed(value, int(argument))


def _percent(argument: str, value: float) -> str:
    return f"{_fixed(value, int(argument or 0))}%"


def _share(argument: str, value: float) -> str:
    return _percent(argument, 100 * value)


def _percentage_points(argument: str, value: float) -> str:
    """Print a difference between probabilities: 0.02 is 2 percentage points, not 2 per cent."""
    return _fixed(100 * value, int(argument or 1))


def _general(argument: str, value: float) -> str:
    """Print as many digits as are needed, up to 6 significant ones."""
    text = f"{value:.6g}"
    if "e" in text:
        return _scientific(argument, value)
    return MINUS + text[1:] if text.startswith("-") else text


def _correlation(argument: str, value: float) -> str:
    # No zero before the point where a number cannot exceed 1 (APA 7, 6.36).
    return _fixed(value, int(argument or 2)).replace("0.", ".", 1)


def _p_cell(argument: str, value: float) -> str:
    if value < 0.0005:
        return f"<{THIN}.001"
    # ASSUME a p that rounds to 1 is printed as such, with its zeros.
    return f"{value:.3f}".lstrip("0") if value < 0.9995 else "1.000"


def _p(argument: str, value: float) -> str:
    text = _p_cell(argument, value)
    return text if text.startswith("<") else f"=\u00a0{text}"


def _ratio(argument: str, value: float) -> str:
    if value >= 1000:
        return f">{THIN}1,000"
    decimals = 1 if value >= 100 else 2 if value >= 0.095 else 3
    # An interval is read by whether it holds one: what is not one is not rounded to it.
    while value != 1 and round(value, decimals) == 1 and decimals < 3:
        decimals += 1
    return _fixed(value, decimals)


def _exp(argument: str, value: float) -> str:
    """Print the ratio that a logarithm of odds or hazards is."""
    return _ratio(argument, math.exp(value))


def _df(argument: str, value: float) -> str:
    return _fixed(value, 0 if float(value).is_integer() or value >= 1000 else 1)


def _scientific(argument: str, value: float) -> str:
    if value == 0:
        return "0"
    digits, _, exponent = f"{value:.1e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits.replace('-', MINUS)} × 10{raised}"


def _stars(argument: str, p: float, status: str) -> str:
    # A fit that did not converge gets no stars anywhere.
    if status not in ("converged", "singular"):
        return ""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def _status(argument: str, value: str) -> str:
    return STATUS_WORDS[value]


def _change(argument: str, low: float, high: float) -> str:
    """Print one of `above|below|unclear` by where the interval lies against 0 (or 1: `change1`)."""
    above, below, unclear = argument.split("|")
    return above if low > 0 else below if high < 0 else unclear


def _turns(argument: str, *values: float) -> str:
    """Print the words where the values do not all have the same sign; nothing where they do."""
    return "" if min(values) > 0 or max(values) < 0 else argument


def _side(argument: str, value: float) -> str:
    above, below = argument.split("|")
    return above if value > 0 else below


def _inside(argument: str, value: float, low: float, high: float) -> str:
    inside, outside = argument.split("|")
    return inside if low <= value <= high else outside


def _choice(argument: str, value: Any) -> str:
    """Print `yes|no` words for true and false."""
    yes, no = argument.split("|")
    return yes if value else no


def _words(argument: str, value: str) -> str:
    """Print a short name as words: `no-client-id` is `no client id`."""
    return _text(argument, value).replace("-", " ").replace("_", " ")


def _key(argument: str, value: Mapping[str, Any]) -> str:
    """Print the name of an entry, given by its place (from 0), as words."""
    return _words("", list(value)[int(argument)])


def _digest(argument: str, value: str) -> str:
    """Print the first twelve characters of a hash."""
    return _text(argument, value)[:12]


def _citation(argument: str, value: Any) -> str:
    """Print an entry of CSL-JSON as a citation in brackets, or (`narrative`) in a sentence."""
    style = citations.narrative if argument == "narrative" else citations.citation
    return clean_text(style(value))


def _reference(argument: str, value: Any) -> str:
    """Print an entry of CSL-JSON for the list of references.

    `opening` and `closing` are what stands before and after the words in italics.
    """
    opening, _, closing = citations.reference_parts(value)
    parts = {"": citations.reference(value), "opening": opening, "closing": closing}
    return clean_text(parts[argument])


FORMATS: dict[str, Callable[..., str]] = {
    "text": _text,
    "words": _words,
    "key": _key,
    "digest": _digest,
    "citation": _citation,
    "reference": _reference,
    "component": _component,
    "per": _per,
    "component-words": _component_words,
    "head": _head,
    "tail": _tail,
    "spoken": _spoken,
    "count": _count,
    "decimals": _decimals,
    "percent": _percent,
    "share": _share,
    "percentage-points": _percentage_points,
    "general": _general,
    "correlation": _correlation,
    "p": _p,
    "p-cell": _p_cell,
    "ratio": _ratio,
    "exp": _exp,
    "df": _df,
    "scientific": _scientific,
    "stars": _stars,
    "status": _status,
    "change": _change,
    "turns": _turns,
    "side": _side,
    "inside": _inside,
    "choice": _choice,
}
