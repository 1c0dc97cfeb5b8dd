"""Reporting checklists (STROBE, JARS-Quant, LEVEL, PRISMA-IPD), filled in from a run.

They stand after the models and before the tables: fits, descriptions and the record of the run in,
`checklists.json` out. Only what the run proves is called reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alliance import files
from alliance.checklists.filled import Checklist

SCHEMA = "alliance-checklists-1"


def fill_checklists(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    run: str | Path,
    checklists: str | Path,
) -> None:
    """Write `checklists.json`.

    Parameters
    ----------
    fits, description, further
        The JSON files of the fits, of the cohort's description and of the other descriptions.
    run
        `audit/run.json`: versions, hashes, the configuration.
    checklists
        Where the filled checklists are written (schema `checklists.schema.yaml`).
    """
    import jsonschema

    from alliance.checklists.filling import fill
    from alliance.config.closed_schema import schema
    from alliance.findings.results import read_results

    content = as_json(fill(read_results(fits, description, further), files.read_json(run)))
    jsonschema.Draft202012Validator(schema("checklists")).validate(content)
    files.write_json(content, checklists)


def as_json(checklists: Sequence[Checklist]) -> dict[str, Any]:
    """Return filled checklists in the form of `checklists.json`."""
    filled = [
        {
            "name": one.name,
            "title": one.title,
            "reference": one.reference,
            "note": one.note,
            "counts": {key.replace(" ", "_"): n for key, n in one.counts().items()},
            "items": files.plain([asdict(item) for item in one.items]),
        }
        for one in checklists
    ]
    return {"schema": SCHEMA, "checklists": filled}
