"""The statistical models: what was asked, by which model, from which rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alliance.families.facts import MIXTURE, Assumption, DfMethod, Estimator, Tested, has
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Italic, Words
from alliance.manuscript.material import USABLE, Material
from alliance.manuscript.prose import CONFIDENCE, heading, joined, paragraphs, say, sentence, text
from alliance.manuscript.sections.one_model import models, not_fitted

Intro = Callable[[Material, Sequence[Field]], Words]


def analysis(material: Material) -> list[Block]:
    """Return the section on models other than those of dropout and of the sites put together."""
    parts: list[Block] = []
    for title, families in PARTS:
        parts += _part(material, title, families)
    general = paragraphs(_estimation(material), _inference(material))
    return [heading("Statistical analysis"), *general, *parts] if parts or general else []


def _part(material: Material, title: str, families: dict[str, Intro]) -> list[Block]:
    """Return a part of the section: each family in turn, then what could not be fitted."""
    blocks: list[Block] = []
    for family, introduce in families.items():
        fits = material.usable(family)
        if fits:
            blocks += [*paragraphs(introduce(material, fits)), *models(material, fits)]
    blocks += paragraphs(not_fitted(material.unusable(*families)))
    return [heading(title, 3), *blocks] if blocks else []


def _estimation(material: Material) -> Words:
    fits = [fit for fit in material.usable() if _is_reml(fit)]
    if not fits:
        return ()
    cite = material.references.cite
    words = say("Multilevel models with a continuous outcome were estimated by restricted maximum "
                "likelihood ", cite("patterson1971"))  # fmt: skip
    if all(fit["engine"]["df_method"]["code"].raw == DfMethod.SATTERTHWAITE for fit in fits):
        words = say(words, ", fixed effects tested by t with Satterthwaite's degrees of freedom ",
                    cite("satterthwaite1946", "kuznetsova2017"))  # fmt: skip
    if any(fit["convergence"]["second_start_difference"].raw is not None for fit in fits):
        words = say(words, ". The likelihood was searched from several starting values")
    if any("site[" in str(e["term"].raw) for fit in fits for e in fit["estimates"]):
        words = say(words, ". Sites are compared as fixed effects")
    return say(words, ".")


def _inference(material: Material) -> Words:
    entries = [e for fit in material.usable() for e in fit["estimates"]]
    if not any(entry["ci_low"].raw is not None for entry in entries):
        return ()
    words: Words = ("Intervals are ", CONFIDENCE, " confidence intervals")
    if any(entry["p"].raw is not None for entry in entries):
        words = say(words, " and tests two-sided; ", Italic("p"),
                    " values are not adjusted for the number of tests")  # fmt: skip
    return say(words, ".")


def _growth(material: Material, fits: Sequence[Field]) -> Words:
    return say("How a measure develops over treatment was described by multilevel growth models ",
               material.references.cite("raudenbush2002"), ".")  # fmt: skip


def _ladder(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    steps = [step for fit in fits for step in fit["steps"]]
    labels, without = ({s["label"].raw: text(s["label"]) for s in steps if (
        s["status"].raw in USABLE) is good} for good in (True, False))  # fmt: skip
    rules = {
        a["text"].raw: a["text"]
        for fit in fits
        for a in fit["assumptions"].where(code=Assumption.STEP_CHOSEN_BY_RULE)
    }
    words = say(
        "The shape of the course was chosen from a ladder of models fixed beforehand, each "
        "fitted by maximum likelihood to the same rows: ",
        joined([*labels.values()]),
        ".",
    )
    words = say(words, *(say(" ", sentence(rule)) for rule in rules.values()))
    if without:
        words = say(words, " Steps without a result: ", joined([*without.values()]), ".")
    if any(step["p_kind"].raw == MIXTURE for step in steps):
        words = say(
            words,
            " Variances at the boundary of zero were tested against the mixture of "
            "chi-squared distributions that holds there ",
            cite("self1987", "stram1994"),
            ".",
        )
    if any(step["r2_marginal"].raw is not None for step in steps):
        words = say(words, " Explained variance is given as marginal and conditional R squared ",
                    cite("nakagawa2013", "johnson2014"), ".")  # fmt: skip
    if any(fit["residual"]["phi"].raw is not None for fit in fits):
        words = say(words, " Residuals of one client may resemble one another, the more the nearer "
                    "they are in time.")  # fmt: skip
    return say(words, " The chosen step was fitted again by REML.") if _by_reml(fits) else words


def _by_reml(fits: Sequence[Field]) -> bool:
    return all(map(_is_reml, fits))


def _is_reml(fit: Field) -> bool:
    return bool(fit["engine"]["estimator"]["code"].raw == Estimator.REML)


def _parallel(material: Material, fits: Sequence[Field]) -> Words:
    words = ("Whether two measures develop together was examined by growth models of both outcomes "
             "at once, with one joint distribution of a client's random effects; the questions "
             "are in its correlations.")  # fmt: skip
    if Estimator.CORRELATION_DELTA in _estimators(fits):
        words += " Intervals of correlations are by the delta method on Fisher's scale."
    return (words,)


def _coupling(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    words = say("Whether one measure foretells the other at the next session was asked by models "
                "that tell two parts of the predictor apart: the deviation of a session from the "
                "client's own mean (within clients), and the client's mean against that of all "
                "clients (between clients) ", cite("curran2011", "enders2007"), ".")  # fmt: skip
    if any(e["level"].raw == "autoregression" for fit in fits for e in fit["estimates"]):
        words = say(words, " The outcome at the present session is held constant, as a deviation "
                    "from the client's own mean ", cite("hamaker2015"), ".")  # fmt: skip
    words = say(words, _companions(material, fits))
    if any(":" in str(e["term"].raw) for fit in fits for e in fit["estimates"]):
        words = say(words, " The within-client effect may depend on a moderator, by their product.")
    return words


def _companions(material: Material, fits: Sequence[Field]) -> Words:
    """Return the checks beside a coupling model, as far as they could be computed."""
    beside = {c["estimator"]["code"].raw for fit in fits for c in fit["companions"]}
    checks: list[Words] = []
    if Estimator.FIXED_EFFECTS in beside:
        checks.append(("a regression in which every client has a free constant, with "
                       "cluster-robust standard errors",))  # fmt: skip
    if Estimator.MIXED_LAG_NOT_CENTRED in beside:
        checks.append(say("the same model with the present outcome not centred ",
                          material.references.cite("falkenstrom2013")))  # fmt: skip
    if not checks:
        return ()
    return say(" The within-client effect was checked by ", joined(checks, " and by "), ".")


def _panel(material: Material, fits: Sequence[Field]) -> Words:
    names = _estimators(fits)
    words = say("The same question was put to estimators that assume no distribution of clients",
                say(": ", joined([*names.values()])) if names else (), ".")  # fmt: skip
    tests = {
        "hausman1978": (Tested.HAUSMAN, "the fixed and the random effects"),
        "mundlak1978": (Tested.MUNDLAK, "the within- and the between-client coefficients"),
    }
    for work, (code, what) in tests.items():
        if any(
            test["statistic"].raw is not None
            for fit in fits
            for test in fit["tests"].where(code=code)
        ):
            words = say(words, f" Whether {what} agree was tested after ",
                        material.references.name(work), ".")  # fmt: skip
    if any(has(fit["assumptions"].raw, Assumption.SHORT_COURSE_BIAS) for fit in fits):
        words = say(words, " With few sessions a client, the coefficient of the lagged outcome is "
                    "biased in a known direction ",
                    material.references.cite("nickell1981"), ".")  # fmt: skip
    return words


def _specifications(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    names = _estimators(fits)
    words = say("How far the answer depends on the handling of means, trends and lags ",
                cite("falkenstrom2017", "wang2015"), " was seen by fitting coupling models again "
                "with one choice changed at a time: ", joined([*names.values()]), ".")  # fmt: skip
    if Estimator.LATENT_MEAN in names:
        words = say(words, " The latent mean corrects the between-client effect for the "
                    "unreliability of a client's mean ", cite("ludtke2008"), ".")  # fmt: skip
    return words


def _estimators(fits: Sequence[Field]) -> dict[str, Words]:
    """Return code and words of the estimators of these models, each once."""
    found = [e["estimator"] for fit in fits for e in fit["estimates"]]
    return {how["code"].raw: text(how["text"]) for how in found}


def _agreement(material: Material, fits: Sequence[Field]) -> Words:
    return say("Whether therapists see what clients see was asked by the truth and bias model ",
               material.references.cite("west2011"), ": the intercept is the directional "
               "discrepancy, the within-client slope says how far one view follows the other. Both "
               "ratings are read as per cent of the possible range.")  # fmt: skip


def _surface(material: Material, fits: Sequence[Field]) -> Words:
    return say("What agreement and disagreement of the two views go with was examined by "
               "polynomial regression and its response surface ",
               material.references.cite("edwards1993"), ".")  # fmt: skip


def _actor_partner(material: Material, fits: Sequence[Field]) -> Words:
    return say("Whose view follows whose was examined by an actor–partner interdependence model ",
               material.references.cite("cook2005"), " over successive joint ratings.")  # fmt: skip


PARTS: tuple[tuple[str, dict[str, Intro]], ...] = (
    (
        "Course over treatment",
        {"growth": _growth, "growth_shape": _ladder, "parallel_growth": _parallel},
    ),
    ("Coupling from session to session", {"coupling": _coupling}),
    (
        "The same question asked otherwise",
        {"panel_estimators": _panel, "specifications": _specifications},
    ),
    (
        "Two views of the alliance",
        {"agreement": _agreement, "surface": _surface, "actor_partner": _actor_partner},
    ),
)
