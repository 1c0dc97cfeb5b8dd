"""Is a results folder whole: is every file as a step made it, and did each step read what it says.

Two records name each file: the list of all hashes (`audit/outputs.json`) and the record of the step
that made it (`audit/steps/`), which is itself on the list; and each step that read a file says with
which hash. A file, or one record, cannot be exchanged without the others telling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alliance import files
from alliance.running.outputs import RECORD, recorded
from alliance.running.steps import FOLDER, Step, read_steps, recorded_steps

Hash = Callable[[Path], str]
# What a run leaves that says how long it took, and what was asked for since: no result.
NO_RESULTS = ("logs/", "benchmarks/", "explained/", "former/", ".")


@dataclass(frozen=True, slots=True)
class Folder:
    """A results folder: `results/<cohort>` of a project, wherever it lies now."""

    path: Path

    @property
    def name(self) -> str:
        """Its place in the project."""
        return f"results/{self.path.resolve().name}"

    def here(self, place: str) -> Path:
        """Return where a file of the project lies: the results here, data two folders above."""
        if place.startswith(f"{self.name}/"):
            return self.path / place.removeprefix(f"{self.name}/")
        return self.path.resolve().parents[1] / place

    def is_result(self, place: str) -> bool:
        """Say whether a place is in the results folder (and not beside it, such as data)."""
        return place.startswith(f"{self.name}/")


@dataclass(slots=True)
class Wholeness:
    """How many files were compared, what is wrong, and what could not be compared."""

    compared: int
    wrong: list[str]
    absent: list[str]


def wholeness(results: str | Path, sha256_of: Hash = files.sha256_of) -> Wholeness:
    """Compare every file of a results folder with what was recorded of it.

    Parameters
    ----------
    results
        `results/<cohort>`, of this project or alone.
    sha256_of
        What gives the hash of a file.
    """
    folder = Folder(Path(results))
    listed = recorded(folder.path / RECORD)
    steps = read_steps(folder.path)
    found = Wholeness(0, [], [])
    if not listed:
        found.wrong.append(f"{RECORD.as_posix()}: there is no record of what the run made")
        return found
    found.wrong += _records(folder, listed, steps)
    for place, sha256 in sorted(listed.items()):
        path = folder.here(place)
        if path.is_file():
            found.compared += 1
            if sha256_of(path) != sha256:
                found.wrong.append(f"{place}: it is not the file that the run made")
        elif folder.is_result(place):
            found.wrong.append(f"{place}: the file is gone")
        else:
            found.absent.append(place)
    found.wrong += _unrecorded(folder, listed)
    found.wrong += _chain(steps)
    return found


def _records(folder: Folder, listed: Mapping[str, str], steps: Sequence[Step]) -> Iterator[str]:
    """Say where the list and the records of the steps do not name the same files and hashes."""
    made = {path: sha256 for step in steps for path, sha256 in step.outputs.items()}
    of_steps = f"{folder.name}/{FOLDER.as_posix()}/"
    for place in sorted(made.keys() | listed.keys()):
        if place.startswith(of_steps):
            continue  # on the list alone: a record does not name itself
        if place not in listed:
            yield f"{place}: a step made it, and it is not in {RECORD.as_posix()}"
        elif place not in made and folder.is_result(place):
            yield f"{place}: no step says that it made it"
        elif place in made and made[place] != listed[place]:
            yield f"{place}: its step and {RECORD.as_posix()} record different files"
    names = {f"{of_steps}{step.name}.json" for step in recorded_steps(folder.path)}
    for place in sorted(names ^ {place for place in listed if place.startswith(of_steps)}):
        yield f"{place}: the record of a step is damaged, gone or not on the list"


def _unrecorded(folder: Folder, listed: Mapping[str, str]) -> Iterator[str]:
    """Say which file among the results no step has made."""
    for path in sorted(folder.path.rglob("*")):
        within = path.relative_to(folder.path).as_posix()
        place = f"{folder.name}/{within}"
        if not path.is_file() or within == RECORD.as_posix() or within.startswith(NO_RESULTS):
            continue
        if place not in listed:
            yield f"{place}: no step made this file"


def _chain(steps: Sequence[Step]) -> Iterator[str]:
    """Say which step read another file than the one that was made last."""
    made = {path: sha256 for step in steps for path, sha256 in step.outputs.items()}
    for step in steps:
        for path, sha256 in step.inputs.items():
            if path in made and made[path] != sha256:
                yield f"{path}: {step.name} read another one than the run made"
