"""The places of the report that a checklist may point to, by their id, in words without digits."""

from __future__ import annotations

PLACES = {
    "verdict": "what was found, at a glance",
    "unused": "sessions that a model could not use",
    "models": "the models, one by one",
    "many-tests": "primary and exploratory effects, and adjusted tests",
    "assumptions": "what was assumed",
    "making": "how the page was made",
    "figure-flow": "figure of the participant flow",
    "table-flow": "table of the participant flow",
    "table-sample": "table of the sample",
    "table-rows": "every row that was read",
    "table-problems": "problems found when the files were read",
    "figure-growth": "figure of observed and predicted courses",
    "table-instruments": "measures and their scoring keys",
    "table-evidence": "evidence of the scoring keys",
    "table-scores": "scores and their ranges",
    "table-missing": "missing forms and items",
    "figure-forms": "what scores rest on, by session",
    "table-reliability": "internal consistency",
    "table-generalizability": "reliability of means and of changes",
    "table-invariance": "invariance over sites and sessions",
    "table-variance_shares": "shares of variance",
    "table-coder_agreement": "agreement of observers",
    "table-convergence": "convergence and rows used",
    "table-growth_shape": "steps of the growth ladders",
    "table-dropout_definitions": "definitions of dropout",
    "table-dropout_by_session": "dropout by session",
    "figure-leaving": "figure of how treatments ended",
    "figure-by_site": "figure of every site and all together",
}
MODEL = "model-"  # the article of a model has the id `model-<name>`


def anchors() -> tuple[str, ...]:
    """Return every id that a checklist may link to, beside those of the models' articles."""
    return tuple(PLACES)
