"""Notice results that were changed, cut off or emptied since they were made.

Snakemake looks at modification times, not at contents: an emptied figure would count as done. After
each run the hashes of all outputs are kept in `audit/outputs.json`; before the next one, whatever
no longer matches is removed, so that the run makes it again.
"""

from __future__ import annotations

from pathlib import Path

from alliance import files

RECORD = Path("audit") / "outputs.json"
NOT_COMPARED = {"logs", "benchmarks"}  # they hold times


def remember_outputs(results: Path, processed: Path) -> None:
    """Record the hash of every output of a run in `results/audit/outputs.json`."""
    found = {path.as_posix(): files.sha256_of(path) for path in _outputs(results, processed)}
    files.write_json(found, results / RECORD)


def drop_changed_outputs(results: Path, processed: Path) -> list[Path]:
    """Remove the outputs whose content is not what the last run made; return their paths."""
    recorded = _recorded(results / RECORD)
    changed = [
        path
        for path in _outputs(results, processed)
        if recorded.get(path.as_posix(), "") not in ("", files.sha256_of(path))
    ]
    for path in changed:
        path.unlink()
    return changed


def _recorded(record: Path) -> dict[str, str]:
    """Return the hashes of the record; none where it is missing, torn, or no record at all."""
    try:
        found = files.read_json(record)
    except (OSError, ValueError):  # the next `remember_outputs` writes it anew
        return {}
    return found if isinstance(found, dict) else {}


def _outputs(results: Path, processed: Path) -> list[Path]:
    found = [path for folder in (results, processed) for path in sorted(folder.rglob("*"))]
    return [
        path
        for path in found
        if path.is_file()
        and not NOT_COMPARED & set(path.parts)
        and not path.name.startswith(".")
        and path != results / RECORD
    ]
