"""The truth of a simulated cohort, as written to truth.json.

For every term of the demo's models it gives two numbers. `value` is the truth of the simulator:
the coefficient in its equations or, where the term is no coefficient of theirs (between-client
coefficients), what the model's estimator finds in very large cohorts. `expected` is what that
estimator finds on average in cohorts of the demo's size: the difference between the two is the
bias of the method at this design, not a slip of the program.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from alliance.files import plain
from alliance.simulate.cohort import Cohort
from alliance.simulate.courses import residual_covariance
from alliance.simulate.parameters import Parameters, as_table

MIXED, FIXED_EFFECTS, HAZARD = "mixed", "fixed effects", "hazard"
SAME_TERM_OTHERWISE = ("mixed, outcome now not centred", "mixed, outcome now split")
Entry = dict[str, Any]


def truth_of(cohort: Cohort, planted_faults: list[Entry]) -> dict[str, Any]:
    """Return seed, estimands, facts, parameters, ruptures and planted faults as plain values."""
    return {
        "simulated": True,
        "seed": cohort.seed,
        "reading": __doc__.split("\n\n", 1)[1].replace("\n", " ").strip() if __doc__ else "",
        "estimands": estimands(cohort.parameters),
        "cohort": facts(cohort),
        "parameters": as_table(cohort.parameters),
        "ruptures": cohort.ruptures.to_dict("records"),
        "planted_faults": planted_faults,
    }


def estimands(parameters: Parameters) -> list[Entry]:
    """Return what each model of the demo cohort should find.

    Each entry holds model, term, estimator, value, scale and note; where the parameters are the
    defaults also `expected` (mean over simulated cohorts), `expected_se` (its Monte Carlo
    standard error), `sd` (over cohorts) and `effect_of_bounds` (the part of `expected` that floor
    and ceiling make up). `other_estimators` gives `expected` of other ways to fit the same term.
    Variance components carry `level`, `name_1`, `name_2` as in a fit.
    """
    entries = [
        *_growth(parameters),
        *_joint_courses(parameters),
        *_coupling(parameters),
        *_hazard(parameters),
    ]
    found = expectations(parameters)
    for entry in entries:
        key = (entry["model"], entry.pop("measured_as", entry["term"]), entry["estimator"])
        entry.update(_expected(found, key))
        if entry["value"] is None and key in found:
            entry["value"] = found[key]["large_sample"]
            entry["value_se"] = found[key]["large_sample_se"]
    return entries


@cache
def _measured() -> dict[str, Any]:
    """Return the content of expected.json, empty where it has not been made yet."""
    import json

    file = resources.files("alliance.simulate") / "expected.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def expectations(parameters: Parameters) -> dict[tuple[str, str, str], Entry]:
    """Return what `benchmarks/simulator_bias.py` measured, by (model, term, estimator).

    Empty for other parameters than those that it was measured for.
    """
    measured = _measured()
    used = {name: plain(entry["value"]) for name, entry in as_table(parameters).items()}
    if measured.get("parameters") != used:
        return {}
    return {(e["model"], e["term"], e["estimator"]): e for e in measured["entries"]}


def _expected(found: dict[tuple[str, str, str], Entry], key: tuple[str, str, str]) -> Entry:
    if key not in found:
        return {}
    here = found[key]
    result: Entry = {
        "expected": here["mean"],
        "expected_se": here["monte_carlo_se"],
        "sd": here["sd"],
        "effect_of_bounds": here["effect_of_bounds"],
    }
    others = [
        {"estimator": name, "expected": found[key[0], key[1], name]["mean"]}
        for name in SAME_TERM_OTHERWISE
        if key[2] == MIXED and (key[0], key[1], name) in found
    ]
    if others:
        result["other_estimators"] = others
    return result


def _entry(
    model: str, term: str, estimator: str, value: float | None, scale: str, note: str
) -> Entry:
    return {
        "model": model,
        "term": term,
        "estimator": estimator,
        # Six decimals, so that no machine's last digit shows in the file.
        "value": None if value is None else round(value, 6),
        "scale": scale,
        "note": note,
    }


def _growth(p: Parameters) -> list[Entry]:
    """Return slopes and variance components of the growth models."""
    within = residual_covariance(p)
    mean_slope = "Mean slope of the clients' own courses."
    return [
        _entry(
            "alliance_growth",
            "log_weeks",
            MIXED,
            p.alliance_growth,
            "points per unit of log(1 + weeks)",
            mean_slope,
        ),
        *_components(
            "alliance_growth",
            "log_weeks",
            therapist_sd=p.alliance_therapist_sd,
            client_sds=(p.alliance_client_sd, p.alliance_growth_sd),
            correlation=p.client_correlations[0][1],
            residual_variance=float(within[0, 0]),
        ),
        _entry(
            "symptom_growth",
            "weeks_since_intake",
            MIXED,
            p.symptoms_growth,
            "points per week",
            mean_slope,
        ),
        *_components(
            "symptom_growth",
            "weeks_since_intake",
            therapist_sd=p.symptoms_therapist_sd,
            client_sds=(p.symptoms_client_sd, p.symptoms_growth_sd),
            correlation=p.client_correlations[2][3],
            residual_variance=float(within[1, 1]),
        ),
    ]


def _components(
    model: str,
    clock: str,
    *,
    therapist_sd: float,
    client_sds: tuple[float, float],
    correlation: float,
    residual_variance: float,
) -> list[Entry]:
    """Return the variance components of a growth model, named as in a fit."""
    intercept_sd, slope_sd = client_sds
    carry = (
        "What is expected here is found by a model that takes residuals as independent: their "
        "carry-over from session to session then goes partly into the client's intercept and "
        "slope. A model whose residuals remember lies nearer to the value."
    )
    stationary = "Stationary variance around the client's own course, without ruptures. " + carry
    return [
        _entry(model, f"{level}:{name_1}:{name_2}", MIXED, value, "points squared", note)
        | {"level": level, "name_1": name_1, "name_2": name_2, "measured_as": measured_as}
        for level, name_1, name_2, measured_as, value, note in (
            ("therapist", "1", "1", "therapist_variance", therapist_sd**2, ""),
            ("client", "1", "1", "client_intercept_variance", intercept_sd**2, carry),
            ("client", clock, clock, "client_slope_variance", slope_sd**2, carry),
            (
                "client",
                "1",
                clock,
                "client_intercept_slope_covariance",
                intercept_sd * slope_sd * correlation,
                carry,
            ),
            ("session", "residual", "residual", "residual_variance", residual_variance, stationary),
        )
    ]


def _coupling(p: Parameters) -> list[Entry]:
    """Return the coefficients of both directions."""
    return _direction(
        "alliance_to_symptoms",
        "alliance",
        "symptoms",
        effect=p.alliance_to_symptoms,
        carry_over=p.symptoms_carry_over,
    ) + _direction(
        "symptoms_to_alliance",
        "symptoms",
        "alliance",
        effect=p.symptoms_to_alliance,
        carry_over=p.alliance_carry_over,
    )


def _joint_courses(p: Parameters) -> list[Entry]:
    """Return the coefficients of both directions, of the model that takes no client means."""
    return [
        _entry("alliance_and_symptoms", f"{of} -> {on}", MIXED, value, "points per point", note)
        for of, on, value, note in (
            ("alliance", "symptoms", p.alliance_to_symptoms, ""),
            ("symptoms", "alliance", p.symptoms_to_alliance, ""),
            ("alliance", "alliance", p.alliance_carry_over, "Carry-over of deviations."),
            ("symptoms", "symptoms", p.symptoms_carry_over, "Carry-over of deviations."),
        )
    ]


def _direction(
    model: str, predictor: str, outcome: str, *, effect: float, carry_over: float
) -> list[Entry]:
    """Return the coefficients of one direction."""
    per_point = "points at the next session per point"
    return [
        _entry(model, term, estimator, value, per_point, note)
        for term, estimator, value, note in (
            (
                f"{predictor}_within",
                MIXED,
                effect,
                "Lagged effect on deviations from the clients' own courses. The estimator differs "
                "from it because a client's mean holds the deviations themselves (Nickell, 1981) "
                "and the client's trend. With the outcome now not centred the difference is far "
                "larger: it then also stands for the client's level.",
            ),
            (
                f"{predictor}_between",
                MIXED,
                None,
                "No coefficient of the simulator's equations: what the same model finds in "
                "cohorts of ten times the therapists.",
            ),
            (
                f"{outcome}_within",
                MIXED,
                carry_over,
                "Carry-over of deviations; in short courses estimates of it are too low "
                "(Nickell, 1981).",
            ),
            (
                predictor,
                FIXED_EFFECTS,
                effect,
                "As the within-client coefficient; with a constant for each client the bias "
                "that remains is that of short courses (Nickell, 1981).",
            ),
        )
    ]


def _hazard(p: Parameters) -> list[Entry]:
    """Return the log odds of dropout.

    The simulator's coefficients are those of the odds among clients who do not end otherwise; the
    hazard among all who came has (1 - p)/(1 - h) of them, with h the hazard and p what it is among
    those: a hundredth less here, and part of `expected`.
    """
    same = (
        "In the simulator the mean so far and the deviation from it have the same coefficient: the "
        "score of the session is all that matters, whether or not the form was filled in."
    )
    scale = "log odds per point"
    nothing = (
        "Therapists of the simulator differ in the alliance and symptoms of their clients, and "
        "in nothing else that makes clients leave. An estimated variance cannot be below zero, so "
        "its average is above."
    )
    return [
        _entry("dropout_hazard", term, HAZARD, value, scale, note)
        for term, value, note in (
            ("alliance_running_within", p.dropout_alliance, same),
            ("alliance_running_between", p.dropout_alliance, same),
            ("symptoms_known", p.dropout_symptoms, ""),
        )
    ] + [
        _entry("dropout_hazard", "therapist:1:1", HAZARD, 0.0, "squared log odds", nothing)
        | {"level": "therapist", "name_1": "1", "name_2": "1", "measured_as": "therapist_variance"}
    ]


def facts(cohort: Cohort) -> dict[str, Any]:
    """Return counts of this cohort as drawn, before faults were planted."""
    courses, clients = cohort.courses, cohort.clients
    status = clients["end_status"].value_counts()
    return {
        "clients": len(clients),
        "therapists": int(clients["therapist"].nunique()),
        "sessions": len(cohort.sessions),
        "answers": len(cohort.responses),
        "clients_with_one_session": int((courses.groupby("client").size() == 1).sum()),
        "end_status": {name: int(status.get(name, 0)) for name in sorted(status.index)},
        "share_dropout": round(float(status.get("dropout", 0)) / len(clients), 4),
        "share_alliance_at_ceiling": round(float((courses["alliance"] == 60).mean()), 4),
        "share_symptoms_at_floor": round(float((courses["symptoms"] == 0).mean()), 4),
    }
