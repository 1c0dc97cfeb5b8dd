"""What lies in `data/raw/<cohort>/` that no run will read, told before one begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

EXCEL_LOCK = "~$"  # how Excel names the file that it lays beside a workbook that is open
DOCUMENTS = (".md", ".txt", ".json", ".pdf")


def unread_places(raw: Path, sites: Iterable[str]) -> Iterator[str]:
    """Yield a sentence on each folder that no site names, and on what lies beside the folders.

    Parameters
    ----------
    raw
        `data/raw/<cohort>`.
    sites
        The config's sites.
    """
    if not raw.is_dir():
        return
    named = set(sites)
    for path in sorted(raw.iterdir()):
        if path.name.startswith(".") or path.name in named:
            continue
        if path.is_dir():
            yield (
                f"{path.as_posix()} is a folder that no site of the config names: nothing in it is "
                "read. Add the site to `sites`, or move the folder away."
            )
        elif path.suffix.lower() not in DOCUMENTS:
            yield (
                f"{path.as_posix()} lies beside the sites' folders and is not read. Put it into "
                "the folder of the site that it belongs to."
            )
    for path in sorted(raw.rglob(f"{EXCEL_LOCK}*")):
        workbook = path.name.removeprefix(EXCEL_LOCK)
        yield (
            f"{path.parent.as_posix()}: the workbook {workbook} is open in Excel, so that what was "
            "changed there may not be saved yet. Save it and close Excel."
        )
