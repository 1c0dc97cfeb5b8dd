"""Made-up fits of the families that ask a question otherwise: ladder, arms, panel, by_site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import special

from alliance.findings.statcheck import p_of

FOUR = ("north", "east", "south", "west")


def ladder(mock: Any, model: str = "alliance_shape") -> dict[str, Any]:
    """Return a ladder of three steps, one of which failed."""
    lines = mock.growth("alliance_growth")["curves"]
    blank = dict.fromkeys(
        ("n_parameters", "log_likelihood", "aic", "bic_rows", "bic_clients", "statistic", "df", "p",
         "r2_marginal", "r2_conditional", "knot", "phi")
    )  # fmt: skip
    common = blank | {"terms": "y ~ t", "against": "", "p_kind": "", "chosen": False}
    return mock.fit(
        model,
        "growth_shape",
        title="Alliance (client): shape of the course",
        outcome={"column": "alliance", "label": "Alliance (client)", "unit": "points, 12-60"},
        estimates=[mock.estimate("weeks", 0.31, 0.02, level="time", unit="points per week")],
        steps=[
            common
            | {"name": "linear", "label": "Linear", "status": "converged", "n_parameters": 8,
               "log_likelihood": -12703.04, "aic": 25426.08, "bic_rows": 25490.1,
               "bic_clients": 25466.6, "r2_marginal": 0.11, "r2_conditional": 0.67},
            common
            | {"name": "piecewise", "label": "Two straight pieces, client slopes",
               "status": "converged", "chosen": True, "n_parameters": 12,
               "log_likelihood": -12595.73, "aic": 25215.5, "bic_rows": 25292.2,
               "bic_clients": 25264.1, "against": "Linear", "statistic": 214.62, "df": 4,
               "p": float(special.chdtrc(4, 214.62)), "p_kind": "chi2",
               "r2_marginal": 0.12, "r2_conditional": 0.68,
               "knot": 3.0, "phi": 0.36},
            common | {"name": "spline", "label": "Natural spline", "status": "refused"},
        ],
        curves=[line | {"name": "chosen_course"} for line in lines]
        + [lines[-1] | {"name": "shape", "group": "Linear, client slopes"}],
    )  # fmt: skip


def arms(mock: Any, model: str = "alliance_to_symptoms_specifications") -> dict[str, Any]:
    """Return a coupling model under five arms, one of them with an effect over treatment."""
    names = {
        "reported": "reported model",
        "no_detrending": "no detrending",
        "own_line": "client's own line taken out",
        "running_mean_no_detrending": "mean so far, no detrending",
        "changes_over_treatment": "effect changes over treatment",
    }
    sessions = list(range(1, 17))
    return mock.fit(
        model,
        "specifications",
        about="alliance_to_symptoms",
        title="Alliance (client) → Symptoms at the next session: other ways to ask",
        outcome={"column": "next", "label": "Symptoms at the next session", "unit": "points, 0-27"},
        estimates=[
            mock.estimate("x_within", -0.1 + 0.02 * k, 0.012, label="Alliance, within client",
                          role="adjustment" if k else "main", estimator=mock.fact(*name))
            for k, name in enumerate(names.items())
        ],
        curves=[
            {
                "name": "effect over treatment", "group": "within client", "x_label": "Session",
                "y_label": "Effect on symptoms (points per point)", "x": sessions,
                "estimate": [-0.1 + 0.002 * x for x in sessions],
                "ci_low": [-0.14 + 0.002 * x for x in sessions],
                "ci_high": [-0.06 + 0.002 * x for x in sessions],
            }
        ],
    )  # fmt: skip


def panel(mock: Any, model: str = "alliance_to_symptoms_estimators") -> dict[str, Any]:
    """Return panel estimators; Hausman's test is not defined."""
    kinds = (
        ("fixed_effects", "client fixed effects, clustered by therapist", "within-client"),
        ("between", "between, client means, conventional standard errors", "between-client"),
        ("random_effects", "random effects, Swamy-Arora, clustered by therapist", "both"),
    )
    return mock.fit(
        model,
        "panel_estimators",
        about="alliance_to_symptoms",
        title="Alliance (client) → Symptoms at the next session: panel estimators",
        outcome={"column": "next", "label": "Symptoms at the next session", "unit": "points, 0-27"},
        estimates=[
            mock.estimate("alliance", -0.1 + 0.03 * k, 0.01, level=level,
                          estimator=mock.fact(code, name), role="adjustment" if k else "main",
                          assumes=mock.fact("stable_levels", "Clients differ by a stable level."))
            for k, (code, name, level) in enumerate(kinds)
        ],
        tests=[
            {"code": "hausman",
             "name": "Hausman: fixed against random effects", "kind": "chi2", "statistic": None,
             "df": 3, "df2": None, "p": None, "note": ""},
            {"code": "mundlak",
             "name": "Mundlak: within against between coefficients", "kind": "F",
             "statistic": 3.4, "df": 3, "df2": 410.2,
             "p": float(special.fdtrc(3, 410.2, 3.4)), "note": ""},
        ],
    )  # fmt: skip


def therapists(mock: Any, model: str = "between_therapists") -> dict[str, Any]:
    """Return models of therapists, one of whom has few clients; the contextual effect is open."""
    latent = mock.fact("latent_therapist_means", "latent therapist means, REML")
    shares = {"therapist_share": "share of therapists, unadjusted",
              "therapist_share_adjusted": "share of therapists, case mix adjusted"}  # fmt: skip
    nothing = dict.fromkeys(("se", "p", "statistic"))
    levels = ("within therapists", "between therapists", "contextual")
    rank = [1, 2, 3, 4]

    def line(name: str, group: str, those: list[int], half: float) -> dict[str, Any]:
        at = [0.5 * (k - 2.5) for k in those]
        return {"name": name, "group": group, "x_label": "Therapists, by rank",
                "y_label": "Difference in Symptoms, points", "x": those, "estimate": at,
                "ci_low": [y - half for y in at], "ci_high": [y + half for y in at]}  # fmt: skip

    known = [0.2, 0.5, 0.6, 0.7]
    return mock.fit(
        model,
        "therapists",
        title="Therapists: Symptoms and Alliance (client)",
        outcome={"column": "symptoms", "label": "last score of Symptoms", "unit": "points, 0-27"},
        estimates=[
            *(mock.estimate(level, -0.2, 0.1, label=f"Alliance, {level}", level=level,
                            estimator=latent) | nothing
              for level in levels),
            *(mock.estimate("outcome", 0.05, 0.02, label="Symptoms, last score", unit="share",
                            level="between therapists", role="adjustment",
                            estimator=mock.fact(*how)) | {"se": None}
              for how in shares.items()),
        ],
        companions=[mock.estimate("outcome", 0.06, 0.02, label="Symptoms, last score", unit="share",
                                  estimator=mock.fact("therapist_share_enough_clients",
                                                      "share of therapists with enough clients"))
                    | {"se": None}],
        tests=[{"code": "share_of_therapists", "term": "outcome", "label": "Symptoms, last score",
                "name": f"Therapists do not differ in Symptoms, last score ({text})",
                "kind": "mixture", "statistic": 5.4, "df": df, "df2": None,
                "p": p_of("mixture", 5.4, df), "note": ""}
               for text, df in zip([*shares.values(), "enough clients"], (1.0, 2.0, 1.0),
                                   strict=True)],
        fit_statistics={"therapists": 4, "clients": 25, "median_clients_of_a_therapist": 7.0,
                        "fewest_clients": 4, "therapists_with_fewer_clients": 1,
                        "therapists_below_average": 1, "therapists_above_average": 0,
                        "median_reliability": 0.55, "least_reliability": 0.2,
                        "most_reliability": 0.7},
        curves=[
            *(line(name + few, group, those, half)
              for name, half in (("caterpillar", 0.9), ("caterpillar_pairs", 0.6))
              for few, group, those in (("", "enough clients", rank[1:]),
                                        ("_few_clients", "few clients", rank[:1]))),
            {"name": "reliability", "group": "therapists", "x_label": "Clients",
             "y_label": "Reliability", "x": [2, 6, 8, 9], "estimate": known, "ci_low": known,
             "ci_high": known},
        ],
        warnings=[mock.fact("few_clients_per_therapist",
                            "Some therapists have few clients: little is known of each of them.")],
    )  # fmt: skip


def by_site(mock: Any, sites: tuple[str, ...] = FOUR, ratio: bool = False) -> dict[str, Any]:
    """Return a model site by site; `ratio` for odds ratios."""
    wrap = mock.as_odds if ratio else dict
    mean = mock.fact("synthesis", f"mean of {len(sites)} sites, REML")
    further = mock.fact("further_site", "a further site (prediction)")
    at_once = mock.fact("all_sites_at_once", "one model for all sites")
    return mock.fit(
        "dropout_sites" if ratio else "alliance_to_symptoms_sites",
        "by_site",
        about="dropout_hazard" if ratio else "alliance_to_symptoms",
        title="Dropout, site by site" if ratio else "Alliance → Symptoms, site by site",
        outcome={"column": "y", "label": "Symptoms at the next session", "unit": "points, 0-27"},
        estimates=[wrap(mock.estimate("x", -0.1, 0.01, label="Alliance, within client",
                                      estimator=mean))],
        companions=[
            *(wrap(mock.estimate("x", -0.1 + 0.01 * k, 0.03,
                                 estimator=mock.fact("site_alone", f"site {site} alone")))
              for k, site in enumerate(sites)),
            wrap(mock.estimate("x", -0.1, 0.02, estimator=further))
            | {"se": None, "p": None, "statistic": None},
            wrap(mock.estimate("x", -0.11, 0.01, estimator=at_once)),
        ],
        tests=[{"code": "one_effect_at_all_sites", "term": "x", "kind": "chi2",
                "name": "All sites share one effect", "statistic": 2.1, "df": 3,
                "df2": None, "p": float(special.chdtrc(3, 2.1)), "note": ""}],
    )  # fmt: skip


def parallel(mock: Any, model: str = "alliance_with_symptoms") -> dict[str, Any]:
    """Return two measures at once; the therapists' correlation is at the boundary."""
    pairs = (("client", "Alliance, intercept ↔ Symptoms, change", 0.33),
             ("client", "Alliance, change ↔ Symptoms, change", -0.55),
             ("session", "Alliance ↔ Symptoms", -0.2))  # fmt: skip
    boundary = mock.estimate("t", 1.0, 0.1, label="Alliance, intercept ↔ Symptoms, intercept",
                             level="correlation, therapist", unit="")  # fmt: skip
    nothing = dict.fromkeys(("se", "p", "statistic", "ci_low", "ci_high"))
    return mock.fit(
        model,
        "parallel_growth",
        title="Alliance (client) and Symptoms: do they develop together?",
        outcome={"column": "a, s", "label": "Alliance (client) and Symptoms", "unit": "points"},
        estimates=[
            *(mock.estimate(label, value, 0.06, label=label, level=f"correlation, {level}", unit="")
              for level, label, value in pairs),
            boundary | nothing,
        ],
    )  # fmt: skip


def joint(mock: Any, model: str = "alliance_and_symptoms") -> dict[str, Any]:
    """Return joint courses; the link between therapists is at the boundary."""
    shares = {"level": "within client", "standardised_low": -0.2, "standardised_high": -0.1}
    ends = [(a, b) for a in ("alliance", "symptoms") for b in ("alliance", "symptoms")]
    more = {"minimal_important_difference": 5.0, "link": ""}
    paths = [
        mock.estimate(
            f"{a} -> {b}",
            0.4 if a == b else -0.12,
            0.02,
            label=f"{a.capitalize()} → {b.capitalize()}, next session",
            role="adjustment" if a == b else "main",
            standardised=0.4 if a == b else -0.15,
            **(more | shares | ({"level": "autoregression"} if a == b else {})),
        )
        for a, b in ends
    ]
    for (a, b), entry in zip(ends, paths, strict=True):
        entry["link"] = "" if a == b else f"{a} -> {b}, within client"
    per_sd = mock.estimate(
        "per sd", -0.43, 0.05, label="Alliance above the client's course → Symptoms, next session",
        role="adjustment", unit="points per SD", level="within client", **more,
    )  # fmt: skip
    between = mock.estimate(
        "client: alliance -> symptoms", -0.11, 0.06, label="Alliance → Symptoms, levels at intake",
        level="between clients", standardised=-0.15, standardised_low=-0.3, standardised_high=0.01,
        **more,
    )  # fmt: skip
    sessions = [float(k) for k in range(9)]
    nothing = dict.fromkeys(("se", "p", "statistic", "ci_low", "ci_high"))
    at_boundary = between | nothing | {
        "term": "therapist: alliance -> symptoms", "level": "between therapists",
        "role": "adjustment", "standardised_low": None, "standardised_high": None,
    }  # fmt: skip
    return mock.fit(
        model,
        "joint_courses",
        title="Alliance and Symptoms from session to session",
        outcome={"column": "alliance, symptoms", "label": "Alliance and Symptoms",
                 "unit": "points"},
        estimates=[*paths, per_sd, between, at_boundary],
        curves=[
            {"name": name, "group": f"{a.capitalize()} → {b.capitalize()}",
             "x_label": "Sessions later", "y_label": f"{b.capitalize()}, points", "x": sessions,
             "estimate": [-0.4 * 0.5**x for x in sessions],
             "ci_low": [-0.5 * 0.5**x for x in sessions],
             "ci_high": [-0.3 * 0.5**x for x in sessions]}
            for a, b in ends if a != b for name in ("response", "lasting")
        ],
    )  # fmt: skip


def agreement(mock: Any, model: str = "two_views") -> dict[str, Any]:
    """Return the truth-and-bias model of two views."""
    sessions = [float(k) for k in range(1, 16)]
    nothing = dict.fromkeys(("se", "p", "statistic"))
    return mock.fit(
        model,
        "agreement",
        title="Alliance (client) and Alliance (therapist): two views of the same sessions",
        outcome={"column": "v", "label": "Alliance (therapist), from the client's mean",
                 "unit": "per cent of the range"},
        estimates=[
            mock.estimate("1", -8.3, 2.1, label="Directional discrepancy",
                          level="between-client", unit="per cent of the range"),
            mock.estimate("w", 0.37, 0.03, label="Temporal congruence",
                          unit="per cent per per cent"),
        ],
        companions=[mock.estimate("r", 0.39, 0.03, label="Correlation within clients") | nothing],
        curves=[
            {
                "name": "two views", "group": who, "x_label": "Session",
                "y_label": "Alliance (per cent of the range)", "x": sessions,
                "estimate": [start + 0.6 * x for x in sessions],
                "ci_low": [start - 3 + 0.6 * x for x in sessions],
                "ci_high": [start + 3 + 0.6 * x for x in sessions],
            }
            for who, start in (("client", 62.0), ("therapist", 55.0))
        ],
    )  # fmt: skip


def surface(mock: Any, model: str = "views_surface") -> dict[str, Any]:
    """Return a response surface."""
    x = [float(k) for k in range(-10, 11, 2)]

    def height(a: float, b: float) -> float:
        return -0.05 * a - 0.004 * (a - b) ** 2

    return mock.fit(
        model,
        "surface",
        title="Symptoms at the next session, by both views of the alliance",
        outcome={"column": "n", "label": "Symptoms at the next session", "unit": "points, 0-27"},
        estimates=[mock.estimate("a4", -0.007, 0.003, label="Curvature along disagreement",
                                 level="surface", unit="points per per cent squared")],
        curves=[
            {
                "name": "surface", "group": f"{b:g}",
                "x_label": "Client's view, from usual (per cent of the range)",
                "y_label": "Symptoms at the next session, difference (points)", "x": x,
                "estimate": [height(a, b) for a in x], "ci_low": [height(a, b) - 1 for a in x],
                "ci_high": [height(a, b) + 1 for a in x],
            }
            for b in x
        ],
    )  # fmt: skip


def fits(mock: Any, sites: tuple[str, ...] = FOUR) -> list[dict[str, Any]]:
    """Return one fit of each."""
    return [
        mock.diagnosed(fit)
        for fit in (
            ladder(mock), arms(mock), panel(mock), by_site(mock, sites), by_site(mock, sites, True),
            parallel(mock), agreement(mock), surface(mock), therapists(mock),
        )
    ]  # fmt: skip


def hostile(mock: Any) -> list[dict[str, Any]]:
    """Return the same with labels that try to be markup, formulas or code."""
    found = fits(mock, ('<img src=x onerror="alert(1)">', r"$\frac{1}{0}$", "=1+1", "{{7*7}}"))
    for fit in found:
        fit["title"] = fit["outcome"]["label"] = mock.HOSTILE
        for entry in fit["estimates"]:
            entry["label"] = mock.HOSTILE
    return found


def marked(mock: Any) -> list[dict[str, Any]]:
    """Return the same, each with something that a reader must know."""
    marks: list[Callable[..., Any]] = [
        mock.singular, mock.failed, mock.refused, mock.failed, mock.refused, mock.singular,
        mock.singular, mock.failed, mock.refused,
    ]  # fmt: skip
    return [mark(fit) for mark, fit in zip(marks, fits(mock), strict=True)]
