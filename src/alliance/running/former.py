"""Put results of models that the config no longer names out of the way, so that nobody reads them.

What is moved keeps its place below `results/<cohort>/former/`; an older one there is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

FORMER = "former"
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


def _of_a_model(results: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that belong to one model alone, with its name."""
    for path in (results / "fits").glob("*.json"):
        yield path, path.stem
    for path in (results / "figures").glob(f"{DIAGNOSTICS}*"):
        yield path, path.stem.removeprefix(DIAGNOSTICS)
