"""docs/situations.md and the tests beside this one tell the same situations."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "situations.md"
SOURCE = re.compile(r"our trial|[\w.-]+/[\w.-]+#[0-9]+")
LEAST_SEARCHED = 20


def rows():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


def test_each_row_has_a_source_and_a_test_and_each_test_a_row():
    found = set()
    for path in HERE.glob("test_*.py"):
        if path != Path(__file__):
            found |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    listed = [test.strip("`") for *_, test in rows()]
    assert len(listed) == len(set(listed)) and set(listed) == found
    assert all(SOURCE.fullmatch(source) for source, *_ in rows())
    searched = {source for source, *_ in rows() if source != "our trial"}
    assert len(searched) >= LEAST_SEARCHED
