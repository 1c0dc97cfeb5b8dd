"""The page: self-contained, inert, readable without eyes or mouse."""

import base64
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from alliance.report import SECTIONS
from alliance.tables import table_names

SOURCE = Path(__file__).resolve().parents[2] / "src"


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.all = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def named(self, tag):
        return [attributes for name, attributes in self.all if name == tag]


@pytest.fixture(scope="module", params=["published", "marked"])
def page(request):
    return request.getfixturevalue(request.param).html()


def test_nothing_is_asked_of_anybody(page):
    elements = Elements(page)
    policy = next(m["content"] for m in elements.named("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not {"script", "iframe", "object", "embed", "form", "base"} & {
        t for t, _ in elements.all
    }
    for tag, attributes in elements.all:
        for name in ("src", "href", "srcset", "action", "data"):
            if name in attributes:
                assert attributes[name].startswith(("data:", "#", "tables/", "figures/")), (
                    tag,
                    attributes,
                )
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
    style = re.search("<style>(.*?)</style>", page, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy


def test_the_pictures_within_ask_nobody_either(published):
    pictures = Elements(published.html()).named("img")
    assert len(pictures) == 18
    for picture in pictures:
        drawing = unquote(picture["src"].partition(",")[2])
        assert "<script" not in drawing
        targets = re.findall(r"""(?:xlink:href|href|src)=["']([^"']*)""", drawing)
        assert all(target.startswith("#") for target in targets)
        assert not re.findall(r"url\((?!#)", drawing)


def test_the_page_is_small(published):
    assert published.report.stat().st_size < 3_000_000


def test_ids_are_unique_and_links_lead_somewhere(page):
    elements = Elements(page)
    ids = [attributes["id"] for _, attributes in elements.all if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for a in elements.named("a")}
    beside = {f"tables/{name}.html" for name in table_names()}
    beside |= {
        target for target in targets if re.fullmatch(r"figures/diagnostics_\w+\.svg", target)
    }
    assert targets <= {f"#{name}" for name in ids} | beside


def test_it_can_be_read_without_eyes_and_mouse(page):
    elements = Elements(page)
    assert elements.named("html") == [{"lang": "en"}]
    assert len(elements.named("h1")) == len(elements.named("main")) == 1
    assert all(len(picture["alt"]) > 40 for picture in elements.named("img"))
    levels = [int(tag[1]) for tag, _ in elements.all if re.fullmatch("h[1-6]", tag)]
    steps = itertools.pairwise(levels)
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in steps)
    for region in (a for _, a in elements.all if a.get("role") == "region"):
        assert region.get("aria-label") or region["aria-labelledby"]
        assert region["tabindex"] == "0"
    assert all(header.get("scope") for header in elements.named("th"))
    style = re.search("<style>(.*?)</style>", page, re.DOTALL).group(1)
    assert ":focus-visible" in style
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_every_section_is_there_and_every_figure_says_how_to_read_it(page):
    for section in SECTIONS:
        assert f'<section id="{section}"' in page
    for part in ("asked", "who", "sure", "doubt", "left-out", "certainty", "making", "questions"):
        assert f'id="{part}"' in page
    figures = page.count("<figure")
    assert page.count("How to read this.") == figures
    assert page.count("What trouble looks like.") == figures


def test_it_says_at_the_top_that_the_cohort_is_simulated(published):
    first = published.html().split("</header>")[0]
    assert "Simulated cohort." in first


def test_a_real_cohort_is_not_called_simulated(mock, results_of, tmp_path):
    description = mock.description(simulated=False)
    results = results_of(tmp_path, description=description, truth=False).publish(figures=False)
    assert "imulated" not in results.html().replace("simulation", "")
    assert "truth" not in re.sub("<[^>]+>", "", results.html().split("<main>")[1]).lower()
    assert results.differences() == []


def test_bad_fits_are_named_at_the_top_and_give_no_result(marked):
    html = marked.html()
    found = html.split('id="found"')[1].split('id="sure"')[0]
    assert found.count('class="mark">') >= 4  # three without a result, one singular
    assert "did not converge" in found
    assert "not fitted" in found
    sure = html.split('id="sure"')[1].split('id="doubt"')[0].lower()
    assert "every model converged" not in sure
    assert "singular" in sure


def test_truth_stands_beside_the_estimate_in_words(published):
    truth = published.html().split('<h3 id="truth"')[1].split("</section>")[0]
    words = re.sub("<[^>]+>", " ", truth)
    assert "inside" in words
    assert "outside" in words
    assert "Short courses." in words
    assert "no such estimate" in words
    assert "no such model was asked for" in words


def replaced(content, mock, keep):
    """Return content with every text that is free put into hostile words."""
    if isinstance(content, dict):
        return {k: v if k in keep else replaced(v, mock, keep) for k, v in content.items()}
    if isinstance(content, list):
        return [replaced(value, mock, keep) for value in content]
    return f"{mock.HOSTILE} {content}" if isinstance(content, str) else content


CLOSED = {"schema", "model", "about", "code", "family", "status", "role", "level", "term",
          "panel_sha256", "name", "cohort", "site", "measure", "column"}  # fmt: skip


@pytest.fixture(scope="module")
def hostile(mock, results_of, tmp_path_factory):
    fits = [replaced(fit, mock, CLOSED) for fit in mock.fits()]
    fits[1] = mock.refused(fits[1], mock.HOSTILE)
    description = replaced(mock.description(), mock, CLOSED)
    folder = tmp_path_factory.mktemp("hostile")
    return results_of(folder, fits, description).publish(figures=False)


def test_hostile_labels_stay_text(hostile):
    pages = [hostile.html()]
    pages += [p.read_text(encoding="utf-8") for p in (hostile.folder / "tables").glob("*.html")]
    for page in pages:
        elements = Elements(page)
        assert not elements.named("script")
        ends = ("#", "data:", "tables/", "../report.html#")  # the last from tables' own pages
        assert all(a.get("href", "#").startswith(ends) for _, a in elements.all)
        assert not any(name.startswith("on") for _, a in elements.all for name in a)
        assert "{{7*7}}" in page or "alert" not in page
        assert "49" not in re.findall(r"\d+", page.split("{{")[0][-20:])
    assert "&lt;script&gt;" in pages[0]
    assert hostile.differences() == []


def test_hostile_site_names_stay_text(mock, results_of, tmp_path):
    sites = ('<img src=x onerror="alert(1)">', "$\\alpha$", "a" * 64, "=1+1")
    fits = [mock.growth("alliance_growth", sites), *mock.fits()[1:]]
    results = results_of(tmp_path, fits=fits, description=mock.description(sites))
    results.publish(figures=False)
    assert all("onerror" not in a for _, a in Elements(results.html()).all)
    assert results.differences() == []


def test_templates_hold_no_number_of_their_own():
    """Numbers come from files; those of the language of statistics are marked as fixed."""
    folder = SOURCE / "alliance" / "report" / "templates"
    assert {path.stem for path in folder.glob("*.html")} >= set(SECTIONS)
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for code in (r"\{#.*?#\}", r"\{%.*?%\}", r'<span class="fixed">.*?</span>', r"\{\{.*?\}\}"):
            text = re.sub(code, "", text, flags=re.DOTALL)
        text = re.sub(r"<[^>]+>|&#?\w+;", "", text)
        assert not re.search(r"\d", text), path.name


MAKE = """
import json, sys
from pathlib import Path
from alliance.figures import draw_figures
from alliance.report import write_report
from alliance.manuscript import collect_references
from alliance.tables import make_tables
results, raw = Path(sys.argv[1]), Path(sys.argv[2])
fits = [results / "fits" / f"{name}.json" for name in json.loads(sys.argv[3])]
inputs = dict(
    fits=fits,
    description=results / "description.json",
    further=[
        results / f"{name}.json"
        for name in ("measurement", "dropout", "multiplicity", "checklists")
    ],
)
draw_figures(**inputs, out_folder=results / "figures")
make_tables(
    **inputs,
    out_folder=results / "tables",
    findings=results / "audit" / "tables_findings.json",
)
collect_references(
    **inputs,
    run=results / "audit" / "run.json",
    references=results / "manuscript" / "references.json",
    bibliography=results / "manuscript" / "references.bib",
)
write_report(
    **inputs,
    references=results / "manuscript" / "references.json",
    figures_folder=results / "figures",
    truth=raw / "truth.json",
    run=results / "audit" / "run.json",
    report=results / "report.html",
    findings=results / "audit" / "findings.json",
)
"""


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(published, tmp_path):
    """Another process, hash seed, time zone, locale and folder: the same bytes."""
    root = published.folder.parents[1]
    copy = tmp_path / "elsewhere"
    shutil.copytree(root / "data", copy / "data")
    descriptions = ("description", "measurement", "dropout", "checklists", "multiplicity")
    for part in ("fits", "audit/run.json", *(f"{name}.json" for name in descriptions)):
        source, target = published.folder / part, copy / "results" / "demo" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    names = [path.stem for path in published.inputs["fits"]]
    environment = os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C",
                                "SOURCE_DATE_EPOCH": "1", "PYTHONPATH": str(SOURCE)}  # fmt: skip
    folders = [str(copy / "results" / "demo"), str(copy / "data" / "raw" / "demo")]
    arguments = [sys.executable, "-c", MAKE, *folders, json.dumps(names)]
    subprocess.run(arguments, check=True, env=environment, cwd=tmp_path)
    made = sorted(p for p in published.folder.rglob("*") if p.is_file())
    assert len(made) > 40
    for path in made:
        again = copy / "results" / "demo" / path.relative_to(published.folder)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_a_difference_between_groups_is_not_worded_as_a_course(mock, results_of, tmp_path):
    course, *others = mock.fits()
    time = course["estimates"][1] | {"group": "Treatment: TAU"}
    product = mock.estimate("log_weeks:treatment[CBT 2]", 1.5, 0.1, level="difference in course")
    product["group"] = "Treatment: CBT 2 against TAU"
    course["estimates"] = [course["estimates"][0], time, product]
    results = results_of(tmp_path, fits=[course, *others]).publish(figures=False)
    assert results.differences() == []
    told = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", results.html()))
    label = course["outcome"]["label"]
    assert f"{label}, Treatment: TAU: rising over treatment" in told
    assert f"{label}, Treatment: CBT 2 against TAU: rises more or falls less" in told


def test_that_no_measure_is_configured_is_said(mock, results_of, tmp_path):
    description = mock.description()
    description["measures"] = []
    results = results_of(tmp_path, fits=[], description=description).publish(figures=False)
    assert "No questionnaire was read" in results.html()
