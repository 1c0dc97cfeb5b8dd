"""Put results that are not of this run out of the way, so that nobody reads them.

Those of models that the config no longer names, and a share folder that is older than the results.
What is moved keeps its place below `results/<cohort>/former/`; an older one there is replaced.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from alliance import files
from alliance.running.outputs import forget_outputs
from alliance.running.steps import FOLDER, recorded_steps

FORMER, SHARE, SHARE_STEP = "former", "share", "write_share"
DIAGNOSTICS = "diagnostics_"  # + model: the figures that a model has for itself


def put_former_aside(results: Path, models: Iterable[str]) -> list[str]:
    """Move fits and figures of models that are not among `models`; return those models' names."""
    wanted, names = set(models), set()
    for path, model in list(_of_a_model(results)):
        if model in wanted:
            continue
        place = results / FORMER / path.relative_to(results)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
        names.add(model)
    return sorted(names)


def put_outdated_share_aside(results: Path) -> bool:
    """Move the share folder away if it was made from other results; return whether it was.

    A folder of which no step has recorded what it was made from counts as outdated.
    """
    folder = results / SHARE
    if not folder.is_dir():
        return False
    step = next((one for one in recorded_steps(results) if one.name == SHARE_STEP), None)
    if step and all(_is_still(Path(place), sha) for place, sha in step.inputs.items()):
        return False
    place = results / FORMER / SHARE
    if place.is_dir():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.replace(place)
    record = results / FOLDER / f"{SHARE_STEP}.json"
    record.unlink(missing_ok=True)
    forget_outputs([*(step.outputs if step else ()), record.as_posix()], results)
    return True


def _is_still(path: Path, sha256: str) -> bool:
    return path.is_file() and files.sha256_of(path) == sha256


def _of_a_model(results: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that belong to one model alone, with its name."""
    for path in (results / "fits").glob("*.json"):
        yield path, path.stem
    for path in (results / "figures").glob(f"{DIAGNOSTICS}*"):
        yield path, path.stem.removeprefix(DIAGNOSTICS)
