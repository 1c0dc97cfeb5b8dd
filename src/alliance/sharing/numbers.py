"""Means and effects that may be shared, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alliance.sharing.counts import Rule
from alliance.sharing.gather import ALL, DOMINANCE_SHARE, is_sum_of_sessions

# ASSUME what spans fewer units than this may be a code of two or three categories, whose mean
# would be a percentage of an exact count.
FEWEST_UNITS = 8
# ASSUME effects and variances of a model are safe with at least ten degrees of freedom left over
# for clients: no estimate then rests on a handful of persons by arithmetic alone.
FEWEST_DF = 10
DIGITS = 3
UNSAFE_FAMILIES = ("by_site", "specifications", "therapists", "panel_estimators")
FITTED = ("converged", "singular")
Row = Mapping[str, Any]


def gather_means(
    description: Row, hidden_sites: bool, rule: Rule
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return means and SDs that may be shown, and the characteristics that have none.

    Means of sites are shown only where the clients of every site are: from the mean of all and the
    means of the others one could reckon that of the site whose clients are hidden.
    """
    shown: list[dict[str, Any]] = []
    left_out = []
    sessions = {row["site"]: row["sessions"] for row in description["flow"]}
    numeric = [row for row in description["sample"] if row["category"] is None]
    for name in dict.fromkeys(row["characteristic"] for row in numeric):
        rows = [r for r in numeric if r["characteristic"] == name and r["n"]]
        sites = [row for row in rows if row["site"] != ALL]
        overall = [row for row in rows if row["site"] == ALL]
        if all(is_sum_of_sessions(row, sessions[row["site"]]) for row in rows):
            left_out.append(name)  # sum and mean together tell how many clients exactly
            continue
        everywhere = not hidden_sites and all(_mean_is_safe(row, rule) for row in rows)
        told = rows if everywhere else overall
        if not everywhere and (not overall or not _mean_is_safe(overall[0], rule)):
            told = []
        if len(told) < len(overall) + len(sites):
            left_out.append(name)
        shown += [
            {
                "characteristic": name,
                "unit": row["unit"],
                "site": row["site"],
                "mean": round(row["mean"], 1),
                "sd": None if row["sd"] is None else round(row["sd"], 1),
            }
            for row in told
        ]
    return shown, left_out


def _mean_is_safe(row: Row, rule: Rule) -> bool:
    """Tell whether no client of a group could be read out of its mean.

    The description does not say what each client adds; nobody adds more than the highest value.
    """
    if row["n"] < rule.fewest or row["mean"] is None or row["minimum"] is None:
        return False
    if row["minimum"] < 0:  # the rule is one for sums of what is never negative
        return False
    if row["maximum"] - row["minimum"] < FEWEST_UNITS:
        return False
    rest = row["n"] * row["mean"] - 2 * row["maximum"]
    return bool(rest >= DOMINANCE_SHARE * row["maximum"])


def gather_effects(fits: Sequence[Row]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return effects that may be shown, and the models of which none is."""
    shown: list[dict[str, Any]] = []
    left_out = []
    for fit in fits:
        rows = [row for row in fit["estimates"] if _is_slope(row)] if _model_is_safe(fit) else []
        if not rows:
            left_out.append(fit["model"])
        shown += [
            {
                "model": fit["model"],
                "title": fit["title"],
                "effect": row["label"],
                "term": row["term"],
                **{key: significant(row[key]) for key in ("estimate", "se", "ci_low", "ci_high")},
                "p": None if row["p"] is None else max(round(row["p"], 3), 0.001),
                "unit": row["unit"],
                "status": fit["status"],
            }
            for row in rows
        ]
    return shown, left_out


def _model_is_safe(fit: Row) -> bool:
    groups = {group["level"]: group["n"] for group in fit["data"]["groups"]}
    if fit["status"] not in FITTED or fit["family"] in UNSAFE_FAMILIES or "client" not in groups:
        return False
    parameters = len(fit["estimates"]) + len(fit["variance_components"])
    return bool(groups["client"] - parameters >= FEWEST_DF)


def _is_slope(row: Row) -> bool:
    """Tell effects from means of groups: intercepts and categories are (differences of) means."""
    grouped = "[" in row["term"] or bool(row["group"]) or row["level"] == "intercept"
    return row["estimate"] is not None and not grouped


def significant(value: float | None) -> float | None:
    """Return a number with three significant digits."""
    return None if value is None else float(f"{value:.{DIGITS}g}")
