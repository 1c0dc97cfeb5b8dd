"""Pages of the share folder, rendered from safe facts alone (Jinja2, autoescape on)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from alliance.sharing.names import HIDDEN
from alliance.tables.html import POLICY, style_hash


def report_page(facts: dict[str, Any]) -> str:
    """Return the report: every shared table, counts with percentages of the rounded total."""
    return _page("report.html", facts=facts)


def disclosure_page(facts: dict[str, Any], disclosure: dict[str, Any]) -> str:
    """Return the page that says what was hidden and why."""
    return _page("disclosure.html", facts=facts, disclosure=disclosure)


def dropout_percent(facts: dict[str, Any]) -> int | None:
    """Return dropouts in per cent of clients, of rounded counts; none where one is hidden."""
    flow = next((table for table in facts["tables"] if table["name"] == "flow"), None)
    if flow is None:
        return None
    if not flow["rows"]:
        return None
    first = dict(zip(flow["columns"], flow["rows"][0], strict=True))
    if HIDDEN in (first["clients"], first["dropout"]) or not first["clients"]:
        return None
    return round(100 * int(first["dropout"]) / int(first["clients"]))


def _page(name: str, **context: Any) -> str:
    style = resources.files("alliance.sharing").joinpath("templates/share.css").read_text("utf-8")
    return (
        _environment()
        .get_template(name)
        .render(
            style=Markup(style),
            policy=POLICY.format(style_hash(style)).replace(
                "img-src data:", "img-src data: 'self'"
            ),
            hidden=HIDDEN,
            dropout_percent=dropout_percent,
            **context,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("alliance.sharing", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
