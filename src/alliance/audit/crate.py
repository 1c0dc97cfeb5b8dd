"""Pack a run as a crate: all that a stranger needs to read it, check it and run it again.

Raw data go along only where the cohort is simulated. The private folder and processed tables never
do: a rerun makes them. The zip has no times, so that the same run gives the same bytes.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from alliance import files
from alliance.audit.crate_entities import METADATA, metadata
from alliance.audit.whole import wholeness
from alliance.config.cohort import load_cohort, truth_of
from alliance.errors import ReportError
from alliance.running.steps import PROJECT, place_of, read_steps

PROGRAM = (
    "Snakefile", "Makefile", "LICENSE", "CITATION.cff", "pyproject.toml", "environment.yml",
    "requirements.lock", "requirements-uv.lock",
)  # fmt: skip
FOLDERS = ("workflow", "profiles", "src", "config/instruments")
LEFT = ("__pycache__", ".egg-info", ".pyc", ".nbi", ".nbc", ".DS_Store")
EARLIEST = (1980, 1, 1, 0, 0, 0)
README = """\
# A run of the workflow alliance: cohort {cohort}

To check the results with nothing but Python 3.11 or newer:
    make verify RESULTS=results/{cohort}
{again}
ro-crate-metadata.json describes every file and step (Provenance Run Crate 0.5).
"""
AGAIN = """
To run it again and compare (make sets up the environment from requirements.lock):
    make rerun COHORT={cohort}
"""
NO_DATA = """
The raw data are not in the crate: whoever holds them puts them into data/raw/{cohort}/, then
    make rerun COHORT={cohort}
"""


def pack(config: Path, results: Path, out: Path, published: datetime.date) -> int:
    """Write the crate of a finished run; return the number of files in it.

    Raises
    ------
    ReportError
        The run is not finished, or its results were changed since.
    """
    loaded = load_cohort(config)
    cohort = loaded["cohort"]
    if wrong := wholeness(results).wrong:
        msg = (
            f"{results.as_posix()} is not as a finished run made it ({len(wrong)} differences, the "
            f"first: {wrong[0]}). Run it again, then pack it."
        )
        raise ReportError(msg)
    simulated = bool(truth_of(loaded, Path("data") / "raw" / cohort))
    content = {
        place: path.read_bytes() for place, path in _held(config, loaded, simulated, results)
    }
    again = (AGAIN if simulated else NO_DATA).format(cohort=cohort)
    content["README.md"] = README.format(cohort=cohort, again=again).encode("utf-8")
    held = {
        place: (len(data), hashlib.sha256(data).hexdigest())
        for place, data in sorted(content.items())
    }
    steps, run = read_steps(results), files.read_json(results / "audit" / "run.json")
    told = metadata(cohort, loaded["title"], steps, run, held, published.isoformat())
    content[METADATA] = (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
    files.write_bytes(_zipped(content), out)
    return len(content)


def _held(
    config: Path, loaded: dict[str, object], simulated: bool, results: Path
) -> Iterator[tuple[str, Path]]:
    """Yield each file that goes into the crate with its place there."""
    cohort = str(loaded["cohort"])
    folders = [PROJECT / folder for folder in FOLDERS]
    folders += [config.parent / "sites" / cohort, results]
    folders += [Path("data") / "raw" / cohort] if simulated else []
    singles = [PROJECT / name for name in PROGRAM if (PROJECT / name).is_file()]
    singles += [config, *config.parent.glob(f"frozen/{cohort}.json")]
    for path in (*singles, *(p for folder in folders for p in sorted(folder.rglob("*")))):
        if path.is_file() and _goes_along(path, results):
            yield place_of(path), path


def _goes_along(path: Path, results: Path) -> bool:
    """Say whether a file is part of program or run: no lock, no machine code, no later question."""
    if path.is_relative_to(results):
        within = path.relative_to(results)
        return within.parts[0] not in ("explained", "former") and not within.name.startswith(".")
    return not path.name.endswith(LEFT) and not any(part.endswith(LEFT) for part in path.parts)


def _zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(content):
            archive.writestr(zipfile.ZipInfo(place, EARLIEST), content[place], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
