"""What each step of a run read, by which code and settings, and what it made: one file a step.

`audit/steps/<step>.json` holds hashes alone, so that an explanation, a comparison of two runs and a
crate can follow any file up to the raw files without asking the workflow.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import alliance
from alliance import files
from alliance.running.outputs import PRIVATE, RECORD, recorded

FOLDER = Path("audit") / "steps"
PROJECT = Path(alliance.__file__).resolve().parents[2]
# Inputs below these folders of the project are the program itself.
CODE = ("src", "workflow")


@dataclass(frozen=True, slots=True)
class Step:
    """One finished step.

    Attributes
    ----------
    name
        Of its rule, with the values of wildcards: `ingest_site.north`.
    inputs, code, outputs
        SHA-256 by path, relative to the folder of the project. What lies in the private folder is
        not named: the hash of a short list gives the list away.
    settings
        Parameters of its rule: parts of the configuration.
    """

    name: str
    inputs: Mapping[str, str]
    code: Mapping[str, str]
    settings: Mapping[str, Any]
    outputs: Mapping[str, str]


def remember_step(job: Any, published: Mapping[Path, str], results: Path) -> Path:
    """Write what a job of the workflow read and made; return the file.

    Parameters
    ----------
    job
        The `snakemake` object of a script.
    published
        SHA-256 by path of what it has published.
    results
        The cohort's results folder.
    """
    read = {place: path for path in map(str, job.input) if (place := place_of(path))}
    code = {place for place in read if place.split("/")[0] in CODE}
    settings = {key: _settings(value) for key, value in sorted(job.params.items())}
    step = Step(
        name=".".join([job.rule, *map(str, job.wildcards)]),
        inputs={place: files.sha256_of(read[place]) for place in sorted(set(read) - code)},
        code={place: _code_sha256(read[place]) for place in sorted(code)},
        settings=settings,
        outputs={
            place: sha for path, sha in sorted(published.items()) if (place := place_of(path))
        },
    )
    path = results / FOLDER / f"{step.name}.json"
    files.write_json(asdict(step), path)
    return path


def read_steps(results: str | Path) -> list[Step]:
    """Return the steps of a run, each after those whose files it reads.

    A step of which the run's record has no file any more (its family of models left the config) is
    not among them; nor is one whose own record cannot be read.
    """
    listed = recorded(Path(results) / RECORD)
    every = {step.name: step for step in recorded_steps(Path(results))}
    found = {n: s for n, s in every.items() if not listed or listed.keys() & s.outputs.keys()}
    makers = {path: step.name for step in found.values() for path in step.outputs}
    ordered: dict[str, Step] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        for path in found[name].inputs:
            if path in makers and makers[path] != name:
                add(makers[path])
        ordered[name] = found[name]

    for name in sorted(found):
        add(name)
    return list(ordered.values())


def recorded_steps(results: Path) -> Iterator[Step]:
    """Yield every step whose record can be read, in no order of theirs."""
    for path in sorted((results / FOLDER).glob("*.json")):
        try:
            yield Step(**files.read_json(path))
        except (OSError, ValueError, TypeError):
            continue  # `verify` says so of every file


def place_of(path: str | Path) -> str:
    """Return a path as every machine has it: from the folder of the project; empty if private."""
    for base in (Path.cwd(), PROJECT):
        place = Path(os.path.relpath(path, base))
        if ".." not in place.parts:
            return "" if place.parts[:1] == (PRIVATE,) else place.as_posix()
    return Path(path).name


def _settings(value: Any) -> Any:
    """Return a parameter in plain values, paths as every machine has them."""
    if isinstance(value, Mapping):
        return {str(key): _settings(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_settings(one) for one in value]
    if isinstance(value, Path) or (isinstance(value, str) and Path(value).is_absolute()):
        return place_of(value)
    return value


@cache
def _code_sha256(path: str) -> str:
    return files.sha256_of(path)
