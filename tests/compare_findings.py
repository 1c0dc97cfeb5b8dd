"""Compare all findings of two results folders by value, text and place.

    python tests/compare_findings.py results/before results/after --renamed tests/renamed.json

For a change of the code that must change no number: run a cohort before and after, then this. What
was renamed on purpose stands in a JSON file: `names`, former to present, which are replaced as
whole words in documents, places and files; and `pointers`, a pattern to what it becomes, for fields
within a file. Numbers and texts are never replaced. Ends with 1 where anything differs. The order
of findings on a page is not compared.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMED = ("document", "place", "source")  # the fields of a finding in which names stand
LISTED = 40  # differences that are told one by one


@dataclass(frozen=True, slots=True)
class Difference:
    """What stands at one place before and after.

    Attributes
    ----------
    place
        Document, place, file and field, as they are called now.
    before, after
        The findings there, each as (printed text, value), in no order.
    """

    place: tuple[str, ...]
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Return one line a reader can search for."""
        return f"{' | '.join(self.place)}: {_shown(self.before)} -> {_shown(self.after)}"


def compare(
    before: Path, after: Path, renamed: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[int, list[Difference]]:
    """Return how many findings are the same, and where others stand.

    Parameters
    ----------
    before, after
        Results folders of one cohort.
    renamed
        `names` and `pointers`, as in the file of what was renamed.
    """
    old, new = _by_place(before, renamed or {}), _by_place(after, {})
    same, differences = 0, []
    for place in dict.fromkeys([*old, *new]):
        was, is_now = old.get(place, Counter()), new.get(place, Counter())
        same += (was & is_now).total()
        if was != is_now:
            gone, come = (was - is_now).elements(), (is_now - was).elements()
            differences.append(Difference(place, tuple(gone), tuple(come)))
    return same, differences


def _by_place(
    folder: Path, renamed: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, ...], Counter[tuple[str, str]]]:
    places: dict[tuple[str, ...], Counter[tuple[str, str]]] = {}
    for finding in _findings(folder):
        names = [_present_name(str(finding[field]), renamed.get("names", {})) for field in NAMED]
        pointer = str(finding["pointer"])
        for pattern, becomes in renamed.get("pointers", {}).items():
            pointer = re.sub(pattern, becomes, pointer)
        told = (str(finding["printed"]), json.dumps(finding["value"], sort_keys=True))
        places.setdefault((*names, pointer), Counter())[told] += 1
    return places


def _findings(folder: Path) -> Iterator[dict[str, Any]]:
    lists = sorted((folder / "audit").glob("*findings.json"))
    if not lists:
        sys.exit(f"There are no lists of findings in {folder / 'audit'}.")
    for path in lists:
        yield from json.loads(path.read_text(encoding="utf-8"))["findings"]


def _present_name(text: str, renamed: Mapping[str, str]) -> str:
    return re.sub(r"\w+", lambda word: renamed.get(word[0], word[0]), text)


def _shown(found: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{printed} ({value})"[:120] for printed, value in found) or "nothing"


def main(arguments: list[str] | None = None) -> int:
    """Print the differences; return 0 where there are none, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--renamed", type=Path, help="JSON: names and pointers")
    parser.add_argument("--all", action="store_true", help="tell every difference")
    given = parser.parse_args(arguments)
    renamed = json.loads(given.renamed.read_text(encoding="utf-8")) if given.renamed else {}
    same, differences = compare(given.before, given.after, renamed)
    for difference in differences[: None if given.all else LISTED]:
        print(difference)
    print(f"{same} findings are the same; {len(differences)} places differ.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
