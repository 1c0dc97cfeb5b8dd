"""Load a site's mapping, checked by itself; what it must share with its cohort checks `cohort`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alliance.config import closed_schema, strict_yaml
from alliance.config.site_mapping import completed_mapping
from alliance.config.site_mapping_problems import mapping_problems
from alliance.config.strict_yaml import Document, Problem
from alliance.errors import ConfigError


def load_site(path: str | Path) -> dict[str, Any]:
    """Return a site's mapping, checked, every default filled in and every shorthand spelt out.

    Raises
    ------
    ConfigError
        Every problem of the mapping: file, line, key path, nearest valid key.
    """
    document = strict_yaml.read(path)
    problems = own_problems(document)
    if problems:
        raise ConfigError(strict_yaml.message_of([(document.name, problems)]))
    return completed_mapping(document.content)


def own_problems(mapping: Document) -> list[Problem]:
    """Return what is wrong with a mapping by itself: strictness, schema, keys that do not agree."""
    if mapping.content is None and mapping.problems:
        return mapping.problems
    problems = mapping.problems + closed_schema.problems_of(mapping, "site")
    return problems or mapping_problems(mapping)
