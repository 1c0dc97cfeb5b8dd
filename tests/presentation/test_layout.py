"""Every page at every width, folds open: nothing sticks out, no word is broken, no small type."""

import pytest

WIDTHS = (1600, 1280, 800, 400)
PAGES = ("report.html", "intake.html", "codebook.html", "manuscript/*.html", "tables/*.html")
SMALLEST = 11  # pixels
# The smallest type in a picture, and the width of a picture, both in points (figures/style.py).
TYPE_IN_PICTURES, WIDTH_OF_PICTURES = 6.3, 340.16

# A word is letters between blanks: addresses and fingerprints may be broken, they fit nowhere.
PROBLEMS = r"""(smallest) => {
  const wide = document.documentElement.clientWidth, found = [];
  const tell = (what, e) => found.push(
    `${what}: ${e.tagName} ${e.id || e.className} ${e.textContent.trim().slice(0, 60)}`);
  document.querySelectorAll('details').forEach(fold => fold.open = true);
  if (document.documentElement.scrollWidth > wide) found.push('the page scrolls sideways');
  const scrolls = new Set([...document.querySelectorAll('*')].filter(
    e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)));
  const scrolled = e => e && (scrolls.has(e) || scrolled(e.parentElement));
  for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > wide + 1 && !scrolled(e)) tell('sticks out', e);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let text; (text = texts.nextNode());) {
    const e = text.parentElement;
    if (!text.data.trim() || !e.checkVisibility()) continue;
    if (parseFloat(getComputedStyle(e).fontSize) < smallest) tell('small type', e);
    if (e.closest('pre, code')) continue;
    for (const word of text.data.matchAll(/(?<![^\s(])\p{L}{2,24}(?=[\s.,;:)]|$)/gu)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(line => Math.round(line.top)));
      if (lines.size > 1) tell(`broken word ${word[0]}`, e);
    }
  }
  return found.slice(0, 10);
}"""


def problems_at(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    return page.evaluate(PROBLEMS, SMALLEST)


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PAGES)
def test_every_page_has_room_for_its_words(finished_demo, page, pattern):
    paths = sorted((finished_demo.folder / "results" / "demo").glob(pattern))
    assert paths
    for path in paths:
        page.goto(path.as_uri())
        for width in WIDTHS:
            assert problems_at(page, width) == [], (path.name, width)


def test_what_does_not_fit_is_found(page):
    page.set_content(
        "<p style='width: 9px; overflow-wrap: anywhere'>letters</p><p style='font-size: 10px'>small"
        "<div style='width: 2000px'>wide</div>"
    )
    found = " ".join(problems_at(page, 400))
    for problem in ("broken word letters", "small type", "sticks out", "scrolls sideways"):
        assert problem in found


@pytest.mark.parametrize("width", WIDTHS)
def test_type_in_pictures_is_never_too_small(published, page, width):
    page.goto(published.report.as_uri())
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    widths = page.evaluate("[...document.querySelectorAll('.plate img')].map(e => e.clientWidth)")
    assert min(widths) * TYPE_IN_PICTURES / WIDTH_OF_PICTURES >= SMALLEST
