"""Every page at every width: no element sticks out, and no column is too narrow for its words."""

import pytest

WIDTHS = (1600, 1280, 800, 400)
PAGES = ("report.html", "intake.html", "codebook.html", "manuscript/methods.html",
         "tables/fixed_effects.html", "tables/problems.html")  # fmt: skip
# What is read in lines must have room for them; pixels.
NARROWEST = 240

PROBLEMS = """(narrowest) => {
  const wide = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > wide) found.push('the page scrolls sideways');
  const main = document.querySelector('main').getBoundingClientRect();
  if (main.width < Math.min(wide - 60, 2 * narrowest)) found.push(`main is ${main.width} wide`);
  for (const p of document.querySelectorAll('main p')) {
    const box = p.getBoundingClientRect();
    if (!box.width || p.closest('.scroll, table, details, dl, .lead, nav')) continue;
    if (box.right > wide + 1) found.push('sticks out: ' + p.textContent.slice(0, 60));
    if (p.textContent.length > 80 && box.width < Math.min(wide * 0.6, narrowest))
      found.push('only ' + box.width + ' wide: ' + p.textContent.slice(0, 60));
  }
  return found.slice(0, 10);
}"""


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_room_for_its_words(finished_demo, browser, name, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto((finished_demo.folder / "results" / "demo" / name).as_uri())
    found = page.evaluate(PROBLEMS, NARROWEST)
    context.close()
    assert found == []
