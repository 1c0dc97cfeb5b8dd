"""The questions of a reviewer, and where the page answers each.

The same list stands in `docs/reviewer_drill.md`; a test follows every link on the demo's page and
reads the answer there.
"""

from __future__ import annotations

from dataclasses import dataclass

MODELS = "model"  # as a place: the articles of the models that lead the page


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answer's place.

    Attributes
    ----------
    words
        The question.
    place
        Id of the element of the page that answers it, or `MODELS`.
    name
        How the place is called in print.
    """

    words: str
    place: str
    name: str


QUESTIONS = (
    Question("Who took part, at which sites, and how did treatments end?", "by-site", "the sample"),
    Question("Who was excluded, and why?", "problems", "problems found in the files"),
    Question("Which sessions could a model not use?", "unused", "rows left out, by reason"),
    Question("How much is missing, where, and of which form?", "missing", "what is missing"),
    Question(
        "Which questionnaires, in which version, scored how?", "instruments", "the measures"
    ),
    Question("What was done about unanswered items?", "figure-forms", "what scores rest on"),
    Question("How reliable are the scores here?", "reliability", "internal consistency"),
    Question("Do they measure the same at every site?", "invariance", "invariance"),
    Question("By which model: equation, levels, random effects?", MODELS, "the models"),
    Question("Which estimator, and which degrees of freedom?", MODELS, "the models"),
    Question("Did every model converge, and is one singular?", "certainty", "convergence"),
    Question("Does a second program find the same?", "second-engine", "second engines"),
    Question("Do residuals and random effects look as assumed?", "diagnostics", "diagnostics"),
    Question("What was assumed about missing data and dropout?", "assumptions", "assumptions"),
    Question("What counts as dropout, and what if it were defined otherwise?",
             "dropout-definitions", "definitions of dropout"),
    Question("Does one therapist, or one site, carry the result?", "influence", "influence"),
    Question("Is the effect the same at every site?", "sites", "the sites"),
    Question("Would other choices of the analysis give another answer?", "specifications",
             "the same question, asked otherwise"),
    Question("Which version of the program, on which data, with which configuration?", "making",
             "how this page was made"),
    Question("What does a reporting checklist find missing?", "checklists", "the checklists"),
    Question("How much is one standard deviation, in points of the instrument?", "joint_courses",
             "effects of one standard deviation"),
    Question("How large is each effect, standardised, with its interval?", "joint_courses",
             "standardised effects"),
    Question("How often do ruptures occur, for how many clients?", "ruptures", "ruptures"),
    Question("In which language and version were the forms filled in?", "languages",
             "languages of the forms"),
    Question("What power did the study have?", "authors", "what the authors must add"),
    Question("Was it registered, and where?", "authors", "what the authors must add"),
    Question("Who paid for it, and who has an interest?", "authors", "what the authors must add"),
    Question("Where are data and code?", "authors", "what the authors must add"),
)  # fmt: skip
