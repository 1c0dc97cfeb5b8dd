"""A remedy followed on a file with the fault: the problem is gone, and nothing new comes."""

import datetime
from dataclasses import dataclass, field

import openpyxl
import pytest

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


def hide(sheet):
    sheet.row_dimensions[3].hidden = True


def put(place, value):
    def change(sheet):
        sheet[place] = value

    return change


@pytest.mark.parametrize(
    ("rule", "change"),
    [("hidden-row", hide), ("merged-cells", lambda sheet: sheet.merge_cells("D2:D3")),
     ("formula-without-value", put("F2", "=1+1")), ("error-in-cell", put("F2", "#N/A")),
     ("id-is-a-date", put("A2", datetime.date(2024, 1, 2)))],
)  # fmt: skip
def test_a_workbook_that_is_mended(site, rule, change):
    assert rule in workbook(site, change)
    assert workbook(site, lambda sheet: None) == []
