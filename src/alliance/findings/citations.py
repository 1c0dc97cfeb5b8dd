"""Citations and reference-list entries in APA style (7th edition), from entries of CSL-JSON.

An entry is a mapping as citation software writes it: `author` (a list of `family` and `given`, or
`literal`), `issued`, `title`, `container-title`, `volume`, `issue`, `page`, `DOI` and so on. A list
of authors that the source cuts short ends with the literal `et al.`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
ET_AL = "et al."
MOST_AUTHORS = 20  # a longer list is shortened to the first nineteen and the last (APA 7, 9.8)
NO_DATE = "n.d."
ORDINALS = {"2": "2nd", "3": "3rd"}


def citation(entry: Entry) -> str:
    """Return `Curran & Bauer, 2011`, as it stands within brackets."""
    return f"{_cited_authors(entry, '&')}, {year_of(entry)}"


def narrative(entry: Entry) -> str:
    """Return `Curran and Bauer (2011)`, as it stands in a sentence."""
    return f"{_cited_authors(entry, 'and')} ({year_of(entry)})"


def year_of(entry: Entry) -> str:
    """Return the year, with the letter that tells works of one year apart, or `n.d.`."""
    parts = entry.get("issued", {}).get("date-parts", [[None]])[0]
    year = NO_DATE if not parts or parts[0] is None else str(parts[0])
    suffix = entry.get("year-suffix", "")
    return f"{year}-{suffix}" if suffix and year == NO_DATE else f"{year}{suffix}"


def reference(entry: Entry) -> str:
    """Return the whole entry of the reference list."""
    return "".join(reference_parts(entry))


def reference_parts(entry: Entry) -> tuple[str, str, str]:
    """Return what stands before the words in italics, these words, and what stands after them.

    In italics stands what the work was published as: the journal or proceedings, or the title of a
    book or a program.
    """
    opening = _sentence(f"{_listed_authors(entry)} ({year_of(entry)})") + " "
    title, container = entry.get("title", ""), entry.get("container-title", "")
    if not container:
        return opening, title, _after_title(entry)
    opening += f"{_sentence(title)} " if title else ""
    if entry["type"] == "paper-conference":
        pages = f" (pp. {_pages(entry)})" if "page" in entry else ""
        return f"{opening}In ", container, _sentence(pages) + _link(entry)
    return opening, container, _sentence(_place_in_journal(entry)) + _link(entry)


def sort_key(entry: Entry) -> tuple[str, str]:
    """Return what a reference list is sorted by."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", reference(entry)).casefold()
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return letters, str(entry["id"])


def _after_title(entry: Entry) -> str:
    edition = str(entry.get("edition", ""))
    after = f" ({ORDINALS.get(edition, f'{edition}th')} ed.)" if edition else ""
    if entry["type"] == "software":
        after += " [Computer software]"
    text = _sentence(after)
    if "publisher" in entry:
        text += " " + _sentence(str(entry["publisher"]))
    return text + _link(entry)


def _place_in_journal(entry: Entry) -> str:
    place = f", {entry['volume']}" if "volume" in entry else ""
    if "issue" in entry:
        place += f"({str(entry['issue']).replace('-', '–')})"
    if "number" in entry:
        return f"{place}, Article {entry['number']}"
    return f"{place}, {_pages(entry)}" if "page" in entry else place


def _pages(entry: Entry) -> str:
    return str(entry["page"]).replace("-", "–")


def _link(entry: Entry) -> str:
    if "DOI" in entry:
        return f" https://doi.org/{entry['DOI']}"
    return f" {entry['URL']}" if "URL" in entry else ""


def _sentence(text: str) -> str:
    """Return the text with a full stop, unless it ends in a mark of its own."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _cited_authors(entry: Entry, word: str) -> str:
    names = [_surname(author) for author in entry["author"]]
    if len(names) == 1:
        return names[0]
    if len(names) == 2 and names[1] != ET_AL:
        return f"{names[0]} {word} {names[1]}"
    return f"{names[0]} {ET_AL}"


def _surname(author: Entry) -> str:
    return str(author.get("literal") or author["family"])


def _listed_authors(entry: Entry) -> str:
    names = [_inverted(author) for author in entry["author"]]
    if len(names) > MOST_AUTHORS:
        return f"{', '.join(names[: MOST_AUTHORS - 1])}, … {names[-1]}"
    if names[-1] == ET_AL:
        return ", ".join(names)
    return _with_ampersand(names)


def _with_ampersand(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)}, & {last}" if others else last


def _inverted(author: Entry) -> str:
    if "literal" in author:
        return str(author["literal"])
    given = author.get("given", "")
    return f"{author['family']}, {_initials(given)}" if given else str(author["family"])


def _initials(given: str) -> str:
    """Return `J.-P. R.` for `Jean-Paul Robert`; initials stay as they are."""
    return " ".join(
        "-".join(f"{name.rstrip('.')[:1]}." for name in word.split("-") if name)
        for word in given.split()
    )
