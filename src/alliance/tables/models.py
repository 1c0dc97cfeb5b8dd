"""Tables of the models: fixed effects, variance components, convergence."""

from __future__ import annotations

from typing import Any

from alliance.findings.adjusted import PRIMARY, Adjusted, adjusted_of
from alliance.findings.fields import Field
from alliance.findings.formats import decimals_for
from alliance.findings.marks import mark_of, short_mark_of
from alliance.findings.results import Results
from alliance.tables.layout import (
    Cell,
    Part,
    Records,
    Row,
    Table,
    cell,
    group_row,
    heading,
    interval,
    words,
)

KINDS = {"chi2": "chi-squared", "mixture": "chi-squared at the boundary"}  # distributions in words
NUMBERS = (
    "estimate",
    "se",
    "df",
    "statistic",
    "p",
    "ci_low",
    "ci_high",
    "standardised",
    "ratio",
    "ratio_low",
    "ratio_high",
)


def head(fit: Field) -> Row:
    """Return the row that names a model and, where it is not plainly converged, says so."""
    status = fit["status"].raw
    parts = [Part(fit["title"])]
    if status == "refused" or (status == "failed" and fit["message"].raw):
        parts.append(Part(fit["message"], before=" — "))
    return group_row(*parts, note=mark_of(fit.raw), faint=status in ("failed", "refused"))


def fixed_effects(results: Results) -> Table:
    """Estimates of every model with intervals and tests; checks by another estimator below them."""
    table = Table(
        "fixed_effects",
        "Fixed effects",
        [
            heading("Effect", numeric=False),
            heading("Estimate"),
            heading("SE"),
            heading("Interval"),
            heading("t or z"),
            heading("df"),
            heading("p"),
            heading("p adjusted"),
            heading("Standardised"),
            heading("Ratio [interval]"),
        ],
        notes=[
            "Intervals at the usual level of confidence, two-sided tests; a dash under df stands "
            "for the normal approximation.",
            "Standardised: standard deviations of the outcome per standard deviation of the "
            "predictor, of the same level.",
            "Ratio: odds or hazard ratio, the exponential of the estimate.",
            "p adjusted: primary effects among themselves by Holm’s method, exploratory ones by "
            "the false discovery rate of Benjamini and Hochberg; a dash where a line is no test "
            "of its own: what is adjusted for, the same effect otherwise.",
            "Only effects that the configuration names as primary have stars, by their adjusted p; "
            "a model that did not converge has none.",
            "A line that begins with an arrow is the same effect by another estimator, as a check, "
            "or on another scale: an average marginal effect is the difference between "
            "probabilities that goes with one more point (a hundredth is one percentage point).",
        ],
        empty="No model was asked for.",
        wide=True,
        stars=True,
    )
    adjusted = adjusted_of(results)
    for fit in results.fits:
        table.rows.append(head(fit))
        several = len({entry["estimator"]["text"].raw for entry in fit["estimates"]}) > 1
        for entry in fit["estimates"]:
            table.rows.append(estimate_row(fit, entry, adjusted, name_estimator=several))
        for entry in (*fit["companions"], *fit["marginal_effects"]):
            table.rows.append(estimate_row(fit, entry, adjusted, companion=True))
    return table


def adjusted_cell(fit: Field, test: Field | None) -> Cell:
    """Return the adjusted p, with stars where the effect is primary; a dash for no test."""
    if test is None:
        return words("–")
    stars = (Part(test["p_adjusted"], "stars", (fit["status"],)),) if _primary(test) else ()
    return Cell((Part(test["p_adjusted"], "p-cell"), *stars))


def _primary(test: Field) -> bool:
    return bool(test["group"].raw == PRIMARY)


def estimate_row(
    fit: Field,
    entry: Field,
    adjusted: Adjusted,
    companion: bool = False,
    name_estimator: bool = False,
) -> Row:
    """Return a line of the fixed-effects table."""
    format = decimals_for(*(entry[part].raw for part in ("se", "estimate", "ci_low", "ci_high")))
    label = [Part(entry["label"], before="↳ " if companion else "")]
    label += [Part(entry["estimator"]["text"], before=", ")] if companion or name_estimator else []
    label += [Part(entry["unit"], before=" (", after=")")] if entry["unit"].raw else []
    ratio: tuple[Part, ...] = ()
    if entry["ratio"].raw is not None:
        low, high = interval(entry["ratio_low"], entry["ratio_high"], "ratio")
        ratio = (Part(entry["ratio"], "ratio", after=" "), low, high)
    test = adjusted.get(entry.address)
    primary = ", primary" if test is not None and _primary(test) else ""
    has_interval = entry["ci_low"].raw is not None and entry["ci_high"].raw is not None
    return Row(
        (
            Cell(tuple(label), primary),
            cell(entry["estimate"], format),
            cell(entry["se"], format),
            Cell(interval(entry["ci_low"], entry["ci_high"], format))
            if has_interval
            else words("–"),
            cell(entry["statistic"], "decimals:2"),
            cell(entry["df"], "df"),
            words("–") if entry["p"].raw is None else cell(entry["p"], "p-cell"),
            adjusted_cell(fit, test),
            words("")
            if entry["standardised"].raw is None
            else cell(entry["standardised"], "decimals:2"),
            Cell(ratio),
        ),
        faint=fit["status"].raw == "failed",
    )


def variance_components(results: Results) -> Table:
    """Variances and covariances of random effects, and the residual."""
    table = Table(
        "variance_components",
        "Variance components",
        [
            heading("Level", numeric=False),
            heading("Component", numeric=False),
            heading("Variance or covariance"),
            heading("SD or correlation"),
            heading("Share"),
        ],
        notes=["Share: part of the unexplained variance at intake, of intercepts and residual."],
        empty="No model has variance components.",
    )
    for fit in results.fits:
        if not fit["variance_components"] and fit["status"].raw != "refused":
            continue  # a model without random effects
        table.rows.append(head(fit))
        for entry in fit["variance_components"]:
            table.rows.append(component_row(fit, entry))
    return table


def component_row(fit: Field, entry: Field) -> Row:
    """Return a line of the variance-components table."""
    same = entry["name_1"].raw == entry["name_2"].raw
    name = [Part(entry["name_1"], "component")]
    name += [] if same else [Part(entry["name_2"], "component", before=" with ")]
    second = cell(entry["sd_or_correlation"], "decimals:2" if same else "correlation")
    variance = entry["variance_or_covariance"]
    rounded = "decimals:2" if abs(variance.raw) >= 0.1 else decimals_for(None, variance.raw)
    return Row(
        (
            cell(entry["level"]),
            Cell(tuple(name)),
            cell(variance, rounded),
            second,
            words("") if entry["share"].raw is None else cell(entry["share"], "share:1"),
        ),
        faint=fit["status"].raw == "failed",
    )


def convergence(results: Results) -> Table:
    """Return how each fit came about: rows used, optimiser, gradient, second start and engine."""
    table = Table(
        "convergence",
        "Convergence and rows used",
        [
            heading("Model", numeric=False),
            heading("Status", numeric=False),
            heading("Rows used"),
            heading("Optimiser", numeric=False),
            heading("Evaluations"),
            heading("Gradient"),
            heading("Second start"),
            heading("Second engine", numeric=False),
        ],
        notes=[
            "Second start: how far apart (in deviance) searches from other starting values "
            "ended; near zero is good, otherwise there are several optima and the best is shown.",
            "Second engine: the same model in other software, where it can express it; the largest "
            "difference is in standard errors.",
        ],
        empty="No model was asked for.",
        wide=True,
    )
    for fit in results.fits:
        how, data = fit["convergence"], fit["data"]
        status = [Part(fit["status"], "status")]
        for k, component in enumerate(how["singular_components"]):
            status.append(Part(component, before=": " if k == 0 else ", "))
        table.rows.append(
            Row(
                (
                    cell(fit["model"]),
                    Cell(tuple(status)),
                    cell(data["rows_used"], "count"),
                    cell(how["optimiser"]),
                    cell(how["evaluations"], "count"),
                    cell(how["gradient_norm"], "scientific"),
                    cell(how["second_start_difference"], "scientific"),
                    _second_engine(fit["second_engine"]),
                ),
                faint=fit["status"].raw in ("failed", "refused"),
            )
        )
    return table


def _second_engine(second: Field) -> Cell:
    if second.raw is None:
        return words("none")
    parts = [Part(second["name"]), Part(second["version"], before=" ")]
    if second["converged"].raw:
        parts.append(Part(second["agrees"], "choice:agrees|engines differ", before=": "))
        if second["largest_difference_in_se"].raw is not None:
            parts.append(
                Part(second["largest_difference_in_se"], "scientific", before=", by ", after=" SE")
            )
    else:
        parts.append(Part(second["converged"], "choice:converged|did not converge", before=": "))
    return Cell(tuple(parts))


def fixed_effects_records(results: Results) -> Records:
    """Return all estimates with full precision; `kind` tells the model's own from the checks."""
    columns = (
        "model",
        "status",
        "mark",
        "kind",
        "term",
        "label",
        "role",
        "level",
        "estimator",
        *NUMBERS,
        "unit",
        "tested_as",
        "p_adjusted",
    )
    adjusted = adjusted_of(results)
    rows: list[dict[str, Any]] = []
    for fit in results.fits:
        for kind, key in (
            ("estimate", "estimates"),
            ("check", "companions"),
            ("marginal effect", "marginal_effects"),
        ):
            for entry in fit[key]:
                first = _first(fit) | {"kind": kind}
                test = adjusted.get(entry.address)
                last = {} if test is None else {"tested_as": test.raw["group"]} | test.raw
                own = {name: entry.raw[name] for name in columns[4:-2]}
                own["estimator"] = own["estimator"]["text"]
                rows.append(first | own | {name: last.get(name) for name in columns[-2:]})
    return Records(columns, rows)


def variance_components_records(results: Results) -> Records:
    """Return all variance components with full precision."""
    own = ("level", "name_1", "name_2", "variance_or_covariance", "sd_or_correlation", "share")
    rows = [
        _first(fit) | {key: entry.raw[key] for key in own}
        for fit in results.fits
        for entry in fit["variance_components"]
    ]
    return Records(("model", "status", "mark", *own), rows)


def _first(fit: Field) -> dict[str, str]:
    """Return what opens every record of a fit: its name and what is wrong with it."""
    mark = short_mark_of(fit.raw)
    return {"model": fit["model"].raw, "status": fit["status"].raw, "mark": mark}


def convergence_records(results: Results) -> Records:
    """Return how each fit came about."""
    how = ("optimiser", "evaluations", "gradient_norm", "is_singular", "second_start_difference")
    columns = (
        "model",
        "family",
        "status",
        "message",
        "rows_in_panel",
        "rows_used",
        "left_out",
        *how,
        "singular_components",
        "second_engine",
        "second_engine_agrees",
        "second_engine_largest_difference_in_se",
    )
    rows = []
    for fit in results.fits:
        raw, second = fit.raw, fit.raw["second_engine"] or {}
        rows.append(
            {key: raw[key] for key in ("model", "family", "status", "message")}
            | {key: raw["data"][key] for key in ("rows_in_panel", "rows_used")}
            | {
                "left_out": "; ".join(
                    f"{e['reason']['text']}: {e['rows']}" for e in raw["data"]["left_out"]
                )
            }
            | {key: raw["convergence"][key] for key in how}
            | {
                "singular_components": "; ".join(raw["convergence"]["singular_components"]),
                "second_engine": second.get("name"),
                "second_engine_agrees": second.get("agrees"),
                "second_engine_largest_difference_in_se": second.get("largest_difference_in_se"),
            }
        )
    return Records(columns, rows)


def tests(results: Results) -> Table:
    """Tests beside the estimates: that sites share one effect, Hausman, Mundlak, ..."""
    table = Table(
        "tests",
        "Tests",
        [
            heading("Hypothesis tested", numeric=False),
            heading("Statistic"),
            heading("df"),
            heading("p"),
        ],
        notes=["A dash stands where a test is not defined for these data."],
        empty="No model has a test beside its estimates.",
    )
    for fit in results.fits:
        if not fit["tests"]:
            continue
        table.rows.append(head(fit))
        for test in fit["tests"]:
            defined = test["statistic"].raw is not None
            df = [Part(test["df"], "df")]
            if test["df2"].raw is not None:
                df.append(Part(test["df2"], "df", before=", "))
            kind = KINDS.get(test["kind"].raw, test["kind"].raw)
            table.rows.append(
                Row(
                    (
                        cell(test["name"]),
                        cell(test["statistic"], "decimals:2", before=f"{kind} = ")
                        if defined
                        else words("–"),
                        Cell(tuple(df)) if defined else words("–"),
                        cell(test["p"], "p-cell") if test["p"].raw is not None else words("–"),
                    ),
                    faint=fit["status"].raw == "failed",
                )
            )
    return table


def tests_records(results: Results) -> Records:
    """The same with every digit."""
    columns = ("name", "kind", "statistic", "df", "df2", "p", "note")
    rows = [
        _first(fit) | {key: test.raw[key] for key in columns}
        for fit in results.fits
        for test in fit["tests"]
    ]
    return Records(("model", "status", "mark", *columns), rows)
