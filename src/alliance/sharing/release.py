"""Write the share folder: facts, tables, report, and what was hidden and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alliance import files
from alliance.errors import DataError
from alliance.sharing.attacker import solve, too_close
from alliance.sharing.bounds import Unsolvable
from alliance.sharing.counts import Place, Rule
from alliance.sharing.figures import draw_staying
from alliance.sharing.gather import ALL, gather_counts
from alliance.sharing.names import FIRST_COLUMN, HIDDEN
from alliance.sharing.numbers import gather_effects, gather_means
from alliance.sharing.pages import disclosure_page, report_page
from alliance.sharing.reader import read_folder
from alliance.sharing.suppress import hidden_counts
from alliance.sharing.tables import SharedTable, count_tables, record_table

SCHEMA = "alliance-share-1"

# What stays out altogether, by code; the text is what the disclosure report prints.
LEFT_OUT = {
    "records": "Rows of persons, single courses, ids and dates.",
    "extremes": "Lowest and highest values, medians and quantiles: each is the value of somebody.",
    "curves": "Curves session by session, and survival curves of groups: their steps are single "
    "clients. The course of everybody is shown at every fourth session.",
    "groups": "Means, effects and shares of single therapists, of sites in models, and of the "
    "categories of a characteristic: each is a mean over a group that may be small.",
    "exact": "Percentages, rates and intervals of exact counts: with them a rounded count is exact "
    "again. Percentages of the report are of the rounded counts.",
    "problems": "Problems of the files, the ledger of rows, the codebook and the audit trail.",
    "pictures": "All figures of the full report: points, intervals and shades are exact numbers.",
    "texts": "Methods text, checklists and the tables of a paper: they print exact numbers.",
    "not_modelled": "Counts of items, ruptures, sudden changes, agreement and invariance: how they "
    "overlap with the other counts has not been written down, so that nothing can be proven.",
}


def write_share(
    *,
    description: str | Path,
    dropout: str | Path,
    change: str | Path,
    fits: Sequence[str | Path],
    out_folder: str | Path,
    rule: Rule | None = None,
) -> None:
    """Write what may leave the lab, after an attack on it has failed.

    Parameters
    ----------
    description, dropout, change
        Descriptions of the cohort (JSON).
    fits
        Fits (JSON).
    out_folder
        The share folder. The same input gives the same bytes.
    rule
        When a count is small; by default under eight, others rounded to five.

    Raises
    ------
    DataError
        The attacker bounded a hidden count more closely than stated. No report is written.
    """
    about, leaving, changed = (files.read_json(path) for path in (description, dropout, change))
    models = [files.read_json(path) for path in fits]
    write_facts(about, leaving, changed, models, Path(out_folder), rule or Rule())


def write_facts(
    about: dict[str, Any],
    leaving: dict[str, Any],
    changed: dict[str, Any],
    models: Sequence[dict[str, Any]],
    folder: Path,
    rule: Rule,
) -> None:
    """Make the facts safe, attack them, and write the folder."""
    counts = gather_counts(about, leaving, changed, models)
    hidden = hidden_counts(counts, rule)
    clients = {key for place, key in counts.printed.items() if place[::2] == ("flow", "clients")}
    means, no_means = gather_means(about, bool(clients & hidden), rule)
    everybody = counts.printed.get(Place("flow", ALL, "clients"))
    few = everybody is None or everybody in hidden
    effects, no_effects = gather_effects([] if few else models)
    no_effects += [fit["model"] for fit in models] if few else []
    tables = [
        *count_tables(counts, hidden, rule),
        record_table("means", means),
        record_table("effects", effects),
    ]
    facts = write_tables(about, tables, folder, rule)
    files.write_text(report_page(facts), folder / "report.html")
    try:
        n_hidden = _attack_fails(folder, rule)
    except DataError:
        (folder / "report.html").unlink()
        raise
    disclosure = _disclosure(tables, n_hidden, rule, no_means, no_effects)
    files.write_json(disclosure, folder / "disclosure.json")
    files.write_text(disclosure_page(facts, disclosure), folder / "disclosure.html")
    draw_staying(tables, folder / "figures")


def _attack_fails(folder: Path, rule: Rule) -> int:
    """Attack the tables and the page; return how many counts are hidden, if none is exposed."""
    defect = "This is a defect of the program: please report it."
    seen = read_folder(folder)
    if seen.unplaced:
        msg = (
            f"{len(seen.unplaced)} numbers stand on the shared report of which nobody has shown "
            f"that they give no one away, so it was not made. {defect}"
        )
        raise DataError(msg)
    try:
        bounds = solve(seen)
    except Unsolvable as error:
        msg = (
            "The shared tables contradict each other, so that nothing can be proven of them and no "
            f"shared report was made. {defect}"
        )
        raise DataError(msg) from error
    if exposed := too_close(bounds, rule.width):
        msg = (
            f"{len(exposed)} hidden counts could be reckoned from the shared tables, so no shared "
            f"report was made. {defect}"
        )
        raise DataError(msg)
    return len(bounds)


def write_tables(
    about: dict[str, Any], tables: Sequence[SharedTable], folder: Path, rule: Rule
) -> dict[str, Any]:
    """Write the tables and all facts in one file; return these."""
    facts = {
        "schema": SCHEMA,
        "cohort": about["cohort"],
        "title": about["title"],
        "simulated": about["simulated"],
        "rule": asdict(rule),
        "tables": [asdict(table) for table in tables],
    }
    files.write_json(facts, folder / "facts.json")
    for table in tables:
        files.write_csv(table.as_frame(), folder / "tables" / f"{table.name}.csv")
    return facts


def _disclosure(
    tables: Sequence[SharedTable],
    n_hidden: int,
    rule: Rule,
    no_means: list[str],
    no_effects: list[str],
) -> dict[str, Any]:
    """Return what was hidden; it does not tell which count was small and which protects it."""
    counted = [table for table in tables if table.name in FIRST_COLUMN]
    cells = {table.name: [c for row in table.rows for c in row[1:] if c != ""] for table in counted}
    return {
        "schema": "alliance-disclosure-1",
        "rule": asdict(rule),
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "counts": len(cells[table.name]),
                "hidden": cells[table.name].count(HIDDEN),
            }
            for table in counted
        ],
        "attack": {"hidden": n_hidden, "bounded_closer": 0},
        "without_all_means": no_means,
        "without_effects": no_effects,
        "left_out": [{"code": code, "text": text} for code, text in LEFT_OUT.items()],
    }
