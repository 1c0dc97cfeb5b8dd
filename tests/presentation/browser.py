"""Open a page in a headless Chromium without a network, and note what it does.

The fixture `browser` (conftest.py) starts one browser for each worker of the tests; `opened` gives
a page of it in a context of its own, so that no test sees what another did:

    with opened(browser, path, width=400, colour_scheme="dark") as seen:
        assert seen.page.title() == "..."
    assert seen.noise() == []
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]


def chromium() -> str | None:
    """Return the path of a Chromium on this machine, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Seen:
    """A page and all that it did.

    Attributes
    ----------
    page
        Playwright's page.
    requests
        Addresses that it asked for, other than its own file and data within it.
    dialogs, errors, refused
        Dialogs it opened, errors of its scripts, and what the browser refused by its policy.
    moves
        Addresses that it went to after it was opened, windows and downloads that it opened.
    """

    page: Any
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)

    def noise(self) -> list[str]:
        """Return everything that a page that lies still would not do."""
        return [*self.requests, *self.dialogs, *self.errors, *self.refused, *self.moves]


@contextmanager
def opened(
    browser: Any,
    path: Path,
    *,
    width: int = 1280,
    height: int = 900,
    colour_scheme: str = "light",
    print_media: bool = False,
    bypass_csp: bool = False,
    scripts: bool = True,
) -> Iterator[Seen]:
    """Open a file as a page.

    Parameters
    ----------
    browser
        The fixture of that name.
    path
        HTML page or SVG picture.
    width, height
        Of the window.
    colour_scheme
        light or dark.
    print_media
        Lay it out as for print.
    bypass_csp
        Leave the page's Content-Security-Policy aside, so that what it would stop happens.
    scripts
        Whether scripts may run.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=colour_scheme,
        bypass_csp=bypass_csp,
        java_script_enabled=scripts,
        offline=True,
        accept_downloads=False,
    )
    try:
        page = context.new_page()
        seen = Seen(page)
        _listen(context, seen, path.resolve().as_uri())
        if print_media:
            page.emulate_media(media="print")
        page.goto(path.resolve().as_uri())
        yield seen
    finally:
        context.close()


def _listen(context: Any, seen: Seen, own: str) -> None:
    page = seen.page

    def dialog(found: Any) -> None:
        seen.dialogs.append(found.message)
        found.dismiss()

    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            seen.refused.append(message.text)

    def request(found: Any) -> None:
        if found.url.partition("#")[0] != own and not found.url.startswith("data:"):
            seen.requests.append(found.url)

    def moved(frame: Any) -> None:
        if frame != page.main_frame or frame.url.partition("#")[0] != own:
            seen.moves.append(frame.url)

    context.on("request", request)
    page.on("dialog", dialog)
    page.on("console", console)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("popup", lambda other: seen.moves.append(other.url))
    page.on("download", lambda found: seen.moves.append(found.url))
    page.on("framenavigated", moved)
