"""Five hundred changes are planted in page, tables, Word document, list and files; all are found.

A change is made in the text of one block (a paragraph, a row of a table) and the check runs over
that block, its entries in the list and its files; for one change of each kind it runs over the
whole page. Which block and which digit is drawn with a fixed seed.
"""

import copy
import random
import re

import pytest

from alliance import files
from alliance.findings import Findings
from alliance.findings.check import differences, read_page
from alliance.findings.check_word import check_word
from alliance.findings.fields import Sources
from alliance.findings.results import read_results_as_fields

BLOCK = re.compile(r"(?=<(?:p|tr|li|h\d|figure|section|table|dt|dd)\b)")
FINDING = re.compile(r'<(data|span) class="finding" id="([^"]*)"[^>]*>([^<]*)</\1>')
NUMBERS = (".999", "7,777", "0.01", "100")


class Printed:
    """A document with its list and files, and what a check says after a change."""

    def __init__(self, sources, entries):
        self.sources = sources
        self.entries = entries
        self.by_id = {entry["id"]: entry for entry in entries}

    def changed_sources(self, entry, chance):
        """Return the files with the value of an entry changed."""
        changed = copy.copy(self.sources)
        changed._read = dict(self.sources._read)
        changed._read[entry["source"]] = content = copy.deepcopy(
            changed.look_up(f"{entry['source']}#")
        )
        *way, last = (int(s) if s.isdecimal() else s for s in entry["pointer"].split("/")[1:])
        for step in way:
            content = content[step]
        value = content[last]
        if isinstance(value, bool):
            content[last] = not value
        elif isinstance(value, int | float):
            content[last] = -value + chance.choice((1, 10, 1000))
        else:
            content[last] = f"{value} {chance.randrange(10)}"
        return changed


class PrintedPage(Printed):
    """A page in blocks."""

    def __init__(self, html, sources, entries):
        super().__init__(sources, entries)
        self.html = html
        self.blocks = BLOCK.split(html)
        self.has_list = bool(entries)
        self.places = {}

    def block_with(self, pattern, chance):
        """Draw a place where the pattern stands: number of the block, and the match."""
        if pattern not in self.places:
            self.places[pattern] = [
                (k, match)
                for k, block in enumerate(self.blocks)
                for match in re.finditer(pattern, block)
            ]
        return chance.choice(self.places[pattern])

    def told(self, changes, entries=None, sources=None, whole=False):
        """Return what the check says of these blocks, changed."""
        if whole:
            blocks = [changes.get(k, block) for k, block in enumerate(self.blocks)]
            return differences(read_page("".join(blocks)), self.entries, self.sources)
        ids = {match[2] for k in changes for match in FINDING.finditer(self.blocks[k])}
        entries = self.entries if entries is None else entries
        mine = [entry for entry in entries if entry["id"] in ids] if self.has_list else None
        page = read_page("".join(changes.values()))
        return differences(page, mine, sources or self.sources)


@pytest.fixture(scope="module")
def page(otherwise):
    listed = files.read_json(otherwise.findings)["findings"]
    found = PrintedPage(otherwise.html(), Sources(otherwise.folder), listed)
    assert found.told({}, whole=True) == []
    assert all(found.told({k: block}) == [] for k, block in enumerate(found.blocks))
    return found


@pytest.fixture(scope="module")
def tables(otherwise):
    paths = sorted((otherwise.folder / "tables").glob("*.html"))
    html = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    found = PrintedPage(html, Sources(otherwise.folder), [])
    assert len(FINDING.findall(html)) > 500
    return found


def another_digit(text, chance):
    """Return the text with one of its digits changed, None if it has none."""
    places = [k for k, character in enumerate(text) if character.isascii() and character.isdigit()]
    if not places:
        return None
    k = chance.choice(places)
    return text[:k] + str((int(text[k]) + chance.randrange(1, 10)) % 10) + text[k + 1 :]


def replaced(block, match, new, group=0):
    return block[: match.start(group)] + new + block[match.end(group) :]


NUMBER = r'<data class="finding" [^>]*>[^<]*\d[^<]*</data>'


def digit_in(pattern):
    """Return a kind of change: a digit of what the pattern's group says becomes another one."""

    def plant(page, chance):
        k, match = page.block_with(pattern, chance)
        new = another_digit(match[1], chance)
        return {k: replaced(page.blocks[k], match, new, 1)}

    return plant


def number_added(pattern):
    """Return a kind of change: a number is put where the pattern ends."""

    def plant(page, chance):
        k, match = page.block_with(pattern, chance)
        block = page.blocks[k]
        return {k: f"{block[: match.end()]} {chance.choice(NUMBERS)} {block[match.end() :]}"}

    return plant


def word_in(pattern, *words):
    """Return a kind of change: one of the words (stars, above and below) becomes another."""

    def plant(page, chance):
        k, match = page.block_with(pattern, chance)
        new = chance.choice([word for word in words if word != match[1]])
        return {k: replaced(page.blocks[k], match, new, 1)}

    return plant


def swapped(page, chance):
    one, other = page.block_with(NUMBER, chance), page.block_with(NUMBER, chance)
    texts = [re.search(r">([^<]*)<", match[0])[1] for _, match in (one, other)]
    if one[0] == other[0] or texts[0] == texts[1]:
        return swapped(page, chance)
    return {
        k: page.blocks[k].replace(match[0], match[0].replace(f">{old}<", f">{new}<"), 1)
        for (k, match), old, new in zip((one, other), texts, reversed(texts), strict=True)
    }


def removed(page, chance):
    k, match = page.block_with(NUMBER, chance)
    return {k: replaced(page.blocks[k], match, chance.choice(("", "–")))}


def unmarked(page, chance):
    k, match = page.block_with(r'<data class="finding" [^>]*>([^<]*\d[^<]*)</data>', chance)
    return {k: replaced(page.blocks[k], match, match[1])}


def doubled(page, chance):
    k, match = page.block_with(NUMBER, chance)
    return {k: replaced(page.blocks[k], match, match[0] * 2)}


def without_minus(page, chance):
    k, match = page.block_with(r'<data class="finding" [^>]*>(\u2212)[\d.,]+</data>', chance)
    return {k: replaced(page.blocks[k], match, chance.choice(("", "-", "+")), 1)}


def another_fixed(page, chance):
    k, match = page.block_with(r'<span class="fixed">([^<]*)</span>', chance)
    return {k: replaced(page.blocks[k], match, chance.choice(("90 %", "Figure 100", ".04")), 1)}


def another_picture(page, chance):
    k, match = page.block_with(r'svg\+xml,([^"]{40,})"', chance)
    code = match[1]
    at = chance.randrange(len(code) - 8)
    return {k: replaced(page.blocks[k], match, f"{code[:at]}zzzz{code[at + 4 :]}", 1)}


IN_FINDING = r'<data class="finding" [^>]*>([^<]*\d[^<]*)</data>'
OF_FINDING = r'class="finding" [^>]*?\b{}="([^"]*\d[^"]*)"'
STARS = r'data-format="stars"[^>]*>(\*+)<'
CHANGES = r'data-format="(?:change|inside|side|choice)[^>]*>([^<]+)<'
ON_PAGE = {
    "digit of a number": (digit_in(IN_FINDING), 60),
    "digit in a cell": (digit_in(r'<td class="n">(?:<a[^>]*>)?' + IN_FINDING), 30),
    "digit of a full value": (digit_in(OF_FINDING.format("value")), 15),
    "digit of an address": (digit_in(OF_FINDING.format("title")), 15),
    "digit of a format": (digit_in(OF_FINDING.format("data-format")), 10),
    "digit of a further address": (digit_in(OF_FINDING.format("data-also")), 10),
    "digit of an id": (digit_in(OF_FINDING.format("id")), 10),
    "number in a sentence": (number_added(r"<p[^>]*>"), 15),
    "number in a caption": (number_added(r"<figcaption[^>]*>"), 10),
    "number in a heading": (number_added(r"<h\d[^>]*>"), 5),
    "number in a note of a table": (number_added(r'<p class="table-note">'), 5),
    "number in an alternative text": (number_added(r'alt="'), 10),
    "number in a spoken label": (number_added(r'aria-label="'), 5),
    "numbers swapped": (swapped, 20),
    "number taken away": (removed, 15),
    "number without its element": (unmarked, 10),
    "number twice": (doubled, 10),
    "minus sign": (without_minus, 15),
    "stars": (word_in(STARS, "*", "**", "***", "****"), 10),
    "word decided by numbers": (word_in(CHANGES, "rose", "fell", "outside", "inside"), 15),
    "fixed text": (another_fixed, 10),
    "picture": (another_picture, 10),
}
NOT_IN_TABLES = {
    # here without their lists, which a run has: an address of an equal value shows in them only
    "digit of a format", "digit of an address", "digit of a further address", "digit of an id",
    "number taken away", "number twice",
    "number in a caption", "number in an alternative text", "word decided by numbers", "fixed text",
    "picture",
}  # fmt: skip
IN_LIST = ("printed", "format", "source", "pointer", "value", "also", "id")


def planted_in(printed, kind, n, seed):
    """Plant n changes of a kind; return those that were not found."""
    plant, chance = ON_PAGE[kind][0], random.Random(f"{seed} {kind}")
    missed = []
    for k in range(n):
        changes = plant(printed, chance)
        assert all(printed.blocks[at] != block for at, block in changes.items())
        if not printed.told(changes):
            missed.append(changes)
        if k == 0 and printed.has_list:
            assert printed.told(changes, whole=True)
    return missed


@pytest.mark.parametrize("kind", ON_PAGE)
def test_a_change_of_the_page_is_found(page, kind):
    assert planted_in(page, kind, ON_PAGE[kind][1], "page") == []


@pytest.mark.parametrize("kind", [kind for kind in ON_PAGE if kind not in NOT_IN_TABLES])
def test_a_change_of_a_table_is_found(tables, kind):
    assert planted_in(tables, kind, 8, "table") == []


@pytest.mark.parametrize("name", IN_LIST)
def test_a_change_of_the_list_is_found(page, name):
    chance = random.Random(name)
    for _ in range(5):
        k, match = page.block_with(FINDING, chance)
        changed = page.by_id[match[2]] | {name: ["x#/y"] if name == "also" else "changed"}
        entries = [changed if entry["id"] == match[2] else entry for entry in page.entries]
        assert page.told({k: page.blocks[k]}, entries=entries), (name, match[0])
        without = [entry for entry in page.entries if entry["id"] != match[2]]
        assert page.told({k: page.blocks[k]}, entries=without)


def test_a_change_of_a_file_is_found(page):
    chance = random.Random("file")
    for _ in range(30):
        k, match = page.block_with(FINDING, chance)
        sources = page.changed_sources(page.by_id[match[2]], chance)
        assert page.told({k: page.blocks[k]}, sources=sources), match[0]


# Word


@pytest.fixture(scope="module")
def word(otherwise, sibling):
    from alliance.tables.models import fixed_effects

    mock_word = sibling("mock_word")
    results = read_results_as_fields(**otherwise.inputs)
    few = type(results)(results.fits[:2], results.about, results.further)
    findings = Findings("t", document="manuscript/tables.docx")
    (otherwise.folder / "figures" / "dot.png").write_bytes(mock_word.DOT)
    document = mock_word.word_of(fixed_effects(few), findings, results.fits[1])
    found = Printed(Sources(otherwise.folder), findings.as_json()["findings"])
    # the parts with words; the others are the same in every document
    read = {MAIN, *(part for part, *_ in IN_WORD.values()), "word/media/image1.png"}
    found.parts = {n: c for n, c in mock_word.parts_of(document).items() if n in read}
    found.packed = mock_word.packed
    assert len(found.entries) > 80
    assert check_word(document, found.entries, found.sources) == []
    return found


MAIN = "word/document.xml"
CONTROL = r"(<w:sdt>(?:(?!</w:sdt>).)*</w:sdt>)"
TEXT_OF_CONTROL = r"<w:sdtContent><w:r><w:t[^>]*>([^<]*)</w:t>"


def in_group(pattern, change):
    """Return a kind of change: what a group of the pattern says becomes `change(text, chance)`."""

    def plant(xml, chance):
        found = list(re.finditer(pattern, xml, re.DOTALL))
        match = chance.choice(found)
        new = change(match[1], chance)
        return plant(xml, chance) if new is None else replaced(xml, match, new, 1)

    return plant


def swapped_controls(xml, chance):
    one, other = sorted(
        chance.sample(list(re.finditer(TEXT_OF_CONTROL, xml)), 2), key=lambda m: m.start()
    )
    if one[1] == other[1]:
        return swapped_controls(xml, chance)
    return replaced(replaced(xml, other, one[1], 1), one, other[1], 1)


def put_in(before, what):
    """Return a kind of change: something is put before a place."""
    return lambda xml, chance: xml.replace(before, what + before, 1)


def added(text, chance):
    return text + chance.choice(NUMBERS)


def run(text, properties=""):
    return f"<w:r>{properties}<w:t>{text}</w:t></w:r>"


FIXED = '<w:rPr><w:rStyle w:val="Fixed"/></w:rPr>'
HIDDEN = "<w:rPr><w:vanish/></w:rPr>"
VALUE_OF = r'<w:{} w:val="([^"]*)"/>'
IN_WORD = {
    "digit": (MAIN, in_group(TEXT_OF_CONTROL, another_digit), 30),
    "address": (MAIN, in_group(VALUE_OF.format("alias"), another_digit), 10),
    "id": (MAIN, in_group(VALUE_OF.format("tag"), another_digit), 10),
    "swapped": (MAIN, swapped_controls, 10),
    "minus": (MAIN, in_group(r"<w:t[^>]*>(\u2212[^<]*)</w:t>", lambda t, _: t.strip("\u2212")), 8),
    "word": (MAIN, in_group(r"<w:t[^>]*>(above|below)</w:t>",
                            lambda t, _: {"above": "below", "below": "above"}[t]), 4),
    "taken away": (MAIN, in_group(CONTROL, lambda t, _: "\n"), 6),
    "twice": (MAIN, in_group(CONTROL, lambda t, _: t * 2), 6),
    "without control": (MAIN, in_group(CONTROL, lambda t, _: run("3.14")), 4),
    "sentence": (MAIN, in_group(r"</w:pPr><w:r><w:t[^>]*>([^<]*)</w:t>", added), 4),
    "fixed": (MAIN, in_group(r'"Fixed"/></w:rPr><w:t[^>]*>([^<]*)</w:t>', another_digit), 4),
    "fixed elsewhere": (MAIN, put_in("</w:p>", run("99", FIXED)), 1),
    "hidden": (MAIN, put_in("</w:p>", run("words", HIDDEN)), 1),
    "symbol": (MAIN, put_in("</w:p>", '<w:r><w:sym w:font="Symbol" w:char="F034"/></w:r>'), 1),
    "number of a table": (MAIN, in_group(r">(1)</w:t></w:r><w:r><w:fldChar", another_digit), 4),
    "alternative text": (MAIN, in_group(r'descr="([^"]*)"', added), 4),
    "header": ("word/header1.xml", in_group(r"<w:t[^>]*>([^<]*)</w:t>", added), 3),
    "footer": ("word/footer1.xml", put_in("</w:p>", run("7")), 1),
    "title": ("docProps/core.xml", in_group(r"<dc:title>([^<]*)<", added), 3),
    "keywords": ("docProps/core.xml", put_in("</cp:coreProperties>",
                                             "<cp:keywords>5 clinics</cp:keywords>"), 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", IN_WORD)
def test_a_change_of_the_word_document_is_found(word, kind):
    part, plant, n = IN_WORD[kind]
    chance = random.Random(f"word {kind}")
    before = word.parts[part].decode("utf-8")
    for _ in range(n):
        after = plant(before, chance)
        assert after != before
        document = word.packed(word.parts | {part: after.encode("utf-8")})
        assert check_word(document, word.entries, word.sources), after[:200]


def test_a_changed_picture_file_or_list_of_the_word_document_is_found(word):
    chance = random.Random("word")
    document = word.packed(word.parts)
    other = word.parts | {"word/media/image1.png": b"another"}
    assert check_word(word.packed(other), word.entries, word.sources)
    for entry in chance.sample(word.entries, 10):
        sources = word.changed_sources(entry, chance)
        assert check_word(document, word.entries, sources), entry
    for name in ("printed", "source", "pointer", "format", "id", "value"):
        changed = copy.deepcopy(word.entries)
        changed[20][name] = "changed"
        assert check_word(document, changed, word.sources), name


def test_five_hundred_changes_are_planted():
    page = sum(n for _, n in ON_PAGE.values())
    tables = 8 * len(set(ON_PAGE) - NOT_IN_TABLES)
    lists_and_files = len(IN_LIST) * 10 + 30
    word = sum(n for *_, n in IN_WORD.values())
    assert page + tables + lists_and_files + word >= 500
