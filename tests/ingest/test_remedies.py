"""A remedy followed on a file with the fault: the problem is gone, and nothing new comes."""

import datetime
from dataclasses import dataclass, field

import openpyxl
import pytest

from alliance.ingest.rules import RULES
from alliance.ingest.rules_of_plausibility import PLAUSIBILITY_RULES

FACTS = {"therapist": "th", "gender": {"column": "sex", "codes": {"f": "female", "m": "male"}}}
TABLE = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr", "client_facts": FACTS,
    "session_facts": {"date": "day"}, "measures": {"alliance": "wai{item}"},
}  # fmt: skip
HEADER = "id,nr,day,th,sex,wai1,wai2,wai3"
ROWS = [
    f"P{i},{n},2024-0{n}-1{i},T{i % 2},{'fm'[i % 2]},{1 + (i + n) % 5},{1 + (i * n) % 5},{1 + n}"
    for i in range(8)
    for n in (1, 2, 3, 4)
]
SOUND = "\n".join([HEADER, *ROWS]) + "\n"


@dataclass
class Case:
    """A rule, a file and mapping that break it, and the same after its remedy."""

    rule: str
    broken: str | bytes = SOUND
    mended: str | bytes | None = None  # None: the sound file, mended as the remedy says
    keys: dict = field(default_factory=dict)
    remedy: dict = field(default_factory=dict)  # keys of the mapping that the remedy names
    beside: dict = field(default_factory=dict)  # further files
    words: str = ""  # of the remedy


def first(old, new, text=SOUND):
    assert old in text, old
    return text.replace(old, new, 1)


ROW = ROWS[0]
JOIN = {"file": "beside.csv", "by": {"id": "own"}, "take": ["extra"]}
BESIDE = "own,extra\n" + "".join(f"P{i},x\n" for i in range(8))
LIST = {"file": "toy.csv", "rows": "session"}
FIVE = {str(n): 1 + (n - 1) // 2 for n in range(1, 11)}
ANSWERS = "id,nr,form,item,answer\n" + "".join(
    f"P{i},{n},WAI,{item},{1 + (i + n + item) % 5}\n"
    for i in range(8) for n in (1, 2, 3) for item in (1, 2, 3)
)  # fmt: skip
BY_ANSWER = {"rows": "answer", "form": "form", "item": "item", "answer": "answer",
             "client_facts": {}, "session_facts": {},
             "measures": {"alliance": {"form": "WAI"}}}  # fmt: skip
SAME_CODES = {"1": 1, "2": 2, "4": 4}


def zero_based():
    rows = [row.split(",") for row in ROWS]
    return "\n".join([HEADER, *(
        ",".join([*row[:5], *(str(int(answer) - 1) for answer in row[5:])]) for row in rows
    )]) + "\n"  # fmt: skip


def with_column(cell, first_cell=None):
    """Return the sound file with a column `extra`; its first cell may hold something else."""
    cells = [cell if first_cell is None else first_cell, *[cell] * (len(ROWS) - 1)]
    rows = [f"{row},{own}" for row, own in zip(ROWS, cells, strict=True)]
    return "\n".join([f"{HEADER},extra", *rows]) + "\n"


def with_nines():
    rows = [row[:-1] + "-9" if i % 4 == 0 else row for i, row in enumerate(ROWS)]
    return "\n".join([HEADER, *rows]) + "\n"


CASES = [
    Case("file-missing", keys={"file": "none.csv"}, remedy={"file": "toy.csv"}, words="name"),
    Case("file-empty", broken=""),
    Case("file-unreadable", broken=SOUND.encode() + b"\x00\x00"),
    Case("wrong-encoding", broken=first("T0", "Tü").encode("cp1252"),
         mended=SOUND.replace("T0", "Tü").encode("cp1252"), remedy={"encoding": "cp1252"},
         words="`encoding`"),
    Case("column-missing", broken=first("wai3", "x3"), mended=first("wai3", "x3"),
         remedy={"measures": {"alliance": {"items": ["wai1", "wai2", "x3"]}}},
         words="site mapping"),
    Case("rows-missing", keys={"n_rows": 99}, remedy={"n_rows": len(ROWS)}, words="`n_rows`"),
    Case("column-twice", broken=first("sex", "th")),
    Case("keys-disagree", keys={"join": [{**JOIN, "by": {"th": "own"}}]}, remedy={"join": [JOIN]},
         beside={"beside.csv": BESIDE}, words="`by`"),
    Case("nearly-all-set-aside", keys={"session": "th"}, remedy={"session": "nr"}, words="session"),
    Case("column-unreadable", keys={"dates": "dd.mm.yyyy"}, remedy={"dates": "yyyy-mm-dd"},
         words="`dates`"),
    Case("row-too-long", broken=first(ROW, ROW + ",1")),
    Case("row-too-short", broken=first(ROW, "P0,1,2024-01-10")),
    Case("quote-astray", broken=first("P0,1,", '"P0,1,'), words="quotation mark"),
    Case("header-again", broken=first(ROW, f"{ROW}\n{HEADER}")),
    Case("no-key", keys={"join": [JOIN]}, remedy={"join": [JOIN]},
         beside={"beside.csv": BESIDE + ",x\n"}, words="key"),
    Case("key-unused", keys={"join": [JOIN]}, remedy={"join": [JOIN]},
         beside={"beside.csv": BESIDE + "Q,x\n"}, words="key"),
    Case("no-client-id", broken=first("P0,1,", ",1,")),
    Case("no-session-number", broken=first("P0,1,", "P0,,")),
    Case("bad-session-number", broken=first("P0,1,", "P0,one,")),
    Case("unknown-event", broken=first("P0,1,", "P0,extra,"),
         mended=first(ROW, f"{ROW}\nP0,extra{ROW[4:]}"),
         keys={"session": {"column": "nr", "codes": {str(n): n for n in (1, 2, 3, 4)}}},
         remedy={"session": {"column": "nr", "ignore": ["extra"],
                             "codes": {str(n): n for n in (1, 2, 3, 4)}}}, words="ignore"),
    Case("exact-duplicate", broken=first(ROW, f"{ROW}\n{ROW}")),
    Case("conflicting-duplicate", broken=first(ROW, f"{ROW}\n{ROW[:-1]}4")),
    Case("not-a-number", broken=first(ROW, ROW[:-1] + "x")),
    Case("out-of-range", broken=first(ROW, ROW[:-1] + "8")),
    Case("not-on-scale", broken=first(ROW, ROW[:-1] + "2.5")),
    Case("bad-date", broken=first("2024-01-10", "2024-13-10")),
    Case("unknown-code", broken=first(",f,", ",d,"), mended=SOUND.replace("P0", "P0")
         .replace("T0,f", "T0,d"), remedy={"client_facts": {
             **FACTS, "gender": {"column": "sex", "codes": {"d": "diverse", "m": "male"}}}},
         words="`codes`"),
    Case("client-conflict", broken=first("T0", "T9"), mended=SOUND, words="session_facts"),
    Case("file-without-rows", broken=HEADER + "\n"),
    Case("client-with-one-session", broken=SOUND + ROW.replace("P0", "Q") + "\n"),
    Case("no-therapist", broken=SOUND.replace("P0,1,2024-01-10,T0", "P0,1,2024-01-10,")
         .replace("P0,2,2024-02-10,T0", "P0,2,2024-02-10,")
         .replace("P0,3,2024-03-10,T0", "P0,3,2024-03-10,")
         .replace("P0,4,2024-04-10,T0", "P0,4,2024-04-10,")),
    Case("dates-against-sessions", broken=first("2024-03-10", "2024-01-05")),
    Case("long-pause", broken=first("2024-04-10", "2034-04-10")),
    Case("first-session-undated", broken=first("2024-01-10", "")),
    Case("form-at-a-missed-session", broken=SOUND,
         keys={"session_facts": {"attended": {"column": "sex", "attended": ["f"]}}},
         remedy={"session_facts": {"attended": {"column": "sex", "attended": ["f", "m"]}}},
         words="mend the mark"),
    Case("look-alike-id", broken=first("P0,1,", "p0,1,"), mended=first("P0,1,", "p0,1,"),
         words="same_as"),
    Case("look-alike-category", broken=first(",f,", ",F,"), mended=SOUND,
         keys={"client_facts": {"gender": "sex"}}, remedy={}, words="`codes`"),
    Case("look-alike-name", broken=first("wai3", "WAI3"), words="name"),
    Case("look-alike-word", broken=SOUND.replace(",f,", ",F,"), mended=SOUND.replace(",f,", ",F,"),
         remedy={"client_facts": {**FACTS, "gender": {
             "column": "sex", "codes": {"F": "female", "m": "male"}}}}, words="spell them"),
    Case("total-disagrees", broken=first("wai3", "wai3,sum").replace("\n", ",99\n")
         .replace("sum,99", "sum"), mended=None,
         keys={"measures": {"alliance": {"items": "wai{item}", "recorded_total": "sum"}}},
         remedy={"measures": {"alliance": "wai{item}"}}, words="compare with the form"),
    Case("sessions-from-zero", broken="\n".join([HEADER, *(
        f"{r.split(',')[0]},{int(r.split(',')[1]) - 1},{','.join(r.split(',')[2:])}"
        for r in ROWS)]) + "\n",
         mended="\n".join([HEADER, *(
             f"{r.split(',')[0]},{int(r.split(',')[1]) - 1},{','.join(r.split(',')[2:])}"
             for r in ROWS)]) + "\n",
         remedy={"session": {"column": "nr", "codes": {str(n): n + 1 for n in range(4)}}},
         words="`codes`"),
    Case("summary-row", broken=SOUND + "Total,99,,,,60,61,62\n", words="delete this row"),
    Case("id-is-rounded", broken=SOUND.replace("P0,", "1.23E+15,"), words="as text"),
    Case("scale-shifted", broken=zero_based(), mended=zero_based(),
         remedy={"measures": {"alliance": {"items": "wai{item}", "stored_as": [0, 4]}}},
         words="stored_as: [0, 4]"),
    Case("file-cut-off", broken=SOUND[: -len(ROWS[-1]) + 6]),
    Case("key-twice", keys={"join": [JOIN]}, remedy={"join": [JOIN]},
         beside={"beside.csv": BESIDE + "P1,y\n"}, words="which row is right"),
    Case("key-unmatched", keys={"join": [JOIN]}, remedy={"join": [JOIN]},
         beside={"beside.csv": BESIDE.replace("P7,x\n", "")}, words="key"),
    Case("no-site", broken=with_column("clinic", first_cell=""),
         mended=with_column("clinic"), keys={"site": "extra"}, words="enter the site"),
    Case("bad-site", broken=with_column("clinic", first_cell="../etc"),
         mended=with_column("clinic"), keys={"site": "extra"}, words="rename"),
    Case("unknown-form", broken=ANSWERS + "P0,1,OTHER,1,2\n", mended=ANSWERS + "P0,1,OTHER,1,2\n",
         keys=BY_ANSWER, remedy={"ignore_forms": ["OTHER"]}, words="`ignore_forms`"),
    Case("unknown-item", broken=ANSWERS.replace("WAI,1,", "WAI,9,", 1), mended=ANSWERS,
         keys=BY_ANSWER, words="item number"),
    Case("two-boxes-ticked", broken=with_column("0", first_cell="1").replace("sex", "fem")
         .replace(",f,", ",1,").replace(",m,", ",0,"),
         mended=with_column("0").replace("sex", "fem").replace(",f,", ",1,").replace(",m,", ",0,"),
         keys={"client_facts": {"gender": {"boxes": {"fem": "female", "extra": "male"}}}},
         words="untick"),
    Case("therapist-changed", broken=first("P0,4,2024-04-10,T0", "P0,4,2024-04-10,T9"),
         keys={"client_facts": {"gender": FACTS["gender"]},
               "session_facts": {"date": "day", "therapist": "th"}}, words="change is true"),
    Case("client-without-sessions", broken=SOUND + "Q,intake,,T0,f,,,\n", mended=SOUND,
         keys={"session": {"column": "nr", "about_client": ["intake"],
                           "codes": {str(n): n for n in (1, 2, 3, 4)}}}, words="missing"),
    Case("session-before-intake", broken=with_column("2024-03-01"),
         mended=with_column("2024-01-01"),
         keys={"client_facts": {**FACTS, "intake_date": {"column": "extra", "type": "date"}}},
         words="compare both dates"),
    Case("last-line-open", broken=SOUND.rstrip("\n"), words="last row"),
    Case("session-jump", broken=first("P0,4,", "P0,112,"), words="mistyped"),
    Case("date-far-off", broken=first("2024-04-10", "2091-04-10"), words="year"),
    Case("missing-code", broken=with_nines(), mended=with_nines(), remedy={"missing": ["-9"]},
         words="missing: [-9]"),
    Case("not-a-number", broken=with_nines().replace("-9", "NULL"),
         mended=with_nines().replace("-9", "NULL"), remedy={"missing": ["NULL"]},
         words='missing: ["NULL"]'),
    Case("codes-leave-gaps",
         keys={"measures": {"alliance": {"items": "wai{item}", "codes": {**SAME_CODES, "x": 5}}}},
         remedy={"measures": {"alliance": {"items": "wai{item}", "codes": {
             **SAME_CODES, "3": 3, "5": 5}}}}, words="`codes`"),
]  # fmt: skip


def read(site, text, case, keys, **top):
    site.csv("toy.csv", text)
    for name, content in case.beside.items():
        site.csv(name, content)
    return site.read({**TABLE, **keys}, **top)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_remedy_that_is_followed_helps(site, case):
    broken = read(site, case.broken, case, case.keys).quarantine
    told = broken[broken["rule"] == case.rule]
    assert len(told), broken["rule"].tolist()
    assert case.words in told["remedy"].iloc[0]
    same_as = {"same_as": {"client": {"p0": "P0"}}} if case.words == "same_as" else {}
    if case.beside and case.rule != "keys-disagree":
        case.beside["beside.csv"] = BESIDE
    text = SOUND if case.mended is None else case.mended
    mended = read(site, text, case, {**case.keys, **case.remedy}, **same_as).quarantine
    assert mended.empty, mended[["rule", "row", "column"]]


def workbook(site, change):
    book = openpyxl.Workbook()
    for line in SOUND.splitlines():
        cells = line.split(",")
        book.active.append([int(c) if c.isdigit() else c for c in cells])
    change(book.active)
    book.save(site.raw / "toy.xlsx")
    return site.read({**TABLE, "file": "toy.xlsx"}).quarantine["rule"].tolist()


def test_every_rule_has_its_remedy_followed_somewhere():
    """Those that need two tables, value labels or a whole cohort have tests of their own."""
    elsewhere = {
        "label-shared", "item-on-another-scale", "missing-on-scale",  # test_shared_labels, ..
        "session-conflict", "client-not-in-file", "client-at-two-sites",  # two tables
        "sheet-missing", "hidden-column", "hidden-sheet", "hidden-row", "merged-cells",
        "formula-without-value", "error-in-cell", "id-is-a-date",  # workbooks, below
        "same-as-unused",  # test_likeness
        "scale-of-another-length", "twin-sites", "implausible-number",
        "month-and-day", "one-date-for-all",  # tests/plausibility
        *PLAUSIBILITY_RULES,
    }  # fmt: skip
    assert {case.rule for case in CASES} | elsewhere == set(RULES)


def hide(sheet):
    sheet.row_dimensions[3].hidden = True


def hide_column(sheet):
    sheet.column_dimensions["F"].hidden = True


def another_sheet(sheet):
    sheet.parent.create_sheet("Notes")


def put(place, value):
    def change(sheet):
        sheet[place] = value

    return change


@pytest.mark.parametrize(
    ("rule", "change"),
    [("hidden-row", hide), ("hidden-column", hide_column), ("sheet-missing", another_sheet),
     ("merged-cells", lambda sheet: sheet.merge_cells("D2:D3")),
     ("formula-without-value", put("F2", "=1+1")), ("error-in-cell", put("F2", "#N/A")),
     ("id-is-a-date", put("A2", datetime.date(2024, 1, 2)))],
)  # fmt: skip
def test_a_workbook_that_is_mended(site, rule, change):
    assert rule in workbook(site, change)
    assert workbook(site, lambda sheet: None) == []
