"""An instrument's own paper, from the words of its scoring key to an entry of CSL-JSON.

A key holds `authors: Hatcher RL, Gillaspy JA`, `year`, `journal: Psychother Res 16(1):12-25`, and
perhaps `title` and `doi`. Journals are spelt out where the abbreviation is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alliance.config.instruments import Instrument

ET_AL = "et al."  # as `alliance.findings.citations` reads it
PLACE = re.compile(r"(?P<journal>.+?) (?P<volume>\d+)(\((?P<issue>[^)]+)\))?:(?P<page>[\d-]+)")
INITIALS = re.compile(r"(?P<family>.+) (?P<given>[^\W\d_a-z]{1,4})")

JOURNALS = {
    "Am J Psychiatry": "American Journal of Psychiatry",
    "Arch Gen Psychiatry": "Archives of General Psychiatry",
    "Arch Intern Med": "Archives of Internal Medicine",
    "Behav Res Ther": "Behaviour Research and Therapy",
    "Biol Psychiatry": "Biological Psychiatry",
    "BMC Med Res Methodol": "BMC Medical Research Methodology",
    "Br J Psychiatry": "British Journal of Psychiatry",
    "Clin Psychol Psychother": "Clinical Psychology & Psychotherapy",
    "Couns Psychother Res": "Counselling and Psychotherapy Research",
    "Depress Anxiety": "Depression and Anxiety",
    "Int J Eat Disord": "International Journal of Eating Disorders",
    "J Affect Disord": "Journal of Affective Disorders",
    "J Brief Ther": "Journal of Brief Therapy",
    "J Consult Clin Psychol": "Journal of Consulting and Clinical Psychology",
    "J Couns Psychol": "Journal of Counseling Psychology",
    "J Gen Intern Med": "Journal of General Internal Medicine",
    "J Neurol Neurosurg Psychiatry": "Journal of Neurology, Neurosurgery & Psychiatry",
    "J Pers Assess": "Journal of Personality Assessment",
    "J Psychother Pract Res": "Journal of Psychotherapy Practice and Research",
    "J Trauma Stress": "Journal of Traumatic Stress",
    "Prof Psychol Res Pract": "Professional Psychology: Research and Practice",
    "Psychol Assess": "Psychological Assessment",
    "Psychol Med": "Psychological Medicine",
    "Psychother Psychosom": "Psychotherapy and Psychosomatics",
    "Psychother Res": "Psychotherapy Research",
}


def instrument_reference(key: Instrument) -> dict[str, Any] | None:
    """Return the paper that a scoring key names, or None where it names no author.

    The entry is CSL-JSON; `custom.checked` says whether its details were compared with a source.
    """
    stated = key.definition.get("reference") or {}
    authors = authors_of(str(stated.get("authors", "")))
    if not authors:
        return None
    entry: dict[str, Any] = {"id": "", "type": "book", "author": authors}
    year = str(stated.get("year", ""))
    if year.isdigit():
        entry["issued"] = {"date-parts": [[int(year)]]}
    if "title" in stated:
        entry["title"] = str(stated["title"])
    entry |= _published_in(stated)
    if "doi" in stated:
        entry["DOI"] = str(stated["doi"])
    entry["custom"] = {"checked": stated.get("confidence") == "verified"}
    return entry | {"id": _id_of(entry)}


def authors_of(listed: str) -> list[dict[str, str]]:
    """Return `Kroenke K, Spitzer RL, et al.` as names; one without initials stays as it is."""
    names = []
    for name in (part.strip() for part in listed.split(",")):
        found = INITIALS.fullmatch(name)
        if name.casefold().startswith("et al"):  # words of others
            names.append({"literal": ET_AL})
        elif found:
            given = ".".join(found["given"]).replace(".", ". ") + "."
            names.append({"family": found["family"], "given": given})
        elif name:
            names.append({"literal": name})
    return names


def _published_in(stated: Mapping[str, Any]) -> dict[str, str]:
    """Return journal, volume, issue and pages, or the words as they stand: a manual."""
    words = str(stated.get("journal", ""))
    found = PLACE.fullmatch(words)
    if not found:
        return {"publisher" if "title" in stated else "title": words} if words else {}
    place = {"type": "article-journal"}
    place["container-title"] = JOURNALS.get(found["journal"], found["journal"])
    return place | {name: found[name] for name in ("volume", "issue", "page") if found[name]}


def _id_of(entry: Mapping[str, Any]) -> str:
    """Return e.g. `hatcher2006-12`: the same paper has the same id, whichever key names it."""
    first = entry["author"][0]
    name = re.sub(r"[^a-z]", "", str(first.get("family") or first["literal"]).casefold())
    year = entry.get("issued", {}).get("date-parts", [[""]])[0][0]
    page = re.sub(r"\D.*", "", entry.get("page", ""))
    return f"{name or 'anonymous'}{year}" + (f"-{page}" if page else "")
