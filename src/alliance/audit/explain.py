"""Everything that is known of one printed number, in parts that are printed one after another."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from alliance import files
from alliance.audit.page import page_of
from alliance.audit.parts import Part
from alliance.audit.printed import Cell
from alliance.audit.rows import FITS, USED, Scope, panel_rows, raw_rows, scope_of
from alliance.errors import DataError
from alliance.findings.fields import Sources
from alliance.findings.ledger import Finding
from alliance.running.steps import Step, read_steps

MOST_TOLD = 12  # facts of the entry around a field
ASSUMED = re.compile(r"#\s*ASSUME\s+(.*)")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a number, and what its raw rows are found by."""

    finding: Finding
    parts: Sequence[Part]
    steps: Sequence[Step]
    panel: pd.DataFrame | None
    scope: Scope


def explain(finding: Finding, cell: Cell | None, results: str | Path) -> Explanation:
    """Return what a results folder knows of one of its numbers.

    Parameters
    ----------
    finding, cell
        The number and its place in a table (`alliance.audit.printed.find`).
    results
        `results/<cohort>`; two folders above it lie `data/` and `config/`, where they are there.
    """
    results = Path(results)
    project = results.resolve().parents[1]
    sources, every = Sources(results), read_steps(results)
    place = Path(os.path.normpath(Path("results", results.name, finding.source))).as_posix()
    chain = upstream(every, place)
    entries = _entries(finding, sources)
    sites = [step.name.partition(".")[2] for step in every if step.name.startswith("ingest_site.")]
    fit = sources.look_up(f"{finding.source}#") if finding.source.startswith(FITS) else None
    rows = panel_rows(finding.source, finding.pointer, fit, project, results.name)
    scope = scope_of(entries, sites)
    parts = [
        Part("The number", list(_number(finding, cell))),
        Part("The field it comes from", list(_field(finding, entries, fit))),
        Part("Rows", list(_rows(fit, rows, scope))),
        Part("How the fit ended", list(_ending(fit)) if fit else []),
        Part("Decisions that touch it", list(_decisions(fit, chain, project))),
        Part("Configuration", list(_configuration(finding, chain, results))),
        Part("Files it was made from", list(_inputs(chain))),
        Part("Code that made it", list(_code(chain, project))),
    ]
    return Explanation(finding, [part for part in parts if part.entries], chain, rows, scope)


def upstream(steps: Sequence[Step], place: str) -> list[Step]:
    """Return the step that made a file and all before it, the first ones first."""
    wanted, found = {place}, []
    for step in reversed(steps):
        if wanted & set(step.outputs):
            wanted |= set(step.inputs)
            found.append(step)
    return found[::-1]


def write(explanation: Explanation, results: Path, project: Path) -> tuple[Path, Path | str]:
    """Write the explanation as a page, and the raw rows into the private folder.

    Returns
    -------
    tuple
        The page, and the list of raw rows or, in words, why there is none.
    """
    finding = explanation.finding
    name = f"{Path(finding.document).with_suffix('').as_posix().replace('/', '-')}-{finding.id}"
    page = results / "explained" / f"{name}.html"
    title = f"Where {finding.printed} comes from"
    kicker = f"{finding.document}, {finding.place or finding.id}"
    files.write_text(page_of(title, kicker, explanation.parts), page)
    if not explanation.steps:
        return page, "No step of the run has recorded that it made this file."
    try:
        rows = raw_rows(explanation.steps, explanation.panel, explanation.scope, project)
    except DataError as error:
        return page, str(error)
    if rows is None:
        return page, "It rests on no row of the raw files."
    listed = project / "private" / results.name / "explained" / f"{name}.csv"
    files.write_private_csv(rows, listed)
    return page, listed


def _entries(finding: Finding, sources: Sources) -> list[Mapping[str, Any]]:
    """Return the objects of the file on the way to the field, the outermost first."""
    steps = finding.pointer.split("/")[1:]
    found = []
    for depth in range(len(steps)):
        pointer = "".join(f"/{step}" for step in steps[:depth])
        value = sources.look_up(f"{finding.source}#{pointer}")
        if isinstance(value, Mapping):
            found.append(value)
    return found


def _number(finding: Finding, cell: Cell | None) -> Iterator[tuple[str, str]]:
    yield "printed", finding.printed
    yield "value", str(finding.value)
    yield "rounding", finding.format
    yield "document", f"{finding.document}, {finding.id}"
    yield "place", finding.place
    if cell is not None:
        headings = (("row", cell.row), ("column", cell.column))
        yield from ((name, heading) for name, heading in headings if heading)


def _field(
    finding: Finding, entries: Sequence[Mapping[str, Any]], fit: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    yield "file and field", finding.address
    yield from (("decided with", address) for address in finding.also)
    if fit:
        yield "model", f"{fit['model']} ({fit['family']}): {fit['title']}"
        yield "question", fit["question"]
        yield "outcome", f"{fit['outcome']['label']} ({fit['outcome']['unit']})"
        yield "equation", fit["equation"]
        yield "engine", f"{fit['engine']['name']} {fit['engine']['version']}"
        yield "estimator", fit["engine"]["estimator"]["text"]
        yield "degrees of freedom", fit["engine"]["df_method"]["text"]
    if len(entries) > 1:
        own = [
            (k, v) for k, v in entries[-1].items() if isinstance(v, str | int | float) and v != ""
        ]
        yield from (
            (f"beside it: {key.replace('_', ' ')}", str(value)) for key, value in own[:MOST_TOLD]
        )


def _rows(
    fit: Mapping[str, Any] | None, rows: pd.DataFrame | None, scope: Scope
) -> Iterator[tuple[str, str]]:
    if fit is None:
        if scope.sites or scope.measures:
            yield "only", ", ".join(sorted(scope.sites | scope.measures))
        return
    data = fit["data"]
    yield "panel", f"SHA-256 {data['panel_sha256']}, {data['rows_in_panel']} rows"
    yield "used", f"{data['rows_used']} rows"
    yield from ((f"left out, {e['reason']['text']}", f"{e['rows']} rows") for e in data["left_out"])
    yield from ((f"number of {group['level']}s", str(group["n"])) for group in data["groups"])
    if rows is not None:
        by_site = Counter(rows.loc[rows["role"] == USED, "site"])
        yield from ((f"rows of site {site}", str(by_site[site])) for site in sorted(by_site))


def _ending(fit: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "status", fit["status"]
    if fit["message"]:
        yield "message", fit["message"]
    yield from (
        (key.replace("_", " "), str(value))
        for key, value in fit["convergence"].items()
        if value not in (None, "", [])
    )
    second = fit["second_engine"]
    if second:
        agrees = "agrees" if second["agrees"] else "does not agree"
        yield "second engine", f"{second['name']} {second['version']}: {agrees}"
    yield from (("warning", fact["text"]) for fact in fit["warnings"])


def _decisions(
    fit: Mapping[str, Any] | None, chain: Sequence[Step], project: Path
) -> Iterator[tuple[str, str]]:
    if fit:
        yield from (("assumed by the model", fact["text"]) for fact in fit["assumptions"])
    for path in sorted({path for step in chain for path in step.code}):
        if path.endswith(".py") and (project / path).is_file():
            lines = (project / path).read_text(encoding="utf-8").splitlines()
            for number, words in _assumed(lines):
                yield f"{path}:{number}", words


def _assumed(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield each comment that marks an assumption, whole, with the number of its first line."""
    for at, line in enumerate(lines):
        found = ASSUMED.search(line)
        if found:
            words = [found[1]]
            for following in lines[at + 1 :]:
                if not following.strip().startswith("#"):
                    break
                words.append(following.strip().lstrip("# "))
            yield at + 1, " ".join(words)


def _configuration(
    finding: Finding, chain: Sequence[Step], results: Path
) -> Iterator[tuple[str, str]]:
    """Yield the lines of the config that name the model, and the settings of the step."""
    model, config = Path(finding.source).stem, results / "run_config.yaml"
    if finding.source.startswith(FITS) and config.is_file():
        for number, line in enumerate(config.read_text(encoding="utf-8").splitlines()[1:], 1):
            if re.match(rf"\s*{re.escape(model)}\s*:", line):
                yield f"config, line {number}", line.strip()
    settings = chain[-1].settings if chain else {}
    for key, value in settings.items():
        own = value.get(model, value) if key == "models" else value
        yield key, json.dumps(own, ensure_ascii=False)


def _inputs(chain: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Yield what no step has made: raw files, mappings, keys, with their hashes."""
    made = {path for step in chain for path in step.outputs}
    read = {path: sha for step in chain for path, sha in step.inputs.items() if path not in made}
    yield from ((path, f"SHA-256 {read[path]}") for path in sorted(read))


def _code(chain: Sequence[Step], project: Path) -> Iterator[tuple[str, str]]:
    """Yield the modules behind the steps, the last step's first, and whether they changed."""
    told: set[str] = set()
    for step in reversed(chain):
        for path, sha256 in step.code.items():
            if path not in told:
                told.add(path)
                here = project / path
                now = files.sha256_of(here) if here.is_file() else ""
                other = "" if now == sha256 else "; it is another one here now"
                yield path, f"{step.name}: SHA-256 {sha256}{other}"
