"""The plan of an analysis, frozen before the data are looked at, and every later deviation from it.

`freeze` writes `config/frozen/<cohort>.json`, to be kept under version control and quoted by its
seal, e.g. in a preregistration. `list_deviations` compares it with what is run now, choice by
choice, file by file; the report prints what it finds. What only follows from another choice (the
default that rests on it, the files of a site that is left out) is no deviation of its own.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import alliance
from alliance import files
from alliance.audit.choices import changed_choices
from alliance.config import strict_yaml
from alliance.config.cohort import instrument_path, load_cohort, raw_files_of, site_mapping_path
from alliance.config.formats import FORMATS
from alliance.config.site import load_site
from alliance.errors import ConfigError
from alliance.families import registry
from alliance.running.provenance import library
from alliance.running.steps import PROJECT, place_of

SCHEMA, ABSENT = "alliance-frozen-2", "not there"
SAYS_VERSION = "src/alliance/__init__.py"
LOCK = "requirements.lock"
ANALYSIS = (
    "ingest.site",
    "ingest.pool",
    "measures.scoring",
    "measures.describe",
    "measures.events",
    "measures.describe_change",
    "panel.build",
    "panel.describe_cohort",
    "panel.describe_dropout",
    "families.multiplicity",
)


def frozen_path(config: str | Path, cohort: str) -> Path:
    """Return where the frozen plan of a cohort lies."""
    return Path(config).parent / "frozen" / f"{cohort}.json"


def analysis_code() -> list[str]:
    """Return the files of the program that results rest on: all between raw files and fits."""
    readers = [f"ingest.readers.{one.reader}" for one in FORMATS.values()]
    return library(*ANALYSIS, *readers, *registry.modules("fit"))


def freeze(config: str | Path, today: datetime.date) -> Path:
    """Write the plan of a cohort; return its file.

    Parameters
    ----------
    config
        The cohort's config.
    today
        The date that is put on the plan.

    Raises
    ------
    ConfigError
        The config is not right, or its plan is frozen already.
    """
    loaded = load_cohort(config)
    cohort = loaded["cohort"]
    path = frozen_path(config, cohort)
    if path.is_file():
        msg = (
            f"{path.as_posix()} is there already: a plan is frozen once. What differs from it is "
            "listed by the report. Only if nobody has looked at the data yet, remove it by hand."
        )
        raise ConfigError(msg)
    plan: dict[str, Any] = {
        "schema": SCHEMA,
        "cohort": cohort,
        "frozen_on": today.isoformat(),
        "version": alliance.__version__,
        "raw_files_there": sum(map(Path.is_file, _raw_files(config, loaded))),
        "results_there": any(Path("results", cohort, "fits").glob("*.json")),
        "written": _written(config),
        "settings": files.plain(loaded),
        "files": _files(config, loaded),
        "code": {place_of(file): files.sha256_of(file) for file in analysis_code()},
    }
    files.write_json(plan | {"seal": seal_of(plan)}, path)
    return path


def seal_of(plan: Mapping[str, Any]) -> str:
    """Return the hash of a plan's content, whatever the layout of its file."""
    content = {key: value for key, value in plan.items() if key != "seal"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def list_deviations(
    *, config: str | Path, frozen: str | Path | None, code: Sequence[str | Path], out: str | Path
) -> None:
    """Write `deviations.json` of a cohort: the plan, and what differs from it now.

    Parameters
    ----------
    config, code
        The config of this run, and the files of the program that it rests on.
    frozen
        The frozen plan; None: none was made.
    out
        Where the list is written.

    Raises
    ------
    ConfigError
        The frozen plan was edited: its content has another hash than its seal.
    """
    if frozen is None:
        files.write_json({"frozen": None, "n": 0, "deviations": []}, out)
        return
    plan = files.read_json(frozen)
    if plan.get("seal") != seal_of(plan):
        msg = f"{Path(frozen).as_posix()} was edited since it was frozen. Put the right file back."
        raise ConfigError(msg)
    loaded = files.plain(load_cohort(config))
    found = [
        *_version(plan["version"]),
        *_settings(plan, {"written": _written(config), "settings": loaded}),
        *_files_that_differ(plan, _files(config, loaded), loaded),
        *_differences("module", plan["code"], {place_of(p): files.sha256_of(p) for p in code}),
    ]
    told = ("frozen_on", "version", "seal", "raw_files_there", "results_there")
    frozen_plan = {key: plan[key] for key in told}
    files.write_json({"frozen": frozen_plan, "n": len(found), "deviations": found}, out)


def _deviation(kind: str, name: str, planned: str, run: str) -> dict[str, str]:
    return {"kind": kind, "name": name, "planned": planned, "run": run}


def _version(planned: str) -> Iterator[dict[str, str]]:
    if planned != alliance.__version__:
        yield _deviation("version", "alliance", planned, alliance.__version__)


def _settings(planned: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the choices that differ, with what was written or, where nothing was, its default."""
    for path, *values in changed_choices(planned, now):
        before, after = (ABSENT if v is None else json.dumps(v, ensure_ascii=False) for v in values)
        yield _deviation("setting", path, before, after)


def _files_that_differ(
    plan: Mapping[str, Any], now: Mapping[str, str], loaded: Mapping[str, Any]
) -> Iterator[dict[str, str]]:
    """Yield the files that differ, but those of a site or a key that only one of both names."""
    elsewhere = _named(plan["settings"]) ^ _named(loaded)
    for one in _differences("file", plan["files"], now):
        if Path(one["name"]).stem not in elsewhere:
            yield one


def _named(settings: Mapping[str, Any]) -> set[str]:
    """Return the sites and the scoring keys that a config names."""
    return {*settings["sites"], *(entry["instrument"] for entry in settings["measures"].values())}


def _differences(
    kind: str, planned: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    for name in sorted({*planned, *now}):
        before, after = planned.get(name, ABSENT), now.get(name, ABSENT)
        if before != after and name != SAYS_VERSION:
            yield _deviation(kind, name, before, after)


def _written(config: str | Path) -> Any:
    """Return what stands in a config, without the defaults."""
    return files.plain(strict_yaml.read(config).content)


def _files(config: str | Path, loaded: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of mappings, keys and lock: what a config names and does not say."""
    cohort = loaded["cohort"]
    instruments = {measure["instrument"] for measure in loaded["measures"].values()}
    named = [site_mapping_path(config, cohort, site) for site in loaded["sites"]]
    named += [path for one in sorted(instruments) if (path := instrument_path(config, one))]
    named += [PROJECT / LOCK]
    return {place_of(path): files.sha256_of(path) for path in named if Path(path).is_file()}


def _raw_files(config: str | Path, loaded: Mapping[str, Any]) -> list[Path]:
    cohort = loaded["cohort"]
    return [
        path
        for site in loaded["sites"]
        for path in raw_files_of(
            load_site(site_mapping_path(config, cohort, site)), Path("data/raw") / cohort / site
        )
    ]
