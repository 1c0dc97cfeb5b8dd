"""The Frictionless Data Package of a cohort's processed tables.

Written to https://datapackage.org/standard/data-package/ (version 2.0) and
https://datapackage.org/standard/table-schema/.

Properties beyond the standard, which it allows: `unit`, `range` and `source` of a field, `rule`,
`rows` and `sha256` of a resource, `measures` of the package. The standard's own `hash`, and
`minimum` of a column with gaps, are left alone: frictionless-py 5.21 counts no bytes of a Parquet
file and reads a gap in it as "nan", so it would refuse both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from alliance import files
from alliance.codebook.tables import TABLES, Column, TableDescription, described, score_columns
from alliance.config.instruments import Instrument

PACKAGE_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TABLE_PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
UNDESCRIBED = "Not described in the codebook."
_OWN_FACTS = ("therapist", "end_status", "sessions_planned", "intake_date")


def data_package(
    *,
    about: Mapping[str, Any],
    measures: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Instrument],
    mappings: Sequence[Mapping[str, Any]],
    tables: Sequence[str | Path],
) -> dict[str, Any]:
    """Return the content of `datapackage.json`.

    Parameters
    ----------
    about
        cohort, title, simulated.
    measures, keys
        The config's measures, and the scoring key of each.
    mappings
        The sites' completed mappings.
    tables
        The Parquet files.
    """
    labels = {name: str(measure.get("label", name)) for name, measure in measures.items()}
    sources = _fact_sources(mappings)
    covariates = [
        Column(fact, "A fact of the client, by the name that the site mappings give it.",
               required=False)
        for fact in sources
        if fact not in _OWN_FACTS
    ]  # fmt: skip
    further = {"clients": covariates, "panel": [*covariates, *score_columns(labels, keys)]}
    by_name = {Path(path).stem: Path(path) for path in tables}
    listed = [table for table in TABLES if table.name in by_name]
    return {
        "$schema": PACKAGE_PROFILE,
        "name": re.sub(r"[^a-z0-9._-]", "-", str(about["cohort"]).lower()),
        "title": about["title"],
        "description": _package_words(bool(about["simulated"])),
        "simulated": about["simulated"],
        "cohort": about["cohort"],
        "measures": [_measure(name, labels[name], key) for name, key in keys.items()],
        "resources": [
            _resource(table, by_name[table.name], further.get(table.name, ()), sources)
            for table in listed
        ],
    }


def _package_words(simulated: bool) -> str:
    words = (
        "Processed tables of one cohort. Ids are keyed pseudonyms; dates are weeks since intake."
    )
    return f"{words} Simulated: nobody in these data exists." if simulated else words


def _fact_sources(mappings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return for each client fact the places that it is read from: `site: file, column`."""
    found: dict[str, list[str]] = {}
    for mapping in mappings:
        for table in mapping["tables"]:
            for fact, given in table["client_facts"].items():
                place = f"{mapping['site']}: {table['file']}, column {given['column']}"
                found.setdefault(fact, []).append(place)
    return found


def _measure(name: str, label: str, key: Instrument) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "instrument": key.id,
        "instrument_name": key.name,
        "rater": key.rater,
        "items": key.n_items,
        "lowest_answer": key.minimum,
        "highest_answer": max([key.maximum, *key.item_maximum.values()]),
        "reversed_items": list(key.reverse),
        "direction": key.direction,
        "scores": [
            {
                "name": score.name,
                "items": _item_words(score.items),
                "rule": score.rule,
                "range": key.definition["scores"][score.name].get("range"),
                "unanswered_most": score.unanswered_most,
            }
            for score in key.scores
        ],
        "unanswered": key.fill,
        "key_status": key.status,
    }


def _item_words(items: Sequence[int | tuple[int, ...]]) -> str | None:
    words = ["/".join(map(str, i)) if isinstance(i, tuple) else str(i) for i in items]
    return ", ".join(words) or None


def _resource(
    table: TableDescription,
    path: Path,
    further: Sequence[Column],
    sources: Mapping[str, list[str]],
) -> dict[str, Any]:
    parquet = pq.ParquetFile(path)
    kinds = {field.name: _type(str(field.type)) for field in parquet.schema_arrow}
    columns = described(table, list(kinds), further)
    schema: dict[str, Any] = {
        "$schema": TABLE_PROFILE,
        "fields": [_field(name, kinds[name], c, sources) for name, c in columns.items()],
        "missingValues": [""],
    }
    # A key with a part that may be missing (a ledger's sheet) is none by the standard.
    parts = [column for column in table.columns if column.name in table.key]
    if parts and all(column.required for column in parts):
        schema["primaryKey"] = list(table.key)
    if table.refers_to:
        other, fields = table.refers_to
        reference = {"resource": other, "fields": list(fields)}
        schema["foreignKeys"] = [{"fields": list(fields), "reference": reference}]
    return {
        "name": table.name,
        "title": table.title,
        "description": table.description,
        "path": path.name,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "sha256": files.sha256_of(path),
        "rows": parquet.metadata.num_rows,
        "rule": table.rule,
        "schema": schema,
    }


def _type(arrow: str) -> str:
    """Return the Table Schema's word for a type of Arrow."""
    if arrow.startswith(("int", "uint")):
        return "integer"
    if arrow in ("float", "double", "halffloat"):
        return "number"
    return "boolean" if arrow == "bool" else "string"


def _field(
    name: str, kind: str, column: Column | None, sources: Mapping[str, list[str]]
) -> dict[str, Any]:
    if column is None:
        return {"name": name, "type": kind, "description": UNDESCRIBED}
    field: dict[str, Any] = {"name": name, "type": kind, "description": column.description}
    if column.unit:
        field["unit"] = column.unit
    if name in sources:
        field["source"] = "; ".join(sources[name])
    constraints: dict[str, Any] = {"required": True} if column.required else {}
    if column.values:
        constraints["enum"] = list(column.values)
    limits = {"minimum": column.minimum, "maximum": column.maximum}
    if kind in ("integer", "number") and any(limit is not None for limit in limits.values()):
        field["range"] = [column.minimum, column.maximum]
        if column.required:
            constraints |= {key: value for key, value in limits.items() if value is not None}
    if constraints:
        field["constraints"] = constraints
    return field
