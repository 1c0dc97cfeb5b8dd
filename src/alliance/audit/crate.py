"""Pack a run as a crate: all that a stranger needs to read it, check it and run it again.

Raw data go along only where the cohort is simulated; of a real one its synthetic twin, if it was
run, with the twin's results. The private folder and processed tables never do: a rerun makes them.
The zip has no times, so that the same run gives the same bytes.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alliance import files
from alliance.audit.crate_entities import METADATA, metadata
from alliance.audit.whole import wholeness
from alliance.config.cohort import load_cohort, truth_of, twin_of
from alliance.errors import ReportError
from alliance.running.steps import PROJECT, place_of, read_steps

PROGRAM = (
    "Snakefile", "Makefile", "LICENSE", "CITATION.cff", "pyproject.toml", "environment.yml",
    "requirements.lock", "requirements-uv.lock",
)  # fmt: skip
FOLDERS = ("workflow", "profiles", "src", "config/instruments")
LEFT = ("__pycache__", ".egg-info", ".pyc", ".nbi", ".nbc", ".DS_Store")
LATER = ("explained", "former")  # of results: what was asked since, what no run vouches for
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
"Nothing differs" says that every file in results/{cohort}/ came out with the same bytes.
"""
NO_DATA = """
The raw data are not in the crate: whoever holds them puts them into data/raw/{cohort}/, then
    make rerun COHORT={cohort}
"""
WITH_TWIN = """
In their place the crate holds a synthetic twin: raw files like theirs with nobody's data, drawn
from the models of this run, and what the same program makes of it. To run the twin again and
compare (make sets up the environment from requirements.lock):
    make rerun COHORT={twin}
"Nothing differs" says that every file in results/{twin}/ came out with the same bytes. It says that
the program does here what it did there; the numbers are the twin's, not those of {cohort}.
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
    simulated = _is_simulated(loaded)
    twin = None if simulated else _twin(config, cohort, results.parent)
    content = {
        place: path.read_bytes()
        for place, path in (
            *_program(),
            *_run(config, results, with_data=simulated),
            *(_run(*twin, with_data=True) if twin else ()),
        )
    }
    again = AGAIN if simulated else NO_DATA + (WITH_TWIN if twin else "")
    again = again.format(cohort=cohort, twin=twin and twin[1].name)
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


def _is_simulated(loaded: Mapping[str, Any]) -> bool:
    return bool(truth_of(loaded, Path("data") / "raw" / loaded["cohort"]))


def _twin(config: Path, cohort: str, results: Path) -> tuple[Path, Path] | None:
    """Return config and results of the twin, where there is one whose run is whole."""
    twin = twin_of(config, cohort)
    if twin is None or not _is_simulated(loaded := load_cohort(twin)):
        return None
    made = results / loaded["cohort"]
    return (twin, made) if made.is_dir() and not wholeness(made).wrong else None


def _program() -> Iterator[tuple[str, Path]]:
    """Yield each file of the program with its place in the crate."""
    singles = [PROJECT / name for name in PROGRAM if (PROJECT / name).is_file()]
    for path in (*singles, *_below(*(PROJECT / folder for folder in FOLDERS))):
        if not any(part.endswith(LEFT) for part in path.parts):
            yield place_of(path), path


def _run(config: Path, results: Path, *, with_data: bool) -> Iterator[tuple[str, Path]]:
    """Yield the files of one run: configuration, results and, where it may go along, raw data."""
    cohort = results.name
    folders = [config.parent / "sites" / cohort, *([Path("data") / "raw" / cohort] * with_data)]
    plan = config.parent.glob(f"frozen/{cohort}.json")
    yield from ((place_of(path), path) for path in (config, *plan, *_below(*folders)))
    for path in _below(results):
        within = path.relative_to(results)
        if within.parts[0] not in LATER and not within.name.startswith("."):
            yield place_of(path), path


def _below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(content):
            archive.writestr(zipfile.ZipInfo(place, EARLIEST), content[place], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
