"""The page in a browser: nothing sticks out, everything can be reached, axe finds nothing."""

import re
from collections import Counter

import pytest

WIDTHS = (1280, 800, 400)


def axe_findings(page):
    """Return what axe finds on an open page, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['help']}: {node['html'][:120]}" for v in violations for node in v["nodes"]
    ]


@pytest.fixture(scope="module")
def look_at(published, browser):
    """Return a function that opens the page; one context a look."""
    contexts = []

    def look(width=1280, height=900, scheme="light", media="screen", report=published.report):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.emulate_media(media=media, color_scheme=scheme)
        page.goto(report.as_uri())
        return page

    yield look
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("width", "scheme", "media"),
    [(1280, "light", "screen"), (400, "dark", "screen"), (800, "light", "print")],
)
def test_axe_finds_nothing(look_at, width, scheme, media):
    assert axe_findings(look_at(width, scheme=scheme, media=media)) == []


@pytest.mark.parametrize(
    ("width", "scheme", "media"),
    [
        *((width, scheme, "screen") for width in WIDTHS for scheme in ("light", "dark")),
        (800, "light", "print"),
    ],
)
def test_the_demos_page_holds_at_every_width(look_at, finished_demo, width, scheme, media):
    report = finished_demo.folder / "results" / "demo" / "report.html"
    page = look_at(width, scheme=scheme, media=media, report=report)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert report.stat().st_size < 3_500_000


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_at_the_right(look_at, width):
    page = look_at(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_verdict_is_two_screens_at_most(look_at):
    page = look_at(1280, 900)
    box = page.locator("#verdict").bounding_box()
    assert box["y"] + box["height"] <= 2 * 900


def test_ids_are_unique_and_links_lead_somewhere(published):
    html = published.html()
    ids = Counter(re.findall(r'\sid="([^"]+)"', html))
    assert [name for name, n in ids.items() if n > 1] == []
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets <= set(ids)


def test_every_number_leads_to_what_it_rests_on(look_at):
    """A finding is a link, or stands within the article or the card that it would lead to."""
    page = look_at()
    lost = page.evaluate(
        """() => [...document.querySelectorAll('.finding')]
          .filter(e => !e.closest('a, article.card, pre, summary'))
          .map(e => e.title).slice(0, 20)"""
    )
    assert lost == []


LEADS_NOWHERE = """
async () => {
  const found = [];
  for (const link of document.querySelectorAll('main a[href^="#"], nav a')) {
    const id = decodeURIComponent(link.hash.slice(1));
    if (!document.getElementById(id).checkVisibility()) found.push(id);
  }
  return [...new Set(found)];
}
"""


def test_a_link_opens_the_folded_part_that_it_leads_to(look_at, published, browser):
    """No script does it: browsers unfold what a fragment names, if it stands within a fold."""
    folded = look_at().evaluate(LEADS_NOWHERE)
    assert "model-alliance_growth" in folded  # else nothing is folded
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for place in folded:
        page.goto("about:blank")
        page.goto(f"{published.report.as_uri()}#{place}")
        assert page.locator(f"[id='{place}']").is_visible(), place
    context.close()


def test_results_are_no_longer_than_a_paper(look_at, finished_demo):
    """The layers: two screens of verdict, some fifteen of results; the rest is folded."""
    report = finished_demo.folder / "results" / "demo" / "report.html"
    page = look_at(1280, 900, report=report)
    ends = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('main > section')]
          .map(s => [s.id, (s.getBoundingClientRect().bottom + scrollY) / innerHeight]))"""
    )
    assert ends["verdict"] <= 2
    assert ends["robustness"] <= 20


def test_the_keyboard_reaches_every_section_and_every_source(look_at):
    page = look_at()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = page.evaluate(
        """() => [...document.querySelectorAll('nav a, .source a, summary')]
          .every(e => e.tabIndex === 0)"""
    )
    assert reached
    # numbers of tables are no tab stops, or there would be thousands
    stops = page.evaluate(
        "() => [...document.querySelectorAll('a, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.tabIndex === 0).length"
    )
    assert stops < 900
