"""Tables of the cohort: sample, flow, missing data, row ledger, problems."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.findings.small_cells import FEWEST_CLIENTS
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

TOO_FEW = words("too few")
MOST_SITES_ACROSS = 6
COUNTED = ("sites", "therapists", "clients", "sessions", "forms", "clients_with_one_session")
ENDS = ("completed", "dropout", "transferred", "ongoing", "end_unknown")


def sites_of(about: Field, key: str) -> list[str]:
    """Return the sites in their order, `all` first."""
    names = list(dict.fromkeys(row["site"].raw for row in about[key]))
    sites = [name for name in names if name != "all"]
    return (["all"] if "all" in names and len(sites) != 1 else []) + sites


def _site(row: Field) -> Cell:
    return words("All\u00a0sites") if row["site"].raw == "all" else cell(row["site"])


def sample(results: Results) -> Table:
    """Mean (SD) or count (per cent) of every characteristic, by site."""
    rows = list(results.about["sample"])
    sites = sites_of(results.about, "sample")
    at = {(r["characteristic"].raw, r["category"].raw, r["site"].raw): r for r in rows}
    known = [r for r in rows if r["n"].raw]  # nobody has a value: no line
    kinds = list(dict.fromkeys((r["characteristic"].raw, r["category"].raw) for r in known))
    table = Table(
        "sample",
        "Who took part",
        [],
        notes=[
            "Mean (standard deviation), or number of clients (per cent).",
            "Means over fewer than eight clients, categories of fewer than eight, and lowest and "
            "highest values are not printed: they would come too near to single persons.",
        ],
        empty="Nothing is known about the clients but their sessions.",
        wide=len(sites) > MOST_SITES_ACROSS,
    )
    if len(sites) > MOST_SITES_ACROSS:
        table.columns = [heading("", numeric=False)]
        table.columns += [Column(_kind(at, kind, sites, whole=True)) for kind in kinds]
        for site in sites:
            values = (_summary(at.get((*kind, site))) for kind in kinds)
            some = next(at[(*kind, site)] for kind in kinds if (*kind, site) in at)
            table.rows.append(Row((_site(some), *values)))
        return table
    firsts = {site: next(r for r in rows if r["site"].raw == site) for site in sites}
    table.columns = [heading("", numeric=False), *(Column(_site(firsts[s])) for s in sites)]
    headed = None
    for kind in kinds:
        if kind[1] is not None and headed != kind[0]:
            table.rows.append(group_row(_kind(at, kind, sites).parts[0]))
        headed = kind[0] if kind[1] is not None else None
        values = (_summary(at.get((*kind, site))) for site in sites)
        label = _kind(at, kind, sites) if kind[1] is None else _category(at, kind, sites)
        table.rows.append(Row((label, *values)))
    return table


def _some(
    at: dict[tuple[str, str | None, str], Field], kind: tuple[str, str | None], sites: Sequence[str]
) -> Field:
    return next(at[(*kind, site)] for site in sites if (*kind, site) in at)


def _kind(
    at: dict[tuple[str, str | None, str], Field],
    kind: tuple[str, str | None],
    sites: Sequence[str],
    whole: bool = False,
) -> Cell:
    row = _some(at, kind, sites)
    parts = [Part(row["characteristic"])]
    if kind[1] is None:
        unit = row["unit"].raw
        if unit and unit not in row["characteristic"].raw.lower():
            parts.append(Part(row["unit"], before=", "))
    elif whole:
        parts.append(Part(row["category"], before=": "))
    return Cell(tuple(parts))


def _category(
    at: dict[tuple[str, str | None, str], Field], kind: tuple[str, str | None], sites: Sequence[str]
) -> Cell:
    return cell(_some(at, kind, sites)["category"], before="\u2003")


def _summary(row: Field | None) -> Cell:
    if row is None:
        return words("–")
    if row["category"].raw is not None:
        if row["count"].raw < FEWEST_CLIENTS:
            return TOO_FEW
        if row["percent"].raw is None:
            return cell(row["count"], "count")
        return Cell(
            (Part(row["count"], "count"), Part(row["percent"], "percent:0", before=" (", after=")"))
        )
    if not row["n"].raw:
        return words("–")
    if row["n"].raw < FEWEST_CLIENTS or row["mean"].raw is None:
        return TOO_FEW
    if row["sd"].raw is None:
        return cell(row["mean"], "decimals:1")
    return Cell(
        (Part(row["mean"], "decimals:1"), Part(row["sd"], "decimals:1", before=" (", after=")"))
    )


def flow(results: Results) -> Table:
    """Return counts from therapists to forms, and how treatments ended, by site."""
    names = (
        "Therapists",
        "Clients",
        "Sessions",
        "Forms",
        "Seen once",
        "Completed",
        "Dropped out",
        "Transferred",
        "Still in treatment",
        "End not known",
    )
    keys = ("therapists", "clients", "sessions", "forms", "clients_with_one_session", *ENDS)
    table = Table(
        "flow",
        "Participant flow",
        wide=True,
        columns=[
            heading("Site", numeric=False),
            *map(heading, names),
            heading("Dropout, % [interval]"),
        ],
        notes=[
            "Dropout in per cent of the clients whose treatment has ended, with Wilson's interval "
            "at the usual level of confidence.",
            "Forms are questionnaires with at least one answer. Seen once: clients with a single "
            "session.",
        ],
    )
    for row in _in_order(results.about["flow"]):
        share = Cell(
            (
                Part(row["dropout_share"], "decimals:1"),
                Part(row["dropout_share_low"], "decimals:1", before=" [", after=", "),
                Part(row["dropout_share_high"], "decimals:1", after="]"),
            )
            if row["dropout_share"].raw is not None
            else (),
            "–" if row["dropout_share"].raw is None else "",
        )
        counts = (cell(row[key], "count") for key in keys)
        table.rows.append(Row((_site(row), *counts, share)))
    return table


def _in_order(rows: Field) -> list[Field]:
    """Return rows with `all` first, left out where there is one site only."""
    sites = [row for row in rows if row["site"].raw != "all"]
    total = [row for row in rows if row["site"].raw == "all"]
    one = len({row["site"].raw for row in sites}) == 1
    return sites if one else [*total, *sites]


def missing(results: Results) -> Table:
    """Forms and items that are missing, by measure and site."""
    labels = {entry["name"].raw: entry["label"] for entry in results.about["measures"]}
    table = Table(
        "missing",
        "Missing forms and items",
        [
            heading("Site", numeric=False),
            *map(
                heading,
                (
                    "Sessions",
                    "Forms",
                    "Forms, %",
                    "Complete",
                    "Prorated",
                    "Refused",
                    "Items without a usable answer, %",
                ),
            ),
        ],
        notes=[
            "Prorated: some items have no usable answer, few enough that the instrument's rule "
            "scores the form from the others.",
            "Refused: too many items have no usable answer; the form has no score.",
        ],
        empty="No form was expected.",
    )
    rows = _in_order(results.about["missing"])
    for measure in dict.fromkeys(row["measure"].raw for row in rows):
        mine = [row for row in rows if row["measure"].raw == measure]
        table.rows.append(group_row(Part(labels.get(measure, mine[0]["measure"]))))
        for row in mine:
            table.rows.append(
                Row(
                    (
                        _site(row),
                        cell(row["sessions"], "count"),
                        cell(row["forms"], "count"),
                        cell(row["forms_percent"], "decimals:1"),
                        *(cell(row[key], "count") for key in ("complete", "prorated", "refused")),
                        cell(row["items_unanswered_percent"], "decimals:1"),
                    )
                )
            )
    return table


def rows(results: Results) -> Table:
    """Return the ledger: what was read, kept, blank, set aside, and why."""
    table = Table(
        "rows",
        "Every row that was read",
        [
            heading("Site", numeric=False),
            heading("Table", numeric=False),
            *map(heading, ("Read", "Kept", "Blank", "Set aside")),
            heading("Why set aside", numeric=False),
        ],
        notes=["Read = kept + blank + set aside, in every line: nothing is lost in silence."],
        empty="No row was read.",
    )
    for row in results.about["rows"]:
        reasons = tuple(
            part
            for k, entry in enumerate(row["reasons"])
            for part in (
                Part(entry["reason"], before="; " if k else ""),
                Part(entry["count"], "count", before=" "),
            )
        )
        unit = Cell((Part(row["table"]), Part(row["unit"], before=", ")))
        counts = (cell(row[key], "count") for key in ("read", "kept", "blank", "set_aside"))
        table.rows.append(Row((cell(row["site"]), unit, *counts, Cell(reasons))))
    return table


def problems(results: Results) -> Table:
    """Return what intake found wrong, at which sites, what was done, and what the site can do."""
    table = Table(
        "problems",
        "Problems found when the files were read",
        [
            heading("Problem", numeric=False),
            heading("Found", numeric=False),
            heading("What was done", numeric=False),
            heading("Expected", numeric=False),
            heading("Remedy", numeric=False),
        ],
        notes=["Each single one, with file, row and column, is listed in checks/problems.csv."],
        empty="No problem was found.",
    )
    alike: dict[tuple[str, ...], list[Field]] = {}
    for problem in sorted(results.about["problems"], key=lambda p: (p["rule"].raw, p["site"].raw)):
        key = tuple(problem[name].raw for name in ("rule", "action", "expected", "remedy"))
        alike.setdefault(key, []).append(problem)
    for found in alike.values():
        counts = tuple(
            part
            for k, problem in enumerate(found)
            for part in (
                Part(problem["site"], before=", " if k else ""),
                Part(problem["problems"], "count", before="\u00a0"),
            )
        )
        first = found[0]
        texts = (cell(first[name]) for name in ("action", "expected", "remedy"))
        table.rows.append(Row((cell(first["rule"]), Cell(counts), *texts)))
    return table


def sample_records(results: Results) -> Records:
    """Return the sample rows, small groups suppressed as in print."""
    columns = (
        "characteristic",
        "category",
        "unit",
        "site",
        "n",
        "mean",
        "sd",
        "median",
        "count",
        "percent",
    )
    records = plain_rows(list(results.about["sample"]), columns)
    for row in records.rows:
        if row["category"] is None and row["n"] < FEWEST_CLIENTS:
            row.update(mean=None, sd=None, median=None)
        elif row["category"] is not None and row["count"] < FEWEST_CLIENTS:
            row.update(count=None, percent=None)
    return records


def flow_records(results: Results) -> Records:
    """Return the flow."""
    shares = ("dropout_share", "dropout_share_low", "dropout_share_high")
    return plain_rows(list(results.about["flow"]), ("site", *COUNTED, *ENDS, *shares))


def missing_records(results: Results) -> Records:
    """Return missing forms and items."""
    columns = (
        "site",
        "measure",
        "sessions",
        "forms",
        "forms_percent",
        "complete",
        "prorated",
        "refused",
        "items_unanswered_percent",
    )
    return plain_rows(list(results.about["missing"]), columns)


def rows_records(results: Results) -> Records:
    """Return the ledger, one row a reason."""
    columns = ("site", "table", "unit", "reason", "count")
    records = []
    for row in results.about["rows"]:
        keys = {key: row.raw[key] for key in ("site", "table", "unit")}
        counts = [("read", row["read"].raw), ("kept", row["kept"].raw), ("blank", row["blank"].raw)]
        counts += [(entry["reason"].raw, entry["count"].raw) for entry in row["reasons"]]
        records += [keys | {"reason": reason, "count": count} for reason, count in counts]
    return Records(columns, records)


def problems_records(results: Results) -> Records:
    """Return the problems by site and rule."""
    columns = ("site", "rule", "action", "problems", "rows_affected", "expected", "remedy")
    return plain_rows(list(results.about["problems"]), columns)
