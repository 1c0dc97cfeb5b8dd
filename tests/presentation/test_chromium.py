"""The page in a real browser."""

import re
import shutil
import subprocess

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: the page was not opened in a browser"
)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--hide-scrollbars", "--virtual-time-budget=2000")  # fmt: skip


def browse(page, profile, *arguments):
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_nothing_is_refused_and_nothing_runs(published, mock, results_of, tmp_path):
    """Scripts would change the title; a refused style or picture would be logged."""
    fits = mock.fits()
    for fit in fits:
        fit["title"] = (
            "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
        )
    hostile = results_of(tmp_path, fits=fits).publish(figures=False)
    for results in (published, hostile):
        log = tmp_path / "chromium.log"
        dom = browse(results.report, tmp_path / "profile", "--dump-dom", "--enable-logging",
                     f"--log-file={log}")  # fmt: skip
        assert "<title>Alliance across four clinics</title>" in dom
        assert "Refused to" not in log.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn_and_fits_the_window(published, tmp_path, width):
    from PIL import Image

    shot = tmp_path / "page.png"
    browse(
        published.report,
        tmp_path / "profile",
        f"--screenshot={shot}",
        f"--window-size={width},3000",
    )
    with Image.open(shot) as image:
        grey = image.convert("L")
        assert grey.size[0] == width
        assert len(grey.getcolors()) > 20
        # nothing sticks out at the right: the last column of pixels is paper
        edge = {grey.getpixel((width - 1, y)) for y in range(0, 3000)}
        assert len(edge) == 1


def test_the_report_has_no_word_that_only_a_machine_understands(published):
    words = re.sub("<[^>]+>", " ", published.html())
    for word in ("NaN", "None", "null", "undefined", "Infinity", "Field("):
        assert word not in words, word
