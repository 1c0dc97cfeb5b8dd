"""Tables of change and events: classes, sites, sudden gains, rules, agreement, what followed."""

from __future__ import annotations

from collections.abc import Sequence

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
    plain_rows,
    words,
)

CLASSES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")
NOT_MADE = "Change was not described for this cohort."
RULE = heading("Rule", numeric=False)


def _described(results: Results, key: str) -> list[Field]:
    """Return the entries of change.json under `key`, none where the stage did not run."""
    change = results.further.get("change")
    return [] if change is None else list(change[key])


def _columns(first: str, *others: str) -> list[Column]:
    return [heading(first, numeric=False), *map(heading, others)]


def _count_percent(entry: Field, count: str, percent: str) -> Cell:
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
        _columns("Index", *(name.capitalize() for name in CLASSES), "Clients"),
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
    for measure in _described(results, "measures"):
        table.rows.append(group_row(Part(measure["label"])))
        if measure["message"].raw:
            table.rows.append(_across(measure["message"], len(table.columns)))
            continue
        for method in measure["methods"]:
            mark = " *" if method["chosen"].raw else ""
            if method["message"].raw:
                why = Cell((Part(method["label"]), Part(method["message"], before=": ")))
                dashes = (words("–"),) * (len(table.columns) - 1)
                table.rows.append(Row((why, *dashes), faint=True))
                continue
            counts = (_count_percent(entry, "clients", "percent") for entry in method["classes"])
            label = cell(method["label"], after=mark)
            table.rows.append(Row((label, *counts, cell(method["clients"], "count"))))
        if measure["anchor"].raw is not None:
            anchor = measure["anchor"]
            by_class = {entry["class"].raw: entry for entry in anchor["classes"]}
            counts = (
                _count_percent(by_class[name], "clients", "percent")
                if name in by_class
                else words("–")
                for name in CLASSES
            )
            label = cell(anchor["points"], "general", before="At least ", after=" points (anchor)")
            table.rows.append(Row((label, *counts, cell(anchor["clients"], "count"))))
    return table


def _across(message: Field, columns: int) -> Row:
    return Row((cell(message), *(words("") for _ in range(columns - 1))), faint=True)


def change_by_site(results: Results) -> Table:
    """Return the share of clients reliably improved, by site, observed and drawn to the whole."""
    table = Table(
        "change_by_site",
        "Clients reliably improved, by site",
        _columns("Site", "Clients", "Observed", "Drawn towards all"),
        notes=[
            "Recovered or improved, by the index marked in the table before.",
            "Drawn towards all: what a logistic model with random sites and therapists expects "
            "of the site; the fewer its clients, the nearer to the others.",
            "A site with fewer than eight clients is left blank.",
        ],
        empty=NOT_MADE,
    )
    for measure in _described(results, "measures"):
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
        _columns("", "Least points", "Clients judged", "Changes", "Clients with one",
                 "Median points", "Median session", "Reversed"),
        notes=[
            "By the three criteria of Tang and DeRubeis: large in points, a quarter of the score "
            "before, and stable over three sessions on each side.",
            "Reversed: a later score lost more than half of it again.",
        ],
        empty=NOT_MADE,
        wide=True,
    )  # fmt: skip
    for measure in _described(results, "measures"):
        sudden = measure["sudden"]
        table.rows.append(group_row(Part(measure["label"])))
        if sudden["message"].raw:
            table.rows.append(_across(sudden["message"], len(table.columns)))
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
                        _count_percent(entry, "clients", "percent"),
                        _or_dash(entry["points"], "decimals:1"),
                        _or_dash(entry["session"], "decimals:1"),
                        _or_dash(entry["percent_reversed"], "percent:0"),
                    )
                )
            )
    return table


def _or_dash(field: Field, format: str) -> Cell:
    return words("–") if field.raw is None else cell(field, format)


def rupture_rules(results: Results) -> Table:
    """Return what each rule finds, and what it finds where there is nothing."""
    table = Table(
        "rupture_rules",
        "Ruptures by rule, and what each rule finds by chance alone",
        [
            RULE,
            *map(
                heading,
                (
                    "Clients judged",
                    "With a rupture",
                    "By chance alone [interval]",
                    "Beyond chance, p",
                    "Ruptures",
                    "Repaired",
                    "Depth, points",
                    "Sessions to repair",
                    "Points regained a session",
                ),
            ),
        ],
        notes=[
            "By chance alone: clients flagged, on average and in most of the drawn cohorts, if "
            "every client kept the own course with the own ups and downs and nobody ever ruptured.",
            "p: how often a cohort without rupture has as many flagged clients. A rule that finds "
            "no more than chance does not speak against ruptures; it cannot see them here.",
            "Repaired: of the ruptures whose course did not end before the rule's time was over. "
            "Depth, sessions and points are medians; a dash stands for fewer than eight.",
            "Rules marked with a dagger need the whole course: they describe, but cannot predict.",
        ],
        empty="No rule for ruptures was asked for.",
        wide=True,
    )
    for entry in _described(results, "ruptures"):
        table.rows.append(group_row(Part(entry["label"])))
        if entry["message"].raw:
            table.rows.append(_across(entry["message"], len(table.columns)))
            continue
        for rule in entry["rules"]:
            mark = " †" if rule["known"].raw == "after treatment" else ""
            if rule["message"].raw:
                why = Cell((Part(rule["title"], after=mark), Part(rule["message"], before=": ")))
                dashes = (words("–"),) * (len(table.columns) - 1)
                table.rows.append(Row((why, *dashes), faint=True))
                continue
            chance = rule["chance"]
            expected = Cell(
                (
                    Part(chance["percent"], "percent:0"),
                    Part(chance["low"], "decimals:0", before=" [", after=", "),
                    Part(chance["high"], "decimals:0", after="]"),
                )
            )
            table.rows.append(
                Row(
                    (
                        cell(rule["title"], after=mark),
                        cell(rule["clients_judged"], "count"),
                        cell(rule["percent"], "percent:0"),
                        expected,
                        cell(chance["p"], "p-cell"),
                        cell(rule["ruptures"], "count"),
                        _or_dash(rule["percent_repaired"], "percent:0"),
                        _or_dash(rule["depth"], "decimals:1"),
                        _or_dash(rule["duration"], "decimals:1"),
                        _or_dash(rule["speed"], "decimals:1"),
                    )
                )
            )
    return table


def coder_agreement(results: Results) -> Table:
    """Return agreement of observers on their codes, and of the rules with the codes."""
    table = Table(
        "coder_agreement",
        "Observers' codes: agreement between coders, and of the rules with them",
        _columns("", "Sessions", "Agreement", "Interval", "Kappa", "Overlap"),
        notes=[
            "Agreement: intraclass correlation of single ratings of random coders, absolute.",
            "Kappa and overlap compare sessions in which observers coded a rupture with those in "
            "which the rule sees one begin.",
        ],
        empty="No observer has coded sessions of this cohort.",
    )
    change = results.further.get("change")
    if change is None:
        return table
    observers = change["observers"]
    for entry in observers["agreement"]:
        if entry["message"].raw:
            table.rows.append(
                Row((cell(entry["code"]), cell(entry["sessions"], "count"),
                     cell(entry["message"]), *(words("–"),) * 3))
            )  # fmt: skip
            continue
        interval = Cell(
            (
                Part(entry["ci_low"], "correlation", before="[", after=", "),
                Part(entry["ci_high"], "correlation", after="]"),
            )
        )
        table.rows.append(
            Row((cell(entry["code"]), cell(entry["sessions"], "count"),
                 cell(entry["icc"], "correlation"), interval, words("–"), words("–")))
        )  # fmt: skip
    for entry in observers["rules"]:
        table.rows.append(
            Row((cell(entry["rule"]), cell(entry["sessions"], "count"), words("–"), words("–"),
                 _or_dash(entry["kappa"], "correlation"),
                 _or_dash(entry["jaccard"], "correlation")))
        )  # fmt: skip
    return table


def after_events(results: Results) -> Table:
    """Return what followed sessions with an event and sessions without."""
    table = Table(
        "after_events",
        "What followed ruptures, repairs and sudden changes",
        _columns("Event", "Sessions", "Points to the next session", "Points to the last session",
                 "Dropped out after it"),
        notes=[
            "Means over sessions with the event, and in brackets over sessions without it. No "
            "model: who has ruptures differs in other ways too, and extreme scores go back by "
            "themselves. The models of this report adjust; this table does not.",
            "A sudden gain counts from the session at which it can be known, three sessions later.",
            "A dash stands for fewer than eight clients.",
        ],
        empty="No event was looked for.",
        wide=True,
    )  # fmt: skip
    headed = None
    for entry in _described(results, "consequences"):
        if entry["with"]["sessions"].raw is None or entry["event"].raw.startswith(
            f"{entry['outcome'].raw}_"
        ):
            continue  # too few; or the event is made of the outcome itself
        if headed != entry["outcome"].raw:
            table.rows.append(group_row(Part(entry["outcome_label"])))
            headed = entry["outcome"].raw
        table.rows.append(
            Row(
                (
                    cell(entry["event_label"]),
                    cell(entry["with"]["sessions"], "count"),
                    _both(entry, "next_change", "decimals:1"),
                    _both(entry, "later_change", "decimals:1"),
                    _both(entry, "dropout_percent", "percent:1"),
                )
            )
        )
    return table


def _both(entry: Field, key: str, format: str) -> Cell:
    """Return the mean with the event and, in brackets, without."""
    one, other = entry["with"][key], entry["without"][key]
    if one.raw is None:
        return words("–")
    parts = [Part(one, format)]
    if other.raw is not None:
        parts.append(Part(other, format, before=" (", after=")"))
    return Cell(tuple(parts))


def change_classes_records(results: Results) -> Records:
    """Return classes, a row for measure, index and class."""
    columns = ("measure", "method", "critical", "cutoff", "class", "clients", "percent", "message")
    rows = []
    for measure in _described(results, "measures"):
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
        for measure in _described(results, "measures")
        if measure["by_site"].raw is not None
        for site in measure["by_site"]["sites"]
    ]
    return Records(columns, rows)


def sudden_changes_records(results: Results) -> Records:
    """Return sudden gains and losses."""
    numbers = ("changes", "clients", "percent", "points", "session", "percent_reversed")
    columns = ("measure", "kind", "least_points", "clients_judged", *numbers)
    rows = []
    for measure in _described(results, "measures"):
        sudden = measure["sudden"].raw
        rows += [
            {"measure": measure["measure"].raw, "kind": kind}
            | {key: sudden[key] for key in ("least_points", "clients_judged")}
            | sudden[kind]
            for kind in ("gains", "losses")
            if sudden[kind] is not None
        ]
    return Records(columns, rows)


RULE_NUMBERS = ("clients_judged", "sessions_judged", "ruptures", "clients", "percent", "repaired",
                "unrepaired", "ended", "percent_repaired", "onset", "depth", "depth_units",
                "duration", "speed")  # fmt: skip
CHANCE = ("percent", "low", "high", "beyond", "p")


def rupture_rules_records(results: Results) -> Records:
    """Return the rules with all their numbers."""
    chance_columns = [f"chance_{key}" for key in CHANCE]
    columns = ("measure", "rule", "title", "repair", "known", *RULE_NUMBERS, *chance_columns)
    rows = []
    for entry in _described(results, "ruptures"):
        for rule in entry["rules"]:
            chance = rule["chance"].raw or dict.fromkeys(CHANCE)
            row = {"measure": entry["measure"].raw}
            row |= {key: rule[key].raw for key in columns if key in rule.raw}
            rows.append(row | {f"chance_{key}": chance[key] for key in CHANCE})
    return Records(columns, rows)


def coder_agreement_records(results: Results) -> Records:
    """Return agreement between coders and of rules with them."""
    columns = ("code", "rule", "sessions", "icc", "ci_low", "ci_high", "kappa", "jaccard")
    change = results.further.get("change")
    entries = [] if change is None else [
        *change["observers"]["agreement"], *change["observers"]["rules"]
    ]  # fmt: skip
    return Records(columns, [{key: e.raw.get(key) for key in columns} for e in entries])


def after_events_records(results: Results) -> Records:
    """Return what followed every event and its absence."""
    followed = ("sessions", "clients", "next_change", "later_change", "dropout_percent")
    columns = ("event", "outcome", "side", *followed)
    rows = [
        {"event": entry["event"].raw, "outcome": entry["outcome"].raw, "side": side}
        | entry[side].raw
        for entry in _described(results, "consequences")
        for side in ("with", "without")
    ]
    return Records(columns, rows)


def rule_agreement(results: Results) -> Table:
    """Return how far each pair of rules agrees."""
    table = Table(
        "rule_agreement",
        "Agreement between rules",
        [
            RULE,
            heading("and rule", numeric=False),
            heading("Kappa, clients"),
            heading("Overlap, clients"),
            heading("Overlap, sessions"),
        ],
        notes=[
            "Kappa: agreement beyond chance on who has a rupture. Overlap: of the clients (or "
            "sessions of onset) that either rule names, the share that both name."
        ],
        empty="Fewer than two rules could be applied.",
    )
    for entry in _described(results, "ruptures"):
        titles = {rule["rule"].raw: rule["title"] for rule in entry["rules"]}
        for pair in entry["agreement"]:
            names = (cell(titles[pair[key].raw]) for key in ("rule_1", "rule_2"))
            numbers = (
                _or_dash(pair[key], "correlation")
                for key in ("kappa_clients", "jaccard_clients", "jaccard_sessions")
            )
            table.rows.append(Row((*names, *numbers)))
    return table


def rule_agreement_records(results: Results) -> Records:
    """Return agreement of pairs of rules."""
    columns = ("rule_1", "rule_2", "kappa_clients", "jaccard_clients", "jaccard_sessions")
    pairs: Sequence[Field] = [
        pair for entry in _described(results, "ruptures") for pair in entry["agreement"]
    ]
    return plain_rows(pairs, columns)
