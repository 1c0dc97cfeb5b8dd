"""A list of references as BibTeX, for those who write in LaTeX.

Letters beyond ASCII stand as they are (UTF-8); what LaTeX or BibTeX would read as a command is
escaped. DOI and URL stand verbatim, as biblatex wants them, but for the signs that could break the
file: those are percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from alliance.findings.citations import ET_AL
from alliance.findings.formats import clean_text

KINDS = {
    "article-journal": "article",
    "paper-conference": "inproceedings",
    "book": "book",
    "software": "misc",
}
FIELDS = {
    "volume": "volume",
    "issue": "number",
    "edition": "edition",
    "publisher": "publisher",
}
ESCAPED = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # BibTeX counts braces, a backslash before them or not
    "}": r"\textbraceright{}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    '"': "''",
    "@": r"\char64{}",  # a parser that has lost its way takes it for the next entry
    "\n": " ",
    "\t": " ",
}


def write_bibtex(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the file's content, one entry after the other."""
    return "\n".join(_entry(entry) for entry in entries)


def _entry(entry: Mapping[str, Any]) -> str:
    key = re.sub(r"[^A-Za-z0-9-]", "", entry["id"]) or "work"
    lines = [f"  {name} = {{{value}}}," for name, value in _fields(entry).items()]
    return "\n".join([f"@{KINDS[entry['type']]}{{{key},", *lines, "}", ""])


def _fields(entry: Mapping[str, Any]) -> dict[str, str]:
    fields = {"author": " and ".join(_name(author) for author in entry["author"])}
    if "title" in entry:
        # Twice in braces: a style must not take the capitals away.
        fields["title"] = f"{{{escaped(entry['title'])}}}"
    where = "booktitle" if entry["type"] == "paper-conference" else "journal"
    if "container-title" in entry:
        fields[where] = escaped(entry["container-title"])
    year = entry.get("issued", {}).get("date-parts", [[None]])[0][0]
    if year is not None:
        fields["year"] = str(year)
    fields |= {bib: escaped(entry[csl]) for csl, bib in FIELDS.items() if csl in entry}
    if "page" in entry or "number" in entry:
        fields["pages"] = escaped(entry.get("page", entry.get("number"))).replace("-", "--")
    verbatim = {"doi": entry.get("DOI"), "url": entry.get("URL")}
    return fields | {name: _verbatim(value) for name, value in verbatim.items() if value}


def _name(author: Mapping[str, str]) -> str:
    if author.get("literal") == ET_AL:
        return "others"
    if "literal" in author:
        return f"{{{escaped(author['literal'])}}}"
    given = author.get("given", "")
    return escaped(f"{author['family']}, {given}" if given else author["family"])


def escaped(text: str) -> str:
    """Return the text with everything that LaTeX would act on made harmless."""
    return "".join(ESCAPED.get(sign, sign) for sign in clean_text(str(text)))


def _verbatim(text: str) -> str:
    return re.sub(r'[{}\\\s"]', lambda sign: f"%{ord(sign[0]):02X}", clean_text(str(text)))
