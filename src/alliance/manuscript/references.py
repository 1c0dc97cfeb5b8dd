"""The works that a text cites: known ones, those of the instruments, and the list at its end.

`references.yaml` holds what the program may cite; each instrument brings its own paper along in
`measurement.json`. What a text really cites is collected while it is written: `references.json`
(CSL-JSON) holds no other entry, so that every citation is in the list and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from alliance.config import strict_yaml
from alliance.findings.citations import ET_AL, citation, sort_key
from alliance.findings.fields import Field, read_fields
from alliance.findings.results import Results
from alliance.manuscript.blocks import Piece, Words
from alliance.tables.layout import Part

KNOWN = Path(__file__).with_name("references.yaml")
FILE = "manuscript/references.json"
CSL_NAMES = {
    "title": "title",
    "journal": "container-title",
    "proceedings": "container-title",
    "volume": "volume",
    "issue": "issue",
    "number": "number",
    "pages": "page",
    "edition": "edition",
    "publisher": "publisher",
    "doi": "DOI",
    "url": "URL",
}


class References:
    """Entries by their id, and which of them have been cited so far.

    Parameters
    ----------
    entries
        Fields of `references.json`, or of what it will be made from.
    """

    def __init__(self, entries: Iterable[Field]) -> None:
        self._entries = {str(entry["id"].raw): entry for entry in entries}
        self._cited: set[str] = set()

    def cite(self, *ids: str) -> Words:
        """Return the citations in brackets, in the order of the list of references."""
        pieces: list[Piece] = []
        for entry in self._take(ids):
            pieces += ["; " if pieces else "(", Part(entry, "citation")]
        return (*pieces, ")")

    def name(self, id_: str) -> Words:
        """Return a citation as it stands in a sentence, `Curran and Bauer (2011)`."""
        return (Part(self._take([id_])[0], "citation:narrative"),)

    def cited(self) -> list[Field]:
        """Return what was cited so far, in the order of the list of references."""
        return _sorted(self._entries[id_] for id_ in self._cited)

    def _take(self, ids: Iterable[str]) -> list[Field]:
        found = [self._entries[id_] for id_ in ids]
        self._cited.update(ids)
        return _sorted(found)


def _sorted(entries: Iterable[Field]) -> list[Field]:
    return sorted(entries, key=lambda entry: sort_key(entry.raw))


@cache
def known_works() -> tuple[dict[str, Any], ...]:
    """Return the entries of `references.yaml` as CSL-JSON; not to be changed."""
    return tuple(_csl(id_, stated) for id_, stated in strict_yaml.load(KNOWN).items())


def all_works(results: Results) -> References:
    """Return what a text of these results may cite, before it is known what it does cite."""
    entries = [*known_works()]
    if "measurement" in results.further:
        entries += [
            measure["reference"].raw
            for measure in results.further["measurement"]["measures"]
            if "reference" in measure and measure["reference"].raw is not None
        ]
    return References(Field(FILE, f"/{k}", entry) for k, entry in enumerate(entries))


def list_of_works(cited: Iterable[Field]) -> list[dict[str, Any]]:
    """Return the content of `references.json`: the entries cited, works of one year told apart."""
    entries = [dict(entry.raw) for entry in cited]
    alike: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        alike.setdefault(citation(entry), []).append(entry)
    for group in alike.values():
        if len(group) > 1:
            for letter, entry in zip("abcdefghijklmnopqrstuvwxyz", group, strict=False):
                entry["year-suffix"] = letter
    return sorted(entries, key=sort_key)


def _csl(id_: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": id_, "type": _type_of(stated)}
    entry["author"] = [_name(name.strip()) for name in stated["authors"].split(";")]
    if "year" in stated:
        entry["issued"] = {"date-parts": [[stated["year"]]]}
    entry |= {csl: str(stated[own]) for own, csl in CSL_NAMES.items() if own in stated}
    return entry | {"custom": {"checked": stated["checked"]}}


def _type_of(stated: Mapping[str, Any]) -> str:
    if "journal" in stated:
        return "article-journal"
    if "proceedings" in stated:
        return "paper-conference"
    return "software" if "software" in stated else "book"


def _name(name: str) -> dict[str, str]:
    family, _, given = name.partition(", ")
    return {"literal": ET_AL} if name == ET_AL else {"family": family, "given": given}


def read_references(path: str | Path, results_folder: str | Path) -> References:
    """Return the works in a cohort's `manuscript/references.json`."""
    return References(read_fields(path, results_folder))
