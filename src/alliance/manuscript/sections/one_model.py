"""What is said of any model: rows, terms and formula, what is wrong with it, or why it failed."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import CORRELATIONS, Estimator
from alliance.families.registry import that_are
from alliance.families.terms import is_of_sites
from alliance.findings.fields import Field
from alliance.findings.marks import kinds_of
from alliance.manuscript.blocks import Paragraph, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import (
    LEVELS,
    counted,
    joined,
    listed,
    paragraphs,
    quoted,
    say,
    sentence,
    symbol,
    text,
)

FRAILTY = "frailty"
SAME_ROWS = ("panel_sha256", "rows_used", "left_out")
INTERCEPTS = ("1", "intercept", "Intercept")


def models(material: Material, fits: Sequence[Field]) -> list[Paragraph]:
    """Return a paragraph for each of the fits, which all have a result."""
    return paragraphs(*(one_model(fit, _alike(material, fit)) for fit in fits))


def _alike(material: Material, fit: Field) -> Field | None:
    """Return the first model that left out the same rows for the same reasons, if not this one."""
    for other in material.usable():
        if other["model"].raw == fit["model"].raw:
            return None
        if all(other["data"][k].raw == fit["data"][k].raw for k in SAME_ROWS):
            return other
    return None


def one_model(fit: Field, alike: Field | None = None) -> Words:
    """Return rows, fixed and random effects, formula and marks of a model that was fitted.

    What a model has in common with the one that it is `alike` is not told again.
    """
    same = alike is not None and alike["equation"].raw == fit["equation"].raw
    formula = () if same else _formula(fit)
    return say(_rows(fit, alike), " ", _terms(fit), formula, marks(fit))


def not_fitted(fits: Sequence[Field]) -> Words:
    """Return which models were tried without a result, and why."""
    return joined([_why(fit) for fit in fits], " ")


def _why(fit: Field) -> Words:
    how = "was tried and did not converge" if fit["status"].raw == "failed" else (
        "was tried and not fitted")  # fmt: skip
    reason = say(": ", sentence(fit["message"])) if fit["message"].raw else (".",)
    after = " None of its numbers is used." if fit["status"].raw == "failed" else ""
    return say("The model ", quoted(fit["title"]), f" {how}", reason, after)


def _rows(fit: Field, alike: Field | None) -> Words:
    data = fit["data"]
    words = say(quoted(fit["title"]), " used ")
    if alike is not None:
        used = counted(data["rows_used"], "session", "sessions")
        return say(words, "the same ", used, " as ", quoted(alike["title"]), ".")
    groups = [
        counted(group["n"], str(group["level"].raw), LEVELS[group["level"].raw])
        for group in reversed(list(data["groups"]))
        if group["level"].raw in LEVELS and group["level"].raw != "session"
    ]
    of = say(" of ", listed(groups)) if groups else ()
    used, all_rows = text(data["rows_used"], "count"), text(data["rows_in_panel"], "count")
    words = say(words, used, " of ", all_rows, " sessions", of)
    if not data["left_out"]:
        return say(words, ".")
    reasons = [
        say(text(entry["reason"]["text"]), " (", symbol("n", entry["rows"]), ")")
        for entry in data["left_out"]
    ]
    return say(words, "; the others were not used because: ", joined(reasons), ".")


def _terms(fit: Field) -> Words:
    """Return fixed effects (but for intercept and sites), what is read off, and random effects."""
    if fit["family"].raw in that_are("several_models"):
        return ()
    mains = [entry for entry in fit["estimates"].where(role="main") if _is_derived(entry)]
    derived = {str(entry["label"].raw): text(entry["label"]) for entry in mains}
    labels: dict[str, Words] = {}
    for entry in fit["estimates"]:
        term, level = str(entry["term"].raw), str(entry["level"].raw)
        if level not in ("intercept", "surface") and term not in INTERCEPTS and (
            entry["estimator"]["code"].raw not in CORRELATIONS and not is_of_sites(term)
            and not _is_derived(entry)
        ):  # fmt: skip
            labels.setdefault(str(entry["label"].raw), text(entry["label"]))
    fixed = [*labels.values()]
    if any(is_of_sites(str(entry["term"].raw)) for entry in fit["estimates"]):
        fixed.append(("site",))
    words = say("Fixed effects: ", joined(fixed), ". ") if fixed else ()
    if derived:
        words = say(words, "Effects of interest: ", joined([*derived.values()]), ". ")
    random = random_effects(fit)
    return say(words, "Random effects: ", random, ". ") if random else words


def _is_derived(entry: Field) -> bool:
    """Say whether an effect is read off the parameters of a model, and is none of them."""
    return bool(entry["estimator"]["code"].raw == Estimator.JOINT_COURSES)


def random_effects(fit: Field) -> Words:
    """Return e.g. `intercepts of therapists; intercepts and slopes (weeks) of clients`."""
    found = []
    for level in dict.fromkeys(entry["level"].raw for entry in fit["variance_components"]):
        if level == "session" or level not in LEVELS:
            continue
        entries = fit["variance_components"].where(level=level)
        own = [e for e in entries if e["name_1"].raw == e["name_2"].raw]
        others = [e for e in own if not is_intercept(e)]
        slopes = [text(e["name_1"], "component") for e in others if e["name_1"].raw != FRAILTY]
        kinds = ["intercepts"] if len(others) < len(own) else []
        kinds += ["slopes"] if slopes else []
        kinds += ["frailties"] if len(slopes) < len(others) else []
        tie = "correlated " if len(entries) > len(own) else ""
        what = say(" (", listed(slopes), ")") if slopes else ()
        found.append(say(tie + " and ".join(kinds), what, f" of {LEVELS[level]}"))
    return joined(found)


def is_intercept(entry: Field) -> bool:
    """Say whether a component is the variance of an intercept."""
    name = str(entry["name_1"].raw)
    return name in INTERCEPTS or name.endswith(": 1")


def _formula(fit: Field) -> Words:
    return say("In formula notation: ", text(fit["equation"]), ".") if fit["equation"].raw else ()


def marks(fit: Field) -> Words:
    """Return what a reader must know of a fit before its numbers: singular, disputed."""
    kinds = kinds_of(fit.raw)
    words: Words = ()
    if "singular" in kinds:
        components = [
            text(part, "component-words") for part in fit["convergence"]["singular_components"]
        ]
        words = say(" The fit is singular, at the boundary of what is possible",
                    say(" (", joined(components), ")") if components else (), ".")  # fmt: skip
    if "disputed" in kinds:
        second = fit["second_engine"]
        words = say(words, " A second engine, ", text(second["name"]), ", finds other estimates.")
    return words
