"""Notice results that were changed, cut off or emptied since they were made.

Snakemake looks at times, not at contents: an emptied figure would count as done. Each step
therefore records the hash of every file that it published (`remember_outputs`), once all of them
are there. Before the next run whatever a rule makes and no finished step vouches for is removed
(`drop_unvouched`), so that the run makes it again; where the record itself is gone or torn that is
everything, and the record is whole again afterwards. Files that no rule makes, such as notes laid
beside the results, are left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alliance import files
from alliance.running.one_run import waiting_for_lock

RECORD = Path("audit") / "outputs.json"
# What is not to be shared has a record of its own: a hash of a short list gives the list away.
PRIVATE, PRIVATE_RECORD = "private", "outputs.json"


def remember_outputs(published: Mapping[Path, str], results: Path) -> None:
    """Add what a step has published to the records of its cohort.

    Parameters
    ----------
    published
        SHA-256 by path.
    results
        The cohort's results folder; its name is the cohort's.
    """
    by_record: dict[Path, dict[str, str]] = {}
    for path, sha256 in published.items():
        path = Path(os.path.relpath(path))
        by_record.setdefault(_record_of(path, results), {})[path.as_posix()] = sha256
    for record, found in by_record.items():
        with waiting_for_lock(results / ".record"):  # other steps run at the same time
            whole = recorded(record) | found
            kept = {path: whole[path] for path in sorted(whole) if Path(path).is_file()}
            files.write_json(
                kept, record, mode=files.OWNER_ONLY if record.parts[0] == PRIVATE else 0o666
            )


def forget_outputs(places: Iterable[str], results: Path) -> None:
    """Take files out of the record of their cohort: they are no results any more."""
    record = results / RECORD
    gone = set(places)
    with waiting_for_lock(results / ".record"):
        kept = {path: sha for path, sha in recorded(record).items() if path not in gone}
        files.write_json(kept, record)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was removed: files changed since they were made, and files without a record."""

    changed: list[Path]
    unrecorded: list[Path]


def drop_unvouched(
    made: Iterable[str | Path], results: Path, steps: Mapping[str, str] | None = None
) -> Dropped:
    """Remove the files among `made` that are not as a finished step made them.

    What a killed run left half written beside them is removed too. `steps` names the record of each
    step (`alliance.running.steps`) with one of the files that it makes: without its record a step
    has to run again, which it does where that file is gone.
    """
    paths = sorted({Path(path) for path in made})
    vouched: dict[str, str] = {}
    for record in dict.fromkeys(_record_of(path, results) for path in paths):
        vouched |= recorded(record)
    dropped = Dropped([], [])
    for path in filter(Path.is_file, paths):
        known = vouched.get(path.as_posix())
        if known is None:
            dropped.unrecorded.append(path)
        elif known != files.sha256_of(path):
            dropped.changed.append(path)
    for place, one_made in (steps or {}).items():
        record, path = Path(place), Path(one_made)
        known = recorded(results / RECORD).get(record.as_posix())
        if record.is_file() and known == files.sha256_of(record):
            continue
        if record.is_file():
            dropped.changed.append(record)
        if path.is_file() and path not in (*dropped.changed, *dropped.unrecorded):
            dropped.unrecorded.append(path)
    for path in dropped.changed + dropped.unrecorded:
        path.unlink()
    for folder in sorted({path.parent for path in paths}):
        for left in folder.glob(files.HALF_WRITTEN):
            left.unlink(missing_ok=True)
    return dropped


def recorded(record: Path) -> dict[str, str]:
    """Return the hashes of a record; none where it is missing, torn, or no record at all."""
    try:
        found = files.read_json(record)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _record_of(path: Path, results: Path) -> Path:
    is_private = path.parts[:1] == (PRIVATE,)
    return Path(PRIVATE) / results.name / PRIVATE_RECORD if is_private else results / RECORD
