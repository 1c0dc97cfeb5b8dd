"""Which printed numbers are computed anew, and by what (the others: docs/audit.md)."""

import re

import recompute as by_rows
import recompute_change as by_change
import recompute_models as by_models

ONE_MODEL = (
    "growth",
    "coupling",
    "hazard",
)  # families whose printed equation says all of the model
FIT, MEASUREMENT = r"fits/\w+\.json#", r"measurement\.json#"
CHANGE, INTAKE = r"change\.json#/measures/\d+", r"intake\.json#"
TESTED = "estimate|se|statistic|p|ci_low|ci_high|ratio|ratio_low|ratio_high"
KINDS = {
    "rows of a model": (
        FIT + r"/data/(rows_\w+|left_out/\d+/rows|groups/\d+/n)",
        by_rows.rows_of_fit,
    ),
    "effect of a model": (FIT + rf"/estimates/\d+/({TESTED})", by_models.estimate),
    "variance of a model": (
        FIT + r"/variance_components/\d+/(variance_or_covariance|sd_or_correlation|share)",
        by_models.component,
    ),
    "who took part": (r"description\.json#/flow/\d+/(?!forms|site$)\w+", by_rows.flow),
    "sample": (
        r"description\.json#/sample/\d+/(n|mean|sd|median|minimum|maximum|count|percent)",
        by_rows.sample,
    ),
    "missing forms": (r"description\.json#/missing/\d+/\w+", by_rows.missing),
    "ledger of the pool": (
        r"description\.json#/rows(_of_all_sites)?/\d+/(read|kept|blank|set_aside|reasons/\d+/count)",
        by_rows.ledger,
    ),
    "ledger of files": (
        INTAKE + r"/ledger/\d+/(read|kept|blank|set_aside|reasons/\d+/count)",
        by_rows.ledger,
    ),
    "coverage": (
        INTAKE + r"/coverage/sites/\d+/(clients|measures/\d+)/.*percent",
        by_rows.coverage,
    ),
    "prorating": (MEASUREMENT + r"/prorating/\d+/(?!session$)\w+", by_rows.prorating),
    "items": (
        MEASUREMENT + r"/items/\d+/(answered|unanswered_percent|mean|item_rest)",
        by_rows.items,
    ),
    "reliability": (
        MEASUREMENT + r"/reliability/\d+/(alpha|forms|clients|items)",
        by_rows.reliability,
    ),
    "scores": (MEASUREMENT + r"/score_statistics/\d+/\w+", by_rows.score_statistics),
    "correlations": (
        MEASUREMENT + r"/correlations/\d+/(r|df|p|low|high|rows|clients)",
        by_rows.correlation,
    ),
    "dropout by session": (r"dropout\.json#/by_session/\d+/\w+", by_rows.dropout_by_session),
    "definitions of dropout": (
        r"dropout\.json#/definitions/\d+/(dropouts|others|unknown|share\w*)",
        by_rows.dropout_definition,
    ),
    "classes of change": (CHANGE + r"/methods/\d+/classes/\d+/\w+", by_change.reliable_change),
    "change": (
        CHANGE + r"/(clients_used|sd_of_first_scores|reliable_points|(first|last)/\w+)",
        by_change.change_of_all,
    ),
    "sudden changes": (CHANGE + r"/sudden/(gains|losses)/(?!percent$)\w+", by_change.sudden),
    "ruptures": (
        r"change\.json#/ruptures/\d+/rules/\d+/"
        r"(ruptures|clients|percent|repaired|unrepaired|ended|percent_repaired)",
        by_change.rupture_rule,
    ),
    "rows of a table": (
        r"../../data/processed/\w+/datapackage\.json#/resources/\d+/rows",
        by_rows.rows_of_table,
    ),
}
KINDS = {name: (re.compile(pattern), compute) for name, (pattern, compute) in KINDS.items()}


def kind_of(finding, look_up):
    """Return by which kind a number is computed anew, None where by none."""
    if finding.also or isinstance(finding.value, str | bool | None):
        return None
    found = next(
        (k for k, (pattern, _) in KINDS.items() if pattern.fullmatch(finding.address)), None
    )
    return found if found and _is_within_reach(found, finding, look_up) else None


def _is_within_reach(kind, finding, look_up):
    """Leave out what a kind does not hold for: it is listed with the others."""
    document = look_up(f"{finding.source}#")
    holder = look_up(f"{finding.source}#{finding.pointer.rpartition('/')[0]}")
    if kind == "rows of a model" and "left_out" in finding.pointer:
        codes = [entry["reason"]["code"] for entry in document["data"]["left_out"]]
        return codes.count(holder["reason"]["code"]) == 1
    if kind in ("effect of a model", "variance of a model"):
        return _is_one_model(document, kind) and _is_in_equation(holder, document)
    if kind == "ruptures" and finding.pointer.endswith("/percent"):
        of = look_up(f"{finding.source}#{finding.pointer.partition('/rules')[0]}")
        return holder["clients_judged"] == of["clients_used"]  # some rules judge fewer
    if kind == "classes of change":
        of = look_up(f"{finding.source}#{finding.pointer.partition('/classes')[0]}")
        return of["method"] == "jacobson-truax"
    return True


def _is_in_equation(holder, fit):
    if "term" not in holder:
        return True
    fixed = fit["equation"].partition(" ~ ")[2].partition(" + (")[0].partition(";")[0]
    terms = re.sub(r"center\((\w+)\)", r"\1", fixed).split(" + ")
    return holder["term"] in terms and not holder["group"]


def _is_one_model(fit, kind):
    if fit["family"] not in ONE_MODEL or fit["status"] == "refused":
        return False
    if fit["family"] == "hazard":
        no_variance = all(v["variance_or_covariance"] == 0 for v in fit["variance_components"])
        return (
            kind == "effect of a model" and no_variance and fit["equation"].startswith("logit P(")
        )
    return by_models.EQUATION.match(fit["equation"]) is not None
