"""Put the page together, section by section."""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from alliance.figures.measurement import main_labels
from alliance.findings.fields import Field
from alliance.findings.formats import clean_text, decimals_for
from alliance.findings.ledger import Findings, element
from alliance.findings.marks import kinds_of, mark_of
from alliance.findings.results import Results
from alliance.report.truth import USABLE, compare
from alliance.tables import html
from alliance.tables.layout import Table
from alliance.tables.makers import MAKERS

# The families whose models answer the questions of the page's first screen; the others ask the same
# questions otherwise and have sections of their own.
LEADING = ("growth", "coupling", "dropout")


@dataclass(frozen=True, slots=True)
class Material:
    """All that a page is made of.

    Attributes
    ----------
    results
        The fits and the descriptions, as fields.
    truth
        The truth of a simulated cohort, or None.
    run
        Versions and hashes of the run.
    figures_folder, results_folder
        Where the figures are, and the folder that addresses count from.
    """

    results: Results
    truth: Field | None
    run: Field
    figures_folder: Path
    results_folder: Path


def render(material: Material, findings: Findings, sections: Sequence[str]) -> str:
    """Return the page; every number printed is put on record in `findings`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("alliance.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    results = material.results
    environment.filters["next_of"] = next
    environment.globals.update(
        about=results.about,
        fits=results.fits,
        further=results.further,
        run=material.run,
        comparisons=compare(material.truth, results.fits),
        show=findings.show,
        cite=findings.cite,
        rounding=lambda entry: decimals_for(entry["se"].raw, entry["estimate"].raw),
        table=partial(_table, material, findings),
        table_of=partial(_table_of, findings),
        picture=partial(_picture, material),
        figure_numbers=itertools.count(1),
        main_scores=partial(_main_scores, results),
        usable=USABLE,
        kinds_of=kinds_of,
        mark_of=mark_of,
        leading=[fit for fit in results.fits if fit["family"].raw in LEADING],
        families={fit["family"].raw for fit in results.fits},
        total=next((row for row in results.about["flow"] if row["site"].raw == "all"), None),
    )
    bodies = []
    for name in sections:
        findings.place = name
        bodies.append(Markup(environment.get_template(f"{name}.html").render()))
    style = resources.files("alliance.report").joinpath("templates/page.css").read_text("utf-8")
    return environment.get_template("page.html").render(
        bodies=bodies,
        title=clean_text(str(results.about["title"].raw)),
        style=Markup(style),
        policy=html.POLICY.format(html.style_hash(style)),
    )


def _main_scores(results: Results, part: str) -> list[Field]:
    """Return the rows of a part of `measurement.json` whose scores the pictures show."""
    measurement = results.further.get("measurement")
    if measurement is None:
        return []
    labels = main_labels(measurement.raw)
    return [row for row in measurement[part] if row["label"].raw in labels]


def _table(material: Material, findings: Findings, name: str) -> Markup:
    """Return one of the fixed tables."""
    return _table_of(findings, MAKERS[name][0](material.results))


def _table_of(findings: Findings, table: Table) -> Markup:
    """Return a table; its numbers are on record as standing in it."""
    section, findings.place = findings.place, f"{findings.place}, table {table.name}"
    fragment = html.table_fragment(table, findings)
    findings.place = section
    return fragment


def _picture(material: Material, name: str, alt: str) -> Markup:
    """Return a figure as an image within the page."""
    path = material.figures_folder / f"{name}.svg"
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    relative = os.path.relpath(path.resolve(), material.results_folder.resolve())
    attributes: dict[str, Any] = {
        "src": f"data:image/svg+xml;base64,{encoded}",
        "alt": alt,
        "data-source": Path(relative).as_posix(),
    }
    return Markup(str(element("img", attributes, "")).removesuffix("</img>"))
