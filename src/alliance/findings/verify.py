"""Check every printed number of a cohort, and stop the run if one is not what its file says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alliance import files
from alliance.errors import ReportError
from alliance.findings.check import differences
from alliance.findings.check_word import differences_of_word
from alliance.findings.compare import entries_of
from alliance.findings.fields import Sources
from alliance.findings.printed import Page
from alliance.findings.read_html import read_page
from alliance.findings.read_word import read_word
from alliance.findings.same_words import unlike
from alliance.findings.statcheck import Tally, statcheck
from alliance.findings.statcheck_printed import statcheck_printed

MOST_TOLD = 20  # differences named on the screen; the file has all of them


@dataclass(frozen=True, slots=True)
class Line:
    """A line of `printed_numbers.csv`: one document, fit or description."""

    file: str
    kind: str
    findings: int | None
    differences: int | None
    tests_recomputed: int
    tests_not_recomputed: int
    disagreements: int


def verify(
    *,
    documents: Mapping[str, str | None],
    fits: Sequence[str | Path],
    further: Sequence[str | Path] = (),
    same_words: Mapping[str, str] | None = None,
    contradictions: Sequence[str] = (),
    results_folder: str | Path,
    out: str | Path,
) -> None:
    """Check all documents of a cohort against lists and files, and all tests against themselves.

    Parameters
    ----------
    documents
        Each page (`.html`) or Word document (`.docx`) and the list with its findings, both relative
        to `results_folder`; None for a page without a list: its elements say where they come from.
    fits, further
        The JSON files of the fits and of descriptions with tests.
    same_words
        Each Markdown file and the document of the same text that vouches for its numbers.
    contradictions
        Where two numbers of one concept disagree (`alliance.consistency`).
    results_folder
        `results/<cohort>`.
    out
        Where the counts are written: `checks/printed_numbers.csv`. If something differs, every
        difference is written beside it (`printed_numbers_wrong.csv`), since the workflow takes the
        file away when this step fails.

    Raises
    ------
    ReportError
        What differs, in plain words.
    """
    sources = Sources(results_folder)
    lines: list[Line] = []
    told: list[tuple[str, str]] = []
    pages: dict[str, Page] = {}
    for document, listed in documents.items():
        wrong, pages[document] = _document(document, listed, sources)
        tests = statcheck_printed(pages[document], sources)
        lines.append(_line(document, "document", tests, len(pages[document].printed), len(wrong)))
        told += [(document, sentence) for sentence in (*wrong, *tests.disagreements)]
    for kind, paths in (("fit", fits), ("description", further)):
        for path in paths:
            name = Path(path).resolve().relative_to(Path(results_folder).resolve()).as_posix()
            tests = statcheck(sources.look_up(name), name)
            lines.append(_line(name, kind, tests))
            told += [(name, sentence) for sentence in tests.disagreements]
    told += _unlisted(documents, sources)
    told += _other_words(same_words or {}, pages, sources)
    told += [("two numbers of one concept", sentence) for sentence in contradictions]
    files.write_text(_csv([asdict(line) for line in lines]), out)
    _stop_if_wrong(told, Path(out))


def _document(document: str, listed: str | None, sources: Sources) -> tuple[list[str], Page]:
    """Return what differs in a document, and what a reader of it sees."""
    path = sources.folder / document
    try:
        entries = entries_of(sources.look_up(listed), document) if listed else None
        if path.suffix == ".docx":
            page = read_word(path.read_bytes())
            return differences_of_word(page, entries or [], sources), page
        page = read_page(path.read_text(encoding="utf-8"))
        return differences(page, entries, sources), page
    except (OSError, ValueError, LookupError) as error:
        return [f"it cannot be checked: {error}"], Page()


def _line(
    file: str, kind: str, tests: Tally, findings: int | None = None, wrong: int | None = None
) -> Line:
    return Line(
        file=file,
        kind=kind,
        findings=findings,
        differences=wrong,
        tests_recomputed=tests.recomputed,
        tests_not_recomputed=len(tests.not_recomputed),
        disagreements=len(tests.disagreements),
    )


def _unlisted(documents: Mapping[str, str | None], sources: Sources) -> Iterator[tuple[str, str]]:
    """Say which list has findings of a document that is not among those checked."""
    for listed in dict.fromkeys(filter(None, documents.values())):
        try:
            entries = sources.look_up(listed)["findings"]
        except (OSError, ValueError, LookupError):
            continue  # said of its documents already
        named = {entry.get("document") for entry in entries} - {None, *documents}
        yield from (
            (listed, f"{name} is in the list, but was not checked") for name in sorted(named)
        )


def _other_words(
    same_words: Mapping[str, str], pages: Mapping[str, Page], sources: Sources
) -> Iterator[tuple[str, str]]:
    for markdown, document in same_words.items():
        text = (sources.folder / markdown).read_text(encoding="utf-8")
        yield from ((markdown, sentence) for sentence in unlike(text, pages[document].words))


def _stop_if_wrong(told: list[tuple[str, str]], out: Path) -> None:
    full_list = out.with_name(f"{out.stem}_wrong.csv")
    if not told:
        full_list.unlink(missing_ok=True)
        return
    files.write_text(_csv([{"file": name, "difference": text} for name, text in told]), full_list)
    shown = "\n".join(f"- {name}: {sentence}" for name, sentence in told[:MOST_TOLD])
    msg = (
        "What is printed is not what the files say, so that the report must not be used "
        f"({len(told)} {'difference' if len(told) == 1 else 'differences'}; the whole list is "
        f"{full_list}):\n{shown}\n"
        "If nobody changed a file by hand, this is a defect of the program; please report it. "
        "Otherwise run the same command again: changed files are made anew."
    )
    raise ReportError(msg)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: files.inert_text(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()
