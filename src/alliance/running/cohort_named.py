"""Which config a command means by the name of a cohort, and how a path is told."""

from __future__ import annotations

from pathlib import Path

import alliance
from alliance.errors import ConfigError

PROJECT = Path(alliance.__file__).resolve().parents[2]


def config_of(cohort: str) -> Path:
    """Return the config file of a cohort; raise `ConfigError` where there is none."""
    folder = PROJECT / "config"
    known = sorted(p.stem for p in folder.glob("*.yaml") if p.stem != "config")
    here = f"Cohorts here: {', '.join(['demo', *known])}."
    if not cohort:
        msg = f"Which cohort? Name it: COHORT=mylab with make, else --cohort mylab. {here}"
        raise ConfigError(msg)
    path = folder / ("config.yaml" if cohort == "demo" else f"{cohort}.yaml")
    if not path.is_file():
        msg = f"There is no config for a cohort “{cohort}”: config/{path.name} is missing. {here}"
        raise ConfigError(msg)
    return path


def shown(path: Path) -> str:
    """Return a path as the user knows it: within the project, if it lies there."""
    within = path.is_relative_to(PROJECT)
    return (path.relative_to(PROJECT) if within else path).as_posix()
