"""The attacker who fails on the share folder succeeds on the plain report, from what it prints."""

import math
import re

import pytest

from alliance import files
from alliance.findings.read_html import read_page
from alliance.sharing.attacker import solve, too_close
from alliance.sharing.counts import Rule
from alliance.sharing.reader import Seen, Share

RULE = Rule()
COUNT = re.compile(r"description\.json#/(flow|sample)/(\d+)/(\w+)")


def seen_on(page, description):
    """Return counts and percentages as the page prints them; counts under eight are blanked.

    What a number is of, its headings say; here its address does. A category that the page blanks
    itself ("too few") is known to be there.
    """
    seen = Seen()
    printed_rows = {printed.address for printed in page.printed}
    for i, row in enumerate(description["sample"]):
        if (
            row["category"] is not None
            and f"description.json#/sample/{i}/count" not in printed_rows
        ):
            seen.note(category(row), (0.0, math.inf))
    for printed in page.printed:
        found = COUNT.fullmatch(printed.address)
        if not found:
            continue
        row, key = description[found[1]][int(found[2])], found[3]
        number = re.sub(r"[^0-9.]", "", printed.text)
        if found[1] == "flow" and key in (
            "clients",
            "dropout",
            "completed",
            "transferred",
            "ongoing",
        ):
            note(seen, ("flow", row["site"], key), int(number))
        if found[1] == "sample" and row["category"] is not None and key in ("count", "percent"):
            cell = category(row)
            if key == "count":
                note(seen, cell, int(number))
            else:
                half = 0.5 * 10.0 ** -len(number.partition(".")[2])
                whole = ("flow", row["site"], "clients")
                seen.shares.append(Share(cell, whole, float(number) - half, float(number) + half))
    return seen


def category(row):
    return ("characteristics", f"{row['characteristic']} | {row['category']}", row["site"])


def note(seen, cell, count):
    blanked = RULE.is_small(count)
    seen.note(cell, (0.0, math.inf) if blanked else (count, count))


@pytest.mark.slow
def test_what_the_plain_report_prints_gives_its_blanked_categories_away(finished_demo):
    results = finished_demo.folder / "results" / "demo"
    page = read_page((results / "report.html").read_text(encoding="utf-8"))
    seen = seen_on(page, files.read_json(results / "description.json"))
    blanked = [cell for cell in seen.hidden if cell[0] == "characteristics"]
    assert blanked
    bounds = solve(seen)
    assert {*too_close({cell: bounds[cell] for cell in blanked}, RULE.width)} == {*blanked}
