"""Growth, coupling and dropout: models side by side; effects site by site and put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alliance.families.facts import Estimator, Tested
from alliance.findings.fields import Field
from alliance.findings.marks import short_mark_of
from alliance.findings.results import Results
from alliance.tables.apa.lines import (
    Line,
    Section,
    count_lines,
    criterion_lines,
    lay_out,
    p_cell,
    usable,
    variance_lines,
    with_interval,
)
from alliance.tables.layout import (
    INTERVAL,
    Cell,
    Column,
    Italic,
    Part,
    Piece,
    Records,
    Row,
    Table,
    cell,
    group_row,
    heading,
    symbol,
    words,
)
from alliance.tables.models import head

GROWTH = ("growth", "growth_shape")
COUPLING = ("coupling",)
DROPOUT = ("hazard", "continuous_time")
SITES = ("by_site",)
# What the two directions of a coupling have in common, whatever the measures are called.
IN_COMMON = {
    "within-client": "Predictor, within client",
    "between-client": "Predictor, between clients",
    "autoregression": "Outcome at the same session, within client",
}
SINGULAR = (
    "A singular model has a variance component at the boundary of what is possible; a model that "
    "did not converge or was not fitted has no numbers here."
)


def _of(results: Results, families: tuple[str, ...]) -> list[Field]:
    return [fit for fit in results.fits if fit["family"].raw in families]


def _effects(fit: Field) -> list[Line]:
    """Return the fixed effects, the intercept first."""
    entries = sorted(fit["estimates"], key=lambda entry: entry["level"].raw != "intercept")
    return [
        Line(
            ("effect", entry["label"].raw),
            cell(entry["label"]),
            with_interval(entry),
            p_cell(entry),
        )
        for entry in entries
    ]


def apa_growth(results: Results) -> Table:
    """Growth models side by side."""
    table = Table(
        "apa_growth",
        "Multilevel Models of the Course Over Treatment",
        [],
        notes=[
            (Italic("b"), ": unstandardised coefficient. Variance components are variances; those "
             "marked ", Italic("r"), " are correlations of effects. " + SINGULAR),
        ],
        empty="No growth model was asked for.",
    )  # fmt: skip
    sections = [
        Section("Fixed effects", _effects),
        Section("Variance components", variance_lines),
        Section("Fit", criterion_lines),
        Section("Used", count_lines),
    ]
    return lay_out(table, _of(results, GROWTH), sections, (Italic("b"),))


def _coupling_effects(fit: Field, role: str) -> list[Line]:
    found = []
    for entry in fit["estimates"]:
        if entry["role"].raw != role:
            continue
        level, label = entry["level"].raw, entry["label"]
        if level in IN_COMMON:
            line = Line(
                ("level", level), words(IN_COMMON[level]), with_interval(entry), p_cell(entry)
            )
        else:
            line = Line(("effect", label.raw), cell(label), with_interval(entry), p_cell(entry))
        found.append(line)
    return found


def apa_coupling(results: Results) -> Table:
    """Both directions of the coupling side by side."""
    table = Table(
        "apa_coupling",
        "Coupling of Session Scores With the Next Session, Within and Between Clients",
        [],
        notes=[
            (Italic("b"), ": points of the outcome at the next session for one point of the "
             "predictor at this one. Within client: against the client's own mean; between: of "
             "the clients' means. Variance components are variances. " + SINGULAR),
        ],
        empty="No coupling of two measures was asked for.",
    )  # fmt: skip
    sections = [
        Section("Effects of interest", lambda fit: _coupling_effects(fit, "main")),
        Section("Adjustment", lambda fit: _coupling_effects(fit, "adjustment")),
        Section("Variance components", variance_lines),
        Section("Fit", criterion_lines),
        Section("Used", count_lines),
    ]
    return lay_out(table, _of(results, COUPLING), sections, (Italic("b"),))


def _ratios(fit: Field) -> list[Line]:
    """Return odds or hazard ratios; what has none (the intercept) is left out."""
    return [
        Line(("effect", entry["label"].raw), cell(entry["label"]),
             with_interval(entry, ratio=True), p_cell(entry))
        for entry in fit["estimates"]
        if entry["ratio"].raw is not None
    ]  # fmt: skip


def apa_dropout(results: Results) -> Table:
    """Hazard models of dropout: odds or hazard ratios, numbers of sessions and events."""
    table = Table(
        "apa_dropout",
        "Models of Dropout: Odds and Hazard Ratios",
        [],
        notes=[
            "Ratio: odds ratio of models by session, hazard ratio of those in continuous time, the "
            "exponential of the coefficient; intercepts are left out. Variance components are on "
            "the scale of the logarithm. " + SINGULAR,
        ],
        empty="No model of dropout was asked for.",
    )
    sections = [
        Section("Ratios", _ratios),
        Section("Variance components", variance_lines),
        Section("Used", count_lines),
    ]
    return lay_out(table, _of(results, DROPOUT), sections, ("Ratio",))


def apa_sites(results: Results) -> Table:
    """Every main effect at each site, the mean of the sites, and what a further site may show."""
    table = Table(
        "apa_sites",
        "Effects at Each Site and Over the Sites",
        [
            heading("", numeric=False),
            symbol("b"),
            symbol("SE"),
            Column(Cell(INTERVAL)),
            symbol("p"),
            Column(Cell(("Ratio [", *INTERVAL, "]"))),
        ],
        notes=[
            ("Mean of the sites: random-effects synthesis. The interval of a further site is that "
             "of prediction. ", Italic("τ"), ": standard deviation of the sites' true effects; ",
             Italic("I"), " squared: share of the sites' differences that is not chance; ",
             Italic("Q"), ": test that all sites share one effect. Ratio: odds ratio, of models "
             "of dropout."),
        ],
        empty="No effect was asked for site by site.",
        wide=True,
    )  # fmt: skip
    for fit in _of(results, SITES):
        table.rows.append(head(fit))
        for entry in fit["estimates"] if usable(fit) else []:
            table.rows.append(group_row(Part(entry["label"]), faint=True))
            alone = [e for e in fit["companions"] if e["term"].raw == entry["term"].raw]
            is_site = [e["estimator"]["code"].raw == Estimator.SITE_ALONE for e in alone]
            table.rows += [_site_row(e) for e, own in zip(alone, is_site, strict=True) if own]
            table.rows.append(_site_row(entry))
            table.rows += [_site_row(e) for e, own in zip(alone, is_site, strict=True) if not own]
            table.rows += _heterogeneity(fit, entry)
    return table


def _site_row(entry: Field) -> Row:
    both = with_interval(entry)
    parts = [piece for piece in both.parts if isinstance(piece, Part)]
    format = parts[0].format if parts else "decimals:2"
    se = words("–") if entry["se"].raw is None else cell(entry["se"], format)
    ratio = words("") if entry["ratio"].raw is None else with_interval(entry, ratio=True)
    value = words("–") if entry["estimate"].raw is None else cell(entry["estimate"], format)
    name, interval = cell(entry["estimator"]["text"]), Cell(tuple(parts[1:]))
    return Row((name, value, se, interval, p_cell(entry), ratio))


def _heterogeneity(fit: Field, entry: Field) -> list[Row]:
    """Return the line that says how much the sites differ in an effect."""
    pieces: list[Piece] = []
    for component in fit["variance_components"].where(name_1=entry["term"].raw):
        if component["sd_or_correlation"].raw is not None:
            pieces += [Italic("τ"), " = ", Part(component["sd_or_correlation"], "decimals:3")]
    squared = f"i_squared_percent ({entry['term'].raw})"
    if squared in fit["fit_statistics"] and fit["fit_statistics"][squared].raw is not None:
        share = Part(fit["fit_statistics"][squared], "percent:0")
        pieces += ["; " if pieces else "", Italic("I"), " squared = ", share]
    for test in fit["tests"].where(code=Tested.ONE_EFFECT_AT_ALL_SITES, term=entry["term"].raw):
        if test["statistic"].raw is not None:
            pieces += ["; " if pieces else "", Italic("Q"), "(", Part(test["df"], "df"), ") = ",
                       Part(test["statistic"], "decimals:2"), ", ", Italic("p"), " ",
                       Part(test["p"], "p")]  # fmt: skip
    pieces.append(".")
    told = Cell(("Differences between sites: ", *pieces))
    return [Row((told,), group=True, faint=True)] if len(pieces) > 1 else []


ESTIMATE = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high", "ratio", "ratio_low",
            "ratio_high")  # fmt: skip
COLUMNS = ("model", "status", "mark", "kind", "level", "term", "label", "estimator", *ESTIMATE)


def records_of(*families: str) -> Callable[[Results], Records]:
    """Return a maker of all that is known of the models of these families, one row a number.

    `kind` tells estimates from checks, variance components (`estimate` is the variance or
    covariance), fit statistics and numbers of groups.
    """

    def records(results: Results) -> Records:
        rows = [row for fit in _of(results, families) for row in _rows_of(fit)]
        return Records(COLUMNS, rows)

    return records


def _rows_of(fit: Field) -> list[dict[str, Any]]:
    raw = fit.raw
    first = dict.fromkeys(COLUMNS) | {
        "model": raw["model"],
        "status": raw["status"],
        "mark": short_mark_of(raw),
    }
    rows = []
    for kind, key in (("estimate", "estimates"), ("check", "companions")):
        for entry in raw[key]:
            named = {name: entry[name] for name in ("level", "term", "label")}
            named["estimator"] = entry["estimator"]["text"]
            numbers = {name: entry[name] for name in ESTIMATE}
            rows.append(first | {"kind": kind} | named | numbers)
    for part in raw["variance_components"]:
        one, two = part["name_1"], part["name_2"]
        named = {"level": part["level"], "term": one if one == two else f"{one} with {two}"}
        value = {"estimate": part["variance_or_covariance"]}
        rows.append(first | {"kind": "variance component"} | named | value)
    for name, number in raw["fit_statistics"].items():
        rows.append(first | {"kind": "fit statistic", "term": name, "estimate": number})
    for group in raw["data"]["groups"]:
        rows.append(first | {"kind": "groups", "level": group["level"], "estimate": group["n"]})
    return rows


apa_growth_records = records_of(*GROWTH)
apa_coupling_records = records_of(*COUPLING)
apa_dropout_records = records_of(*DROPOUT)
apa_sites_records = records_of(*SITES)
