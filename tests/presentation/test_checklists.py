"""Reporting checklists: only what a run proves is called reported, and every link has an end."""

import copy
import csv
import json
import re
from pathlib import Path

import jsonschema
import pytest

from alliance import files
from alliance.checklists import as_json, fill_checklists
from alliance.checklists.evidence import Evidence
from alliance.checklists.filled import (
    CONFIDENCE,
    DOES_NOT_APPLY,
    NOT_REPORTED,
    PARTLY,
    REPORTED,
    STATES,
    anchors_of,
)
from alliance.checklists.filling import (
    CONDITIONS,
    NAMES,
    definition,
    definition_files,
    fill,
    places_of,
)
from alliance.checklists.places import PLACES, anchors
from alliance.families.registry import families
from alliance.figures import painters
from alliance.findings import Findings
from alliance.findings.check import FIXED, check_page
from alliance.findings.formats import has_digit
from alliance.findings.results import Results, read_results_as_fields
from alliance.manuscript.blocks import Bullets, Heading, Paragraph
from alliance.manuscript.checklists import checklist_document
from alliance.running.provenance import library
from alliance.tables import html, make_tables, table_names
from alliance.tables.checklists import one_checklist
from alliance.tables.layout import Part, Table

NORMAL = {"code": "normal_effects", "text": "Normal."}
SECTIONS = {"verdict", "unused", "models", "many-tests", "assumptions", "making"}  # ids of the page
ITEMS = [(name, item) for name in NAMES for item in definition(name)["items"]]


def conditions_of(item):
    """Return every condition that an item of a definition names."""
    named = [item["only_if"]["shows"]] if "only_if" in item else []
    for part in item.get("parts", []):
        named += [part[key] for key in ("if", "shows") if key in part]
    return named


# ------------------------------------------------------------------------------ evidence


@pytest.fixture(scope="module")
def everything(mock):
    """Content that shows everything a checklist can ask for."""
    fits = [*mock.fits(), *mock.otherwise.fits(mock), mock.cox()]
    by_name = {fit["model"]: fit for fit in fits}
    effect = mock.estimate("alliance", -0.01, 0.002)
    by_name["dropout_hazard"]["marginal_effects"] = [effect]
    censored = mock.fact("non_informative_censoring", "Others leave risk.")
    by_name["dropout_hazard"]["assumptions"] = [censored]
    at_random = mock.fact("missing_at_random", "Missing forms hang on what is seen.")
    by_name["alliance_growth"]["assumptions"] = [at_random]
    by_name["alliance_growth"] |= mock.diagnosed(by_name["alliance_growth"])
    by_name["alliance_to_symptoms"]["estimates"] += [mock.estimate("within:age", 0.1, 0.1)]
    of_sites = next(fit for fit in fits if fit["family"] == "by_site")
    of_sites["variance_components"] = [mock.component("site", "x", "x", 0.1, 0.3)]
    about = mock.description()
    about["sample"] += [
        mock.sample("Sessions attended", None, "sessions", "all", 400, mean=11.0, sd=4.0),
        mock.sample("Alliance, first score", None, "points", "all", 400, mean=42.0, sd=6.0),
    ]
    further = {"measurement": mock.measurement(about), "dropout": mock.leaving()}
    further["change"] = {"observers": {"coders": 2, "agreement": [{"kappa": 0.7}]}}
    further["multiplicity"] = {"primary_named": True, "tests": [{"p_adjusted": 0.04}]}
    return copy.deepcopy({"fits": fits, "about": about, "further": further, "run": mock.RUN})


def evidence(content):
    results = Results(content["fits"], content["about"], content["further"])
    return Evidence(results, content["run"])


def filled_from(content):
    return fill(evidence(content).results, content["run"])


def each(path, change):
    """Return a function that applies `change` to every entry of a list in the content."""

    def spoil(content):
        for key in path[:-1]:
            content = content[key]
        for entry in content[path[-1]]:
            change(entry)

    return spoil


def emptied(*path):
    def spoil(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = type(content[path[-1]])()

    return spoil


def without_family(*families):
    return lambda c: c.update(fits=[f for f in c["fits"] if f["family"] not in families])


def estimates_with(**changed):
    return each(("fits",), lambda fit: [entry.update(changed) for entry in fit["estimates"]])


def no_characteristic(pattern):
    def spoil(content):
        rows = content["about"]["sample"]
        content["about"]["sample"] = [
            r for r in rows if not re.search(pattern, r["characteristic"])
        ]

    return spoil


FEW = each(("about", "sample"), lambda row: row.update(n=3, count=0 if row["count"] else None))
NO_CLIENTS = each(("about", "flow"), lambda row: row.update(clients=0))
NO_ENDS = each(
    ("about", "flow"),
    lambda row: row.update(completed=0, dropout=0, transferred=0, ongoing=0),
)
# For each condition what takes its proof away, and nothing else of the report.
SPOILED = {
    "has_flow": NO_CLIENTS,
    "has_flow_diagram": NO_CLIENTS,
    "has_several_sites": each(("about", "flow"), lambda row: row.update(sites=1)),
    "has_ends": NO_ENDS,
    "has_sample": FEW,
    "has_client_facts": no_characteristic("^(?!.*(first score|attended|planned))"),
    "has_first_scores": no_characteristic("first score"),
    "has_follow_up": no_characteristic("attended"),
    "has_row_ledger": each(("about", "rows"), lambda row: row.update(kept=row["kept"] - 1)),
    "has_forms_missing": each(("about", "missing"), lambda row: row.update(forms_percent=None)),
    "has_missing_by_session": each(
        ("further", "measurement", "prorating"), lambda row: row.update(session="all")
    ),
    "has_measures": emptied("further", "measurement", "measures"),
    "has_key_evidence": emptied("further", "measurement", "evidence"),
    "has_scoring": each(("further", "measurement", "scores"), lambda row: row.update(rule="")),
    "has_missing_item_rule": each(
        ("further", "measurement", "measures"), lambda row: row.update(unanswered="")
    ),
    "has_reliability": each(
        ("further", "measurement", "reliability"), lambda row: row.update(alpha=None, omega=None)
    ),
    "has_generalizability": each(
        ("further", "measurement", "coefficients"), lambda row: row.update(value=None)
    ),
    "has_invariance_over_sites": each(
        ("further", "measurement", "invariance_steps"), lambda row: row.update(over="sessions")
    ),
    "has_variance_shares": each(
        ("further", "measurement", "variance_shares"), lambda row: row.update(icc=None)
    ),
    "has_observers": lambda c: c["further"]["change"]["observers"].update(coders=0),
    "has_coder_agreement": emptied("further", "change", "observers", "agreement"),
    "has_definition_of_dropout": each(
        ("further", "dropout", "definitions"), lambda row: row.update(words="")
    ),
    "has_dropout_events": each(
        ("further", "dropout", "definitions"), lambda row: row.update(dropouts=0)
    ),
    "has_thirds": each(("further", "dropout", "incidence"), lambda row: row.update(by="site")),
    "has_software": lambda c: c["run"].pop("packages"),
    "has_questions": each(("fits",), lambda fit: fit.update(question="")),
    "has_verdict": without_family("growth", "coupling", "hazard"),
    "has_equations": lambda c: c["fits"][0].update(equation=""),
    "has_random_effects_in_equation": each(("fits",), lambda fit: fit.update(equation="y ~ x")),
    "has_estimators": lambda c: c["fits"][0]["engine"]["estimator"].update(text=""),
    "has_assumptions": lambda c: c["fits"][0].update(assumptions=[]),
    "has_missing_assumption": lambda c: c["fits"][0].update(assumptions=[NORMAL]),
    "has_censoring_assumption": each(("fits",), lambda f: f.update(assumptions=[NORMAL])),
    "has_rows_accounted": lambda c: c["fits"][0]["data"].update(rows_used=1),
    "has_groups": lambda c: c["fits"][0]["data"].update(groups=[]),
    "has_convergence": lambda c: c.update(fits=[]),
    "has_diagnostics": lambda c: [f.update(diagnostics={"message": "too few"}) for f in c["fits"]],
    "has_intervals": estimates_with(ci_low=None),
    "has_tests": estimates_with(p=None),
    "has_primary_effects": lambda c: c["further"]["multiplicity"].update(primary_named=False),
    "has_adjusted_tests": emptied("further", "multiplicity", "tests"),
    "has_effect_sizes": estimates_with(standardised=None, ratio=None),
    "has_ratios": estimates_with(ratio=None),
    "has_effects_on_probability": each(("fits",), lambda fit: fit.update(marginal_effects=[])),
    "has_adjustment": estimates_with(role="main"),
    "has_within_and_between": estimates_with(level="within-client"),
    "has_interactions": estimates_with(term="outcome: alliance"),
    "has_random_effects": each(("fits",), lambda fit: fit.update(variance_components=[])),
    "has_courses": emptied("about", "observed_courses"),
    "has_steps": without_family("growth_shape"),
    "has_site_estimates": without_family("by_site"),
    "has_prediction_interval": without_family("by_site"),
    "has_one_stage": without_family("by_site"),
    "has_heterogeneity": each(("fits",), lambda fit: fit.update(variance_components=[])),
    "has_sensitivity": without_family("specifications", "panel_estimators"),
    "has_subgroups": lambda c: (without_family("by_site")(c), estimates_with(term="x")(c)),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_holds_with_its_proof_and_not_without(name, everything):
    places = places_of(name, evidence(everything))
    assert places
    assert all(p.anchor in PLACES or p.anchor.startswith("model-") for p in places)
    less = copy.deepcopy(everything)
    SPOILED[name](less)
    assert places_of(name, evidence(less)) == []


def test_a_model_that_failed_or_was_refused_is_no_proof_of_its_family(everything, mock):
    assert places_of("has_fit:hazard", evidence(everything))[0].anchor == "model-dropout_hazard"
    for spoil in (mock.failed, mock.refused):
        fits = [spoil(f) if f["family"] == "hazard" else f for f in everything["fits"]]
        assert places_of("has_fit:hazard", evidence(everything | {"fits": fits})) == []


def test_products_of_a_surface_are_no_interaction(everything):
    def of_a_surface(fit):
        level = {"level": "surface"}
        return fit | {"estimates": [*fit["estimates"], *(e | level for e in fit["estimates"][:1])]}

    fits = [of_a_surface(fit) for fit in everything["fits"]]
    assert places_of("has_interactions", evidence(everything | {"fits": fits})) == []


def test_every_place_can_be_reached(everything):
    reached = {p.anchor for name in CONDITIONS for p in places_of(name, evidence(everything))}
    assert set(anchors()) <= reached


# ------------------------------------------------------------------------------ definitions


@pytest.mark.parametrize("name", NAMES)
def test_a_checklist_is_valid_by_its_schema(name, mock):
    jsonschema.Draft202012Validator(mock.schema("checklist")).validate(definition(name))
    assert definition(name)["name"] == name
    numbers = [item["number"] for item in definition(name)["items"] if "number" in item]
    assert len(set(numbers)) == len(numbers)


def test_all_items_of_the_published_lists_are_there():
    numbers = {name: {i.get("number") for i in definition(name)["items"]} for name in NAMES}
    lettered = {1: "ab", 6: "ab", 12: "abcde", 13: "abc", 14: "abc", 16: "abc"}
    strobe = {f"{n}{letter}" for n in range(1, 23) for letter in lettered.get(n, [""])}
    assert numbers["strobe"] == strobe
    assert numbers["prisma_ipd"] == {*map(str, range(1, 28)), "A1", "A2", "A3", "A4"}
    level = {"1a", "1b", "2", "3", "4a", "4b", "5a", "5b", "5c", "6a", "6b", "7a", "7b", "8a"}
    assert numbers["level"] - {None} == level


def test_conditions_are_a_closed_vocabulary_and_all_are_named(mock):
    named = {condition for _, item in ITEMS for condition in conditions_of(item)}
    for condition in named:
        name, _, argument = condition.partition(":")
        assert name in CONDITIONS or name == "has_fit"
        assert set(argument.split(",")) <= {*families(), ""}
    assert set(CONDITIONS) - named == set()
    assert set(SPOILED) == set(CONDITIONS)


def test_every_item_has_a_part_that_always_counts():
    for name, item in ITEMS:
        assert "does_not_apply" in item or any("if" not in part for part in item["parts"]), name


def test_how_sure_a_key_and_a_checklist_are_is_said_in_the_same_words():
    from alliance.measures.key_facts import CONFIDENCE as OF_KEYS

    assert CONFIDENCE.items() <= OF_KEYS.items()


def test_every_file_reruns_the_rule():
    folder = Path(definition_files()[0]).parent
    assert set(definition_files()) == {str(path) for path in folder.glob("*.yaml")}


# ------------------------------------------------------------------------------ filled in


def cohorts(everything, mock):
    """Yield contents from everything to nothing."""
    bare = everything["about"] | {
        key: []
        for key in ("flow", "sample", "rows", "missing", "problems", "observed_courses", "measures")
    }
    yield everything
    yield everything | {"fits": []}
    for spoil in (mock.singular, mock.failed, mock.refused, mock.disputed):
        yield everything | {"fits": [spoil(fit) for fit in everything["fits"]]}
    yield everything | {"further": {}}
    yield {"fits": [], "about": bare, "further": {}, "run": {}}  # fmt: skip


def test_counts_add_up_and_the_form_is_kept(everything, mock):
    validator = jsonschema.Draft202012Validator(mock.schema("checklists"))
    for content in cohorts(everything, mock):
        filled = filled_from(content)
        validator.validate(as_json(filled))
        for one in filled:
            counts = one.counts()
            assert counts["items"] == len(definition(one.name)["items"])
            assert counts["items"] == sum(counts[state] for state in STATES)
            unread = [item for item in one.items if item.confidence != "read in a source"]
            assert counts["not read"] == len(unread)


def test_an_item_is_reported_only_where_every_part_is_shown(everything, mock):
    for content in cohorts(everything, mock):
        for one in filled_from(content):
            for item in one.items:
                assert bool(item.where) == (item.state in (REPORTED, PARTLY))
                assert bool(item.missing) == (item.state in (PARTLY, NOT_REPORTED))
                assert bool(item.reason) == (item.state == DOES_NOT_APPLY)


def test_what_an_author_must_write_is_never_reported(everything):
    filled = {one.name: one for one in filled_from(everything)}
    told = 0
    for name in NAMES:
        for item, entry in zip(filled[name].items, definition(name)["items"], strict=True):
            parts = entry.get("parts", [])
            if parts and not any("shows" in part for part in parts):
                assert item.state in (NOT_REPORTED, DOES_NOT_APPLY)
                told += 1
            if any(part.keys() == {"otherwise"} for part in parts):
                assert item.state != REPORTED
    assert told > 40
    discussion = [i for o in filled.values() for i in o.items if i.section == "Discussion"]
    assert discussion and all(item.state in (PARTLY, NOT_REPORTED) for item in discussion)
    # and a run that has everything does have something reported, so that the test can fail
    assert all(one.counts()[REPORTED] for one in filled.values())


@pytest.mark.parametrize("kind", ["none", "failed", "refused"])
def test_without_models_nothing_is_claimed_about_models(kind, everything, mock):
    fits = [] if kind == "none" else [getattr(mock, kind)(fit) for fit in everything["fits"]]
    linked = set(anchors_of(filled_from(everything | {"fits": fits})))
    of_models = {"unused", "assumptions", "verdict", "figure-growth", "figure-by_site",
                 "table-growth_shape"}  # fmt: skip
    assert not linked & of_models
    assert not [anchor for anchor in linked if anchor.startswith("model-")]
    # what was asked, and that nothing converged, is there to be read where models were asked for
    assert ("models" in linked) == ("table-convergence" in linked) == (kind != "none")
    assert "table-flow" in linked


def test_one_site_needs_no_synthesis(everything):
    one = copy.deepcopy(everything)
    SPOILED["has_several_sites"](one)
    prisma = next(o for o in filled_from(one) if o.name == "prisma_ipd")
    states = {item.number: item.state for item in prisma.items}
    assert {states[number] for number in ("14", "A2", "20", "21")} == {DOES_NOT_APPLY}


# ------------------------------------------------------------------------------ in print


@pytest.fixture(scope="module")
def printed(everything, mock, results_of, tmp_path_factory):
    """A cohort whose titles are hostile, with its checklists filled in and tabulated."""
    fits = [
        fit
        | {"title": "=HYPERLINK(1)" if fit["family"] == "specifications" else f"{mock.HOSTILE} {k}"}
        for k, fit in enumerate(everything["fits"])
    ]
    folder = tmp_path_factory.mktemp("checklists")
    results = results_of(folder, fits=fits, description=everything["about"])
    make_tables(
        **results.inputs,
        out_folder=results.folder / "tables",
        findings=results.folder / "audit" / "tables_findings.json",
        latex=False,
    )
    return results


def pages(printed):
    names = ["checklists", *(f"checklist_{name}" for name in NAMES)]
    return {n: (printed.folder / "tables" / f"{n}.html").read_text(encoding="utf-8") for n in names}


def test_every_number_of_the_tables_is_vouched_for(printed):
    for name, page in pages(printed).items():
        assert check_page(page, printed.folder) == [], name


def test_hostile_titles_are_inert(printed):
    assert "&lt;script&gt;" in pages(printed)["checklist_strobe"]  # they are there
    for page in pages(printed).values():
        assert "<script" not in page
        assert not re.search(r"<a [^>]*href=\"(?!\.\./report\.html#[\w.-]+\")", page)
    rows = list(csv.DictReader((printed.folder / "tables" / "checklist_strobe.csv").open()))
    where = [row["where"] for row in rows]
    assert [text for text in where if text.startswith("'=HYPERLINK")]
    assert not [text for text in where if text[:1] in ("=", "+", "-", "@")]


def test_links_lead_to_the_report_from_outside_and_within(printed):
    results = read_results_as_fields(**printed.inputs)
    page = pages(printed)["checklist_strobe"]
    assert 'href="../report.html#table-flow"' in page
    fragment = html.table_fragment(one_checklist("strobe", results), Findings())
    assert 'href="#table-flow"' in fragment
    assert fragment.count("<a ") == page.count("<a ")


def test_every_link_has_an_end():
    for anchor in anchors():
        kind, _, name = anchor.partition("-")
        known = {"table": table_names(), "figure": painters()}.get(kind)
        assert name in known if known else anchor in SECTIONS


def test_the_same_run_gives_the_same_bytes(printed, tmp_path):
    run = printed.folder / "audit" / "run.json"
    fill_checklists(**printed.inputs, run=run, checklists=tmp_path / "again.json")
    first = printed.folder / "checklists.json"
    assert (tmp_path / "again.json").read_bytes() == first.read_bytes()


def test_a_cohort_without_checklists_says_so(everything, results_of, tmp_path):
    results = results_of(tmp_path, description=everything["about"])
    results.inputs["further"] = results.inputs["further"][:-1]
    make_tables(
        **results.inputs,
        out_folder=results.folder / "tables",
        findings=results.folder / "audit" / "tables_findings.json",
        latex=False,
    )
    for page in pages(results).values():
        assert "The reporting checklists were not filled in for this cohort." in page
    document = checklist_document(read_results_as_fields(**results.inputs))
    assert not [block for block in document.blocks if isinstance(block, Table)]


def test_csv_has_every_item_and_how_sure_it_is(printed):
    for name in NAMES:
        path = printed.folder / "tables" / f"checklist_{name}.csv"
        rows = list(csv.DictReader(path.open(encoding="utf-8")))
        items = definition(name)["items"]
        assert [row["item"] for row in rows] == [item.get("number", "") for item in items]
        assert {row["confidence"] for row in rows} <= set(CONFIDENCE.values())


def test_document_holds_every_checklist_and_no_digit_of_its_own(printed):
    document = checklist_document(read_results_as_fields(**printed.inputs))
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert [table.name for table in tables] == ["checklists", *(f"checklist_{n}" for n in NAMES)]
    findings = Findings(prefix="c", document="manuscript/checklists.docx")
    for piece in pieces_of(document):
        if isinstance(piece, Part):
            assert not has_digit(piece.before + piece.after)
            findings.record(piece.field, piece.format, *piece.also)
        else:
            assert not has_digit(piece) or FIXED.fullmatch(piece)
    counts = json.loads((printed.folder / "checklists.json").read_text())["checklists"][0]["counts"]
    summed = [f.printed for f in findings.entries if f.pointer.startswith("/checklists/0/counts")]
    numbers = [str(n) for n in counts.values()]
    assert summed == [*numbers, *numbers[:-1]]  # in the table, and all but one in the sentence


def pieces_of(document):
    """Yield the texts and findings of a document."""
    yield document.title
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph):
            yield from block.words
        elif isinstance(block, Bullets):
            yield from (piece for item in block.items for piece in item)
        else:
            yield from (block.title, *block.notes, block.empty)
            cells = [column.heading for column in block.columns]
            cells += [cell for row in block.rows for cell in row.cells]
            for cell in cells:
                yield from (cell.text, *cell.parts)


# ------------------------------------------------------------------------------ in the house


def test_checklists_stand_between_models_and_tables():
    behind = {Path(path).as_posix() for path in library("checklists")}
    later = ("tables", "figures", "manuscript", "report", "mixed")
    assert not [p for p in behind if any(f"/alliance/{stage}/" in p for stage in later)]
    assert not [
        p for p in library("tables", "manuscript.checklists") if "alliance/checklists/" in p
    ]


def test_the_model_of_a_fit_is_the_id_of_its_article(everything):
    names = {f"model-{fit['model']}" for fit in everything["fits"]}
    linked = {a for a in anchors_of(filled_from(everything)) if a.startswith("model-")}
    assert linked <= names


def test_files_are_published_as_json(printed):
    content = files.read_json(printed.folder / "checklists.json")
    assert content["schema"] == "alliance-checklists-1"
    assert [one["name"] for one in content["checklists"]] == list(NAMES)
