"""Made-up fits and descriptions, valid by the schemas: good, singular, failed, refused, hostile."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import yaml
from scipy import special

from alliance import files
from alliance.families.multiplicity import adjust_for_many_tests

SCHEMAS = Path(__file__).resolve().parents[2] / "workflow" / "schemas"
FOUR = ("north", "east", "south", "west")
HOSTILE = (
    "<script>alert(1)</script> \"q\" 'a' **bold** [x](javascript:alert(2)) $\\frac{1}{0}$ {{7*7}}"
)


def fact(code: str, text: str) -> dict[str, str]:
    """Return a code with its text."""
    return {"code": code, "text": text}


def estimate(term: str, value: float, se: float, **more: Any) -> dict[str, Any]:
    """Return an estimate with a normal test, or a t test where `df` is given."""
    z, df = value / se, more.get("df")
    half = float(special.ndtri(0.975) if df is None else special.stdtrit(df, 0.975)) * se
    p = math.erfc(abs(z) / math.sqrt(2)) if df is None else 2 * float(special.stdtr(df, -abs(z)))
    base: dict[str, Any] = {
        "term": term,
        "label": term,
        "role": "main",
        "level": "within-client",
        "estimator": fact("mixed", "mixed model, REML"),
        "estimate": value,
        "se": se,
        "df": None,
        "statistic": z,
        "p": p,
        "ci_low": value - half,
        "ci_high": value + half,
        "unit": "points per point",
        "standardised": None,
        "ratio": None,
        "ratio_low": None,
        "ratio_high": None,
        "assumes": None,
    }
    return base | more


def as_odds(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the estimate with its exponential."""
    return entry | {
        "ratio": math.exp(entry["estimate"]),
        "ratio_low": math.exp(entry["ci_low"]),
        "ratio_high": math.exp(entry["ci_high"]),
    }


def component(
    level: str, one: str, two: str, value: float, second: float | None, share: Any = None
) -> dict[str, Any]:
    """Return a variance component."""
    return {
        "level": level,
        "name_1": one,
        "name_2": two,
        "variance_or_covariance": value,
        "sd_or_correlation": second,
        "share": share,
    }


def fit(model: str, family: str, **more: Any) -> dict[str, Any]:
    """Return a converged fit without estimates."""
    base: dict[str, Any] = {
        "schema": "alliance-fit-2",
        "model": model,
        "family": family,
        "title": model.replace("_", " ").capitalize(),
        "question": "How does it develop?",
        "outcome": {"column": "alliance", "label": "Alliance (client)", "unit": "points, 12-60"},
        "about": "",
        "equation": "alliance ~ 1 + log_weeks + site + (1 | therapist) + (1 + log_weeks | client)",
        "status": "converged",
        "message": "",
        "engine": {
            "name": "statsmodels MixedLM",
            "version": "0.15.0",
            "estimator": fact("reml", "REML"),
            "df_method": fact("normal", "normal approximation"),
        },
        "data": {
            "panel_sha256": "ab" * 32,
            "rows_in_panel": 5210,
            "rows_used": 4950,
            "left_out": [
                {"reason": fact("no_score", "no score of Alliance (client)"), "rows": 260}
            ],
            "groups": [
                {"level": "site", "n": 4},
                {"level": "therapist", "n": 41},
                {"level": "client", "n": 497},
                {"level": "session", "n": 4950},
            ],
        },
        "estimates": [],
        "companions": [],
        "marginal_effects": [],
        "tests": [],
        "steps": [],
        "variance_components": [],
        "residual": {"sigma": 3.61, "phi": None},
        "fit_statistics": {"log_likelihood": -14021.33, "n_parameters": 10, "aic": 28062.7},
        "convergence": {
            "converged": True,
            "optimiser": "bfgs, lbfgs",
            "evaluations": 63,
            "gradient_norm": 2.1e-6,
            "is_singular": False,
            "singular_components": [],
            "second_start_difference": 1.2e-8,
        },
        "second_engine": None,
        "curves": [],
        "warnings": [],
        "assumptions": [
            fact("normal_effects", "Random effects and residuals are normal and independent.")
        ],
    }
    return base | more


def course(
    sites: tuple[str, ...], start: float, slope: float, y_label: str
) -> list[dict[str, Any]]:
    """Return predicted courses, one a site and one for all."""
    curves = []
    for k, group in enumerate((*sites, "all sites")):
        x = [i * 0.5 for i in range(41)]
        offset = 0.0 if group == "all sites" else 0.9 * math.cos(2.1 * k)
        y = [start + offset + slope * math.log1p(week) for week in x]
        half = 0.5 if group == "all sites" else 0.9
        curves.append(
            {
                "name": "course",
                "group": group,
                "x_label": "Weeks since intake",
                "y_label": y_label,
                "x": x,
                "estimate": y,
                "ci_low": [v - half for v in y],
                "ci_high": [v + half for v in y],
            }
        )
    return curves


def growth(
    model: str,
    sites: tuple[str, ...] = FOUR,
    *,
    start: float = 42.0,
    slope: float = 2.2,
    label: str = "Alliance (client)",
    unit: str = "points, 12-60",
    **more: Any,
) -> dict[str, Any]:
    """Return a growth fit."""
    return (
        fit(
            model,
            "growth",
            title=f"{label}: course over treatment",
            outcome={"column": model.removesuffix("_growth"), "label": label, "unit": unit},
            estimates=[
                estimate(
                    "Intercept",
                    start,
                    0.55,
                    label="Intercept",
                    role="adjustment",
                    level="intercept",
                    unit="points",
                ),
                estimate(
                    "log_weeks",
                    slope,
                    0.11,
                    label="Change per unit of log(1 + weeks)",
                    level="time",
                    unit="points per unit of log(1 + weeks)",
                ),
                *(
                    estimate(
                        f"site[{site}]",
                        0.4 - 0.3 * k,
                        0.7,
                        label=f"{site} against {sites[0]}",
                        role="adjustment",
                        level="covariate",
                        unit="points",
                    )
                    for k, site in enumerate(sites[1:])
                ),
            ],
            variance_components=[
                component("therapist", "intercept", "intercept", 2.1, 1.45, 0.062),
                component("client", "intercept", "intercept", 18.2, 4.27, 0.54),
                component("client", "intercept", "log_weeks", -0.7, -0.2),
                component("client", "log_weeks", "log_weeks", 0.66, 0.81),
                component("session", "residual", "residual", 13.4, 3.66, 0.398),
            ],
            curves=course(sites, start, slope, f"{label} ({unit})"),
            second_engine={
                "name": "lme4",
                "version": "1.1-31",
                "converged": True,
                "log_likelihood_difference": -3.1e-7,
                "largest_difference_in_se": 0.0004,
                "agrees": True,
                "message": "",
            },
        )
        | more
    )


def coupling(model: str, x: str, y: str, within: float, **more: Any) -> dict[str, Any]:
    """Return a coupling fit with its fixed-effects companion."""
    return (
        fit(
            model,
            "coupling",
            title=f"{x} and next-session {y}",
            question=f"When a client's “{x}” is above its average, is “{y}” different at the next?",
            outcome={"column": "next", "label": f"{y} at the next session", "unit": "points, 0-27"},
            estimates=[
                estimate(
                    "Intercept",
                    7.1,
                    0.3,
                    label="Intercept",
                    role="adjustment",
                    level="intercept",
                    unit="points",
                ),
                estimate(
                    "within", within, 0.011, label=f"{x}, within client", standardised=within * 1.3
                ),
                estimate(
                    "between",
                    within / 2,
                    0.02,
                    label=f"{x}, between clients",
                    level="between-client",
                    standardised=within / 2,
                ),
                estimate(
                    "now", 0.44, 0.015, label=f"{y} now", role="adjustment", level="autoregression"
                ),
            ],
            companions=[
                estimate(
                    "fe",
                    within * 1.05,
                    0.013,
                    label=f"{x}, within client",
                    df=40.0,
                    estimator=fact(
                        "fixed_effects", "client fixed effects, clustered (linearmodels 7.1)"
                    ),
                    standardised=within * 1.3,
                )
            ],
            variance_components=[
                component("therapist", "intercept", "intercept", 0.2, 0.45, 0.02),
                component("client", "intercept", "intercept", 2.2, 1.48, 0.22),
                component("session", "residual", "residual", 7.6, 2.76, 0.76),
            ],
        )
        | more
    )


def survival(groups: tuple[float, float, float] = (0.035, 0.022, 0.014)) -> list[dict[str, Any]]:
    """Return predicted curves of staying in treatment."""
    words = ("alliance 1 SD below the mean", "alliance at the mean", "alliance 1 SD above the mean")
    curves = []
    for word, hazard in zip(words, groups, strict=True):
        x = list(range(21))
        y = [(1 - hazard) ** session for session in x]
        curves.append(
            {
                "name": "survival",
                "group": word,
                "x_label": "Session",
                "y_label": "Still in treatment",
                "x": x,
                "estimate": y,
                "ci_low": [v - 0.05 * (1 - v) - 0.002 * s for s, v in zip(x, y, strict=True)],
                "ci_high": [min(1, v + 0.15 * (1 - v)) for v in y],
            }
        )
    return curves


def dropout(model: str = "dropout_hazard", **more: Any) -> dict[str, Any]:
    """Return a hazard fit."""
    return (
        fit(
            model,
            "hazard",
            title="Alliance and dropout",
            question="Do clients with a weaker alliance leave treatment more often?",
            outcome={
                "column": "dropout_event",
                "label": "Dropout after this session",
                "unit": "log odds",
            },
            estimates=[
                as_odds(
                    estimate(
                        "alliance_running_between",
                        -0.065,
                        0.017,
                        label="Alliance (client), between clients",
                        level="between-client",
                        unit="log odds per point",
                    )
                ),
                as_odds(
                    estimate(
                        "alliance_running_within",
                        -0.05,
                        0.03,
                        label="Alliance (client), within client",
                        unit="log odds per point",
                    )
                ),
                as_odds(
                    estimate(
                        "symptoms_known",
                        0.031,
                        0.02,
                        label="Depressive symptoms (PHQ-9), between clients",
                        level="between-client",
                        unit="log odds per point",
                    )
                ),
            ],
            curves=[*survival(), *performance()],
        )
        | more
    )


def performance() -> list[dict[str, Any]]:
    """Return the curves of a cross-validated hazard."""
    sessions, risks = [1.0, 2.0, 3.0, 5.5, 9.0, 14.0], [0.008, 0.015, 0.02, 0.03, 0.055]

    def curve(name: str, group: str, x: list[float], y: list[float], half: float) -> dict[str, Any]:
        labels = {"x_label": "Predicted risk", "y_label": "Observed"}
        low, high = [max(0.0, v - half) for v in y], [min(1.0, v + half) for v in y]
        return {"name": name, "group": group, **labels, "x": x, "estimate": y} | {
            "ci_low": low,
            "ci_high": high,
        }

    others = "clients not seen before"
    return [
        curve("calibration", others, risks, [0.006, 0.016, 0.025, 0.028, 0.047], 0.012),
        curve("discrimination", others, sessions, [0.7, 0.68, 0.81, 0.62, 0.52, 0.55], 0.18),
        curve("brier", "the model", sessions, [0.033, 0.019, 0.02, 0.027, 0.03, 0.014], 0.012),
        curve("brier", "without predictors", sessions, [0.034, 0.019, 0.021, 0.027, 0.03, 0.014],
              0.012),
    ]  # fmt: skip


def cox(model: str = "dropout_cox") -> dict[str, Any]:
    """Return a model of when clients leave, with a test of its assumption."""
    test = {"code": "proportional_hazards", "term": "", "kind": "chi2"}
    test |= {"name": "proportional hazards: all terms together"}
    test |= {"label": "all terms together", "df2": None, "note": ""}
    made = dropout(
        model, family="continuous_time", title="Dropout in continuous time (Cox)", curves=[]
    )
    made["outcome"] = made["outcome"] | {"unit": "log hazard"}
    return made | {
        "tests": [test | {"statistic": 7.22, "df": 6, "p": float(special.chdtrc(6, 7.22))}]
    }


def leaving() -> dict[str, Any]:
    """Return a description of dropout: two definitions, curves by cause, third and site."""
    sessions = list(range(19))

    def shares(last: float) -> dict[str, Any]:
        value = [last * s / sessions[-1] for s in sessions]
        band = {"ci_low": [v * 0.8 for v in value], "ci_high": [min(1.0, v * 1.2) for v in value]}
        se = [v * 0.1 for v in value]
        at_risk = [150 - 7 * s for s in sessions]
        return {"session": sessions, "value": value, "se": se, "at_risk": at_risk} | band

    def incidence(by: str, group: str, cause: str, last: float) -> dict[str, Any]:
        counts = {"clients": 150, "events": 40}
        return {"by": by, "group": group, "cause": cause, **shares(last), **counts}

    definition = {"in_use": True, "dropouts": 111, "others": 297, "unknown": 17, "share": 0.272}
    limits = {"share_low": 0.231, "share_high": 0.317}
    staying = {"by": "all", "group": "all clients", **shares(0.3), "clients": 425, "events": 111}
    staying["value"] = [1 - v for v in staying["value"]]
    medians = {"median": 14.0, "median_low": 12.0, "median_high": None}
    return {
        "schema": "alliance-dropout-1",
        "definition": "discharge_status",
        "message": "",
        "early_alliance": "",
        "definitions": [
            {"name": "discharge_status", "words": "the site recorded dropout"}
            | definition | limits,
            {"name": "early", "words": "fewer than 6 sessions"} | definition | limits
            | {"in_use": False},
        ],
        "moves": [
            {"name": "early", "both": 54, "only_in_use": 57, "only_this": 0, "neither": 297,
             "kappa": 0.58}
        ],
        "staying": [staying | medians],
        "incidence": [
            *(incidence("all", "all clients", cause, last)
              for cause, last in (("dropout", 0.26), ("completed", 0.6), ("transferred", 0.05))),
            *(incidence("early_alliance", f"{third} third", "dropout", last)
              for third, last in (("lowest", 0.36), ("middle", 0.25), ("highest", 0.15))),
            *(incidence("site", site, "dropout", 0.2 + 0.02 * k) for k, site in enumerate(FOUR)),
        ],
        "by_session": [
            {"session": s + 1, "at_risk": 425 - 20 * s, "dropout_rate": 0.03, "dropout_low": 0.018,
             "dropout_high": 0.05, "other_rate": 0.01 * s}
            for s in range(5)
        ],
    }  # fmt: skip


def failed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fit as one whose optimiser did not converge."""
    convergence = entry["convergence"] | {"converged": False, "gradient_norm": 4.2}
    message = "The optimiser stopped before it found the best fit."
    found = {"status": "failed", "message": message, "convergence": convergence}
    return entry | found | ({"diagnostics": None} if "diagnostics" in entry else {})


def disputed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fit as one that a second engine does not confirm."""
    return entry | {
        "second_engine": {
            "name": "statsmodels MixedLM",
            "version": "0.15.0",
            "converged": True,
            "log_likelihood_difference": -3.2,
            "largest_difference_in_se": 0.71,
            "agrees": False,
            "message": "Largest difference of an estimate: 0.71 standard errors.",
        }
    }


def singular(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fit as one on the boundary."""
    parts = {"is_singular": True, "singular_components": ["therapist: intercept"]}
    return entry | {"status": "singular", "convergence": entry["convergence"] | parts}


def refused(
    entry: dict[str, Any], message: str = "There is no score of Alliance (client) in this cohort."
) -> dict[str, Any]:
    """Return the fit as refused."""
    rows = entry["data"]["rows_in_panel"]
    return entry | {
        "status": "refused",
        "message": message,
        "equation": "",
        "estimates": [],
        "companions": [],
        "marginal_effects": [],
        "tests": [],
        "steps": [],
        "variance_components": [],
        "curves": [],
        "residual": {"sigma": None, "phi": None},
        "fit_statistics": {},
        "data": entry["data"]
        | {
            "rows_used": 0,
            "groups": [],
            "left_out": [
                {"reason": fact("model_not_fitted", "the model was not fitted"), "rows": rows}
            ],
        },
        "convergence": entry["convergence"]
        | {"converged": False, "evaluations": None, "gradient_norm": None},
        "second_engine": None,
        "diagnostics": None,
    }


def fits() -> list[dict[str, Any]]:
    """Return the five fits of a cohort like the demo."""
    phq = "Depressive symptoms (PHQ-9)"
    some = [
        growth("alliance_growth"),
        growth("symptom_growth", start=15.2, slope=-2.4, label=phq, unit="points, 0-27"),
        coupling("alliance_to_symptoms", "Alliance (client)", phq, -0.102),
        coupling("symptoms_to_alliance", phq, "Alliance (client)", -0.118),
        dropout(),
    ]
    return [diagnosed(fit) for fit in some]


def diagnosed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fit with its diagnostics."""
    found: dict[str, Any] = beside("mock_diagnostics").diagnosed(entry)
    return found


def description(
    sites: tuple[str, ...] = FOUR,
    *,
    simulated: bool = True,
    title: str = "Alliance across four clinics",
) -> dict[str, Any]:
    """Return a description."""
    everywhere = (*sites, "all")
    weight = {site: 1 for site in sites} | {"all": len(sites)}
    measures = {
        "alliance": ("Alliance (client)", 43.0, 12, 60),
        "symptoms": ("Depressive symptoms (PHQ-9)", 14.0, 0, 27),
    }
    return {
        "schema": "alliance-description-1",
        "cohort": "demo",
        "title": title,
        "simulated": simulated,
        "measures": [
            {
                "name": name,
                "label": label,
                "instrument": "wai-sr-c",
                "abbreviation": "WAI-SR",
                "rater": "client",
                "construct": "alliance",
                "status": "verified",
                "direction": "higher is better",
                "unit": "points",
                "lowest": low,
                "highest": high,
                "accept_unverified_key": False,
                "reference": "Hatcher & Gillaspy (2006)",
            }
            for name, (label, _, low, high) in measures.items()
        ],
        "flow": [
            {
                "site": site,
                "sites": weight[site],
                "therapists": 10 * weight[site],
                "clients": 124 * weight[site],
                "sessions": 1302 * weight[site],
                "forms": 2480 * weight[site],
                "clients_with_one_session": weight[site],
                "dropout": 30 * weight[site],
                "completed": 84 * weight[site],
                "transferred": 5 * weight[site],
                "ongoing": 4 * weight[site],
                "end_unknown": weight[site],
                "dropout_share": 24.4,
                "dropout_share_low": 17.6,
                "dropout_share_high": 32.7,
            }
            for site in everywhere
        ],
        "sample": [
            row
            for site in everywhere
            for row in (
                sample(
                    "Age",
                    None,
                    "years",
                    site,
                    120 * weight[site],
                    mean=38.2,
                    sd=12.1,
                    median=37.0,
                    minimum=18.0,
                    maximum=71.0,
                ),
                sample(
                    "Gender",
                    "female",
                    "clients",
                    site,
                    124 * weight[site],
                    count=80 * weight[site],
                    percent=64.5,
                ),
                sample(
                    "Gender",
                    "male",
                    "clients",
                    site,
                    124 * weight[site],
                    count=42 * weight[site],
                    percent=33.9,
                ),
                sample(
                    "Gender",
                    "diverse",
                    "clients",
                    site,
                    124 * weight[site],
                    count=2 * weight[site],
                    percent=1.6,
                ),
                sample(
                    "Alliance (client), first session",
                    None,
                    "points",
                    site,
                    118 * weight[site],
                    mean=42.1,
                    sd=5.9,
                    median=42.0,
                    minimum=20.0,
                    maximum=60.0,
                ),
            )
        ],
        "rows": [
            {
                "site": site,
                "table": table,
                "unit": unit,
                "read": 1310,
                "kept": 1302,
                "blank": 5,
                "set_aside": 3,
                "reasons": [
                    {"reason": "exact-duplicate", "count": 2},
                    {"reason": "no-client-id", "count": 1},
                ],
            }
            for site in sites
            for table, unit in (("sessions", "rows"), ("responses", "answers"))
        ],
        "rows_of_all_sites": [
            {
                "site": "all",
                "table": "responses",
                "unit": "answers",
                "read": 5240,
                "kept": 5208,
                "blank": 20,
                "set_aside": 12,
                "reasons": [{"reason": "exact-duplicate", "count": 12}],
            }
        ],
        "missing": [
            {
                "site": site,
                "measure": measure,
                "sessions": 1302 * weight[site],
                "forms": 1230 * weight[site],
                "forms_percent": 94.5 - 3 * k,
                "complete": 1000 * weight[site],
                "prorated": 225 * weight[site],
                "refused": 5 * weight[site],
                "items_unanswered_percent": 2.1 + k,
            }
            for site in everywhere
            for k, measure in enumerate(measures)
        ],
        "problems": [
            {
                "site": site,
                "rule": rule,
                "action": action,
                "problems": 2 + k,
                "rows_affected": 3,
                "expected": "a number from 1 to 5",
                "remedy": "correct the answer in the export, or leave it: the answer is set aside",
            }
            for k, (rule, action) in enumerate(
                [
                    ("out-of-range", "cell set aside"),
                    ("bad-date", "cell set aside"),
                    ("exact-duplicate", "row set aside"),
                    ("client-with-one-session", "noted"),
                ]
            )
            for site in sites[k % 2 :]
        ],
        "observed_courses": [
            observed(site, measure, mean, 0.3 if measure == "alliance" else -0.3, 0.5 * (i - 1.5))
            for i, site in enumerate(everywhere)
            for measure, (_, mean, _, _) in measures.items()
        ],
        "survival_by_alliance": {
            "message": "",
            "groups": [
                kaplan_meier(word, h)
                for word, h in (
                    ("lowest third", 0.032),
                    ("middle third", 0.02),
                    ("highest third", 0.013),
                )
            ],
        },
    }


def sample(
    characteristic: str, category: str | None, unit: str, site: str, n: int, **more: Any
) -> dict[str, Any]:
    """Return a row of the sample table."""
    empty = dict.fromkeys(("mean", "sd", "median", "minimum", "maximum", "count", "percent"))
    return (
        {"characteristic": characteristic, "category": category, "unit": unit, "site": site, "n": n}
        | empty
        | more
    )


def observed(site: str, measure: str, mean: float, slope: float, offset: float) -> dict[str, Any]:
    """Return an observed course."""
    sessions = list(range(1, 21))
    return {
        "site": site,
        "measure": measure,
        "session": sessions,
        "weeks": [1.2 * (s - 1) for s in sessions],
        "mean": [mean + offset + slope * s + 0.35 * math.sin(2.7 * s + offset) for s in sessions],
        "sd": [5.5 for _ in sessions],
        "n": [max(9, 124 - 6 * s) for s in sessions],
    }


def kaplan_meier(group: str, hazard: float) -> dict[str, Any]:
    """Return an observed curve of staying."""
    sessions = list(range(21))
    staying = [(1 - hazard) ** s for s in sessions]
    return {
        "group": group,
        "clients": 160,
        "events": 40,
        "session": sessions,
        "staying": staying,
        "ci_low": [v - 0.004 * s for s, v in zip(sessions, staying, strict=True)],
        "ci_high": [min(1.0, v + 0.003 * s) for s, v in zip(sessions, staying, strict=True)],
        "at_risk": [max(3, 160 - 8 * s) for s in sessions],
    }


def truth() -> dict[str, Any]:
    """Return a truth: values inside, outside, unknown and without a model."""

    def estimand(model: str, term: str, value: float | None, **more: Any) -> dict[str, Any]:
        base = {"model": model, "term": term, "estimator": "mixed", "value": value}
        return base | {"scale": "points", "note": ""} | more

    part = {"level": "client", "name_1": "intercept", "name_2": "log_weeks"}
    return {
        "seed": 1,
        "estimands": [
            estimand("alliance_growth", "log_weeks", 2.2),
            estimand("alliance_growth", "client:1:log_weeks", -0.69, **part),
            estimand("alliance_to_symptoms", "within", -0.2, note="Short courses.", expected=-0.11),
            estimand("alliance_to_symptoms", "between", None, expected=-0.05),
            estimand("alliance_to_symptoms", "fe", -0.1, estimator="fixed effects"),
            estimand("dropout_hazard", "alliance_running_between", -0.07),
            estimand("alliance_growth", "no_such_term", 1.0),
            estimand("not_there", "x", 1.0),
        ],
    }


def write(
    folder: Path, some_fits: list[dict[str, Any]], a_description: dict[str, Any]
) -> dict[str, Any]:
    """Write fits and description as the workflow does; return the arguments of the three calls."""
    results = folder / "results" / "demo"
    paths = [results / "fits" / f"{entry['model']}.json" for entry in some_fits]
    for path, entry in zip(paths, some_fits, strict=True):
        files.write_json(entry, path)
    files.write_json(a_description, results / "description.json")
    files.write_json(measurement(a_description), results / "measurement.json")
    files.write_json(leaving(), results / "dropout.json")
    further = [results / f"{name}.json" for name in ("measurement", "dropout", "multiplicity")]
    adjust_for_many_tests(
        fits=paths, measurement=further[0], primary=primary(some_fits), multiplicity=further[2]
    )
    return {"fits": paths, "description": results / "description.json", "further": further}


def primary(some_fits: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return what a config would name: the first effect in question of each model."""
    found = {fit["model"]: [e["term"] for e in fit["estimates"] if e["role"] == "main"][:1]
             for fit in some_fits if not fit["about"]}  # fmt: skip
    return {model: effects for model, effects in found.items() if effects}


def measurement(a_description: dict[str, Any]) -> dict[str, Any]:
    """Return the description of the measures that belongs to a description of a cohort."""
    found: dict[str, Any] = beside("mock_measurement").measurement(a_description)
    return found


def beside(name: str) -> Any:
    """Return the module of this name in the same folder."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(name: str) -> Any:
    """Return one of the project's schemas."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"))


RUN: dict[str, Any] = {
    "version": "0.1.0",
    "python": "3.11.2",
    "packages": {"numpy": "2.4.6", "pandas": "3.1.1"},
    "config_sha256": "ab" * 32,
    "config_text": "cohort: demo\nseed: 20261123\n",
    "lock_sha256": "cd" * 32,
    "code_sha256": "ef" * 32,
}
