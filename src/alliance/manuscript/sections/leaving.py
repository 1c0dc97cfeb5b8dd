"""Dropout: what counts as it, how it is described, and by which models it is foretold."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Assumption, Estimator, Tested, has
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import counted, heading, joined, paragraphs, say, text
from alliance.manuscript.sections.one_model import models, not_fitted

KINDS = (
    (Estimator.COX,),
    (Estimator.GAMMA_FRAILTY, Estimator.GAUSSIAN_FRAILTY),
    (Estimator.FINE_GRAY,),
)


def dropout(material: Material) -> list[Block]:
    """Return the section on dropout; nothing where nobody left and nothing was asked."""
    blocks: list[Block] = [*paragraphs(_definition(material), _curves(material))]
    hazards = material.usable("hazard")
    single = [fit for fit in hazards if not _is(fit, Estimator.MULTINOMIAL_LOGIT)]
    several = [fit for fit in hazards if _is(fit, Estimator.MULTINOMIAL_LOGIT)]
    if single:
        blocks += [*paragraphs(_hazard(material, single)), *models(material, single)]
    if several:
        blocks += [*paragraphs(_multinomial(several)), *models(material, several)]
    told: set[str] = set()
    for kind, introduce in zip(KINDS, (_cox, _frailty, _fine_gray), strict=True):
        fits = [fit for fit in material.usable("continuous_time") if _is(fit, *kind)]
        told.update(str(fit["model"].raw) for fit in fits)
        if fits:
            blocks += [*paragraphs(introduce(material, fits)), *models(material, fits)]
    rest = [fit for fit in material.usable("continuous_time") if fit["model"].raw not in told]
    blocks += models(material, rest)
    blocks += paragraphs(not_fitted(material.unusable("hazard", "continuous_time")))
    return [heading("Dropout"), *blocks] if blocks else []


def _is(fit: Field, *estimators: Estimator) -> bool:
    return fit["engine"]["estimator"]["code"].raw in estimators


def _definition(material: Material) -> Words:
    """Return the definition in use, and what the others laid beside it would count."""
    described = material.about("dropout")
    rows = described["definitions"].where(in_use=True) if described else []
    if described is None or not rows or not rows[0]["dropouts"].raw:
        return ()
    used = rows[0]
    words = say("A client counts as having dropped out if ", text(used["words"]), ": ",
                counted(used["dropouts"], "client", "clients"), " did so and ",
                text(used["others"], "count"), " did not")  # fmt: skip
    if used["unknown"].raw:
        words = say(words, "; of ", text(used["unknown"], "count"), " it cannot be told")
    words = say(words, ".")
    others = [row for row in described["definitions"] if not row["in_use"].raw]
    if not others:
        return words
    each = [_other(described, row) for row in others]
    return say(words, " Since definitions decide how many clients drop out ",
               material.references.cite("swift2012"), ", others were laid beside it: ",
               joined(each), ".")  # fmt: skip


def _other(described: Field, row: Field) -> Words:
    words = say(text(row["words"]), " (", counted(row["dropouts"], "client", "clients"))
    for move in described["moves"].where(name=row["name"].raw):
        if is_there(move, "kappa"):
            words = say(words, ", kappa with the one in use ", text(move["kappa"], "correlation"))
    return say(words, ")")


def _curves(material: Material) -> Words:
    described = material.about("dropout")
    if described is None or not described["staying"]:
        return ()
    name = material.references.name
    words = say("How long clients stayed is shown by the curves of ", name("kaplan1958"))
    if described["incidence"]:
        words = say(
            words,
            ", and which share had left in which way by the estimator of ",
            name("aalen1978"),
            ", in which one way of leaving competes with the others",
        )
    return say(words, ".")


def _hazard(material: Material, fits: Sequence[Field]) -> Words:
    how = {e.raw: text(e) for e in (fit["engine"]["estimator"]["text"] for fit in fits)}
    words = say("The risk of leaving after a session was modelled session by session, as a hazard "
                "in discrete time ", material.references.cite("singer1993"),
                ", estimated by ", joined([*how.values()]),
                ".")  # fmt: skip
    if any(has(fit["assumptions"].raw, Assumption.NO_LOOK_AHEAD) for fit in fits):
        words = say(words, " Predictors hold what was known at the session and no more: the mean "
                    "of a client's scores so far, and the deviation from it.")  # fmt: skip
    beside = {c["estimator"]["code"].raw for fit in fits for c in fit["companions"]}
    if Estimator.AVERAGED_OVER_THERAPISTS in beside:
        words = say(words, " The same terms averaged over therapists, with cluster-robust standard "
                    "errors, stand beside them.")  # fmt: skip
    if any(fit["marginal_effects"] for fit in fits):
        words = say(words, " Average marginal effects say what a term does to the probability.")
    if any("cross_validated_auc" in fit["fit_statistics"] for fit in fits):
        words = say(words, " How well the model foretells clients that it has not seen was judged "
                    "by cross-validation.")  # fmt: skip
    return words


def _multinomial(fits: Sequence[Field]) -> Words:
    return ("Several ways of leaving were asked about at once, each against going on, by a "
            "multinomial logit model with cluster-robust standard errors.",)  # fmt: skip


def _cox(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    words = say("In continuous time, leaving was modelled by Cox regression ", cite("cox1972"),
                " with ties handled after ", material.references.name("efron1977"))  # fmt: skip
    return say(words, ".", _proportional(material, fits))


def _proportional(material: Material, fits: Sequence[Field]) -> Words:
    if not any(fit["tests"].where(code=Tested.PROPORTIONAL_HAZARDS) for fit in fits):
        return ()
    return say(" That hazards are proportional was tested ",
               material.references.cite("grambsch1994"), ".")  # fmt: skip


def _frailty(material: Material, fits: Sequence[Field]) -> Words:
    kinds = {e.raw: text(e) for e in (fit["engine"]["estimator"]["text"] for fit in fits)}
    return say("That clients of one therapist may leave alike was allowed for by a frailty of the "
               "therapist: ", joined([*kinds.values()]), ".")  # fmt: skip


def _fine_gray(material: Material, fits: Sequence[Field]) -> Words:
    return say("Which share of clients ever leaves so, other ways of leaving competing, was "
               "modelled by the hazard of the subdistribution ",
               material.references.cite("fine1999"), ".",
               _proportional(material, fits))  # fmt: skip
