"""Many tests: which effects are primary, and p values adjusted within each family of tests.

The config names the primary effects; all others are exploratory. Primary p values are adjusted by
Holm's step-down method, which bounds the chance of one false finding among them; exploratory ones
by that of Benjamini and Hochberg, which bounds the expected share of false findings.

Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics, 6, 65-70.
Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
Statistical Society B, 57, 289-300.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from alliance import files
from alliance.config.closed_schema import schema
from alliance.config.primary import is_named
from alliance.families.fit import USABLE


class Group(StrEnum):
    """The families of tests: within each, p values are adjusted together."""

    PRIMARY = "primary"
    EFFECTS = "exploratory_effects"
    CORRELATIONS = "exploratory_correlations"


class Adjusted(StrEnum):
    """How the p values of a family are adjusted."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"


GROUP_WORDS = {
    Group.PRIMARY: "primary effects, which the configuration names",
    Group.EFFECTS: "exploratory effects of models",
    Group.CORRELATIONS: "exploratory correlations between scores",
}
METHOD_OF = {
    Group.PRIMARY: Adjusted.HOLM,
    Group.EFFECTS: Adjusted.BENJAMINI_HOCHBERG,
    Group.CORRELATIONS: Adjusted.BENJAMINI_HOCHBERG,
}
METHOD_WORDS = {
    Adjusted.HOLM: "Holm’s step-down method",
    Adjusted.BENJAMINI_HOCHBERG: "the false discovery rate of Benjamini and Hochberg",
}
IN_STATSMODELS = {Adjusted.HOLM: "holm", Adjusted.BENJAMINI_HOCHBERG: "fdr_bh"}


@dataclass(frozen=True, slots=True)
class Tested:
    """A test that counts: the address of its entry, its p value, and its family."""

    at: str
    p: float
    group: Group


def adjusted(p: Sequence[float], method: Adjusted) -> list[float]:
    """Return the adjusted p values, in the order given.

    Parameters
    ----------
    p
        Values between 0 and 1 of all tests of a family.
    method
        Holm (1979) or Benjamini & Hochberg (1995).
    """
    from statsmodels.stats.multitest import multipletests

    return [float(q) for q in multipletests(p, method=IN_STATSMODELS[method])[1]] if len(p) else []


def multiplicity_of(
    fits: Mapping[str, Mapping[str, Any]],
    correlations: Sequence[Mapping[str, Any]],
    primary: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Return the content of multiplicity.json.

    Parameters
    ----------
    fits
        Address of the file to the fit, as plain values.
    correlations
        Those of measurement.json.
    primary
        The config's entry: model to the effects that are primary.
    """
    tests = list(_effects(fits, primary))
    tests += [
        Tested(f"measurement.json#/correlations/{place}", pair["p"], Group.CORRELATIONS)
        for place, pair in enumerate(correlations)
        if pair["p"] is not None
    ]
    groups, entries = [], []
    for group in Group:
        own = [test for test in tests if test.group == group]
        method = METHOD_OF[group]
        groups.append(
            {
                "code": group.value,
                "text": GROUP_WORDS[group],
                "adjustment": {"code": method.value, "text": METHOD_WORDS[method]},
                "tests": len(own),
            }
        )
        together = zip(own, adjusted([test.p for test in own], method), strict=True)
        entries += [{"at": test.at, "group": group.value, "p_adjusted": q} for test, q in together]
    return {
        "schema": "alliance-multiplicity-1",
        "primary_named": bool(primary),
        "groups": groups,
        "tests": entries,
        "not_estimated": list(_not_estimated(fits, primary)),
    }


def _effects(
    fits: Mapping[str, Mapping[str, Any]], primary: Mapping[str, Sequence[str]]
) -> Iterator[Tested]:
    """Yield the effects that models ask about, and those that are named as primary."""
    # ASSUME intercepts, sites and what is adjusted for are no hypotheses, nor is the same effect
    # under another choice or by another estimator a further one: they do not count.
    for file, fit in fits.items():
        if fit["status"] not in USABLE:
            continue
        named = primary.get(fit["model"], ())
        for place, entry in enumerate(fit["estimates"]):
            if entry["p"] is None:
                continue
            at = f"{file}#/estimates/{place}"
            if is_named(entry["term"], named):
                yield Tested(at, entry["p"], Group.PRIMARY)
            elif entry["role"] == "main" and not fit["about"]:
                yield Tested(at, entry["p"], Group.EFFECTS)


def _not_estimated(
    fits: Mapping[str, Mapping[str, Any]], primary: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, str]]:
    """Yield the effects that are named and have no p value in this run."""
    by_model = {fit["model"]: fit for fit in fits.values()}
    for model, effects in primary.items():
        fit = by_model[model]
        tested = [e["term"] for e in fit["estimates"] if e["p"] is not None]
        for effect in effects:
            if fit["status"] not in USABLE or not any(is_named(term, [effect]) for term in tested):
                yield {"model": model, "title": fit["title"], "effect": effect}


def adjust_for_many_tests(
    *,
    fits: Sequence[str | Path],
    measurement: str | Path,
    primary: Mapping[str, Sequence[str]],
    multiplicity: str | Path,
) -> None:
    """Write multiplicity.json; addresses count from its folder."""
    folder = Path(multiplicity).parent
    read = {Path(p).relative_to(folder).as_posix(): files.read_json(p) for p in fits}
    content = multiplicity_of(read, files.read_json(measurement)["correlations"], primary)
    import jsonschema

    jsonschema.Draft202012Validator(schema("multiplicity")).validate(content)
    files.write_json(content, multiplicity)
