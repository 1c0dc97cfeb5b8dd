"""Captions: the first sentence is what was found, or says that nothing was; never a wrong one."""

import re

import pytest

from alliance import files
from alliance.families.family import module_of
from alliance.figures import painters
from alliance.findings import Findings, read_fields
from alliance.findings.check import check_page
from alliance.findings.results import read_results_as_fields
from alliance.report.page import Material, render
from tests.presentation.test_figures import cohorts

COHORTS = (
    *("plain", "marked", "refused", "one site"),
    *("otherwise", "otherwise, hostile", "otherwise, marked"),
)
RESULT_OF_A_FIT = re.compile(
    r'title="fits/(\w+)\.json#/(?:estimates|companions|curves|fit_statistics)'
)


def captions(folder, mock, fits, description, further=None):
    """Return the page that consists of all figures with their captions, and its folder."""
    inputs = mock.write(folder, fits, description)
    results = inputs["description"].parent
    if further is not None:
        inputs["further"] = further
    for name in painters():
        files.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", results / f"{name}.svg")
    files.write_json(mock.RUN, results / "run.json")
    run = read_fields(results / "run.json", results)
    material = Material(read_results_as_fields(**inputs), None, run, results, results)
    beside = [module_of(painter).removeprefix("families.") for painter in painters().values()]
    captions = {module.replace(".", "/"): module for module in beside}
    return render(material, Findings(), captions), results


def first_sentences(page):
    """Return by figure what stands in bold, with its elements."""
    found = re.findall(
        r'(?s)<figure id="figure-(\w+)">.*?<figcaption id="caption-\1"><b>(.*?)</b>', page
    )
    assert [name for name, _ in found] == list(painters())
    return dict(found)


def words(markup):
    return " ".join(re.sub("<[^>]+>", "", markup).split())


@pytest.fixture(scope="module", params=COHORTS)
def page(request, mock, tmp_path_factory):
    fits, description = cohorts(mock)[request.param]
    return *captions(tmp_path_factory.mktemp("captions"), mock, fits, description), fits


def test_every_caption_says_what_was_found_how_to_read_it_and_what_to_doubt(page):
    html, folder, _ = page
    assert check_page(html, folder) == []
    for name, markup in first_sentences(html).items():
        told = re.sub(r"^Figure \d+\. ", "", words(markup))
        assert told.endswith("."), (name, told)
        assert 'class="none"' not in markup, (name, told)
        assert ".." not in told.replace("...", ""), (name, told)
    for part in ("How to read this.", "What trouble looks like."):
        assert html.count(part) == len(painters())


def test_no_caption_quotes_a_fit_that_gave_no_result(page):
    html, _, fits = page
    bad = {fit["model"] for fit in fits if fit["status"] in ("failed", "refused")}
    assert not bad & set(RESULT_OF_A_FIT.findall(html))


def test_words_follow_the_numbers(mock, tmp_path):
    fits = mock.fits()
    told = first_sentences(captions(tmp_path, mock, fits, mock.description())[0])
    assert "Alliance (client): rising over treatment, from" in words(told["growth"])
    assert "(PHQ-9): falling over treatment, from" in words(told["growth"])
    assert "goes with no clearly different odds" in words(told["effects"])
    assert "496 clients at 4 sites attended 5,208 sessions" in words(told["flow"])
    fits[0]["estimates"][1] |= {"ci_low": -0.1, "ci_high": 0.1}
    again = first_sentences(captions(tmp_path, mock, fits, mock.description())[0])
    assert "Alliance (client): no clear change over treatment" in words(again["growth"])


def test_where_nothing_is_there_captions_say_so(mock, tmp_path):
    nothing = {"flow": [], "missing": [], "problems": [], "observed_courses": [], "measures": []}
    nothing["survival_by_alliance"] = {"message": "No alliance.", "groups": []}
    description = mock.description()
    html, folder = captions(tmp_path, mock, [], description | nothing, further=[])
    told = {name: words(markup) for name, markup in first_sentences(html).items()}
    assert check_page(html, folder) == []
    assert "No client was left" in told["flow"]
    assert "No growth model was asked for." in told["growth"]
    assert "No measure’s change was judged." in told["change"]
    assert not re.search(r"\d", re.sub(r"Figure \d+", "", " ".join(told.values())))
