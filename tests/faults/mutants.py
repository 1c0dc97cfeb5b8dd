"""Broken variants of sound exports, and an oracle that knows what each should do.

A variant comes from a seed: an export of the made cohort (`tests/ingest/made.py`) in one of many
formats and habits, with one to three mutations, in its bytes, in its lines or in its cells. The
oracle has the table that the export was made from, and the mutated one where it is a table still;
it never asks the readers. It judges

- `traceback`: anything but problems came out;
- `leak`: an id, a date or a planted text stands in a message;
- `unaccounted`: rows read are not rows kept and set aside, or not the lines that the file has;
- `silent`: the result is another one, nothing is told, and the file holds evidence;
- `unseen`: the same, but no single file could show it: a number for another one that is possible,
  rows that went whole, a byte within a format that has no sums to check it by.
"""

import datetime
import io
import math
import random
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field

import pandas as pd
import yaml

from alliance.config.site import load_site
from alliance.ingest.pseudonyms import SIMULATED_KEY, pseudonyms
from alliance.ingest.site import read_site

IDS = ["Qz007", "Qz1e5", "QzNA", "QzNO", "Qz-1"]
MARK = "MARKzz"
WRONG = ("traceback", "leak", "unaccounted", "silent")
TABLES = ("csv", "xlsx", "ods", "parquet", "sav", "zsav", "dta", "xpt")
HABITS = ("wide", "long", "per_answer", "redcap", "redcap_labels", "redcap_repeating", "workbook",
          "qualtrics")  # fmt: skip
# Formats whose parts carry a checksum, or say how long they are.
CHECKED = (".xlsx", ".ods", ".zip", ".gz")
TEXT = (".csv", ".tsv")
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError)
CELLS = [
    MARK, "=1+1", "<script>alert(1)</script>", "9", "-1", "1e3", "NaN", "inf", "", " ", "99", "1.5",
    "２", "1\u200b", "O", "01.02.2024", "2091-01-01", "10001", "112", "3;4", '"', f"{MARK}\n{MARK}",
    MARK * 9000, "2,5", "TRUE", "#N/A", "\ufeff1", "1\u00a0",
]  # fmt: skip


@dataclass
class Export:
    """A sound export: its files, the mapping's tables, and the table it was made from, if one."""

    name: str
    files: dict
    tables: list
    cells: tuple | None = None  # header, rows: where the export is one table
    problems: Counter = field(default_factory=Counter)


@dataclass
class Mutant:
    """A broken variant: its files, what was done, and the mutated table where it is still one."""

    export: Export
    files: dict
    done: list
    cut: bool = False
    cells: tuple | None = None
    changed: str = ""


@dataclass
class Verdict:
    """What the oracle says: one of the kinds above, `told`, or `same`."""

    kind: str
    detail: str = ""


# --------------------------------------------------------------------------------------------------
# sound exports


def exports(made, folder):
    """Return the sound exports by name."""
    clients, sessions = made.cohort(12)
    found = {}
    for habit in HABITS:
        own = folder / habit
        own.mkdir(parents=True)
        tables = getattr(made, habit)(own, clients, sessions)
        files = {path.name: path.read_bytes() for path in sorted(own.iterdir())}
        found[habit] = Export(habit, files, tables)
    for ending in TABLES:
        own = folder / ending
        own.mkdir(parents=True)
        rows = made.session_rows(sessions)
        made.write(own / f"data.{ending}", made.HEADER, rows)
        files = {path.name: path.read_bytes() for path in own.iterdir()}
        table = {"file": f"data.{ending}", **made.BY_SESSION}
        found[ending] = Export(ending, files, [table], (made.HEADER, rows))
    return found


def truth_of(made):
    """Return the answers of the made cohort: {(client, session, measure, item): value}."""
    _, sessions = made.cohort(12)
    names = {own: pseudonyms([("toy", own)], "client", SIMULATED_KEY)[("toy", own)]
             for own in {s.client.id for s in sessions}}  # fmt: skip
    return {
        (names[s.client.id], s.number, measure, item + 1): float(value)
        for s in sessions
        for measure, given in (("alliance", s.wai), ("symptoms", s.phq))
        for item, value in enumerate(given)
        if value is not None
    }


# --------------------------------------------------------------------------------------------------
# mutations: of bytes, of lines, of cells


def _cut(data, chance):
    return data[: chance.randrange(len(data))]


def _flipped(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _torn_out(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 80) :]


def _doubled(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + data[at : at + chance.randint(1, 80)] + data[at:]


def _inserted(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.randint(1, 9)) + data[at:]


def _zeroed(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes(min(chance.randint(1, 40), len(data) - at)) + data[at + 40 :]


BYTES = (_cut, _cut, _flipped, _torn_out, _doubled, _inserted, _zeroed)


def _row_gone(lines, chance):
    del lines[chance.randrange(len(lines))]


def _row_twice(lines, chance):
    at = chance.randrange(len(lines))
    lines.insert(chance.randrange(len(lines)), lines[at])


def _rows_gone_at_the_end(lines, chance):
    del lines[chance.randrange(len(lines)) :]


def _row_joined(lines, chance):
    at = chance.randrange(len(lines))
    lines[at] = lines[at].rstrip("\r\n")


def _quote_astray(lines, chance):
    at = chance.randrange(len(lines))
    where = chance.randrange(len(lines[at]))
    lines[at] = lines[at][:where] + '"' + lines[at][where:]


def _delimiter_more_or_less(lines, chance):
    at = chance.randrange(len(lines))
    sign = ";" if ";" in lines[at] else "\t" if "\t" in lines[at] else ","
    if chance.random() < 0.5:
        lines[at] = lines[at].replace(sign, "", 1)
    else:
        where = chance.randrange(len(lines[at]))
        lines[at] = lines[at][:where] + sign + lines[at][where:]


def _cell_in_line(lines, chance):
    at = chance.randrange(len(lines))
    sign = ";" if ";" in lines[at] else "\t" if "\t" in lines[at] else ","
    end = lines[at][len(lines[at].rstrip("\r\n")) :]
    cells = lines[at].rstrip("\r\n").split(sign)
    cells[chance.randrange(len(cells))] = chance.choice(CELLS)
    lines[at] = sign.join(cells) + end


LINES = (_row_gone, _row_twice, _rows_gone_at_the_end, _row_joined, _quote_astray,
         _delimiter_more_or_less, _cell_in_line, _cell_in_line)  # fmt: skip


def _mutated_cells(cells, chance):
    """Return header and rows with one change, and its name."""
    header, rows = list(cells[0]), [list(row) for row in cells[1]]
    kind = chance.randrange(8)
    at, column = chance.randrange(len(rows)), chance.randrange(len(header))
    if kind == 0 and len(rows) > 3:
        del rows[at]
        return (header, rows), "row gone"
    if kind == 1:
        rows.insert(at, list(rows[chance.randrange(len(rows))]))
        return (header, rows), "row twice"
    if kind == 2:
        header[column] = chance.choice(["", header[chance.randrange(len(header))], MARK, "x"])
        return (header, rows), "header cell"
    if kind == 3:
        other = chance.randrange(len(header))
        for row in rows:
            row[column], row[other] = row[other], row[column]
        return (header, rows), "columns exchanged"
    if kind == 4:
        rows[at] = [None] * len(header)
        return (header, rows), "row blank"
    rows[at][column] = chance.choice(CELLS)
    return (header, rows), "cell"


def mutant(export, seed, made, folder):
    """Return the variant of an export that belongs to a seed."""
    chance = random.Random(f"{export.name} {seed}")
    found = Mutant(export, dict(export.files), [], cells=export.cells)
    found.changed = name = chance.choice(sorted(export.files))
    if export.cells and export.name not in ("sav", "zsav", "dta", "xpt", "parquet"):
        level = chance.choice(["bytes", "cells", "cells"])
    else:
        level = "bytes"
    if name.endswith(TEXT) and level == "bytes":
        level = chance.choice(["bytes", "lines", "lines"])
    for _ in range(chance.randint(1, 3)):
        if level == "cells":
            found.cells, done = _mutated_cells(found.cells, chance)
            found.done.append(done)
        elif level == "lines":
            lines = found.files[name].decode("latin-1").splitlines(keepends=True)
            if len(lines) > 1:
                kind = chance.choice(LINES)
                kind(lines, chance)
                found.done.append(kind.__name__)
                found.files[name] = "".join(lines).encode("utf-8", errors="replace")
        elif len(found.files[name]) > 1:
            kind = chance.choice(BYTES)
            found.done.append(kind.__name__)
            found.cut |= kind is _cut
            if chance.random() < 0.3 and name.endswith((".xlsx", ".ods")):
                found.files[name] = _within_zip(found.files[name], kind, chance)
                found.done[-1] += " within"
                found.cut = False
            else:
                found.files[name] = kind(found.files[name], chance)
    if level == "cells":
        path = folder / name
        made.write(path, *found.cells)
        found.files[name] = path.read_bytes()
    else:
        found.cells = None
    return found


def _within_zip(data, kind, chance):
    """Return a zip of which one part was mutated, packed soundly again."""
    try:
        given = zipfile.ZipFile(io.BytesIO(data))
        names = [name for name in given.namelist() if name.endswith(".xml") and given.read(name)]
        parts = {name: given.read(name) for name in given.namelist()}
    except UNREADABLE:  # mutated before
        return kind(data, chance)
    chosen = chance.choice(names) if names else None
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, kind(content, chance) if name == chosen else content)
    return stream.getvalue()


# --------------------------------------------------------------------------------------------------
# the oracle


class Oracle:
    """Reads variants by the intake and judges what came out."""

    def __init__(self, made, folder, keys):
        self.made, self.folder, self.keys = made, folder, keys
        made.IDS = IDS
        self.truth = truth_of(made)
        _, sessions = made.cohort(12)
        self.secrets = [*(s.client.id for s in sessions), MARK]
        self.secrets += [f"{s.date:%d.%m.%Y}" for s in sessions]
        self.secrets += [str(s.date) for s in sessions]
        self.secrets = sorted(set(self.secrets))
        self.exports = exports(made, folder / "sound")
        self.sound = {}
        for name, export in self.exports.items():
            read = self.read(export.files, export.tables)
            assert answers_of(read) == self.truth, name
            export.problems = problems_of(read)
            self.sound[name] = read

    def read(self, files, tables):
        raw = self.folder / "raw"
        raw.mkdir(exist_ok=True)
        for path in raw.iterdir():
            path.unlink()
        for name, data in files.items():
            (raw / name).write_bytes(data)
        mapping = self.folder / "toy.yaml"
        content = {"site": "toy", "tables": tables}
        if not mapping.exists() or self._tables is not tables:
            mapping.write_text(yaml.dump(content, Dumper=_Plain, allow_unicode=True), "utf-8")
            self._mapping, self._tables = load_site(mapping), tables
        return read_site(
            site="toy", mapping=self._mapping, raw_folder=raw, keys=self.keys, key=SIMULATED_KEY
        )[0]

    def judge(self, found):
        """Return the verdict on a variant."""
        try:
            read = self.read(found.files, found.export.tables)
        except Exception as error:  # whatever it is, it is the finding
            return Verdict("traceback", f"{type(error).__name__}: {str(error)[:200]}")
        told = problems_of(read)
        message = "\n".join(
            " ".join(map(str, row)) for row in read.quarantine.drop(columns="row").to_numpy()
        )
        leaked = [secret for secret in self.secrets if secret in message]
        if leaked:
            return Verdict("leak", str(leaked[:3]))
        if wrong := self._unaccounted(found, read):
            return Verdict("unaccounted", wrong)
        new = told - found.export.problems
        sound = self.sound[found.export.name]
        if same_tables(read, sound):
            return Verdict("told" if new else "same")
        if new:
            return Verdict("told")
        evidence = self.evidence(found)
        return Verdict("silent" if evidence else "unseen", evidence or change_of(read, sound))

    def _unaccounted(self, found, read):
        keys = ["file", "sheet", "table", "unit"]
        for place, part in read.ledger.groupby(keys, dropna=False):
            counts = part.groupby("reason")["count"].sum()
            if counts.get("read", 0) != counts.drop("read", errors="ignore").sum():
                return f"{place}: {counts.to_dict()}"
        return ""

    def evidence(self, found):
        """Return what in the file could have shown that it is another one; "" if nothing."""
        name, data = found.changed, found.files[found.changed]
        if found.cells is not None:
            return self._evidence_in(*found.cells)
        if not name.endswith(TEXT):
            if name.endswith(CHECKED):
                return "" if any("within" in done for done in found.done) else "checksum"
            return "cut off" if found.cut else ""
        try:
            text = data.decode("cp1252" if name == "wide.csv" else "utf-8-sig")
        except UnicodeDecodeError:
            return "encoding"
        if "\x00" in text:
            return "NUL"
        sound = found.export.files[name]
        if sound.endswith(b"\n") and not text.endswith(("\n", "\r")):
            return "last line without end"
        if '"' in text:
            return ""  # not for this oracle to split
        sign = {"wide.csv": ";", "people.tsv": "\t"}.get(name, ",")
        table = [line.split(sign) for line in text.splitlines()]
        table = [row for row in table if any(map(str.strip, row))]
        if not table:
            return "nothing left"
        width = len(table[0])
        if any(len(row) < width or any(map(str.strip, row[width:])) for row in table):
            return "rows of different length"
        table = [row[:width] for row in table]
        if name == "data.csv":
            return self._evidence_in(table[0], table[1:])
        return ""

    def _evidence_in(self, header, rows):
        """Return what in a table with one row a session cannot be."""
        names = [str(name).strip() for name in header]
        if sorted(names) != sorted(self.made.HEADER):
            return "header"
        seen, facts, last = set(), {}, {}
        for row in rows:
            cells = dict(zip(names, map(_text, row), strict=True))
            if not any(cells.values()):
                continue
            if reason := _impossible(cells):
                return reason
            if (cells["id"], cells["nr"]) in seen:
                return "a session twice"
            seen.add((cells["id"], cells["nr"]))
            own = {fact: cells[fact] for fact in ("th", "end", "age", "sex")}
            if facts.setdefault(cells["id"], own) != own:
                return "facts that contradict each other"
            last.setdefault(cells["id"], []).append((int(cells["nr"]), cells["day"]))
        for dated in last.values():
            days = [day for _, day in sorted(dated) if day]
            if days != sorted(days):
                return "dates against sessions"
        return ""


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def _text(cell):
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    # signs that nobody sees mean nothing
    return re.sub("[\u200b\ufeff]", "", str(cell)).strip()


def _impossible(cells):
    """Return what of a row cannot be."""
    if not cells["id"] or not cells["nr"].isdigit() or int(cells["nr"]) > 100:
        return "id or session"
    try:
        year = datetime.date.fromisoformat(cells["day"]).year if cells["day"] else 2024
    except ValueError:
        return "date"
    if year > 2030:
        return "date in the future"
    for name, most, least in (("wai", 5, 1), ("phq", 3, 0)):
        for cell in (text for column, text in cells.items() if column.startswith(name)):
            if cell and not (cell.isdigit() and least <= int(cell) <= most):
                return "answer"
    if cells["end"] not in ("", "1", "2", "4") or cells["sex"] not in ("", "1", "2", "3"):
        return "category"
    return ""


def answers_of(read):
    table = read.responses
    keys = zip(table["client"], table["session"], table["measure"], table["item"], strict=True)
    return dict(zip(keys, table["value"].astype(float), strict=True))


def problems_of(read):
    columns = ["file", "row", "column", "rule"]
    return Counter(map(str, read.quarantine[columns].itertuples(index=False)))


def same_tables(read, sound):
    return all(
        getattr(read, name).equals(getattr(sound, name))
        for name in ("clients", "sessions", "responses")
    )


def change_of(read, sound):
    """Say in a word how the result differs, for what no file can show."""
    now, then = answers_of(read), answers_of(sound)
    if now.keys() < then.keys():
        gone = {key[:2] for key in then} - {key[:2] for key in now}
        return "sessions gone" if gone else "answers gone"
    if now.keys() == then.keys():
        return "a value for another" if now != then else "a fact or date for another"
    if now.keys() > then.keys():
        return "answers more"
    return "rows under another id or number"


def study(oracle, made, folder, seeds):
    """Judge the variants of some seeds; return the verdicts with what was done."""
    names, verdicts = sorted(oracle.exports), []
    for seed in seeds:
        export = oracle.exports[names[seed % len(names)]]
        found = mutant(export, seed, made, folder)
        verdicts.append((export.name, seed, found.done, oracle.judge(found)))
    return pd.DataFrame(
        [(n, s, "+".join(d), v.kind, v.detail) for n, s, d, v in verdicts],
        columns=["export", "seed", "mutations", "kind", "detail"],
    )
