"""The config's `models`: what only looking across entries shows, and their defaults.

Which keys an entry takes, and what is special to a family, stands in the folder of the family
(`alliance.families.<family>.options`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from alliance.config import closed_schema
from alliance.config.score_columns import parts_of
from alliance.config.strict_yaml import Document, KeyPath, Problem
from alliance.families.options import TRANSFORMS, same_total
from alliance.families.registry import families

Scores = Mapping[str, tuple[str, str]]

_PANEL_TERMS = ("site", "session", "weeks_since_intake", "log_weeks", "sqrt_weeks",
                "days_since_intake", "log_session", "sqrt_session")  # fmt: skip


def complete(
    models: Mapping[str, dict[str, Any]], seed: int, reference: Mapping[str, str] | None = None
) -> None:
    """Fill in the defaults of every entry, in place; a model asked of another gets its entry."""
    for model in models.values():
        if reference:
            model["reference"] = dict(reference)
        families()[model["family"]].options.complete(model, seed)
    for model in models.values():
        if "model" in model:
            model["entry"] = models[model["model"]]


def columns_of_panel(scores: Iterable[str], facts: Collection[str]) -> set[str]:
    """Return the panel's columns that terms may name: of time, of scores, facts of clients."""
    scores = list(scores)
    known = {*_PANEL_TERMS, *scores, *parts_of(scores)}
    return known | (set(facts) - {"therapist", "intake_date"})


def problems(document: Document, scores: Scores, columns: set[str] | None) -> Iterator[Problem]:
    """Yield what is wrong with the models of a config that fits its schema.

    Parameters
    ----------
    document
        The config.
    scores
        Columns that hold a score, and whose it is (`score_columns`).
    columns
        Those of the panel that terms may name; None where they cannot be known.
    """
    for name, model in document.content.get("models", {}).items():
        here = ("models", name)
        yield from _score_problems(document, here, model, scores)
        if "model" in model:
            yield from _other_model_problems(document, here, model)
        terms: list[tuple[KeyPath, str]] = []
        if "moderator" in model:
            terms.append((("moderator",), model["moderator"]))
        terms += [(("fixed", i), term) for i, term in enumerate(model.get("fixed", []))]
        for place, term in terms:
            for told in _term_problems(term, columns):
                yield document.problem((*here, *place), told)
        for own, told in families()[model["family"]].options.problems(model, scores):
            yield document.problem((*here, *own), told)


def reference_problems(document: Document, facts: Collection[str]) -> Iterator[Problem]:
    """Yield references of what is no client fact."""
    for name in document.content.get("reference", {}):
        if name not in facts:
            told = closed_schema.hint(name, facts, "client fact")
            yield document.problem(("reference", name), f"no site tells this of clients; {told}")


def _score_problems(
    document: Document, here: KeyPath, model: Mapping[str, Any], scores: Scores
) -> Iterator[Problem]:
    """Yield names of scores that are not there, and pairs that cannot be told apart."""
    named: list[tuple[KeyPath, str]] = [
        ((*here, key), model[key])
        for key in ("predictor", "outcome", "client", "therapist")
        if key in model
    ]
    for key in ("predictors", "outcomes"):
        named += [((*here, key, i), m) for i, m in enumerate(model.get(key, []))]
    measures = document.content.get("measures", {})
    for place, column in named:
        if column not in scores:
            yield document.problem(place, _no_such_score(column, measures, scores))
    if "client" in model and model["client"] == model["therapist"]:
        yield document.problem(here, "client and therapist name the same measure")
    if "outcomes" in model and (told := _same_scores(model["outcomes"], scores)):
        yield document.problem((*here, "outcomes"), told)
    pair = (model.get("predictor", ""), model.get("outcome", ""))
    if "predictor" in model and (told := _same_scores(pair, scores)):
        yield document.problem(here, told)


def _other_model_problems(
    document: Document, here: KeyPath, model: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield why the model that another one is asked of cannot be the one that is named."""
    models, name = document.content["models"], model["model"]
    wanted = families()[model["family"]].options.asked_of
    fitting = [other for other, entry in models.items() if entry["family"] in wanted]
    if name not in models:
        told = closed_schema.hint(name, fitting, "model")
        yield document.problem((*here, "model"), f"there is no model {name}; {told}")
    elif models[name]["family"] not in wanted:
        kinds = " or ".join(wanted)
        yield document.problem((*here, "model"), f"must name a model of family {kinds}")


def _no_such_score(column: str, measures: Mapping[str, Any], scores: Scores) -> str:
    """Return what to say of a name in a model that is no score of the cohort."""
    if column not in measures:
        return f"there is no measure {column}; {closed_schema.hint(column, scores, 'measure')}"
    own = [name for name, (measure, _) in scores.items() if measure == column]
    if not own:
        return f"nothing is known of the scores of {column}: its scoring key cannot be used"
    return (
        f"the scoring key of {column} has no total score; name one of its scores: {', '.join(own)}"
    )


def _same_scores(pair: Sequence[str], scores: Scores) -> str:
    """Return why predictor and outcome cannot be told apart; empty where they can."""
    predictor, outcome = pair
    if predictor == outcome:
        return "predictor and outcome are the same measure"
    if outcome in same_total(predictor, scores):
        return f"{predictor} and {outcome} share items: one is a part of the other"
    return ""


def _term_problems(term: str, columns: set[str] | None) -> Iterator[str]:
    """Yield what is wrong with the names in a term, of the form that the schema has checked."""
    for factor in re.split("[:*]", term.replace(" ", "")):
        transform, _, inside = factor.rpartition("(")
        column = inside.removesuffix(")").split(",")[0]
        if transform and transform not in TRANSFORMS:
            told = closed_schema.hint(transform, TRANSFORMS, "transform")
            yield f"there is no transform {transform}; {told}"
        if columns is not None and column not in columns:
            yield f"there is no column {column}; {closed_schema.hint(column, columns, 'column')}"
