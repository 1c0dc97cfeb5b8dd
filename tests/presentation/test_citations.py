"""Citations and reference lists: APA style, CSL-JSON, BibTeX."""

import re

import pytest

from alliance.config.instruments import load_instruments
from alliance.findings.formats import format_value
from alliance.manuscript.bibtex import write_bibtex
from alliance.manuscript.references import known_works, list_of_works
from alliance.measures.instrument_reference import authors_of, instrument_reference

NASTY = r'{x} \input{y} 50% of a_b & $z$ #1 "q" ~ ^ @article{z, and\n}'


def entry(*families, **more):
    names = [{"family": family, "given": "Anna-Lena B."} for family in families]
    base = {"id": "x", "type": "article-journal", "author": names, "title": "On it",
            "issued": {"date-parts": [[1999]]}, "container-title": "Journal",
            "volume": "2", "issue": "1-2", "page": "3-9"}  # fmt: skip
    return {key: value for key, value in (base | more).items() if value is not None}


@pytest.mark.parametrize(
    ("families", "cited", "named"),
    [
        (("Ay",), "Ay, 1999", "Ay (1999)"),
        (("Ay", "Be"), "Ay & Be, 1999", "Ay and Be (1999)"),
        (("Ay", "Be", "Ce"), "Ay et al., 1999", "Ay et al. (1999)"),
    ],
)
def test_a_citation_names_up_to_two_authors(families, cited, named):
    assert format_value("citation", entry(*families)) == cited
    assert format_value("citation:narrative", entry(*families)) == named


def test_a_reference_has_every_part_in_its_place():
    assert format_value("reference", entry("Ay", "Be", DOI="10.1/x<y>")) == (
        "Ay, A.-L. B., & Be, A.-L. B. (1999). On it. Journal, 2(1–2), 3–9. "
        "https://doi.org/10.1/x<y>"
    )
    whole = format_value("reference", entry("Ay"))
    opening, closing = (format_value(f"reference:{p}", entry("Ay")) for p in ("opening", "closing"))
    assert whole == f"{opening}Journal{closing}"


def test_what_is_not_known_is_left_out_and_not_made_up():
    bare = entry("Ay", title=None, issued=None, volume=None, issue=None, page=None)
    assert format_value("reference", bare) == "Ay, A.-L. B. (n.d.). Journal."
    cut = entry("Ay") | {"author": [{"family": "Ay", "given": "A."}, {"literal": "et al."}]}
    assert format_value("citation", cut) == "Ay et al., 1999"
    assert format_value("reference", cut).startswith("Ay, A., et al. (1999).")


def test_more_than_twenty_authors_are_shortened():
    many = format_value("reference", entry(*(f"N{chr(65 + k)}" for k in range(26))))
    assert ", … NZ, A.-L. B. (1999)" in many
    assert "NS, " in many  # the nineteenth
    assert "NT, " not in many


def test_a_title_that_asks_has_no_full_stop_after_it():
    assert "Is it? Journal" in format_value("reference", entry("Ay", title="Is it?"))


def test_works_of_one_year_are_told_apart():
    class Cited:
        def __init__(self, raw):
            self.raw = raw

        def __getitem__(self, key):
            raise AssertionError

    two = [entry("Ay", id="a", title="A first"), entry("Ay", id="b", title="B second")]
    first, second = list_of_works(Cited(work) for work in two)
    assert [format_value("citation", w) for w in (first, second)] == ["Ay, 1999a", "Ay, 1999b"]


def test_every_known_work_is_complete_and_printed():
    works = known_works()
    assert len({work["id"] for work in works}) == len(works)
    for work in works:
        printed = format_value("reference", work)
        assert printed.endswith((".", "/")) or "https://" in printed
        assert work["custom"]["checked"] is True  # unchecked ones are printed as such
        assert "issued" in work or work["type"] == "software"
        assert (
            work["type"] == "book"
            or "DOI" in work
            or work["id"] in ("aalen1978", "holm1979", "sheppard")
        )


def test_every_instrument_has_a_paper_that_can_be_cited():
    for key in load_instruments().values():
        found = instrument_reference(key)
        assert re.search(r", \d{4}$", format_value("citation", found)), key.id
        assert format_value("reference", found), key.id
        assert found["type"] == "book" or found["volume"], key.id


def test_names_are_read_as_keys_write_them():
    assert authors_of("de Marneffe D, Löwe B, Åsberg M, Williams JBW, et al.") == [
        {"family": "de Marneffe", "given": "D."},
        {"family": "Löwe", "given": "B."},
        {"family": "Åsberg", "given": "M."},
        {"family": "Williams", "given": "J. B. W."},
        {"literal": "et al."},
    ]
    assert authors_of("") == []
    assert authors_of("World Health Organization") == [{"literal": "World Health Organization"}]


def parsed(bib):
    """Return the entries of a .bib: kind, key and fields. Braces must balance in every value."""
    found, place = [], 0
    while match := re.compile(r"\s*@(\w+)\{([A-Za-z0-9-]+),").match(bib, place):
        place, fields = match.end(), {}
        while field := re.compile(r"\s*(\w+)\s*=\s*\{").match(bib, place):
            start = place = field.end()
            depth = 1
            while depth:
                depth += {"{": 1, "}": -1}.get(bib[place], 0)
                place += 1
            fields[field[1]] = bib[start : place - 1]
            place = re.compile(r"\s*,?").match(bib, place).end()
        closing = re.compile(r"\s*\}").match(bib, place)
        assert closing, bib[place : place + 80]
        place = closing.end()
        found.append((match[1], match[2], fields))
    assert not bib[place:].strip(), bib[place : place + 80]
    return found


def test_bibtex_can_be_read_back():
    works = known_works()
    entries = parsed(write_bibtex(works))
    assert [key for _, key, _ in entries] == [work["id"] for work in works]
    for work, (_, _, fields) in zip(works, entries, strict=True):
        assert fields["title"].startswith("{")
        assert len(fields["author"].split(" and ")) == len(work["author"])
        assert fields.get("doi") == work.get("DOI")


def test_no_payload_breaks_out_of_bibtex():
    nasty = entry(
        NASTY, title=NASTY, DOI=f"10.1/{NASTY}", id=f"k{NASTY}", **{"container-title": NASTY}
    )
    ((kind, _, fields),) = parsed(write_bibtex([nasty]))
    assert kind == "article"
    assert set(fields) == {"author", "title", "journal", "year", "volume", "number", "pages", "doi"}
    for name in ("author", "title", "journal"):
        bare = re.sub(r"\\(textbackslash|textbraceleft|textbraceright|textasciicircum|"
                      r"textasciitilde|char64)\{\}|\\[$&#%_]", "", fields[name])  # fmt: skip
        assert not re.search(r"[\\$&#%_^~@]", bare), bare
