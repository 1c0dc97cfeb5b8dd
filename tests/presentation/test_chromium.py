"""The page in a real browser."""

import re

import pytest


def test_nothing_is_refused_and_nothing_runs(published, browser, opened):
    """What a page asks for, runs or has refused is noted; there must be nothing."""
    with opened(browser, published.report) as seen:
        assert seen.page.title() == "Alliance across four clinics"
        seen.page.wait_for_timeout(300)
    assert seen.noise() == []


def test_the_browser_would_notice(browser, opened, tmp_path):
    """The listening itself: a page that does what no page of ours may do."""
    noisy = tmp_path / "noisy.html"
    noisy.write_text(
        "<title>x</title><img src='https://page.invalid/x.png'>"
        "<script>setTimeout(() => { alert(1); document.title = 'run'; throw Error('e') })</script>"
        "<iframe srcdoc='<p>within</p>'></iframe>"
    )
    with opened(browser, noisy) as seen:
        seen.page.wait_for_timeout(300)
        assert seen.page.title() == "run"
    assert seen.requests == ["https://page.invalid/x.png"]
    assert seen.dialogs == ["1"]
    assert len(seen.errors) == 1
    assert seen.refused
    assert seen.moves == ["about:srcdoc"]


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn_and_fits_the_window(published, browser, opened, tmp_path, width):
    from PIL import Image

    with opened(browser, published.report, width=width, height=3000) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        seen.page.screenshot(path=tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as image:
        assert image.size[0] == width
        assert len(image.convert("L").getcolors()) > 20


def test_the_report_has_no_word_that_only_a_machine_understands(published):
    words = re.sub("<[^>]+>", " ", published.html())
    for word in ("NaN", "None", "null", "undefined", "Infinity", "Field("):
        assert word not in words, word
