"""Put the page together, section by section."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from alliance import families
from alliance.families import registry
from alliance.figures import diagnostics_figures
from alliance.figures.measurement import main_labels
from alliance.findings.adjusted import adjusted_of
from alliance.findings.fields import Field
from alliance.findings.formats import clean_text, decimals_for
from alliance.findings.leading import leading_models
from alliance.findings.ledger import Findings, element
from alliance.findings.main_effects import main_effects
from alliance.findings.marks import kinds_of, mark_of, short_mark_of
from alliance.findings.read_html import PICTURE
from alliance.findings.results import Results
from alliance.manuscript.html import html_blocks
from alliance.manuscript.methods import methods_text
from alliance.manuscript.references import References
from alliance.manuscript.sections.authors import ALL as AUTHORS_MUST_ADD
from alliance.report.questions import QUESTIONS
from alliance.report.truth import USABLE, compare
from alliance.tables import html, pages
from alliance.tables.layout import Table
from alliance.tables.makers import maker_of

UNQUOTED = " '/=:;,.()-+"  # signs that stand as they are in an attribute between double quotes
NOT_GIVEN = "other"  # a measure whose key does not say what it measures


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
    references
        The works that the methods text cites, or None: then the page has no methods text.
    """

    results: Results
    truth: Field | None
    run: Field
    figures_folder: Path
    results_folder: Path
    references: Field | None = None


def render(material: Material, findings: Findings, sections: Mapping[str, str]) -> str:
    """Return the page; every number printed is put on record in `findings`."""
    environment = pages.environment("alliance.report", folders=[*families.__path__])
    results = material.results
    environment.filters["next_of"] = next
    environment.globals.update(
        about=results.about,
        adjusted=adjusted_of(results),
        fits=results.fits,
        further=results.further,
        run=material.run,
        cards=findings.cards,
        comparisons=compare(material.truth, results.fits),
        main_effects=main_effects(results.fits),
        main_fits=_leading(results),
        show=findings.show,
        cite=findings.show,
        plain=findings.plain,
        rounding=lambda entry: decimals_for(
            *(entry[part].raw for part in ("se", "estimate", "ci_low", "ci_high"))
        ),
        table=partial(_table, material, findings),
        table_of=partial(_table_of, results, findings),
        authors_must_add=AUTHORS_MUST_ADD,
        methods_text=partial(_methods_text, material, findings),
        leading_table=partial(_leading_table, material, findings),
        article=partial(_article, material, findings, environment),
        picture=partial(_picture, material),
        drawn_alike=partial(_drawn_alike, material),
        figure_numbers=itertools.count(1),
        measures_alliance=partial(_measures_alliance, results),
        main_scores=partial(_main_scores, results),
        usable=USABLE,
        kinds_of=kinds_of,
        mark_of=mark_of,
        short_mark_of=short_mark_of,
        families={fit["family"].raw for fit in results.fits},
        verdicts=_verdicts(results),
        with_trait=partial(_with_trait, results),
        of_families=partial(_of_families, environment),
        total=next((row for row in results.about["flow"] if row["site"].raw == "all"), None),
    )
    bodies = []
    for name in sections:
        findings.place = name
        bodies.append(Markup(environment.get_template(f"{name}.html").render()))
    findings.place = "questions"
    places = set(re.findall(r'\sid="([\w.-]+)"', "".join(bodies)))
    asked = environment.get_template("questions.html").render(questions=QUESTIONS, places=places)
    bodies.append(Markup(asked))
    return environment.get_template("page.html").render(
        bodies=bodies,
        sections=[*sections.items(), ("questions", "Reviewer’s questions")],
        title=clean_text(str(results.about["title"].raw)),
        **pages.dressed(("alliance.report", "page.css")),
    )


def _leading(results: Results) -> list[Field]:
    """Return the fits that lead the page."""
    leading = leading_models([fit.raw for fit in results.fits])
    return [fit for fit in results.fits if fit["model"].raw in leading]


def _verdicts(results: Results) -> dict[str, str]:
    """Return the first screen's template of each family whose models lead, in their order."""
    there = {fit["family"].raw for fit in _leading(results)}
    return {name: one.verdict for name, one in registry.families().items() if name in there}


def _with_trait(results: Results, trait: str) -> list[Field]:
    """Return the fits of the families with a trait, such as `in_forest`."""
    return [fit for fit in results.fits if fit["family"].raw in registry.that_are(trait)]


def _of_families(environment: jinja2.Environment, section: str) -> Markup:
    """Return what the families add to a section of the page, in their order."""
    templates = map(environment.get_template, registry.sections(section))
    return Markup("").join(Markup(template.render()) for template in templates)


def cards_of(material: Material) -> dict[str, str]:
    """Return the id of the card that each file has on the page: what it says and rests on."""
    results = material.results
    cards = {fit.source: f"model-{fit['model'].raw}" for fit in results.fits}
    others = [results.about, *results.further.values(), material.run]
    others += [field for field in (material.references, material.truth) if field is not None]
    return cards | {field.source: f"source-{Path(field.source).stem}" for field in others}


def _methods_text(material: Material, findings: Findings) -> Markup:
    """Return the methods section of a paper, written from what was run."""
    if material.references is None:
        return Markup("<p>The methods text was not asked for.</p>")
    works = References(material.references)
    return html_blocks(methods_text(material.results, works, material.run), findings, 4)


def _main_scores(results: Results, part: str) -> list[Field]:
    """Return the rows of a part of `measurement.json` whose scores the pictures show."""
    measurement = results.further.get("measurement")
    if measurement is None:
        return []
    labels = main_labels(measurement.raw)
    return [row for row in measurement[part] if row["label"].raw in labels]


def _table(material: Material, findings: Findings, name: str) -> Markup:
    """Return one of the fixed tables."""
    return _table_of(material.results, findings, maker_of(name)[0](material.results))


def _leading_table(material: Material, findings: Findings, name: str) -> Markup:
    """Return one of the fixed tables for the models that lead the page."""
    results = material.results
    table = maker_of(name)[0](dataclasses.replace(results, fits=_leading(results)))
    return _table_of(results, findings, table)


def _article(
    material: Material, findings: Findings, environment: jinja2.Environment, fit: Field
) -> Markup:
    """Return a model's article in the appendix; its own numbers do not link to it."""
    results = material.results

    def own_table(name: str) -> Markup:
        table = maker_of(name)[0](dataclasses.replace(results, fits=[fit]))
        table.name = f"{name}-{fit['model'].raw}"
        table.rows = [row for row in table.rows if not row.group]  # the article names the model
        table.notes = []  # they stand once, above all articles
        heading = f"name-{fit['model'].raw}"
        return _table_of(results, findings, table, heading) if table.rows else Markup("")

    card = findings.cards.pop(fit.source)
    article = environment.get_template("model.html").render(
        fit=fit, model_table=own_table, leads=fit in _leading(results)
    )
    findings.cards[fit.source] = card
    return Markup(article)


def _table_of(results: Results, findings: Findings, table: Table, heading: str = "") -> Markup:
    """Return a table; its numbers are on record as standing in it.

    `heading` is the id of what heads it beside its own title, so that no two have the same name.
    """
    section, findings.place = findings.place, f"{findings.place}, table {table.name}"
    before = len(findings.entries)
    findings.tab_stops = False
    title = f"title-{table.name}"
    fragment = html.table_fragment(table, findings, labelled_by=f"{heading} {title}".strip())
    findings.tab_stops, findings.place = True, section
    sources = {entry.source for entry in findings.entries[before:]}
    named = Markup('<p class="table-title" id="{}">{}</p>').format(title, table.title)
    return named + fragment + _source_line(results, findings, sources)


def _source_line(results: Results, findings: Findings, sources: set[str]) -> Markup:
    """Return where the numbers of a table come from, as links to the cards of the files."""
    models = {fit.source: fit["model"] for fit in results.fits}
    links = []
    for card, source in sorted((findings.cards[s], s) for s in sources if s in findings.cards):
        # a model's name comes from the config and may hold digits; a description's does not
        model = models.get(source)
        name = findings.plain(model, "words") if model else card.partition("-")[2].replace("_", " ")
        links.append(Markup('<a href="#{}">{}</a>').format(card, name))
    if not links:
        return Markup("")
    return Markup('<p class="source">Numbers from: {}.</p>').format(Markup(", ").join(links))


def _measures_alliance(results: Results, fit: Field) -> bool:
    """Say whether what a model predicts is a measure of the alliance, or a subscale of one."""
    constructs = {m["name"].raw: m["construct"].raw for m in results.about["measures"]}
    column = fit["outcome"]["column"].raw
    # a subscale's column begins with its measure's name; the longest name that fits is meant
    names = [name for name in constructs if column == name or column.startswith(f"{name}_")]
    return bool(constructs.get(max(names, key=len, default=""), NOT_GIVEN) == "alliance")


def _drawn_alike(material: Material, fit: Field) -> Field | None:
    """Return the first model whose diagnostics are the same picture, if it is another one.

    A ladder of shapes may choose the model that was asked for by name.
    """
    pictures = diagnostics_figures({f["model"].raw: f.raw for f in material.results.fits})

    def drawing(of: Field) -> bytes:
        return (material.figures_folder / f"{pictures[of['model'].raw]}.svg").read_bytes()

    others = [other for other in material.results.fits if other["model"].raw in pictures]
    first = next(other for other in others if drawing(other) == drawing(fit))
    return None if first["model"].raw == fit["model"].raw else first


def _picture(material: Material, name: str, alt: str) -> Markup:
    """Return a figure as an image within the page."""
    path = material.figures_folder / f"{name}.svg"
    encoded = quote(path.read_bytes(), safe=UNQUOTED)
    relative = os.path.relpath(path.resolve(), material.results_folder.resolve())
    attributes: dict[str, Any] = {
        "src": Markup(PICTURE + encoded),
        "alt": alt,
        "data-source": Path(relative).as_posix(),
    }
    return Markup(str(element("img", attributes, "")).removesuffix("</img>"))
