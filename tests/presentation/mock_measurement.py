"""A made-up description of the measures, valid by its schema: good, refused and missing numbers."""

from __future__ import annotations

from typing import Any

from scipy import special

STEPS = ("configural", "metric", "scalar", "strict")


def measurement(description: dict[str, Any]) -> dict[str, Any]:
    """Return what would stand beside this description of a cohort."""
    parts: dict[str, Any] = {name: [] for name in PARTS}
    sites = [row["site"] for row in description["flow"] if row["site"] != "all"]
    for k, measure in enumerate(description["measures"]):
        for part, rows in _of(measure, k, sites, parts).items():
            parts[part] += rows
    parts |= _correlations(description["measures"])
    bounds = {"cfi_may_fall": 0.01, "rmsea_may_rise": 0.015}
    return {
        "schema": "alliance-measurement-1", "seed": 1, "invariance_bounds": bounds, **parts
    }  # fmt: skip


def reference() -> dict[str, Any]:
    """Return an instrument's paper as its key names it: without a title."""
    return {
        "id": "hatcher2006-12", "type": "article-journal",
        "author": [{"family": "Hatcher", "given": "R. L."},
                   {"family": "Gillaspy", "given": "J. A."}],
        "issued": {"date-parts": [[2006]]}, "container-title": "Psychotherapy Research",
        "volume": "16", "issue": "1", "page": "12-25", "DOI": "10.1080/10503300500352500",
        "custom": {"checked": False},
    }  # fmt: skip


def _correlations(measures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return statistics and correlations; nothing can be told of the second measure."""
    heads = [
        {"measure": m["name"], "score": "total", "label": m["label"], "main": True}
        for m in measures
    ]
    heads.append({"measure": "time", "score": "time", "label": "Weeks since intake", "main": True})
    numbers = {"mean": 41.25, "sd": 6.5, "sd_within": 4.125, "sd_between": 5.0}
    statistics, pairs = [], []
    for k, one in enumerate(heads):
        few = one["measure"] != "time" and k == 1
        told = dict.fromkeys(numbers) if few else numbers
        statistics.append(
            {**one, "clients": 5 if few else 480, "rows": 40 if few else 4950, **told}
        )
        for n, two in enumerate(heads[k + 1 :], k + 1):
            few = 1 in (k, n)
            both = {f"{key}_{at}": head[key] for at, head in ((1, one), (2, two))
                    for key in ("measure", "score", "label")}  # fmt: skip
            for level, r, df in (("within", -0.31, 4400), ("between", 0.043, 478)):
                found = {"r": r, "df": df, "p": 0.0004 if level == "within" else 0.3456,
                         "low": r - 0.05, "high": r + 0.05, "message": "",
                         "corrected": 0.06 if level == "between" else None}  # fmt: skip
                if few:
                    found |= dict.fromkeys(("r", "df", "p", "low", "high", "corrected"))
                    found["message"] = "Fewer than 8 clients have both."
                counts = {"rows": 40 if few else 4900, "clients": 5 if few else 480}
                pairs.append({**both, "main": True, "level": level, **counts, **found})
    return {"score_statistics": statistics, "correlations": pairs}


PARTS = (
    "measures", "evidence", "scores", "published_reliability", "prorating", "items", "reliability",
    "generalizability", "components", "coefficients", "decision", "sessions_needed",
    "multilevel_omega", "variance_shares", "variance_notes", "invariance", "invariance_steps",
    "invariance_releases", "score_statistics", "correlations",
)  # fmt: skip


def _of(measure: dict[str, Any], k: int, sites: list[str], parts: Any) -> dict[str, Any]:
    name, label = measure["name"], measure["label"]
    head = {"measure": name, "score": "total", "label": label}
    unverified = k == 1
    refused = k == 1  # nothing can be told of the second measure
    return {
        "measures": [
            {
                "measure": name, "label": label, "instrument": "wai-sr-c", "name": "The form",
                "abbreviation": measure["abbreviation"], "rater": "client",
                "construct": "alliance", "items": 12, "reversed_items": "4, 10",
                "status": "check" if unverified else "ready", "unverified": unverified,
                "totals_only": False,
                "parts_not_read_in_a_source": 0 if k == 2 else 2,
                "unanswered": "up to 25% of a score's items may be missing",
                "not_applicable": "“does not apply” (9; any item) counts as unanswered",
                "disagreements": ["one page prints 3 for 4"] if unverified else [],
                "reference": None if unverified else reference(),
            }
        ],
        "evidence": [
            {"measure": name, "part": "reversed items", "confidence": "uncertain",
             "verified": False, "source": "a page, read in 2020"},
        ],
        "scores": [
            {**head, "rule": "sum", "items": "1 to 12", "lowest": 12, "highest": 60,
             "unanswered_most": 3},
            {**head, "score": "goal", "label": f"{label}: goal", "rule": "mean, times 10",
             "items": "the highest of 1, 2", "lowest": None, "highest": None,
             "unanswered_most": None},
        ],
        "published_reliability": [
            {"measure": name, "score": "total", "alpha": 0.92, "retest": None, "sample": "one",
             "confidence": "read in a source"},
        ],
        "prorating": [
            {**head, "session": session, "sessions": 100, "forms": 90, "complete": 80,
             "prorated": 8, "refused": 2, "no_form": 10, "complete_percent": 80.0,
             "prorated_percent": 8.0, "refused_percent": 2.0, "no_form_percent": 10.0}
            for session in (["all"] if refused else ["all", *map(str, range(1, 13))])
        ],
        "items": [
            {**head, "item": str(item), "answered": 900, "unanswered_percent": 2.1, "mean": 3.4,
             "item_rest": None if item == 2 else 0.61}
            for item in range(1, 4)
        ],
        "reliability": _reliability(head, sites, refused),
        "generalizability": [
            {**head, "clients": 120, "forms": 800, "incomplete_forms": 60, "items": 12,
             "mean_sessions": None if refused else 5.4,
             "message": "Every client has one complete form." if refused else ""},
        ],
        "components": [] if refused else [
            {**head, "design": "nested", "component": "client", "variance": 0.2, "share": 0.4},
        ],
        "coefficients": [] if refused else [
            {**head, "design": "nested", "name": "R_CN", "meaning": "change", "sessions": None,
             "value": 0.78, "low": 0.75, "high": 0.81},
            {**head, "design": "crossed", "name": "R_1F", "meaning": "one session",
             "sessions": 1.0, "value": None, "low": None, "high": None},
        ],
        "decision": [] if refused else [
            {**head, "sessions": n, "reliability": n / (n + 0.7), "low": n / (n + 0.9),
             "high": n / (n + 0.5)}
            for n in (1, 2, 4, 8, 16)
        ],
        "sessions_needed": [] if refused else [
            {**head, "target": 0.8, "sessions": 3}, {**head, "target": 0.9, "sessions": None},
        ],
        "multilevel_omega": [
            {**head, "kind": "" if refused else "between", "meaning": "a client's mean",
             "printed": True, "clients": 120, "forms": 800, "incomplete_forms": 60,
             "forms_per_client": 5.4, "estimate": None if refused else 0.86,
             "low": None if refused else 0.83, "high": None if refused else 0.88,
             "message": "There is no stable solution." if refused else ""},
        ],
        "variance_shares": [] if refused else [
            {**head, "level": level, "groups": groups, "variance": share, "share": share,
             "share_low": low, "share_high": high, "icc": None if level == "session" else share,
             "icc_low": low, "icc_high": high}
            for level, groups, share, low, high in (
                ("site", 4, 0.02, None, None), ("therapist", 40, 0.08, 0.02, 0.15),
                ("client", 120, 0.5, 0.4, 0.6), ("session", 800, 0.4, 0.3, 0.5),
            )
        ],
        "variance_notes": [{**head, "message": "4 sites say little."}],
        **_invariance(name, label, refused),
    }  # fmt: skip


def _reliability(head: dict[str, Any], sites: list[str], refused: bool) -> list[dict[str, Any]]:
    groups = [("all", "all"), *((site, "all") for site in sites)]
    groups += [("all", session) for session in ("1", "3", "last")]
    rows = []
    for k, (site, session) in enumerate(groups):
        known = not refused and k != len(groups) - 3
        rows.append(
            {
                **head, "site": site, "session": session, "clients": 120, "forms": 800,
                "items": 12, "alpha": 0.9 if known else None, "alpha_low": 0.85 if known else None,
                "alpha_high": 0.93 if known else None, "alpha_standardised": None,
                "omega": None if k == 1 or not known else 0.91, "omega_low": None,
                "omega_high": None, "message": "" if known else "Fewer than eight clients.",
            }
        )  # fmt: skip
    return rows


def _invariance(name: str, label: str, refused: bool) -> dict[str, Any]:
    rows, steps, releases = [], [], []
    for over in ("sites", "sessions"):
        head = {"measure": name, "label": label, "over": over}
        rows.append(
            {
                **head, "factors": "goal, task, bond",
                "groups": [] if refused else [{"name": "north", "forms": 300}],
                "left_out": [{"name": "south", "why": "12 forms, fewer than 50"}],
                "level": None if refused else "metric",
                "partial_step": None if refused else "scalar",
                "partial_reached": None if refused else True,
                "message": "There is one site: nothing to compare." if refused else "",
            }
        )  # fmt: skip
        if refused:
            continue
        for k, step in enumerate(STEPS):
            change = -0.002 - 0.01 * (k == 2) if k else None
            steps.append(
                {
                    **head, "step": step, "partial": False, "chi2": 212.3, "df": 204,
                    "p": float(special.chdtrc(204, 212.3)),
                    "chi2_scaled": None, "scaling": None, "cfi": 0.96, "tli": 0.95, "rmsea": 0.04,
                    "rmsea_low": 0.03, "rmsea_high": 0.05, "srmr": 0.05, "change_chi2": 12.0,
                    "change_df": 9, "change_p": float(special.chdtrc(9, 12.0)),
                    "change_chi2_scaled": None,
                    "change_p_scaled": None, "change_cfi": change,
                    "change_rmsea": None if change is None else 0.001, "change_srmr": None,
                    "holds": None if not k else k != 2, "converged": k != 3, "improper": 0,
                }
            )  # fmt: skip
        releases.append(
            {**head, "step": "scalar", "what": "intercept", "item": "item 3", "chi2": 22.0,
             "df": 3, "p": float(special.chdtrc(3, 22.0))}
        )  # fmt: skip
    return {"invariance": rows, "invariance_steps": steps, "invariance_releases": releases}
