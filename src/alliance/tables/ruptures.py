"""Tables of ruptures: what each rule finds, how far rules and coders agree, what followed."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.change import across, columns_of, described, or_dash
from alliance.tables.layout import (
    Cell,
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

RULE = heading("Rule", numeric=False)


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
    for entry in described(results, "ruptures"):
        table.rows.append(group_row(Part(entry["label"])))
        if entry["message"].raw:
            table.rows.append(across(entry["message"], len(table.columns)))
            continue
        for rule in entry["rules"]:
            mark = " †" if rule["known"].raw == "after_treatment" else ""
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
                        or_dash(rule["percent_repaired"], "percent:0"),
                        or_dash(rule["depth"], "decimals:1"),
                        or_dash(rule["duration"], "decimals:1"),
                        or_dash(rule["speed"], "decimals:1"),
                    )
                )
            )
    return table


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
    for entry in described(results, "ruptures"):
        titles = {rule["rule"].raw: rule["title"] for rule in entry["rules"]}
        for pair in entry["agreement"]:
            names = (cell(titles[pair[key].raw]) for key in ("rule_1", "rule_2"))
            numbers = (
                or_dash(pair[key], "correlation")
                for key in ("kappa_clients", "jaccard_clients", "jaccard_sessions")
            )
            table.rows.append(Row((*names, *numbers)))
    return table


def coder_agreement(results: Results) -> Table:
    """Return agreement of observers on their codes, and of the rules with the codes."""
    table = Table(
        "coder_agreement",
        "Observers' codes: agreement between coders, and of the rules with them",
        columns_of("", "Sessions", "Agreement", "Interval", "Kappa", "Overlap"),
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
                 or_dash(entry["kappa"], "correlation"),
                 or_dash(entry["jaccard"], "correlation")))
        )  # fmt: skip
    return table


def after_events(results: Results) -> Table:
    """Return what followed sessions with an event and sessions without."""
    table = Table(
        "after_events",
        "What followed ruptures, repairs and sudden changes",
        columns_of("Event", "Sessions", "Points to the next session", "Points to the last session",
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
    for entry in described(results, "consequences"):
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


RULE_NUMBERS = ("clients_judged", "sessions_judged", "ruptures", "clients", "percent", "repaired",
                "unrepaired", "ended", "percent_repaired", "onset", "depth", "depth_units",
                "duration", "speed")  # fmt: skip


CHANCE = ("percent", "low", "high", "beyond", "p")


def rupture_rules_records(results: Results) -> Records:
    """Return the rules with all their numbers."""
    chance_columns = [f"chance_{key}" for key in CHANCE]
    columns = ("measure", "rule", "title", "repair", "known", *RULE_NUMBERS, *chance_columns)
    rows = []
    for entry in described(results, "ruptures"):
        for rule in entry["rules"]:
            chance = rule["chance"].raw or dict.fromkeys(CHANCE)
            row = {"measure": entry["measure"].raw}
            row |= {key: rule[key].raw for key in columns if key in rule.raw}
            rows.append(row | {f"chance_{key}": chance[key] for key in CHANCE})
    return Records(columns, rows)


def rule_agreement_records(results: Results) -> Records:
    """Return agreement of pairs of rules."""
    columns = ("rule_1", "rule_2", "kappa_clients", "jaccard_clients", "jaccard_sessions")
    pairs: Sequence[Field] = [
        pair for entry in described(results, "ruptures") for pair in entry["agreement"]
    ]
    return plain_rows(pairs, columns)


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
        for entry in described(results, "consequences")
        for side in ("with", "without")
    ]
    return Records(columns, rows)
