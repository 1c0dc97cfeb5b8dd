"""Parts of an explanation, a comparison or a certificate as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import jinja2
from markupsafe import Markup

from alliance.audit.parts import Part
from alliance.findings.formats import clean_text
from alliance.tables import html


def page_of(title: str, kicker: str, parts: Sequence[Part]) -> str:
    """Return a self-contained page; it opens offline and runs no script."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("alliance.audit", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean_text(value) if type(value) is str else value,
    )
    style = "".join(
        resources.files(f"alliance.{package}").joinpath(f"templates/{file}").read_text("utf-8")
        for package, file in (("report", "page.css"), ("audit", "audit.css"))
    )
    return environment.get_template("parts.html").render(
        title=title,
        kicker=kicker,
        parts=parts,
        style=Markup(style),
        policy=html.POLICY.format(html.style_hash(style)),
    )
