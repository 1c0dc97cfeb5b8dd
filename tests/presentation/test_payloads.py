"""Three hundred texts that would like to be code, put wherever a text from data or config goes.

Report, tables and pictures are opened in a browser that notes what they do: nothing. Once more with
the page's policy left aside, so that the escaping alone must hold.
"""

import csv
import itertools
import json
import re

import pytest

from alliance import files
from alliance.config.cohort import load_cohort
from alliance.errors import ConfigError
from alliance.findings.formats import clean_text
from alliance.findings.read_html import read_page
from alliance.tables import table_names

# What is not free text: words that the code chooses among, names that join tables, hashes.
CLOSED = {
    "schema", "model", "about", "code", "family", "status", "role", "level", "term",
    "panel_sha256", "name",
    "cohort", "site", "measure", "column", "group", "kind", "p_kind", "step", "over", "design",
    "component", "session", "score", "category", "characteristic", "by", "cause", "definition",
    "name_1", "name_2", "against", "partial_step", "left_out", "type",
}  # fmt: skip


class Filler:
    """Replaces every free text by the next payload; a label is replaced by the same everywhere."""

    def __init__(self, texts):
        self.texts = texts
        self.labels = {}

    def filled(self, content, key=""):
        if isinstance(content, dict):
            return {k: v if k in CLOSED else self.filled(v, k) for k, v in content.items()}
        if isinstance(content, list):
            return [self.filled(value, key) for value in content]
        if not isinstance(content, str) or not content:
            return content
        if key == "label":  # labels join the parts of a description
            return self.labels.setdefault(content, next(self.texts))
        return next(self.texts)


def laid_out(results_of, mock, every, folder):
    """Return results whose free texts are the payloads, one after the other, again and again."""
    texts = itertools.cycle(every)
    filled = Filler(texts).filled
    sites = [next(texts) for _ in range(4)]
    fits = [mock.growth("alliance_growth", tuple(sites)), *mock.fits()[1:], mock.cox()]
    fits = [filled(fit) for fit in [*fits, *mock.otherwise.fits(mock)]]
    # a place where all of them are printed for certain
    fits[0]["warnings"] = [mock.fact("singular", text) for text in every]
    fits[2] = mock.refused(fits[2], next(texts))
    results = results_of(folder, fits, filled(mock.description(tuple(sites))))
    for path in results.inputs["further"]:
        if path.stem != "checklists":  # made from the above; its other words are the program's own
            files.write_json(filled(files.read_json(path)), path)
    run = results.folder / "audit" / "run.json"
    files.write_json(filled(files.read_json(run)), run)
    truth = files.read_json(results.truth)
    files.write_json(filled(truth), results.truth)
    return results


@pytest.fixture(scope="module")
def payloads(sibling):
    return sibling("payloads")


@pytest.fixture(scope="module")
def hostile(mock, results_of, payloads, tmp_path_factory):
    """Return results full of payloads, the pictures empty."""
    every = list(payloads.payloads())
    folder = tmp_path_factory.mktemp("payloads")
    return laid_out(results_of, mock, every, folder).publish(figures=False)


@pytest.fixture(scope="module")
def drawn(mock, results_of, payloads, tmp_path_factory):
    """Return the same with pictures, other payloads in each place."""
    every = list(payloads.payloads())
    every = every[100:] + every[:100]
    return laid_out(results_of, mock, every, tmp_path_factory.mktemp("drawn")).publish()


def test_there_are_enough_of_them(payloads):
    found = list(payloads.payloads())
    assert len(set(found)) == len(found) >= 200
    assert len(payloads.KINDS) >= 12


def test_all_of_them_are_printed_as_what_they_are(hostile, payloads):
    page = read_page(hostile.html())
    shown = {" ".join(text.split()) for text in (*page.words, *page.prose)}
    missing = [
        text
        for text in payloads.payloads()
        if not any(" ".join(clean_text(text).split()) in words for words in shown)
    ]
    assert missing == []
    assert hostile.differences() == []


# Elements and attributes that no page of ours has; what a payload would have to make.
INERT = """() => {
  const wrong = [];
  const never = 'script,iframe,object,embed,base,form,input,button,select,textarea,video,audio,' +
    'frame,frameset,applet,svg,math,template,noscript,xmp,plaintext,link:not([rel=icon]),' +
    'style:not(head > style),meta:not(head > meta),img:not([data-source]),[data-payload],[style]';
  for (const found of document.querySelectorAll(never)) wrong.push(found.outerHTML.slice(0, 200));
  for (const element of document.querySelectorAll('*'))
    for (const { name, value } of element.attributes) {
      if (name.startsWith('on')) wrong.push(name + '=' + value);
      if (['href', 'src'].includes(name) &&
          !/^(([.][.].report[.]html)?#|data:(image|,)|(tables.[a-z_]+[.]html|figures.[a-z0-9_]+[.]svg)$)/
            .test(value))
        wrong.push(value);
    }
  if (window.__ran !== undefined || document.title === '1') wrong.push('a script has run');
  return wrong;
}"""
INERT_PICTURE = """() => {
  const wrong = [];
  for (const element of document.querySelectorAll('*')) {
    if (['script', 'foreignObject', 'a', 'iframe', 'handler', 'set', 'animate'].includes(
        element.localName)) wrong.push(element.localName);
    for (const { localName, value } of element.attributes) {
      if (localName.startsWith('on')) wrong.push(localName + '=' + value);
      if (localName === 'href' && !/^(#|data:image)/.test(value)) wrong.push(value);
    }
  }
  if (window.__ran !== undefined || document.title === '1') wrong.push('a script has run');
  return wrong;
}"""


@pytest.mark.slow
@pytest.mark.parametrize("bypass_csp", [False, True], ids=["with policy", "without policy"])
def test_the_report_lies_still(drawn, browser, opened, bypass_csp):
    with opened(browser, drawn.report, bypass_csp=bypass_csp) as seen:
        seen.page.wait_for_timeout(1000)
        assert seen.page.evaluate(INERT) == []
    assert seen.noise() == []


@pytest.mark.slow
@pytest.mark.parametrize("bypass_csp", [False, True], ids=["with policy", "without policy"])
def test_every_table_lies_still(hostile, browser, opened, bypass_csp):
    for name in table_names():
        path = hostile.folder / "tables" / f"{name}.html"
        with opened(browser, path, bypass_csp=bypass_csp) as seen:
            assert seen.page.evaluate(INERT) == [], name
            seen.page.wait_for_timeout(50)
        assert seen.noise() == [], name


@pytest.mark.slow
def test_every_picture_lies_still_as_a_page_of_its_own(drawn, browser, opened):
    pictures = sorted((drawn.folder / "figures").glob("*.svg"))
    assert len(pictures) > 15
    for path in pictures:
        with opened(browser, path) as seen:
            assert seen.page.evaluate("document.documentElement.localName") == "svg", path.name
            assert seen.page.evaluate(INERT_PICTURE) == [], path.name
            seen.page.wait_for_timeout(50)
        assert seen.noise() == [], path.name


@pytest.mark.slow
def test_the_browser_would_notice_a_payload(browser, opened, payloads, tmp_path):
    """The same page without escaping: nearly every payload of these kinds is noticed."""
    kinds = ("script elements", "event handlers", "elements that fetch or lead away")
    noticed, texts = 0, list(payloads.payloads(*kinds))[::3]
    for text in texts:
        page = tmp_path / "page.html"
        page.write_text(f"<!DOCTYPE html><title>x</title><p>{text}</p>", encoding="utf-8")
        with opened(browser, page) as seen:
            seen.page.wait_for_timeout(20)
            noticed += bool(seen.noise() or seen.page.evaluate(INERT))
    assert noticed >= 0.95 * len(texts)


def test_no_cell_of_a_csv_is_a_formula(hostile):
    number = re.compile(r"[+-]?\d[\d.]*(e[+-]?\d+)?")
    for name in table_names():
        path = hostile.folder / "tables" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as stream:
            for cell in itertools.chain.from_iterable(csv.reader(stream)):
                assert cell[:1] not in set("=+-@\t\r\n") or number.fullmatch(cell), (name, cell)


COHORT = {
    "cohort": "toy",
    "title": "A toy",
    "sites": ["a"],
    "measures": {
        "alliance": {"instrument": "wai-sr-c"},
        "symptoms": {"instrument": "phq-9"},
    },
    "models": {"course": {"family": "growth", "outcome": "alliance", "time": "log_weeks"}},
}
SITE = {
    "site": "a",
    "tables": [
        {
            "file": "a.csv",
            "rows": "session",
            "client": "id",
            "session": "nr",
            "session_facts": {"date": "day"},
            "measures": {"alliance": "wai{item}", "symptoms": "phq{item}"},
        }
    ],
}


def written(content, folder):
    """Write a configuration (JSON is YAML) and the mapping of its site."""
    path = folder / "toy.yaml"
    files.write_text(json.dumps(content, ensure_ascii=False), path)
    files.write_text(json.dumps(SITE), folder / "sites" / "toy" / "a.yaml")
    return path


def with_id(place, text):
    """Return the configuration with the text as an id."""
    if place == "model":
        return COHORT | {"models": {text: COHORT["models"]["course"]}}
    if place == "measure":
        return COHORT | {"measures": {text: COHORT["measures"]["alliance"]}, "models": {}}
    return COHORT | ({"sites": [text]} if place == "site" else {"cohort": text})


NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["model", "measure", "site", "cohort"])
def test_no_payload_is_taken_for_an_id(place, payloads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_cohort(written(COHORT, tmp_path))
    for text in payloads.payloads():
        if NAME.fullmatch(text):
            continue
        with pytest.raises(ConfigError) as told:
            load_cohort(written(with_id(place, text), tmp_path))
        assert "toy.yaml" in str(told.value)
        assert "Traceback" not in str(told.value)


@pytest.mark.slow
def test_a_label_may_be_any_text_or_is_refused_in_plain_words(payloads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = 0
    for text in payloads.payloads():
        measures = COHORT["measures"] | {"alliance": {"instrument": "wai-sr-c", "label": text}}
        path = written(COHORT | {"measures": measures, "title": text}, tmp_path)
        try:
            cohort = load_cohort(path)
        except ConfigError as told:
            assert "toy.yaml" in str(told)
            assert re.search("too long|control character|valid YAML", str(told)), text
            refused += 1
            continue
        assert cohort["measures"]["alliance"]["label"] == text
        assert cohort["title"] == text
    assert refused < 30
