"""Why two runs differ: each difference followed up to the first one that nothing recorded precedes.

A step is at the root of a difference if what it made differs though no file that an earlier step
made for it does. Then something of its own differs: a raw file, a mapping, a key, a setting, a
module, or the environment. What differs at such a step is a cause; what differs elsewhere and
changed no file has had no effect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alliance import files
from alliance.running.steps import Step, read_steps

RUN = "audit/run.json"
# What is recorded of a run's environment, and what repeats what the steps say more closely.
REPEATED = ("config_text", "config_sha256", "code_sha256", "version")
RECORDER = "record_run"
ABSENT = "not there"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two runs did not have in common.

    Attributes
    ----------
    kind
        `input` (raw file, mapping, scoring key), `setting`, `code`, `environment`, `unknown`.
    name
        Path of the file, or of the setting: `fit_growth: models/symptom_growth/df`.
    before, after
        What it was in each run; hashes of files are cut to twelve characters.
    """

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Traced:
    """Where two runs part.

    Attributes
    ----------
    causes
        What differs where the first files differ.
    without_effect
        What differs and changed no file.
    changed
        Steps whose files differ, in order; `first` are those with a cause.
    """

    causes: Sequence[Difference]
    without_effect: Sequence[Difference]
    changed: Sequence[str]
    first: Sequence[str]


def trace(before: str | Path, after: str | Path) -> Traced:
    """Return why the files of two results folders differ."""
    one, other = ({s.name: s for s in read_steps(folder)} for folder in (before, after))
    environment = list(_environment(Path(before), Path(after)))
    order = [*one, *(name for name in other if name not in one)]
    pairs = {name: (_or_none(one, name), _or_none(other, name)) for name in order}
    made = {path for step in (*one.values(), *other.values()) for path in step.outputs}
    changed = [name for name, (a, b) in pairs.items() if a.outputs != b.outputs]
    first = [n for n in changed if not _differing(*(_made(s.inputs, made) for s in pairs[n]))]
    own = {name: list(_own(*pairs[name], made)) for name in pairs}
    roots = [name for name in first if name != RECORDER] or first
    causes: list[Difference] = []
    for name in roots:
        causes += own[name] or environment or [Difference("unknown", name, "", "")]
    causes = list(dict.fromkeys(causes))
    others = [d for name in pairs if name != RECORDER for d in own[name]] + environment
    without = [d for d in dict.fromkeys(others) if d not in causes]
    told = {d.name for d in causes}
    return Traced(causes, [d for d in without if d.name not in told], changed, roots)


def _or_none(steps: Mapping[str, Step], name: str) -> Step:
    return steps.get(name) or Step(name, {}, {}, {}, {})


def _made(files_read: Mapping[str, str], made: set[str]) -> dict[str, str]:
    return {path: sha256 for path, sha256 in files_read.items() if path in made}


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]


def _own(one: Step, other: Step, made: set[str]) -> Iterator[Difference]:
    """Yield what differs at a step itself: files from outside, settings, code."""
    for kind, a, b in (("input", one.inputs, other.inputs), ("code", one.code, other.code)):
        for path in _differing(a, b):
            if path not in made:
                yield Difference(kind, path, a.get(path, ABSENT)[:12], b.get(path, ABSENT)[:12])
    a, b = (dict(leaves(step.settings)) for step in (one, other))
    for path in _differing(a, b):
        if path.split("/")[0] != "raw_sha256":  # the hashes of raw files, which are inputs
            name = f"{one.name}: {path}"
            yield Difference("setting", name, _said(a, path), _said(b, path))


def _said(settings: Mapping[str, Any], path: str) -> str:
    return json.dumps(settings[path], ensure_ascii=False) if path in settings else ABSENT


def _environment(before: Path, after: Path) -> Iterator[Difference]:
    """Yield what differs of Python, packages and lock."""
    a, b = (dict(leaves(_run_of(folder))) for folder in (before, after))
    for path in _differing(a, b):
        if path not in REPEATED:
            yield Difference("environment", path, str(a.get(path, "")), str(b.get(path, "")))


def _run_of(folder: Path) -> Any:
    try:
        return files.read_json(folder / RUN)
    except (OSError, ValueError):
        return {}


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value below `content` with its path, e.g. `models/growth/df`."""
    if isinstance(content, Mapping) and content:
        for key, value in content.items():
            yield from leaves(value, f"{path}/{key}" if path else str(key))
    elif isinstance(content, list) and content:
        for position, value in enumerate(content):
            yield from leaves(value, f"{path}/{position}")
    else:
        yield path, content
