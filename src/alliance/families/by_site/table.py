"""The table of effects site by site for a paper."""

from __future__ import annotations

from alliance.families.facts import Estimator, Tested
from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.apa.lines import (
    p_cell,
    usable,
    with_interval,
)
from alliance.tables.apa.of_families import fits_in, records_of
from alliance.tables.layout import (
    INTERVAL,
    Cell,
    Column,
    Italic,
    Part,
    Piece,
    Row,
    Table,
    cell,
    group_row,
    heading,
    symbol,
    words,
)
from alliance.tables.models import head


def apa_by_site(results: Results) -> Table:
    """Every main effect at each site, the mean of the sites, and what a further site may show."""
    table = Table(
        "apa_by_site",
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
             "of prediction, by t with sites minus two degrees of freedom. ", Italic("τ"),
             ": standard deviation of the sites' true effects; ",
             Italic("I"), " squared: share of the sites' differences that is not chance; ",
             Italic("Q"), ": test that all sites share one effect. Ratio: odds ratio, of models "
             "of dropout."),
        ],
        empty="No effect was asked for site by site.",
        wide=True,
    )  # fmt: skip
    for fit in fits_in(results, table.name):
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


apa_by_site_records = records_of("apa_by_site")
