"""Tables of the diagnostics: main effects without a group, residuals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alliance.findings.fields import Field
from alliance.findings.formats import decimals_for
from alliance.findings.marks import short_mark_of
from alliance.findings.results import Results
from alliance.tables.layout import (
    Cell,
    Part,
    Records,
    Row,
    Table,
    cell,
    heading,
    interval,
    words,
)
from alliance.tables.models import head

EFFECT = (
    "term", "label", "left_out", "groups", "refits", "failed", "lowest", "highest",
    "largest_dfbetas", "limit", "flagged", "sign_changes", "conclusion_changes",
)  # fmt: skip
RESIDUALS = (
    "outcome", "rows", "clients", "mean", "sd", "share_of_sigma", "skewness", "excess_kurtosis",
    "beyond_2", "beyond_3", "normal_beyond_2", "normal_beyond_3", "autocorrelation", "pairs",
)  # fmt: skip


def _diagnosed(results: Results) -> Iterator[tuple[Field, Field]]:
    """Return each fit that has diagnostics, and these."""
    for fit in results.fits:
        if "diagnostics" in fit and fit["diagnostics"].raw is not None:
            yield fit, fit["diagnostics"]


def influence(results: Results) -> Table:
    """Return the main effects of every model, and what they are without one group."""
    table = Table(
        "influence",
        "Main effects without one group",
        [
            heading("Effect", numeric=False),
            heading("Estimate [interval]"),
            heading("Left out", numeric=False),
            heading("Estimates without"),
            heading("DFBETAS"),
            heading("Conspicuous"),
            heading("Other sign"),
            heading("Other conclusion"),
        ],
        notes=[
            "The model is fitted again without each therapist, each site and each client, its "
            "variances too. Estimates without: the lowest and the highest that this gives.",
            "DFBETAS: the largest change, whole estimate minus the one without the group, in "
            "standard errors of the latter. Conspicuous: groups with a change beyond two over the "
            "square root of their number; a few are where all is well.",
            "Other conclusion: groups without which the interval lies otherwise against zero than "
            "that of the whole model.",
        ],
        empty="No model has a main effect that could be estimated without a group.",
        wide=True,
    )
    for fit, found in _diagnosed(results):
        effects = list(found["influence"]["effects"])
        not_made = "not_made" in found["influence"]
        if effects or not_made:
            table.rows.append(head(fit))
        if not_made:
            why = Cell((Part(found["influence"]["not_made"]["text"]),))
            table.rows.append(Row((why,), group=True, faint=True))
        mains = fit["estimates"].where(role="main")
        several = len({main["label"].raw for main in mains}) < len(mains)
        for main in mains:
            own = [e for e in effects if e["term"].raw == main["term"].raw]
            name = [Part(main["label"])]
            name += [Part(main["level"], before=", ")] if several else []
            table.rows += [
                _effect_row(main, e, tuple(name) if k == 0 else ()) for k, e in enumerate(own)
            ]
        table.rows += [
            _silent_row(level) for level in found["influence"]["levels"] if level["message"].raw
        ]
    return table


def _effect_row(main: Field, effect: Field, name: tuple[Part, ...]) -> Row:
    """Return a line; the first of an effect has its name and what the whole model says."""
    format = decimals_for(*(main[part].raw for part in ("se", "estimate", "ci_low", "ci_high")))
    estimate = Cell()
    if name:
        parts = [Part(main["estimate"], format, after=" ")]
        if main["ci_low"].raw is not None and main["ci_high"].raw is not None:
            parts += interval(main["ci_low"], main["ci_high"], format)
        estimate = Cell(tuple(parts))
    left_out = [
        Part(effect["left_out"], after="\u00a0("),
        Part(effect["groups"], "count", after=")"),
    ]
    if effect["failed"].raw:
        left_out.append(Part(effect["failed"], "count", before="; ", after=" without a fit"))
    return Row(
        (
            Cell(name),
            estimate,
            Cell(tuple(left_out)),
            Cell((Part(effect["lowest"], format, after=" to "), Part(effect["highest"], format))),
            cell(effect["largest_dfbetas"], "decimals:2"),
            cell(effect["flagged"], "count"),
            cell(effect["sign_changes"], "count"),
            words("–")
            if effect["conclusion_changes"].raw is None
            else cell(effect["conclusion_changes"], "count"),
        )
    )


def _silent_row(level: Field) -> Row:
    """Return the row of a level that could not be left out, with the reason."""
    parts = (Part(level["left_out"], before="without one ", after=": "), Part(level["message"]))
    return Row((Cell(parts),), group=True, faint=True)


def influence_records(results: Results) -> Records:
    """Return the same with every digit, and Cook's distance of all fixed effects together."""
    columns = ("model", "status", "mark", *EFFECT, "largest_cooks_distance", "cooks_limit",
               "cooks_flagged")  # fmt: skip
    rows = []
    for fit, found in _diagnosed(results):
        levels = {level["left_out"].raw: level.raw for level in found["influence"]["levels"]}
        for effect in found["influence"]["effects"]:
            level = levels[effect["left_out"].raw]
            own = {key: effect.raw[key] for key in EFFECT}
            rows.append(_first(fit) | own | {key: level[key] for key in columns[-3:]})
    return Records(columns, rows)


def residuals(results: Results) -> Table:
    """Return what the residuals of every linear model are like."""
    table = Table(
        "residuals",
        "Residuals",
        [
            heading("Outcome", numeric=False),
            heading("Sessions"),
            heading("SD"),
            heading("Of model's SD"),
            heading("Skewness"),
            heading("Kurtosis"),
            heading("> two SD"),
            heading("> three SD"),
            heading("Autocorrelation"),
        ],
        notes=[
            "Given fixed and random effects. Their SD lies below the model's, because random "
            "effects fitted to few sessions take up a part of them.",
            "The first line has the shares of a normal distribution; its skewness and "
            "(excess) kurtosis are zero.",
            "Autocorrelation: of successive sessions of a client; slightly below zero where "
            "sessions are independent. Where the model has residuals that remember, it is that of "
            "what is new in each session.",
        ],
        empty="No model has residuals of sessions.",
        wide=True,
    )
    for fit, found in _diagnosed(results):
        blocks = list(found["residuals"])
        if blocks and not table.rows:
            table.rows.append(_normal_row(blocks[0]))
        if blocks:
            table.rows.append(head(fit))
        table.rows += [_residual_row(block) for block in blocks]
    return table


def _normal_row(block: Field) -> Row:
    shares = (cell(block[f"normal_beyond_{n}"], "share:1") for n in ("2", "3"))
    blank = [Cell()] * 5
    return Row((words("a normal distribution"), *blank, *shares, Cell()), faint=True)


def _residual_row(block: Field) -> Row:
    name = cell(block["outcome"], "component")
    if block["message"].raw:
        name = Cell((Part(block["outcome"], "component"), Part(block["message"], before=": ")))
        return Row((name, cell(block["rows"], "count"), *[words("–")] * 7))
    lagged = words("–")
    if block["autocorrelation"].raw is not None:
        pairs = Part(block["pairs"], "count", before=" (", after=")")
        lagged = Cell((Part(block["autocorrelation"], "correlation"), pairs))
    return Row(
        (
            name,
            cell(block["rows"], "count"),
            cell(block["sd"], "decimals:2"),
            cell(block["share_of_sigma"], "decimals:2"),
            cell(block["skewness"], "decimals:2"),
            cell(block["excess_kurtosis"], "decimals:2"),
            cell(block["beyond_2"], "share:1"),
            cell(block["beyond_3"], "share:1"),
            lagged,
        )
    )


def residuals_records(results: Results) -> Records:
    """Return the same with every digit."""
    rows = [
        _first(fit) | {key: block.raw[key] for key in RESIDUALS}
        for fit, found in _diagnosed(results)
        for block in found["residuals"]
    ]
    return Records(("model", "status", "mark", *RESIDUALS), rows)


def _first(fit: Field) -> dict[str, Any]:
    mark = short_mark_of(fit.raw)
    return {"model": fit["model"].raw, "status": fit["status"].raw, "mark": mark}
