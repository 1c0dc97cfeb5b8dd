"""Parts of an explanation, a comparison or a certificate as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.audit.parts import Part
from alliance.findings.formats import clean_text
from alliance.tables import pages


def page_of(title: str, kicker: str, parts: Sequence[Part]) -> str:
    """Return a self-contained page; it opens offline and runs no script."""
    environment = pages.environment(
        "alliance.audit",
        finalize=lambda value: clean_text(value) if type(value) is str else value,
    )
    return environment.get_template("parts.html").render(
        title=title,
        kicker=kicker,
        parts=parts,
        **pages.dressed(("alliance.report", "page.css"), ("alliance.audit", "audit.css")),
    )
