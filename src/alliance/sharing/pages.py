"""Pages of the share folder, rendered from safe facts alone (Jinja2, autoescape on)."""

from __future__ import annotations

from typing import Any

from alliance.sharing.names import HIDDEN
from alliance.tables import pages


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
    template = pages.environment("alliance.sharing").get_template(name)
    return template.render(
        **pages.dressed(("alliance.sharing", "share.css"), images="data: 'self'"),
        hidden=HIDDEN,
        dropout_percent=dropout_percent,
        **context,
    )
