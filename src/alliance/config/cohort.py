"""Load a cohort's configuration and its sites' mappings, and say everything that is wrong at once.

Nothing runs before both are right: syntax, closed schema, and what only looking across files shows
(a model that names a measure that is not there, a scoring key that was never checked, a site
without mapping). This module is imported when the workflow is parsed, so it stays light: no pandas.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alliance.config import (
    change,
    closed_schema,
    dropout,
    instruments,
    models,
    primary,
    strict_yaml,
)
from alliance.config.measure_keys import has_no_items, no_total_in, totals_agree
from alliance.config.score_columns import TOTAL, parts_of, score_columns, subscales_in_models
from alliance.config.site import own_problems
from alliance.config.site_mapping import END_STATUS, completed_mapping, letter_positions
from alliance.config.strict_yaml import Document, KeyPath, Problem
from alliance.errors import ConfigError
from alliance.likeness import file_like

PROJECT = Path(__file__).resolve().parents[3]
TWIN = "_twin"  # what the name of a cohort's synthetic twin ends with

_RESERVED_MEASURES = {"site", "client", "therapist", "session", "attended", "weeks_since_intake",
                      "log_weeks", "sqrt_weeks", "days_since_intake", "log_session",
                      "sqrt_session", "after_knot", "end_status", "sessions_planned",
                      "last_session", "dropout_event"}  # fmt: skip


def load_cohort(path: str | Path) -> dict[str, Any]:
    """Return a cohort's configuration, checked and with every default filled in.

    Parameters
    ----------
    path
        The config file; site mappings are looked for in `sites/<cohort>/` beside it, scoring keys
        in the project's `config/instruments/` and then in `instruments/` beside it.

    Raises
    ------
    ConfigError
        Every problem of the config and of its sites' mappings: file, line, key path, nearest valid
        key.
    """
    path = Path(path)
    document = strict_yaml.read(path)
    problems = [*document.problems, *closed_schema.problems_of(document, "config")]
    found = [(document.name, problems)]
    if not problems:
        mappings = _site_documents(document, path)
        own = [(mapping.name, own_problems(mapping)) for mapping in mappings]
        sound = not any(listed for _, listed in own)  # else what spans the sites cannot be judged
        problems += _cross_problems(document, path, mappings if sound else None)
        found += own
        found += _key_problems(document, path)
        if sound:
            found += [(m.name, _mapping_problems(m, document, path)) for m in mappings]
            found += _fact_types(mappings)
            found += _fact_names(mappings, document, path)
            problems += _unmapped_measures(document, mappings)
    if any(listed for _, listed in found):
        raise ConfigError(strict_yaml.message_of(found))
    return _completed_cohort(document.content)


def site_mapping_path(config_path: str | Path, cohort: str, site: str) -> Path:
    """Return where the mapping of a site lies: `sites/<cohort>/<site>.yaml` beside the config."""
    return Path(config_path).parent / "sites" / cohort / f"{site}.yaml"


def instrument_path(config_path: str | Path, instrument: str) -> Path | None:
    """Return the file of a scoring key: the project's own, or in `instruments/` by the config."""
    folders = (PROJECT / "config" / "instruments", Path(config_path).parent / "instruments")
    for folder in folders:
        if (folder / f"{instrument}.yaml").is_file():
            return folder / f"{instrument}.yaml"
    return None


def subscales_named(cohort: Mapping[str, Any], config_path: str | Path) -> list[str]:
    """Return the panel's columns of the subscales that the cohort's models name."""
    scores = _scores_of_measures(cohort["measures"], Path(config_path))
    return subscales_in_models(cohort["models"], scores)


def raw_files_of(mapping: Mapping[str, Any], raw_folder: str | Path) -> list[Path]:
    """Return the raw files that a site's mapping reads, each once, in the mapping's order."""
    sources = [s for table in mapping["tables"] for s in (table, *table["join"])]
    names = [source[key] for source in sources for key in ("file", "dictionary")]
    return [file_like(Path(raw_folder), name) for name in dict.fromkeys(filter(None, names))]


def truth_of(cohort: Mapping[str, Any], raw_folder: str | Path) -> Path | None:
    """Return the truth of a simulated cohort; None where nobody simulated it, whatever it says."""
    path = Path(raw_folder) / "truth.json"
    return path if cohort["simulated"] and path.is_file() else None


def twin_of(config_path: str | Path, cohort: str) -> Path | None:
    """Return the config of a cohort's synthetic twin, where there is one (docs/twin.md)."""
    path = Path(config_path).parent / f"{cohort}{TWIN}.yaml"
    return path if path.is_file() else None


def _completed_cohort(content: Mapping[str, Any]) -> dict[str, Any]:
    cohort = copy.deepcopy(dict(content))
    cohort.setdefault("simulated", False)
    cohort.setdefault("seed", closed_schema.schema("config")["properties"]["seed"]["default"])
    cohort.setdefault("measures", {})
    dropout.complete(cohort)
    cohort.setdefault("models", {})
    cohort.setdefault("primary", {})
    for name, measure in cohort["measures"].items():
        measure.setdefault("label", name.replace("_", " ").capitalize())
        measure.setdefault("accept_unverified_key", False)
    reference = {name: str(word) for name, word in cohort.pop("reference", {}).items()}
    models.complete(cohort["models"], cohort["seed"], reference)
    change.complete(cohort)
    return cohort


def _cross_problems(
    document: Document, path: Path, mappings: list[Document] | None
) -> list[Problem]:
    """Return what the schema cannot see: names that point nowhere.

    `mappings` are those of the sites, None where they are not right themselves.
    """
    return [
        *_measure_problems(document, path),
        *_change_problems(document, path),
        *_model_problems(document, path, mappings),
        *primary.problems(document),
        *_missing_site_problems(document, path),
        *dropout.problems(document, _directions(document, path)),
    ]


def _measure_problems(document: Document, path: Path) -> Iterator[Problem]:
    measures = document.content.get("measures", {})
    parts = _parts_of_measures(measures, path)
    for name, measure in measures.items():
        here = ("measures", name)
        if name in _RESERVED_MEASURES or name in END_STATUS:
            yield document.problem(here, "this name is used for a column of ours; choose another")
        if name in parts:
            told = f"is also the name of a part of {parts[name]} in the panel; choose another"
            yield document.problem(here, told)
        key = measure["instrument"]
        file = instrument_path(path, key)
        if file is None:
            known = [p.stem for p in (PROJECT / "config" / "instruments").glob("*.yaml")]
            known += [p.stem for p in (path.parent / "instruments").glob("*.yaml")]
            told = closed_schema.hint(key, known, "instrument")
            yield document.problem((*here, "instrument"), f"there is no scoring key {key}; {told}")
            continue
        facts = _instrument_facts(file)
        if has_no_items(measure) and (told := no_total_in(facts)):
            yield document.problem((*here, "items"), told)
        status = facts.get("status")
        if status == "check" and not measure.get("accept_unverified_key", False):
            yield document.problem(
                (*here, "instrument"),
                f"the scoring key {key} is known from the literature only (status: check); compare"
                " it with your form, then add accept_unverified_key: true",
            )
        elif status not in ("ready", "check"):
            yield document.problem(
                (*here, "instrument"), f"the scoring key {key} is incomplete and cannot be used"
            )


def _change_problems(document: Document, path: Path) -> Iterator[Problem]:
    scores = _scores_of_measures(document.content.get("measures", {}), path)
    yield from change.problems(document, scores, _directions(document, path))


def _directions(document: Document, path: Path) -> dict[str, str | None]:
    """Return which end of the scale the scoring key of each measure calls the better one."""
    measures = document.content.get("measures", {})
    files = {name: instrument_path(path, entry["instrument"]) for name, entry in measures.items()}
    return {
        name: _instrument_facts(file).get("direction") if file else None
        for name, file in files.items()
    }


def _key_problems(document: Document, path: Path) -> Iterator[tuple[str, list[Problem]]]:
    """Yield what is wrong with the scoring keys that the measures name, each key once."""
    named = {entry["instrument"] for entry in document.content.get("measures", {}).values()}
    for file in filter(None, (instrument_path(path, key) for key in sorted(named))):
        key = strict_yaml.read(file)
        yield key.name, instruments.problems_of(key, file.stem)


def _scores_of_measures(measures: Mapping[str, Any], path: Path) -> dict[str, list[str]]:
    """Return the names of each measure's scores, as far as its key can be read."""
    found = {}
    for name, measure in measures.items():
        file = instrument_path(path, measure["instrument"])
        scores = _instrument_facts(file).get("scores") if file else None
        found[name] = list(scores) if isinstance(scores, dict) else []
        if has_no_items(measure):
            found[name] = [TOTAL]
    return found


def _parts_of_measures(measures: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Return the panel's columns that hold a part of a measure: {column: measure}."""
    parts: dict[str, str] = {}
    for name, scores in _scores_of_measures(measures, path).items():
        subscales = [f"{name}_{score}" for score in scores if score != TOTAL]
        parts |= dict.fromkeys([*subscales, *sorted(parts_of([name, *subscales]))], name)
        parts |= {f"{name}_{part}": name for part in change.EVENT_PARTS}
    return parts


def _fact_names(
    mappings: list[Document], config: Document, path: Path
) -> Iterator[tuple[str, list[Problem]]]:
    """Yield the client facts whose name would erase a measure, or a part of one, in the panel."""
    measures = config.content.get("measures", {})
    parts = _parts_of_measures(measures, path) | {name: name for name in measures}
    for mapping in mappings:
        yield (
            mapping.name,
            [
                mapping.problem(
                    ("tables", i, "client_facts", fact),
                    f"is also the name of a column of the measure {parts[fact]}; choose another",
                )
                for i, table in enumerate(mapping.content["tables"])
                for fact in table.get("client_facts", {})
                if fact in parts
            ],
        )


def _instrument_facts(file: Path) -> dict[str, Any]:
    """Return a key's content as far as it can be read; `_key_problems` tells what is wrong."""
    content = strict_yaml.read(file).content
    return content if isinstance(content, dict) else {}


def _model_problems(
    document: Document, path: Path, mappings: list[Document] | None
) -> Iterator[Problem]:
    measures = document.content.get("measures", {})
    scores = score_columns(_scores_of_measures(measures, path))
    columns = None
    if mappings is not None:
        facts = {fact for mapping in mappings for table in mapping.content["tables"]
                 for fact in table.get("client_facts", {})}  # fmt: skip
        columns = models.columns_of_panel([*measures, *scores], facts)
        columns |= change.event_columns(document.content)
        yield from models.reference_problems(document, facts - {"therapist", "intake_date"})
    yield from models.problems(document, scores, columns)


def _missing_site_problems(document: Document, path: Path) -> Iterator[Problem]:
    for i, site in enumerate(document.content["sites"]):
        file = site_mapping_path(path, document.content["cohort"], site)
        if not file.is_file():
            there = [p.stem for p in file.parent.glob("*.yaml")] if file.parent.is_dir() else []
            told = f"; {closed_schema.hint(site, there, 'site')}" if there else ""
            yield document.problem(
                ("sites", i), f"its mapping {file.as_posix()} is not there{told}"
            )


def _site_documents(document: Document, path: Path) -> list[Document]:
    documents = []
    for site in document.content["sites"]:
        file = site_mapping_path(path, document.content["cohort"], site)
        if not file.is_file():
            continue  # told by _missing_site_problems
        try:
            documents.append(strict_yaml.read(file))
        except strict_yaml.UnreadableYamlError as error:  # one problem among the others
            documents.append(Document(file.as_posix(), problems=[error.problem]))
    return documents


def _mapping_problems(mapping: Document, config: Document, config_path: Path) -> list[Problem]:
    """Return the problems of a mapping as part of this cohort."""
    problems = []
    if mapping.content["site"] != Path(mapping.name).stem:
        problems.append(mapping.problem(("site",), "differs from the file's name"))
    measures = config.content.get("measures", {})
    for i, table in enumerate(mapping.content["tables"]):
        for name, measure in table.get("measures", {}).items():
            here = ("tables", i, "measures", name)
            if name not in measures:
                told = closed_schema.hint(name, measures, "measure")
                problems.append(mapping.problem(here, f"the cohort has no such measure; {told}"))
                continue
            if told := totals_agree(name, measures[name], measure):
                problems.append(mapping.problem(here, told))
                continue
            if has_no_items(measures[name]):
                continue
            file = instrument_path(config_path, measures[name]["instrument"])
            key = _instrument_facts(file) if file else {}
            if isinstance(measure, dict) and {"items", "answers", "reversed_items"} <= set(key):
                problems += [
                    mapping.problem((*here, *place), told)
                    for place, told in instruments.storage_contradictions(measure, key)
                ]
            items = key.get("items")
            n_items = items if isinstance(items, int) else None  # else told of the key itself
            problems += _list_length_problems(mapping, here, measure, n_items)
    return problems


def _unmapped_measures(config: Document, mappings: list[Document]) -> list[Problem]:
    mapped = {m for doc in mappings for t in doc.content["tables"] for m in t.get("measures", {})}
    return [
        config.problem(("measures", name), "no site's mapping says where its answers stand")
        for name in config.content.get("measures", {})
        if name not in mapped
    ]


def _fact_types(mappings: list[Document]) -> Iterator[tuple[str, list[Problem]]]:
    """Yield the facts that are a number at one site and a category at another."""
    first: dict[str, tuple[str, str]] = {}
    for mapping in mappings:
        problems = []
        for i, table in enumerate(completed_mapping(mapping.content)["tables"]):
            for name, fact in table["client_facts"].items():
                kind, site = first.setdefault(name, (fact["type"], mapping.content["site"]))
                if kind != fact["type"]:
                    place = ("tables", i, "client_facts", name)
                    told = f"is a {fact['type']} here and a {kind} at site {site}; make them alike"
                    problems.append(mapping.problem(place, told))
        yield mapping.name, problems


def _list_length_problems(
    mapping: Document, here: KeyPath, measure: Any, n_items: int | None
) -> Iterator[Problem]:
    if isinstance(measure, dict) and "items_at" in measure:
        n_columns = len(letter_positions(measure["items_at"]))
        if n_items is not None and n_columns != n_items:
            message = f"names {n_columns} columns, but the form has {n_items} items"
            yield mapping.problem((*here, "items_at"), message)
    items = measure.get("items") if isinstance(measure, dict) else None
    listed = items.items() if isinstance(items, dict) else [(None, items)]
    for session, columns in listed:
        if isinstance(columns, list) and n_items is not None and len(columns) != n_items:
            place = (*here, "items") if session is None else (*here, "items", session)
            message = f"lists {len(columns)} columns, but the form has {n_items} items"
            yield mapping.problem(place, message)
