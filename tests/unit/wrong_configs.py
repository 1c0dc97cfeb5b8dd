"""A sound cohort's configuration, and three hundred ways to get it wrong.

`broken(seed)` returns the files with one mistake in one of them, and what a message must say of it:
the file, the lines that may be named, and words of the remedy.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FILES = {
    "lab.yaml": """\
cohort: lab
title: Three clinics
simulated: false
seed: 42
sites: [ward, practice]
measures:
  alliance:
    instrument: wai-sr-c
    label: Alliance
  symptoms:
    instrument: own-form
    label: Symptoms
dropout:
  event: [dropout]
models:
  growth_of_alliance:
    family: growth
    outcome: alliance
    time: log_weeks
    fixed: [age_years]
    random_slopes: [client]
  alliance_first:
    family: coupling
    predictor: alliance
    outcome: symptoms
    time: session
  who_leaves:
    family: hazard
    predictors: [alliance]
""",
    "sites/lab/ward.yaml": """\
site: ward
title: The ward
tables:
  - file: ward.csv
    format: csv
    delimiter: ";"
    encoding: latin-1
    decimal: ","
    dates: dd.mm.yyyy
    header_row: 1
    missing: [-9, "NA"]
    rows: session
    client: patient
    session: number
    client_facts:
      therapist: therapist
      end_status:
        column: ending
        codes: {A: dropout, B: completed}
      age_years:
        column: age
        type: number
    session_facts:
      date: day
    measures:
      alliance: wai{item}
      symptoms: own{item}
""",
    "sites/lab/practice.yaml": """\
site: practice
tables:
  - file: redcap.csv
    rows: session
    client: record_id
    session:
      column: event
      pattern: session_{session}_arm_1
      about_client: [intake]
    session_facts:
      week: week
    measures:
      alliance:
        items: wai_{item}
      symptoms:
        items: [s1, s2, s3, s4]
        codes: {never: 0, often: 3}
  - file: wide.xlsx
    sheet: Clients
    rows: client
    client: record_id
    client_facts:
      age_years:
        column: age
        type: number
""",
    "instruments/own-form.yaml": """\
id: own-form
name: A form of our own
abbreviation: OWN
construct: symptoms
rater: client
status: ready
items: 4
answers: {lowest: 0, highest: 3}
direction: higher-is-worse
reversed_items: [2]
scores:
  total: {items: all, rule: sum, range: [0, 12]}
unanswered: {most: 1, fill: person-mean}
copyright: {status: free, confidence: verified}
evidence:
  items: {confidence: verified, source: our own}
  reversed_items: {confidence: verified, source: our own}
  scores: {confidence: verified, source: our own}
  scoring: {confidence: verified, source: our own}
  unanswered: {confidence: verified, source: our own}
reference: {authors: us, year: 2020}
""",
}
# Words of a programmer, which must never be told.
JARGON = re.compile(
    r"[Tt]raceback|jsonschema|NoneType|\bdict\b|\bNone\b|\bnull\b|scalar|\binteger\b|\bboolean\b|"
    r"\barray\b|\bobject\b|additionalProperties|oneOf|anyOf|regex|\^\[|\(\?|[Ee]xception|\{'"
)


@dataclass(frozen=True)
class Mistake:
    """One mistake: the files with it, the file and lines that a message must name, its words."""

    kind: str
    files: dict[str, bytes | None]
    file: str
    lines: frozenset[int]
    words: tuple[str, ...]


KEYED = re.compile(r"^(\s*(?:- )?)([a-z_]+):(.*)$")
FREE = {"alliance", "symptoms", "growth_of_alliance", "alliance_first", "who_leaves", "age_years",
        "therapist", "end_status", "total"}  # fmt: skip

Kind = Callable[[random.Random], tuple[str, str | bytes | None, set[int], tuple[str, ...]]]
KINDS: dict[str, Kind] = {}


def kind(make: Kind) -> Kind:
    """Register a kind of mistake."""
    KINDS[make.__name__] = make
    return make


def lines_of(file: str) -> list[str]:
    """Return the lines of a sound file."""
    return FILES[file].split("\n")


def keyed(file: str, *, value: bool = False) -> list[int]:
    """Return which lines (from 0) begin with a key of ours (with `value`, followed by text)."""
    found = []
    for i, line in enumerate(lines_of(file)):
        match = KEYED.match(line)
        if match and match.group(2) not in FREE:
            rest = match.group(3).strip()
            if not value or (rest and rest[0] not in "[{"):
                found.append(i)
    return found


def a_file(chance: random.Random) -> str:
    """Return one of the files."""
    return chance.choice(list(FILES))


def with_line(file: str, i: int, *new: str) -> str:
    """Return the file with one line replaced."""
    lines = lines_of(file)
    lines[i : i + 1] = new
    return "\n".join(lines)


def line_of(file: str, text: str) -> int:
    """Return the (first) line from 0 that holds a text."""
    return next(i for i, line in enumerate(lines_of(file)) if text in line)


@kind
def misspelt_key(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file))
    before, key, after = KEYED.match(lines_of(file)[i]).groups()
    at = chance.randrange(1, len(key))
    wrong = chance.choice([
        key[:at] + key[at + 1 :] if len(key) > 3 else key + "x",
        key[:at] + chance.choice("aeinrst") + key[at:],
        key[: at - 1] + key[at] + key[at - 1] + key[at + 1 :],
        key.capitalize(), key + "s",
    ])  # fmt: skip
    if wrong == key:
        wrong = key + "x"
    return file, with_line(file, i, f"{before}{wrong}:{after}"), {i}, (wrong, f": {key}")


@kind
def key_from_another_tool(chance):
    file, i, wrong = chance.choice([
        ("lab.yaml", 3, "random_state: 1"), ("lab.yaml", 1, "description: x"),
        ("sites/lab/ward.yaml", 5, "    sep: x"), ("sites/lab/ward.yaml", 9, "    skiprows: 1"),
        ("sites/lab/practice.yaml", 3, "    index_col: x"),
        ("instruments/own-form.yaml", 6, "n_items: 4"),
    ])  # fmt: skip
    key = wrong.split(":")[0].strip()
    lines = lines_of(file)
    return file, with_line(file, i, lines[i], wrong), {i + 1}, (key, "unknown key")


@kind
def key_twice(chance):
    file = a_file(chance)
    i = chance.choice([i for i in keyed(file, value=True) if "- " not in lines_of(file)[i]])
    line = lines_of(file)[i]
    return file, with_line(file, i, line, line), {i + 1}, ("second time", f"line {i + 1}")


@kind
def missing_key(chance):
    file, text = chance.choice([
        ("lab.yaml", "cohort:"), ("lab.yaml", "title:"), ("lab.yaml", "sites:"),
        ("lab.yaml", "family: growth"), ("lab.yaml", "predictor:"), ("lab.yaml", "    time: log"),
        ("lab.yaml", "instrument: wai"), ("sites/lab/ward.yaml", "rows:"),
        ("sites/lab/ward.yaml", "client: patient"), ("sites/lab/ward.yaml", "site:"),
        ("sites/lab/practice.yaml", "column: event"), ("instruments/own-form.yaml", "answers:"),
        ("instruments/own-form.yaml", "scores:\n"[:-1]), ("instruments/own-form.yaml", "rater:"),
    ])  # fmt: skip
    i = line_of(file, text)
    lines = lines_of(file)
    drop = 2 if lines[i] == "scores:" and file.startswith("inst") else 1
    key = lines[i].strip().split(":")[0]
    text = "\n".join(lines[:i] + lines[i + drop :])
    # The place of what is not there is the entry that lacks it: a line at or above it.
    return file, text, set(range(-1, i + 1)), (key,)


@kind
def no_value(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    before, key, _ = KEYED.match(lines_of(file)[i]).groups()
    return file, with_line(file, i, f"{before}{key}:"), {i}, (key,)


@kind
def list_for_text(chance):
    file = a_file(chance)
    i = chance.choice([
        i for i in keyed(file, value=True) if "sheet" not in lines_of(file)[i]
    ])  # fmt: skip
    before, key, after = KEYED.match(lines_of(file)[i]).groups()
    wrong = f"[{after.strip()}, {after.strip()}x]" if '"' not in after else "[1, 2]"
    wrong = wrong.replace("{", "").replace("}", "")
    return file, with_line(file, i, f"{before}{key}: {wrong}"), {i}, (key,)


@kind
def keys_for_text(chance):
    file, text = chance.choice([
        ("lab.yaml", "title:"), ("lab.yaml", "seed:"), ("lab.yaml", "instrument: wai"),
        ("sites/lab/ward.yaml", "encoding:"), ("sites/lab/ward.yaml", "rows:"),
        ("instruments/own-form.yaml", "items: 4"), ("instruments/own-form.yaml", "rater:"),
    ])  # fmt: skip
    i = line_of(file, text)
    before, key, _ = KEYED.match(lines_of(file)[i]).groups()
    return file, with_line(file, i, f"{before}{key}: {{a: b}}"), {i}, (key,)


@kind
def text_for_number(chance):
    file, text, wrong = chance.choice([
        ("lab.yaml", "seed:", "many"), ("lab.yaml", "seed:", "1.5"), ("lab.yaml", "seed:", '"42"'),
        ("lab.yaml", "simulated:", '"false"'), ("lab.yaml", "simulated:", "0"),
        ("sites/lab/ward.yaml", "header_row:", "first"),
        ("sites/lab/ward.yaml", "header_row:", "0"),
        ("instruments/own-form.yaml", "items: 4", "four"),
        ("instruments/own-form.yaml", "reversed_items:", "2"),
    ])  # fmt: skip
    i = line_of(file, text)
    before, key, _ = KEYED.match(lines_of(file)[i]).groups()
    return file, with_line(file, i, f"{before}{key}: {wrong}"), {i}, (key,)


@kind
def trap_of_yaml(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    before, key, _ = KEYED.match(lines_of(file)[i]).groups()
    trap = chance.choice(["NO", "no", "on", "Yes", "007", "1e5", "1:30", "2024-01-12", "0x1F",
                          "1_000", ".5", "off"])  # fmt: skip
    return file, with_line(file, i, f"{before}{key}: {trap}"), {i}, (trap, "in quotes")


@kind
def trap_in_a_list(chance):
    trap = chance.choice(["NO", "007", "1e5", "yes", "1:30"])
    file, text, new = chance.choice([
        ("lab.yaml", "sites:", f"sites: [ward, {trap}]"),
        ("sites/lab/ward.yaml", "missing:", f"    missing: [-9, {trap}]"),
        ("sites/lab/ward.yaml", "codes:", f"        codes: {{A: dropout, {trap}: completed}}"),
    ])  # fmt: skip
    i = line_of(file, text)
    return file, with_line(file, i, new), {i}, (trap, "in quotes")


@kind
def tab_for_blanks(chance):
    file = a_file(chance)
    indented = [i for i, line in enumerate(lines_of(file)) if line.startswith("  ")]
    i = chance.choice(indented)
    line = lines_of(file)[i]
    return file, with_line(file, i, "\t" + line.lstrip()), {i - 1, i, i + 1}, ("tab",)


@kind
def wrong_indentation(chance):
    file = a_file(chance)
    lines = lines_of(file)
    # The second or a later key of a block, moved out by one blank.
    possible = [
        i for i in range(2, len(lines) - 1)
        if KEYED.match(lines[i]) and lines[i].startswith("   ") and "- " not in lines[i]
        and len(lines[i - 1]) - len(lines[i - 1].lstrip()) == len(lines[i]) - len(lines[i].lstrip())
    ]  # fmt: skip
    if not possible:
        file = "sites/lab/ward.yaml"
        i = line_of(file, "client: patient")
    else:
        i = chance.choice(possible)
    line = lines_of(file)[i]
    return file, with_line(file, i, line[1:]), {i - 1, i, i + 1}, ("indent",)


@kind
def unknown_name(chance):
    file, text, old, new, near = chance.choice([
        ("lab.yaml", "sites:", "practice", "practise", "practice"),
        ("lab.yaml", "instrument: wai", "wai-sr-c", "wai-src", "wai-sr-c"),
        ("lab.yaml", "instrument: wai", "wai-sr-c", "phq9", "phq-9"),
        ("lab.yaml", "instrument: own", "own-form", "ownform", "own-form"),
        ("lab.yaml", "outcome: alliance", "alliance", "aliance", "alliance"),
        ("lab.yaml", "predictor:", "alliance", "aliance", "alliance"),
        ("lab.yaml", "predictors:", "alliance", "allyance", "alliance"),
        ("lab.yaml", "family: growth", "growth", "grwoth", "growth"),
        ("lab.yaml", "fixed:", "age_years", "age_yaers", "age_years"),
        ("lab.yaml", "fixed:", "age_years", "centre(age_years)", "center"),
        ("lab.yaml", "random_slopes:", "client", "clients", "client"),
        ("lab.yaml", "time: log", "log_weeks", "logweeks", "log_weeks"),
        ("lab.yaml", "event:", "dropout", "drop-out", "dropout"),
        ("sites/lab/ward.yaml", "alliance: wai", "alliance:", "aliance:", "alliance"),
    ])  # fmt: skip
    i = line_of(file, text)
    return file, with_line(file, i, lines_of(file)[i].replace(old, new, 1)), {i}, (near,)


@kind
def value_outside_the_list(chance):
    file, text, new, word = chance.choice([
        ("sites/lab/ward.yaml", "rows:", "    rows: sessions", "session"),
        ("sites/lab/ward.yaml", "format:", "    format: exel", "excel"),
        ("sites/lab/ward.yaml", "encoding:", "    encoding: utf8", "utf-8"),
        ("sites/lab/ward.yaml", "encoding:", "    encoding: latin1", "latin-1"),
        ("sites/lab/ward.yaml", "decimal:", '    decimal: ";"', "decimal"),
        ("sites/lab/ward.yaml", "dates:", "    dates: dd.mm.jjjj", "dates"),
        ("sites/lab/ward.yaml", "dates:", "    dates: yyyy", "dates"),
        ("sites/lab/ward.yaml", "type: number", "        type: numeric", "number"),
        ("sites/lab/ward.yaml", "codes:", "        codes: {A: abandoned, B: completed}", "dropout"),
        ("instruments/own-form.yaml", "rater:", "rater: patient", "client"),
        ("instruments/own-form.yaml", "direction:", "direction: higher-worse", "higher-is-worse"),
        ("instruments/own-form.yaml", "status:", "status: done", "ready"),
        ("lab.yaml", "cohort:", "cohort: my lab", "letters"),
        ("lab.yaml", "cohort:", "cohort: ../lab", "letters"),
        ("lab.yaml", "    time: log", "    time: weeks", "weeks_since_intake"),
    ])  # fmt: skip
    i = line_of(file, text)
    return file, with_line(file, i, new), {i}, (word,)


@kind
def pattern_without_its_place(chance):
    file, text, old, new, word = chance.choice([
        ("sites/lab/ward.yaml", "alliance: wai", "wai{item}", "wai_all", "{item}"),
        ("sites/lab/ward.yaml", "alliance: wai", "wai{item}", "wai{itm}", "{item}"),
        ("sites/lab/ward.yaml", "alliance: wai", "wai{item}", "s{session}wai{item}", "{item}"),
        ("sites/lab/practice.yaml", "pattern:", "session_{session}_arm_1", "session_arm_1",
         "{session}"),
        ("sites/lab/practice.yaml", "pattern:", "{session}", "{nr}", "{session}"),
        ("sites/lab/practice.yaml", "items: wai", "wai_{item}", "wai_{item}_{item}", "{item}"),
        ("sites/lab/ward.yaml", "date: day", "day", "day{session}", "no {...}"),
    ])  # fmt: skip
    i = line_of(file, text)
    return file, with_line(file, i, lines_of(file)[i].replace(old, new, 1)), {i}, (word,)


@kind
def key_at_the_wrong_level(chance):
    file, text, to, indent = chance.choice([
        ("sites/lab/ward.yaml", "dates:", 1, ""), ("sites/lab/ward.yaml", "encoding:", 1, ""),
        ("sites/lab/ward.yaml", "missing:", 1, ""), ("lab.yaml", "label: Alliance", 4, ""),
        ("lab.yaml", "family: growth", 4, ""), ("lab.yaml", "random_slopes:", 4, ""),
        ("lab.yaml", "event:", 1, ""), ("sites/lab/practice.yaml", "week: week", 3, "    "),
        ("sites/lab/practice.yaml", "about_client:", 3, "    "),
    ])  # fmt: skip
    i = line_of(file, text)
    lines = lines_of(file)
    moved = indent + lines[i].strip()
    key = moved.strip().split(":")[0]
    del lines[i]
    lines.insert(to, moved)
    return file, "\n".join(lines), {to}, (key,)


@kind
def keys_that_do_not_go_together(chance):
    file, text, new, word = chance.choice([
        ("sites/lab/ward.yaml", "format:", "    format: excel", "only a CSV file"),
        ("sites/lab/ward.yaml", "    session: number", "    item: number", "session"),
        ("sites/lab/ward.yaml", "    rows: session", "    rows: client", "session"),
        ("sites/lab/practice.yaml", "sheet:", "    session: nr", "session"),
        ("sites/lab/practice.yaml", "items: [s1", "        items: [s1, s2, s3]", "4 items"),
        ("sites/lab/practice.yaml", "items: [s1", "        items: [s1, s2, s3, s3]", "twice"),
        ("sites/lab/ward.yaml", "type: number", "        type: category", "number"),
        ("sites/lab/ward.yaml", "site:", "site: wards", "file"),
        ("lab.yaml", "outcome: symptoms", "    outcome: alliance", "same measure"),
        ("lab.yaml", "fixed:", "    fixed: [alliance_within]", "outcome"),
        ("instruments/own-form.yaml", "reversed_items: [", "reversed_items: [7]", "beyond"),
        ("instruments/own-form.yaml", "answers:", "answers: {lowest: 3, highest: 0}", "lowest"),
        ("instruments/own-form.yaml", "total:", "  total: {items: [1, 1, 2], rule: sum}", "twice"),
        ("instruments/own-form.yaml", "id:", "id: other", "file"),
    ])  # fmt: skip
    i = line_of(file, text)
    near = {i}
    if ("session" in new and "rows" in new) or word == "session":
        near = {line_of(file, "  - file"), i, i + 1, i + 2, line_of(file, "rows:")}
        near |= {k for k, line in enumerate(lines_of(file)) if "session" in line or "{" in line}
    if word == "only a CSV file":
        near = {line_of(file, "delimiter:"), line_of(file, "encoding:")}
    if word == "number":
        near |= {line_of("sites/lab/practice.yaml", "age_years:"), i - 2, i - 1}
    if word == "same measure":
        near |= {i - 3, i - 2, i - 1}
    return file, with_line(file, i, new), near, (word,)


@kind
def missing_file(chance):
    name = chance.choice(["sites/lab/ward.yaml", "sites/lab/practice.yaml",
                          "instruments/own-form.yaml"])  # fmt: skip
    return name, None, {line_of("lab.yaml", "sites:"), line_of("lab.yaml", "own-form")}, ()


@kind
def not_utf8(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    line = lines_of(file)[i]
    text = with_line(file, i, line + " # für").encode("latin-1")
    return file, text, {i}, ("UTF-8",)


@kind
def anchor_alias_tag(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    before, key, after = KEYED.match(lines_of(file)[i]).groups()
    sign = chance.choice(["&a", "!!str", "!!python/name:os.system", "!x"])
    return file, with_line(file, i, f"{before}{key}: {sign}{after}"), {i}, ("not read",)


@kind
def bomb(chance):
    file = a_file(chance)
    which = chance.randrange(3)
    if which == 0:
        return file, "[" * 200 + "]" * 200, {0}, ("nested",)
    if which == 1:
        return file, FILES[file] + "#" * 300_000, set(), ("too many",)
    text = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9)) + FILES[file]
    return file, text, {0}, ("not read",)


@kind
def never_closed(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    before, key, after = KEYED.match(lines_of(file)[i]).groups()
    sign = chance.choice(['"', "[", "{", "'"])
    wrong = f"{before}{key}: {sign}{after.strip()}"
    return file, with_line(file, i, wrong), set(range(i - 1, 99)), ()


@kind
def colon_in_text(chance):
    file, text, new = chance.choice([
        ("lab.yaml", "title:", "title: Alliance: three clinics"),
        ("sites/lab/ward.yaml", "title:", "title: Ward: north"),
        ("sites/lab/ward.yaml", "client: patient", "    client: patient: id"),
        ("instruments/own-form.yaml", "name:", "name: Form: our own"),
    ])  # fmt: skip
    i = line_of(file, text)
    return file, with_line(file, i, new), {i}, ("colon", "quotes")


@kind
def no_colon_or_no_blank(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    before, key, after = KEYED.match(lines_of(file)[i]).groups()
    wrong = f"{before}{key}{after}" if chance.random() < 0.5 else f"{before}{key}:{after.strip()}"
    return file, with_line(file, i, wrong), {i - 1, i, i + 1}, ()


@kind
def control_character(chance):
    file = a_file(chance)
    i = chance.choice(keyed(file, value=True))
    return file, with_line(file, i, lines_of(file)[i] + "\x07"), {i - 1, i, i + 1}, ("control",)


@kind
def two_documents(chance):
    file = a_file(chance)
    i = chance.choice([k for k in keyed(file) if not lines_of(file)[k].startswith(" ")][1:] or [1])
    return file, with_line(file, i, "---", lines_of(file)[i]), {i}, ("---",)


@kind
def empty_file(chance):
    file = a_file(chance)
    return file, chance.choice(["", "\n\n", "# nothing yet\n"]), {0}, ("empty",)


@kind
def a_list_for_a_file(chance):
    file = a_file(chance)
    text = "".join(f"- {line}\n" for line in ("cohort", "title", "sites"))
    return file, text, {0}, ("keys",)


def broken(seed: int) -> Mistake:
    """Return the configuration with one mistake, its kind by turns."""
    chance = random.Random(seed)
    name = list(KINDS)[seed % len(KINDS)]
    file, text, lines, words = KINDS[name](chance)
    content: dict[str, bytes | None] = {key: value.encode() for key, value in FILES.items()}
    content[file] = text.encode() if isinstance(text, str) else text
    told_in = "lab.yaml" if text is None else file
    if "number" in words and name == "keys_that_do_not_go_together":
        told_in = "sites/lab/practice.yaml"  # it differs from the other site's, read first
    return Mistake(name, content, told_in, frozenset(i + 1 for i in lines), words)


def write(files: dict[str, bytes | None], folder: Path) -> Path:
    """Write the files; return the cohort's config."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(data)
    return folder / "lab.yaml"
