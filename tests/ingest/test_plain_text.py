"""The fast way to read files without quotation marks gives what the careful way gives."""

import random

import pytest

from alliance.ingest.readers import delimited, plain_text

SOURCE = {
    "encoding": "utf-8", "delimiter": ",", "quote": '"', "header_row": 1, "skip_after_header": 0,
}  # fmt: skip


class File:
    def __init__(self, text):
        self.data = text.encode()

    def bytes(self):
        return self.data


def told(read):
    table, below = read
    return (
        table.header, [column.tolist() for column in table.columns], table.rows.tolist(),
        table.blank_rows, [(a.row, a.rule, a.rows_affected) for a in table.astray], below,
    )  # fmt: skip


def plain(text):
    """Return text with NaN made comparable."""
    return repr(text)


@pytest.mark.parametrize("seed", range(200))
def test_same_table_as_row_by_row(seed, monkeypatch):
    chance = random.Random(seed)
    cells = ["", "1", " ", "a b", "ä", "=1", "\u00a0", "0,".rstrip(","), "x;y", "'", "\t", "€"]
    lines = ["id,nr,a" + chance.choice(["", ",", ",b", " "])]
    width = lines[0].count(",") + 1
    for _ in range(chance.randrange(12)):
        n = width + chance.choice([0] * 8 + [-1, 1, 2, -2])
        lines.append(",".join(chance.choice(cells) for _ in range(max(n, 0))))
    end = chance.choice(["\n", "\r\n", "\n", "\r"])
    text = end.join(lines) + chance.choice([end, "", end + end])
    source = SOURCE | {"skip_after_header": chance.choice([0, 0, 1, 2])}
    fast = told(delimited._read_plain(text, source))

    def refuse(*_):
        raise plain_text.TooOddError

    monkeypatch.setattr(delimited, "_read_plain", refuse)
    slow = told(delimited.read_below(File(text), source))
    assert plain(fast) == plain(slow)


def test_a_quotation_mark_below_the_header_goes_the_careful_way():
    with pytest.raises(plain_text.TooOddError):
        delimited._read_plain('id,a\nx,"1"\n', SOURCE)
    assert told(delimited._read_plain('"id","a"\nx,1\n', SOURCE))[0] == ["id", "a"]


def test_a_quotation_mark_that_is_a_sign_like_any_other():
    read = told(delimited.read_below(File('id,a\nx,5"\n'), SOURCE | {"quote": "none"}))
    assert read[1] == [["x"], ['5"']]


def test_too_many_odd_rows_are_read_row_by_row(monkeypatch):
    monkeypatch.setattr(plain_text, "MOST_ODD_ROWS", 3)
    text = "id,a\n" + ("P,1\n" * 20 + "x\n") * 10
    with pytest.raises(plain_text.TooOddError):
        delimited._read_plain(text, SOURCE)
    assert len(delimited.read_below(File(text), SOURCE)[0].astray) == 10
