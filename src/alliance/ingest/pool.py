"""Stack the sites' tables; stop the run here, once, if a site has a problem that blocks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from alliance import files
from alliance.errors import DataError
from alliance.ingest import look_alikes
from alliance.ingest.ledger import assert_balanced
from alliance.ingest.packed import order_of, text_codes
from alliance.ingest.site import TABLES

# Clients stand within their site as the intake put them (`content_order`), their rows with them.
OF_PERSONS = ("clients", "sessions", "responses")
KEYS = {
    "quarantine": ["site", "file", "sheet", "row", "column", "rule"],
    "ledger": ["site", "file", "sheet", "table", "unit", "reason"],
}
MOST_TOLD = 30  # problems in one message; the full list is a file


def pool_sites(
    *,
    site_folders: Sequence[str | Path],
    out_folder: str | Path,
    checks_folder: str | Path,
    implausible: str | Path | None = None,
) -> None:
    """Stack the five tables of all sites into `out_folder`.

    `implausible` is the file of `alliance.ingest.plausible`: what all sites together show.

    `problems.csv` and `ledger.csv` are written to `checks_folder` before anything else. If a
    problem blocks the run, `blocking_problems.csv` too: the whole list, the blocking ones first,
    since the workflow takes the other two away when this step fails.

    Raises
    ------
    DataError
        Every blocking problem of all sites, in plain words.
    """
    stacked = stacked_sites(site_folders, implausible)
    checks, problems = Path(checks_folder), stacked["quarantine"]
    files.write_csv(problems, checks / "problems.csv")
    files.write_csv(stacked["ledger"], checks / "ledger.csv")
    blocking = problems[problems["action"] == "stopped"]
    full_list = checks / "blocking_problems.csv"
    if len(blocking):
        others = problems[problems["action"] != "stopped"]
        files.write_csv(pd.concat([blocking, others], ignore_index=True), full_list)
        raise DataError(_message(blocking, full_list))
    full_list.unlink(missing_ok=True)
    _refuse_shared_clients(stacked["clients"])
    for name, table in stacked.items():
        files.write_parquet(table, Path(out_folder) / f"{name}.parquet")


def stacked_sites(
    site_folders: Sequence[str | Path], implausible: str | Path | None = None
) -> dict[str, pd.DataFrame]:
    """Return the five tables of all sites, each in one; the quarantine with what is implausible.

    It never stops: what blocks a run is in the quarantine (`action` is `stopped`).
    """
    stacked = {name: stacked_table(name, site_folders) for name in TABLES}
    assert_balanced(stacked["ledger"])
    odd = look_alikes.between_sites(stacked["clients"])
    if len(odd):
        parts = [part for part in (stacked["quarantine"], odd) if len(part)]
        stacked["quarantine"] = sorted_by_key("quarantine", pd.concat(parts))
    if implausible is not None:
        found = files.read_parquet(implausible)
        parts = [part for part in (stacked["quarantine"], found) if len(part)]
        if parts:
            stacked["quarantine"] = sorted_by_key("quarantine", pd.concat(parts))
    return stacked


def stacked_table(name: str, site_folders: Sequence[str | Path]) -> pd.DataFrame:
    """Return one of the tables of all sites, whatever the order of their folders, by its key."""
    folders = sorted(Path(folder) for folder in site_folders)
    parts = [files.read_parquet(folder / f"{name}.parquet") for folder in folders]
    # Empty tables are left out of the stacking: they would change the types of the others.
    filled = [part for part in parts if len(part)] or parts[:1]
    table = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]
    for part in parts:
        for column in part.columns.difference(table.columns):
            table[column] = pd.Series(pd.NA, index=table.index).astype(part[column].dtype)
    if name == "clients":
        own = ["site", "client", "therapist", "end_status", "sessions_planned"]
        table = table[[*own, *sorted(set(table.columns) - set(own))]]
    return sorted_by_key(name, table)


def sorted_by_key(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in the order of its key; of persons, in the order of sites."""
    if name not in OF_PERSONS:
        return table.sort_values(KEYS[name], kind="stable", na_position="first", ignore_index=True)
    order = order_of(text_codes(table["site"]))
    return table if order is None else table.iloc[order].reset_index(drop=True)


def _refuse_shared_clients(clients: pd.DataFrame) -> None:
    """Refuse two exports that hold the same client of the same site."""
    shared = clients[clients.duplicated(["site", "client"])]
    if len(shared):
        sites = ", ".join(sorted(shared["site"].unique()))
        msg = (
            f"{len(shared)} clients of the same site ({sites}) stand in two exports. Leave one of"
            " the exports out of `sites`, or give the sites different names in their mappings."
        )
        raise DataError(msg)


def _message(blocking: pd.DataFrame, full_list: Path) -> str:
    n = len(blocking)
    opening = "1 problem" if n == 1 else f"{n} problems"
    lines = [f"The data cannot be used yet: {opening} must be mended first."]
    for problem in blocking.head(MOST_TOLD).astype(object).to_dict("records"):
        place = f"{problem['site']}/{problem['file']}"
        for word in ("sheet", "row", "column"):
            if not pd.isna(problem[word]):
                place += f", {word} {problem[word]}"
        what = problem["rule"].replace("-", " ")
        lines.append(
            f"  {place}: {what} (expected: {problem['expected']}). To do: {problem['remedy']}."
        )
    if n > MOST_TOLD:
        lines.append(f"  ... and {n - MOST_TOLD} more.")
    lines.append(f"The full list, also of what does not block: {full_list.as_posix()}")
    return "\n".join(lines)
