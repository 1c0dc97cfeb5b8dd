"""Tables of change: classes, sites, sudden gains and losses."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.layout import (
    Cell,
    Column,
    Part,
    Records,
    Row,
    Table,
    cell,
    group_row,
    heading,
    words,
)

CLASSES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")


NOT_MADE = "Change was not described for this cohort."


def described(results: Results, key: str) -> list[Field]:
    """Return the entries of change.json under `key`, none where the stage did not run."""
    change = results.further.get("change")
    return [] if change is None else list(change[key])


def columns_of(first: str, *others: str) -> list[Column]:
    """Return columns, the first of words and the others of numbers."""
    return [heading(first, numeric=False), *map(heading, others)]


def count_percent(entry: Field, count: str, percent: str) -> Cell:
    """Return `count (per cent)`, or a dash."""
    if entry[count].raw is None:
        return words("–")
    parts = [Part(entry[count], "count")]
    if entry[percent].raw is not None:
        parts.append(Part(entry[percent], "percent:0", before=" (", after=")"))
    return Cell(tuple(parts))


def change_classes(results: Results) -> Table:
    """Return clients by class of change, a row for each published index."""
    table = Table(
        "change_classes",
        "Reliable and clinically significant change, by index",
        columns_of("Index", *(name.capitalize() for name in CLASSES), "Clients"),
        notes=[
            "Number of clients (per cent). Recovered: reliably improved and across the cut-off to "
            "the functional side. Harmed: reliably worse and across it to the clinical side.",
            "An asterisk marks the index by which sites and therapists are compared.",
            "Hsu, Linn and Lord, and the slopes of a hierarchical model, compare each client with "
            "the change of all: who improves like everybody is unchanged by them.",
        ],
        empty=NOT_MADE,
        wide=True,
    )
    for measure in described(results, "measures"):
        table.rows.append(group_row(Part(measure["label"])))
        if measure["message"].raw:
            table.rows.append(across(measure["message"], len(table.columns)))
            continue
        for method in measure["methods"]:
            mark = " *" if method["chosen"].raw else ""
            if method["message"].raw:
                why = Cell((Part(method["label"]), Part(method["message"], before=": ")))
                dashes = (words("–"),) * (len(table.columns) - 1)
                table.rows.append(Row((why, *dashes), faint=True))
                continue
            counts = (count_percent(entry, "clients", "percent") for entry in method["classes"])
            label = cell(method["label"], after=mark)
            table.rows.append(Row((label, *counts, cell(method["clients"], "count"))))
        if measure["anchor"].raw is not None:
            anchor = measure["anchor"]
            by_class = {entry["class"].raw: entry for entry in anchor["classes"]}
            counts = (
                count_percent(by_class[name], "clients", "percent")
                if name in by_class
                else words("–")
                for name in CLASSES
            )
            label = cell(anchor["points"], "general", before="At least ", after=" points (anchor)")
            table.rows.append(Row((label, *counts, cell(anchor["clients"], "count"))))
    return table


def across(message: Field, columns: int) -> Row:
    """Return a row in which a message stands in place of the numbers."""
    return Row((cell(message), *(words("") for _ in range(columns - 1))), faint=True)


def change_by_site(results: Results) -> Table:
    """Return the share of clients reliably improved, by site, observed and drawn to the whole."""
    table = Table(
        "change_by_site",
        "Clients reliably improved, by site",
        columns_of("Site", "Clients", "Observed", "Drawn towards all"),
        notes=[
            "Recovered or improved, by the index marked in the table before.",
            "Drawn towards all: what a logistic model with random sites and therapists expects "
            "of the site; the fewer its clients, the nearer to the others.",
            "A site with fewer than eight clients is left blank.",
        ],
        empty=NOT_MADE,
    )
    for measure in described(results, "measures"):
        if measure["by_site"].raw is None:
            continue
        table.rows.append(group_row(Part(measure["label"])))
        for site in measure["by_site"]["sites"]:
            shares = (
                words("–") if site[key].raw is None else cell(site[key], "share:0")
                for key in ("share", "drawn")
            )
            clients = "too few" if site["clients"].raw is None else None
            count = words(clients) if clients else cell(site["clients"], "count")
            table.rows.append(Row((cell(site["site"]), count, *shares)))
    return table


def sudden_changes(results: Results) -> Table:
    """Return sudden gains and losses of every measure."""
    table = Table(
        "sudden_changes",
        "Sudden gains and losses",
        columns_of("", "Least points", "Clients judged", "Changes", "Clients with one",
                 "Median points", "Median session", "Reversed"),
        notes=[
            "By the three criteria of Tang and DeRubeis: large in points, a quarter of the score "
            "before, and stable over three sessions on each side.",
            "Reversed: a later score lost more than half of it again.",
        ],
        empty=NOT_MADE,
        wide=True,
    )  # fmt: skip
    for measure in described(results, "measures"):
        sudden = measure["sudden"]
        table.rows.append(group_row(Part(measure["label"])))
        if sudden["message"].raw:
            table.rows.append(across(sudden["message"], len(table.columns)))
            continue
        for words_, key in (("Gains", "gains"), ("Losses", "losses")):
            entry = sudden[key]
            table.rows.append(
                Row(
                    (
                        words(words_),
                        cell(sudden["least_points"], "decimals:1"),
                        cell(sudden["clients_judged"], "count"),
                        cell(entry["changes"], "count"),
                        count_percent(entry, "clients", "percent"),
                        or_dash(entry["points"], "decimals:1"),
                        or_dash(entry["session"], "decimals:1"),
                        or_dash(entry["percent_reversed"], "percent:0"),
                    )
                )
            )
    return table


def or_dash(field: Field, format: str) -> Cell:
    """Return a cell with a number, or a dash."""
    return words("–") if field.raw is None else cell(field, format)


def change_classes_records(results: Results) -> Records:
    """Return classes, a row for measure, index and class."""
    columns = ("measure", "method", "critical", "cutoff", "class", "clients", "percent", "message")
    rows = []
    for measure in described(results, "measures"):
        for method in measure["methods"]:
            head = {"measure": measure["measure"].raw, "method": method["method"].raw}
            head |= {key: method[key].raw for key in ("critical", "cutoff", "message")}
            rows += [head | entry.raw for entry in method["classes"]]
        if measure["anchor"].raw is not None:
            anchor = measure["anchor"]
            head = {"measure": measure["measure"].raw, "method": "anchor", "message": ""}
            head |= {"critical": anchor["points"].raw, "cutoff": None}
            rows += [head | entry.raw for entry in anchor["classes"]]
    return Records(columns, rows)


def change_by_site_records(results: Results) -> Records:
    """Return shares by site."""
    columns = ("measure", "site", "clients", "share", "drawn")
    rows = [
        {"measure": measure["measure"].raw} | site.raw
        for measure in described(results, "measures")
        if measure["by_site"].raw is not None
        for site in measure["by_site"]["sites"]
    ]
    return Records(columns, rows)


def sudden_changes_records(results: Results) -> Records:
    """Return sudden gains and losses."""
    numbers = ("changes", "clients", "percent", "points", "session", "percent_reversed")
    columns = ("measure", "kind", "least_points", "clients_judged", *numbers)
    rows = []
    for measure in described(results, "measures"):
        sudden = measure["sudden"].raw
        rows += [
            {"measure": measure["measure"].raw, "kind": kind}
            | {key: sudden[key] for key in ("least_points", "clients_judged")}
            | sudden[kind]
            for kind in ("gains", "losses")
            if sudden[kind] is not None
        ]
    return Records(columns, rows)
