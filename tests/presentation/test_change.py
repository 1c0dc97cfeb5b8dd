"""Figures, tables and page of change and ruptures: full, hardly any, none."""

import pytest

from alliance import files
from alliance.figures import change, diagnostics_figures, painters, rule_agreement, ruptures, style
from alliance.findings import check_findings
from alliance.findings.results import read_results
from alliance.measures.describe_change import change_of
from alliance.report import write_report
from alliance.tables import make_tables
from tests.unit.test_events import CHANGE, KEYS, MEASURES, RUPTURES, panel_with_events, small_cohort

PAINTERS = {"change": change, "ruptures": ruptures, "rule_agreement": rule_agreement}


@pytest.fixture(scope="module", params=["full", "three sessions", "nothing asked"])
def published(request, results_of, tmp_path_factory):
    """Results with a change.json, its own figures drawn."""
    cohort = small_cohort(5)
    scores = cohort.scores
    options = {"change": CHANGE, "ruptures": RUPTURES}
    if request.param == "three sessions":
        scores = scores[scores["session"] <= 3]
    panel, events = panel_with_events(cohort, scores)
    if request.param == "nothing asked":
        options, events = {"change": {}, "ruptures": {}}, events.iloc[:0]
    content = change_of(panel, events, measures=MEASURES, keys=KEYS, observers=[], seed=1,
                        **options)  # fmt: skip
    results = results_of(tmp_path_factory.mktemp("change"))
    path = results.folder / "change.json"
    files.write_json(content, path)
    results.inputs["further"] = [path]
    read = read_results(**results.inputs)
    with style.in_house_style():
        for name, painter in PAINTERS.items():
            style.save(painter.draw(read), results.folder / "figures" / name)
    fits = {fit["model"]: fit for fit in read.fits}
    for name in {*painters(), *diagnostics_figures(fits).values()} - set(PAINTERS):
        svg = f"<svg xmlns='http://www.w3.org/2000/svg'><title>{name}</title></svg>"
        files.write_text(svg, results.folder / "figures" / f"{name}.svg")
    make_tables(
        **results.inputs,
        out_folder=results.folder / "tables",
        findings=results.folder / "audit" / "tables_findings.json",
    )
    results.write_report(write_report)
    return request.param, content, results


def test_every_number_on_the_page_is_vouched_for(published):
    _, _, results = published
    assert check_findings(results.report, results.findings, results.folder) == []


def test_page_says_what_could_not_be_done(published):
    kind, content, results = published
    html = results.html()
    assert 'id="change"' in html
    assert content["cannot"]
    if kind == "three sessions":
        assert "a rupture cannot be told from an ordinary session" in html
    if kind == "full":
        assert "Hageman and Arrindell" in html
        assert "by chance alone" in html


def test_pictures_are_drawn(published):
    kind, _, results = published
    if kind == "full":
        for name in PAINTERS:
            assert (results.folder / "figures" / f"{name}.svg").stat().st_size > 5_000


def test_tables_hold_what_the_json_says(published):
    kind, content, results = published
    rows = (results.folder / "tables" / "change_classes.csv").read_text().splitlines()
    methods = sum(5 * len(m["methods"]) + 3 * bool(m["anchor"]) for m in content["measures"])
    assert len(rows) - 1 == methods
    if kind == "full":
        assert len((results.folder / "tables" / "rupture_rules.csv").read_text().splitlines()) == 3
