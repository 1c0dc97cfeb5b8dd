"""A Word document that somebody else may have made is read with care."""

import io
import zipfile

import pytest

from alliance import files
from alliance.findings import read_word as reader
from alliance.findings.check_word import check_word
from alliance.findings.fields import Sources
from alliance.findings.read_html import read_page
from alliance.findings.same_words import unlike

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><w:document '
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
)
TAIL = "</w:body></w:document>"


def word(body="", head=HEAD, **parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("word/document.xml", head + body + TAIL)
        for name, content in parts.items():
            out.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return stream.getvalue()


def told(document, tmp_path):
    return check_word(document, [], Sources(tmp_path))


def paragraph(text):
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_words_need_no_vouching_and_numbers_do(tmp_path):
    assert told(word(paragraph("none")), tmp_path) == []
    assert "vouches for" in told(word(paragraph("5 clinics")), tmp_path)[0]


def test_a_file_that_is_no_word_document_is_said_to_be_none(tmp_path):
    for content in (b"", b"PK", b"%PDF", word()[:-30], word(paragraph("<"))):
        (sentence,) = told(content, tmp_path)
        assert "was not read" in sentence


def test_a_document_that_unpacks_to_more_than_any_text_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MOST_BYTES", 100_000)
    bomb = word(word__header1_xml=b"0" * 200_000)
    assert len(bomb) < 2_000
    assert "too large" in told(bomb, tmp_path)[0]
    monkeypatch.setattr(reader, "MOST_PARTS", 0)
    assert "too many parts" in told(word(), tmp_path)[0]


def test_entities_are_refused(tmp_path):
    entity = '<!DOCTYPE w:document [<!ENTITY a "aaaaaaaa">]>'
    start, end = HEAD.split("?>")
    document = word(paragraph("&a;"), head=f"{start}?>{entity}{end}")
    assert "entities" in told(document, tmp_path)[0]


@pytest.mark.parametrize("name", ["word__charts__chart1_xml", "word__embeddings__book.xlsx"])
def test_a_part_that_nobody_reads_is_named(tmp_path, name):
    assert "nobody checks" in told(word(**{name: b"<a/>"}), tmp_path)[0]


def test_numbers_in_notes_drawings_and_formulas_are_seen(tmp_path):
    footnote = (HEAD + paragraph("1.5") + TAIL).encode()
    assert told(word(word__footnotes_xml=footnote), tmp_path)
    drawing = '<w:p><a:p xmlns:a="urn:a"><a:r><a:t>12</a:t></a:r></a:p></w:p>'
    assert told(word(drawing), tmp_path)


def counting(instruction, *results):
    return "".join(
        f'<w:p><w:fldSimple w:instr="{instruction}"><w:r><w:t>{result}</w:t></w:r></w:fldSimple>'
        "</w:p>"
        for result in results
    )


def test_numbers_that_word_counts_are_counted(tmp_path):
    assert told(word(counting(" SEQ Table \\* ARABIC ", "1", "2")), tmp_path) == []
    assert told(word(counting(" SEQ Table \\* ARABIC ", "1", "3")), tmp_path)
    assert told(word(counting("PAGE", "12")), tmp_path) == []
    assert told(word(counting("PAGE", "1.2")), tmp_path)
    assert told(word(counting("DATE", "2020")), tmp_path)


def test_a_control_without_id_or_with_text_from_elsewhere_is_found(tmp_path):
    control = (
        "<w:p><w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent>"
        "<w:r><w:t>{}</w:t></w:r></w:sdtContent></w:sdt></w:p>"
    )
    assert told(word(control.format("", "words")), tmp_path) == []
    assert told(word(control.format("", "1")), tmp_path)
    assert told(word(control.format('<w:tag w:val="t1"/>', "words")), tmp_path)
    assert told(word(control.format("<w:dataBinding/>", "words")), tmp_path)


def test_an_address_that_word_has_cut_off_is_taken_from_the_list(tmp_path):
    long = "a" * 80
    files.write_json({long: 5}, tmp_path / "f.json")
    entry = {"id": "t1", "printed": "5", "value": 5, "format": "count", "source": "f.json",
             "pointer": f"/{long}", "also": []}  # fmt: skip
    control = (
        '<w:p><w:sdt><w:sdtPr><w:alias w:val="{}"/><w:tag w:val="t1"/></w:sdtPr><w:sdtContent>'
        "<w:r><w:t>5</w:t></w:r></w:sdtContent></w:sdt></w:p>"
    )
    address = f"f.json#/{long}"
    for written, wrong in ((address, False), (address[:64], False), (address[:63], True)):
        found = check_word(word(control.format(written)), [entry], Sources(tmp_path))
        assert bool(found) == wrong, written


def test_markdown_page_and_word_say_the_same_words():
    page = read_page("<title>x</title><h1>A &amp; b</h1><p><b>c</b> = −0.5 (1,000)</p>")
    document = reader.read_word(word(paragraph("A &amp; b") + paragraph("c = −0.5 (1,000)")))
    markdown = "# A &amp; b\n\n**c** = −0\\.5 \\(1,000\\)\n"
    for words in (page.words, document.words):
        assert list(unlike(markdown, words)) == []
        (sentence,) = unlike(markdown.replace("0", "8"), words)
        assert "differ" in sentence
        assert list(unlike(markdown + "more", words))
