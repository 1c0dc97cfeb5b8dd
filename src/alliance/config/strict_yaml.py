"""Read YAML without surprises: safe, strict, with the line of every key.

Ordinary YAML turns `NO` into false, `007` into 7 and `1:30` into 90, lets a second `seed:` win in
silence, and can run code by tags or grow without bound by aliases. Here each of these is an error
in plain words, all of them in one pass, and every key remembers its line for later messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from alliance.errors import ConfigError

MOST_TOLD = 50  # problems of a file that are told one by one
MAX_BYTES = 256_000
MAX_DEPTH = 30

KeyPath = tuple[str | int, ...]

# libyaml where the wheel has it (ten times faster, same events), else the same loader in Python.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_BOOLEAN_LIKE = re.compile(r"(?i:yes|no|on|off|y|n|true|false)")
_NUMBER_LIKE = (
    (re.compile(r"[-+]?0[0-9_]+"), "would lose its leading zero"),
    (re.compile(r"[-+]?0[xob][0-9a-fA-F_]+"), "would be turned into another number"),
    (re.compile(r"[-+]?[0-9]*[0-9_]*_[0-9_.]*[0-9]"), "would lose its underscore"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "would be turned into seconds"),
    (
        re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+"),
        "would be turned into a number",
    ),
    (re.compile(r"[-+]?([0-9]+\.|\.[0-9]+)"), "would be turned into a number"),
    (re.compile(r"[-+]?\.(?i:inf|nan)"), "would be turned into a number"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "would be turned into a date"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a YAML file: the key path, its line, and a sentence.

    `missing` is the valid key that is not there, `meant` the one that an unknown key is nearest to.
    """

    path: KeyPath
    line: int
    message: str
    missing: str = ""
    meant: str = ""


class UnreadableYamlError(ConfigError):
    """A file of which nothing can be judged: missing, no YAML at all, too large or too deep.

    Attributes
    ----------
    problem
        What is wrong, and on which line.
    """

    def __init__(self, name: str, message: str, line: int | None = None) -> None:
        where = name if line is None else f"{name}, line {line}"
        super().__init__(f"{where}: {message}.")
        self.problem = Problem((), line or 1, message)


@dataclass(slots=True)
class Document:
    """A YAML file as plain data, with the line of every key.

    Attributes
    ----------
    name
        The file as the user named it.
    content
        Mappings, lists, text, numbers, true/false and None; the keys of mappings are always text.
    lines
        The line (from 1) of each key path.
    problems
        What strictness found; the reading of `content` at these places is a best guess.
    """

    name: str
    content: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int:
        """Return the line of a key path, or of its nearest parent that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """Return a problem at the line of `path`."""
        return Problem(path, self.line_of(path), message)


def read(path: str | Path) -> Document:
    """Read a YAML file; what strictness finds stands in `Document.problems`.

    Raises
    ------
    UnreadableYamlError
        The file is missing, no YAML at all, too large or too deep: nothing in it can be judged.
    """
    path = Path(path)
    name = path.as_posix()
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except FileNotFoundError:
        raise UnreadableYamlError(name, "there is no such file") from None
    except OSError as error:
        told = f"the file cannot be read ({error.strerror})"
        raise UnreadableYamlError(name, told) from None
    if size > MAX_BYTES:
        told = f"{size:,} bytes are too many for a configuration file (at most {MAX_BYTES:,})"
        raise UnreadableYamlError(name, told)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        told = "the file is not UTF-8; save it as UTF-8 in your editor"
        raise UnreadableYamlError(name, told, line) from None
    return parse(text, name)


def load(path: str | Path) -> Any:
    """Return the content of a YAML file, or raise one ConfigError with every problem."""
    document = read(path)
    if document.problems:
        raise ConfigError(message_of([(document.name, document.problems)]))
    return document.content


def parse(text: str, name: str) -> Document:
    """Read YAML text; `name` is what messages call it."""
    document = Document(name)
    try:
        events = yaml.parse(text, Loader=_LOADER)
        _Builder(document, events).build()
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, name) from None
    return document


def message_of(problems_of_files: list[tuple[str, list[Problem]]]) -> str:
    """Return one message for the problems of one or several files, in the order of lines."""
    count = sum(len(problems) for _, problems in problems_of_files)
    opening = "1 problem" if count == 1 else f"{count} problems"
    lines = [f"The configuration is not right yet ({opening}); nothing was run."]
    for name, problems in problems_of_files:
        if problems:
            lines.append(f"{name}:")
        in_order = sorted(problems, key=lambda p: (p.line, str(p.path), p.message))
        for problem in in_order[:MOST_TOLD]:
            where = shown(problem.path)
            lines.append(f"  line {problem.line}{', ' + where if where else ''}: {problem.message}")
        if len(problems) > MOST_TOLD:
            lines.append(f"  and {len(problems) - MOST_TOLD:,} more problems further down")
    return "\n".join(lines)


def shown(path: KeyPath) -> str:
    """Return a key path as messages print it; the places in a list count from 1."""
    return " → ".join(f"entry {step + 1}" if isinstance(step, int) else step for step in path)


class _Builder:
    """Turns the parser's events into plain data, counting depth and remembering lines."""

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self.document = document
        self.events = events

    def build(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.complain(
                        (), event, "a second document begins here (`---`); keep one a file"
                    )
                    return
            elif isinstance(event, yaml.NodeEvent):
                self.document.content = self.value(event, (), 0)

    def complain(self, path: KeyPath, event: Any, message: str) -> None:
        self.document.problems.append(Problem(path, event.start_mark.line + 1, message))

    def value(self, event: Any, path: KeyPath, depth: int) -> Any:
        self.document.lines.setdefault(path, event.start_mark.line + 1)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1
            raise UnreadableYamlError(self.document.name, "nested too deeply", line)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self.complain(path, event, "anchors (&) and aliases (*) are not read; write it out")
        if isinstance(event, yaml.AliasEvent):
            return None
        if event.tag is not None and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            self.complain(path, event, "tags (a word after !) are not read; take it out")
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(path, depth)
        return self.scalar(event, path)

    def sequence(self, path: KeyPath, depth: int) -> list[Any]:
        entries: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            entries.append(self.value(event, (*path, len(entries)), depth + 1))
        return entries

    def mapping(self, path: KeyPath, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.key(event, path)
            inside = (*path, key)
            if key in entries:
                first = self.document.line_of(inside)
                self.complain(
                    inside, event, f"this key stands here a second time (first: line {first})"
                )
            else:
                self.document.lines[inside] = event.start_mark.line + 1
            value = self.value(next(self.events), inside, depth + 1)
            entries.setdefault(key, value)
        return entries

    def key(self, event: Any, path: KeyPath) -> str:
        """Return a key: always text, so that `1: female` maps the text 1."""
        if not isinstance(event, yaml.ScalarEvent):
            line = event.start_mark.line + 1
            raise UnreadableYamlError(self.document.name, "a key must be plain text", line)
        if event.anchor is not None or event.tag not in (None, "!"):
            self.complain((*path, event.value), event, "anchors (&) and tags (!) are not read")
        elif event.implicit[0] and event.value == "<<":
            self.complain((*path, "<<"), event, "merge keys (<<) are not read; write it out")
        elif event.implicit[0]:
            self.scalar(event, (*path, event.value))
        return str(event.value)

    def scalar(self, event: Any, path: KeyPath) -> Any:
        text = event.value
        if not event.implicit[0]:  # in quotes or as a block: always text
            return text
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        if text in ("true", "false"):
            return text == "true"
        if _INTEGER.fullmatch(text):
            # Beyond this the digits could not be trusted anyway, and int() of a megabyte is slow.
            return int(text) if len(text) <= 18 else text
        if _DECIMAL.fullmatch(text):
            return float(text)
        if _BOOLEAN_LIKE.fullmatch(text):
            self.complain(path, event, f'{text} would be read as true or false; write "{text}"'
                          " in quotes for the text, or true / false")  # fmt: skip
        for pattern, consequence in _NUMBER_LIKE:
            if pattern.fullmatch(text):
                self.complain(path, event, f'{text} {consequence}; write "{text}" in quotes')
                break
        return text


# What PyYAML calls a mistake, and what to look for.
_ADVICE = (
    (
        ("mapping values are not allowed",),
        "a colon stands inside plain text (write it in quotes), or the line is indented too far",
    ),
    (
        ("could not find expected ':'", "did not find expected key"),
        "a key without a colon, or a line that is indented too much or too little",
    ),
    (
        ("block end", "block mapping", "'-' indicator"),
        "the indentation does not fit the lines above",
    ),
    (
        ("quoted scalar", "end of stream"),
        "a quotation mark or bracket is opened and never closed",
    ),
    (
        ("special characters", "control characters"),
        "a control character stands in the text; take it out",
    ),
)


def _syntax_error(error: yaml.YAMLError, text: str, name: str) -> UnreadableYamlError:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
    line = mark.line + 1 if mark is not None else _line_of_bad_character(error, text)
    if "\\t" in problem or "tab" in problem or _has_tab(text, line):
        advice = "a tab stands at the beginning of the line, where YAML wants blanks; replace it"
    else:
        found = (told for signs, told in _ADVICE if any(sign in problem for sign in signs))
        advice = next(found, "look for a missing colon, bracket or quotation mark here or on the "
                             "line above")  # fmt: skip
    return UnreadableYamlError(name, f"this is not valid YAML: {advice}", line)


def _has_tab(text: str, line: int) -> bool:
    """Whether a tab stands in the indentation of a line (counted from 1)."""
    lines = text.split("\n")
    return line <= len(lines) and bool(re.match(r"[ -]*\t", lines[line - 1]))


def _line_of_bad_character(error: yaml.YAMLError, text: str) -> int:
    position = getattr(error, "position", None)
    return text[:position].count("\n") + 1 if isinstance(position, int) else 1
