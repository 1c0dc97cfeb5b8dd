"""Conditions on what the report says of models; a failed or refused fit proves nothing.

As in `of_the_cohort`, each looks at the content and returns the places that show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from alliance.checklists.evidence import Evidence
from alliance.checklists.filled import Place
from alliance.checklists.of_the_cohort import at
from alliance.checklists.places import MODEL
from alliance.families.facts import Assumption, Estimator, has
from alliance.families.registry import that_are

PRODUCT = re.compile(r"\S:\S")  # of two terms; `dropout: symptoms` is a term of one equation


def articles(fits: Iterable[Mapping[str, Any]]) -> list[Place]:
    """Return the articles of these models."""
    return [Place(MODEL + fit["model"], fit["title"]) for fit in fits]


def has_fit(seen: Evidence, families: str) -> list[Place]:
    """A model of one of these families (`growth,growth_shape`) was fitted."""
    return articles(seen.of_family(*families.split(",")))


# ------------------------------------------------------------------------------ what was asked


def has_questions(seen: Evidence) -> list[Place]:
    """What each model asks is said in a sentence."""
    return at(any(fit["question"] for fit in seen.fits), "models")


def has_verdict(seen: Evidence) -> list[Place]:
    """A model that answers one of the leading questions has a result."""
    return at(seen.of_family(*that_are("leads")), "verdict")


# ------------------------------------------------------------------------------ how


def has_equations(seen: Evidence) -> list[Place]:
    """Every fitted model has its equation."""
    return at(seen.usable and all(fit["equation"] for fit in seen.usable), "models")


def has_random_effects_in_equation(seen: Evidence) -> list[Place]:
    """A fitted model has its equation with the random effects, as in `(1 | client)`."""
    return at(any(" | " in fit["equation"] for fit in seen.usable), "models")


def has_estimators(seen: Evidence) -> list[Place]:
    """Every fitted model names its estimator and its degrees of freedom."""
    engines = [fit["engine"] for fit in seen.usable]
    named = all(engine["estimator"]["text"] and engine["df_method"]["text"] for engine in engines)
    return at(engines and named, "models")


def has_assumptions(seen: Evidence) -> list[Place]:
    """Every fitted model says what it assumes."""
    return at(seen.usable and all(fit["assumptions"] for fit in seen.usable), "assumptions")


def has_missing_assumption(seen: Evidence) -> list[Place]:
    """A fitted model says what it assumes of missing scores."""
    return at(_assumes(seen, Assumption.MISSING_AT_RANDOM), "assumptions")


def has_censoring_assumption(seen: Evidence) -> list[Place]:
    """A fitted model says what it assumes of clients who leave for another reason."""
    return at(_assumes(seen, Assumption.NON_INFORMATIVE_CENSORING), "assumptions")


def _assumes(seen: Evidence, code: Assumption) -> bool:
    return any(has(fit["assumptions"], code) for fit in seen.usable)


def has_rows_accounted(seen: Evidence) -> list[Place]:
    """The rows that every fitted model used and left out add up, with reasons."""
    data = [fit["data"] for fit in seen.usable]
    adds_up = all(
        one["rows_used"]
        and one["rows_in_panel"] == one["rows_used"] + sum(left["rows"] for left in one["left_out"])
        for one in data
    )
    return at(data and adds_up, "unused")


def has_groups(seen: Evidence) -> list[Place]:
    """Every fitted model says how many groups of each level entered."""
    return at(seen.usable and all(fit["data"]["groups"] for fit in seen.usable), "models")


def has_convergence(seen: Evidence) -> list[Place]:
    """It is said of every model whether it converged."""
    return at(seen.fits, "table-convergence")


def has_diagnostics(seen: Evidence) -> list[Place]:
    """Residuals, random effects or influence of a fitted model were examined."""
    return articles(
        fit for fit in seen.usable if (found := fit.get("diagnostics")) and not found["message"]
    )


# ------------------------------------------------------------------------------ what was found


def has_intervals(seen: Evidence) -> list[Place]:
    """Every fitted model has a main effect with an interval."""
    return at(seen.usable and all(map(_has_interval, seen.usable)), "models")


def _has_interval(fit: Mapping[str, Any]) -> bool:
    return any(
        entry["role"] == "main" and None not in (entry["ci_low"], entry["ci_high"])
        for entry in fit["estimates"]
    )


def has_tests(seen: Evidence) -> list[Place]:
    """Effects have a test statistic and a p."""
    tested = any(None not in (entry["statistic"], entry["p"]) for entry in seen.estimates())
    return at(tested, "models")


def has_primary_effects(seen: Evidence) -> list[Place]:
    """The configuration names primary effects; all others are told as exploratory."""
    many = seen.results.further.get("multiplicity")
    return at(many is not None and many["primary_named"], "many-tests")


def has_adjusted_tests(seen: Evidence) -> list[Place]:
    """The p values of the effects that count as tests are adjusted for their number."""
    return at(bool(seen.described("multiplicity", "tests")), "many-tests")


def has_effect_sizes(seen: Evidence) -> list[Place]:
    """A main effect is standardised, or is an odds or hazard ratio."""
    sized = any(
        entry["role"] == "main" and (entry["standardised"], entry["ratio"]) != (None, None)
        for entry in seen.estimates()
    )
    return at(sized, "models")


def has_ratios(seen: Evidence) -> list[Place]:
    """An effect is an odds or hazard ratio."""
    return at(any(e["ratio"] is not None for e in seen.estimates()), "models")


def has_effects_on_probability(seen: Evidence) -> list[Place]:
    """An effect is told on the probability itself as well."""
    effects = seen.estimates("marginal_effects")
    return at(any(e["estimate"] is not None for e in effects), "models")


def has_adjustment(seen: Evidence) -> list[Place]:
    """The terms that effects are adjusted for are printed."""
    adjusted = any(
        entry["role"] == "adjustment" and entry["level"] != "intercept"
        for entry in seen.estimates()
    )
    return at(adjusted, "models")


def has_within_and_between(seen: Evidence) -> list[Place]:
    """Effects within clients are told from those between clients."""
    levels = {entry["level"] for entry in seen.estimates() if entry["role"] == "main"}
    return at({"within-client", "between-client"} <= levels, "models")


def has_interactions(seen: Evidence) -> list[Place]:
    """A product of two terms was estimated."""
    return articles(filter(_has_product, seen.usable))


def _has_product(fit: Mapping[str, Any]) -> bool:
    # The products of a surface describe its shape; they are no question for whom an effect holds.
    is_surface = any(entry["level"] == "surface" for entry in fit["estimates"])
    return not is_surface and any(PRODUCT.search(entry["term"]) for entry in fit["estimates"])


def has_random_effects(seen: Evidence) -> list[Place]:
    """Variances of a level above the session are printed."""
    levels = {part["level"] for part in seen.estimates("variance_components")}
    return at(levels - {"session"}, "models")


def has_courses(seen: Evidence) -> list[Place]:
    """Observed means by session are drawn beside the course of a growth model."""
    outcomes = {
        fit["outcome"]["column"]
        for fit in seen.usable
        if any(curve["name"] == "course" for curve in fit["curves"])
    }
    drawn = any(
        row["measure"] in outcomes and row["mean"] for row in seen.about("observed_courses")
    )
    return at(drawn, "figure-growth")


def has_steps(seen: Evidence) -> list[Place]:
    """Models from no change upwards were compared on the same rows."""
    compared = any(
        sum(step["log_likelihood"] is not None for step in fit["steps"]) > 1 for fit in seen.usable
    )
    return at(compared, "table-growth_shape")


# ------------------------------------------------------------------------------ sites


def has_site_estimates(seen: Evidence) -> list[Place]:
    """The effect was estimated at sites alone."""
    return at(_of_sites(seen, Estimator.SITE_ALONE), "figure-by_site")


def has_prediction_interval(seen: Evidence) -> list[Place]:
    """It is said where the effect of a further site would lie."""
    return at(_of_sites(seen, Estimator.FURTHER_SITE), "figure-by_site")


def has_one_stage(seen: Evidence) -> list[Place]:
    """The effect over all sites by one model stands beside the mean of the sites."""
    return at(_of_sites(seen, Estimator.ALL_SITES_AT_ONCE), "figure-by_site")


def _of_sites(seen: Evidence, estimator: Estimator) -> bool:
    return any(
        entry["estimator"]["code"] == estimator and entry["ci_low"] is not None
        for fit in seen.usable
        for entry in fit["companions"]
    )


def _is_by_site(fit: Mapping[str, Any]) -> bool:
    """Whether a model was asked at sites alone."""
    return any(entry["estimator"]["code"] == Estimator.SITE_ALONE for entry in fit["companions"])


def has_heterogeneity(seen: Evidence) -> list[Place]:
    """How much the effect differs between sites was estimated."""
    return articles(
        fit
        for fit in filter(_is_by_site, seen.usable)
        if any(part["level"] == "site" for part in fit["variance_components"])
    )


# ------------------------------------------------------------------------------ other analyses


def has_sensitivity(seen: Evidence) -> list[Place]:
    """A question was asked otherwise: other means, trends, lags or estimators."""
    return articles(fit for fit in seen.usable if fit["about"] and not _is_by_site(fit))


def has_subgroups(seen: Evidence) -> list[Place]:
    """Effects were looked at in subgroups (sites), or by a product of two terms."""
    return articles(fit for fit in seen.usable if _is_by_site(fit) or _has_product(fit))


CONDITIONS = (
    has_questions, has_verdict, has_equations, has_random_effects_in_equation, has_estimators,
    has_assumptions, has_missing_assumption, has_censoring_assumption, has_rows_accounted,
    has_groups, has_convergence, has_diagnostics, has_intervals, has_tests,
    has_primary_effects, has_adjusted_tests, has_effect_sizes,
    has_ratios, has_effects_on_probability, has_adjustment, has_within_and_between,
    has_interactions, has_random_effects, has_courses, has_steps, has_site_estimates,
    has_prediction_interval, has_one_stage, has_heterogeneity, has_sensitivity, has_subgroups,
)  # fmt: skip
