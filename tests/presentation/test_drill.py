"""The questions of docs/reviewer_drill.md, clicked through on the demo's page."""

import re
from pathlib import Path

import pytest

from alliance.report.questions import MODELS, QUESTIONS

DRILL = Path(__file__).resolve().parents[2] / "docs" / "reviewer_drill.md"

# What the place must say, question by question.
ANSWERS = (
    r"(?s)(?=.*Therapists)(?=.*Clients).*(?i:dropped out|dropout)",
    r"(?s)(row|cell) set aside.*(Remedy|enter|mend)",
    r"(?s)used.*No score at the next session.*4,652",
    r"(?s)missing.*north.*\d+\.\d",
    r"(?s)WAI-SR.*client.*12.*mean of the answered",
    r"(?s)scored from the others.*refused",
    r"(?s)(alpha|Alpha).*omega",
    r"can be held equal",
    r"(?s)Equation.*~.*\| client\).*Groups.*therapist",
    r"(?s)Estimator.*REML.*Degrees of freedom.*Satterthwaite",
    r"(?s)singular.*(converged|Converged)",
    r"(?s)statsmodels.*agrees",
    r"(?s)[Rr]esiduals",
    r"(?s)missing at random.*(dropout|dropping out)",
    r"(?s)in use",
    r"(?s)therapist.*site",
    r"(?s)all sites share one effect.*p",
    r"(?s)no detrending|other choices|Hausman",
    r"(?s)version.*Fingerprint of the configuration.*Fingerprint of the analysed table",
    r"(?s)STROBE.*not reported",
    r"(?s)one standard deviation.*Points",
    r"β = .*\[",
    r"(?s)\d+ of \d+ clients.*\d+ ruptures? in [\d,]+ sessions",
    r"authors must add",
    r"(?i)power",
    r"Registration",
    r"(?s)Funding.*Conflicts of interest",
    r"(?s)Data and materials.*Code",
)


def test_the_page_asks_what_the_document_asks():
    rows = re.findall(r"^\| \d+ \| (.+?) \| (.+?) \|", DRILL.read_text("utf-8"), re.MULTILINE)
    assert rows == [(question.words, question.name) for question in QUESTIONS]
    assert len(QUESTIONS) == len(ANSWERS) == 28


# From a place to the next heading of its rank; an article or a section is one place. What is folded
# at the place belongs to it: it takes one click more.
READ = """
id => {
  const place = document.getElementById(id);
  document.querySelectorAll("details").forEach(fold => { fold.open = true; });
  const rank = e => /^H[1-6]$/.test(e.tagName) ? Number(e.tagName[1]) : 9;
  if (rank(place) === 9) return place.innerText;
  let text = place.innerText;
  for (let e = place.nextElementSibling; e && rank(e) > rank(place); e = e.nextElementSibling)
    text += "\\n" + e.innerText;
  return text;
}
"""


@pytest.fixture(scope="module")
def demo_page(finished_demo, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto((finished_demo.folder / "results" / "demo" / "report.html").as_uri())
    yield page
    context.close()


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_each_is_answered_in_two_clicks(demo_page, number):
    question, page = QUESTIONS[number], demo_page
    page.evaluate("location.hash = '#verdict'")
    page.get_by_role("link", name="Reviewer’s questions").click()
    item = page.locator(".questions > li").nth(number)
    assert question.words in item.inner_text()
    link = item.get_by_role("link")
    assert link.count(), "the page has no such place"
    link.first.click()
    place = page.evaluate("decodeURIComponent(location.hash.slice(1))")
    assert place.startswith("model-") if question.place == MODELS else place == question.place
    box = page.locator(f"[id='{place}']").bounding_box()
    assert 0 <= box["y"] < 900, "the answer is in sight"
    assert re.search(ANSWERS[number], page.evaluate(READ, place)), question.words
