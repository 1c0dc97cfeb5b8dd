"""One page on a results folder: what was checked, what was found, what could not be checked.

Runs in plain Python on the folder alone; `alliance.audit.refit` adds what needs libraries and
data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alliance import files
from alliance.audit.parts import Part
from alliance.audit.printed import LISTS
from alliance.audit.whole import Wholeness, wholeness
from alliance.findings.check import differences
from alliance.findings.check_word import differences_of_word
from alliance.findings.compare import entries_of
from alliance.findings.fields import Sources
from alliance.findings.formats import clean_text
from alliance.findings.printed import Page
from alliance.findings.read_html import read_page
from alliance.findings.read_word import read_word
from alliance.findings.statcheck import statcheck
from alliance.findings.statcheck_printed import statcheck_printed

DESCRIPTIONS = ("measurement.json", "change.json", "dropout.json")
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, what is wrong, what could not be looked at."""

    name: str
    looked_at: str
    wrong: Sequence[str] = ()
    not_checked: Sequence[str] = field(default=())


def checks_of(results: str | Path) -> list[Check]:
    """Return every check that needs nothing but Python and the folder.

    Parameters
    ----------
    results
        `results/<cohort>`, in its project or alone.
    """
    results = Path(results)
    sources = Sources(results)
    found = [_whole(wholeness(results))]
    for check in (_record, _printed, _tests, _fits):
        found.append(safely(check, sources))
    return found


def as_parts(checks: Sequence[Check], results: Path) -> list[Part]:
    """Return the certificate, in parts."""
    record = results / "audit" / "outputs.json"
    seal = files.sha256_of(record) if record.is_file() else "there is no record"
    wrong = [(check.name, told) for check in checks for told in check.wrong]
    absent = [(check.name, told) for check in checks for told in check.not_checked]
    verdict = f"{len(wrong)} things are wrong" if wrong else "nothing that was checked is wrong"
    return [
        Part("Certificate", [("folder", results.name), ("seal", seal), ("verdict", verdict)]),
        Part("Checked", [(check.name, check.looked_at) for check in checks]),
        *([Part("Wrong", wrong)] if wrong else []),
        Part("Not checked", [*absent, *ALWAYS]),
    ]


# What no check of a folder can say; `seal` is what a copy kept elsewhere is compared with.
ALWAYS = (
    ("seal", "that these are the results that were published: compare the seal with theirs"),
    ("raw files", "that they are what the sites exported"),
)


def safely(check: Callable[[Any], Check], folder: Sources | Path) -> Check:
    """Run a check of a folder; what it cannot even read is wrong."""
    try:
        return check(folder)
    except UNREADABLE as error:
        name = check.__name__.strip("_")
        return Check(name, "stopped", [f"cannot be read ({type(error).__name__})"])


def _whole(found: Wholeness) -> Check:
    absent = [f"{len(found.absent)} files of the data, which are not here"] if found.absent else []
    looked_at = f"{found.compared} files against two records of their hashes"
    return Check("files", looked_at, [clean_text(told) for told in found.wrong], absent)


def _record(sources: Sources) -> Check:
    """Check that the configuration beside the results is the one that the run recorded."""
    run = sources.look_up("audit/run.json#")
    text = run["config_text"]
    wrong = []
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != run["config_sha256"]:
        wrong.append("audit/run.json: the text of the configuration has another hash")
    beside = (sources.folder / "run_config.yaml").read_text(encoding="utf-8")
    if beside.partition("\n")[2] != text:
        wrong.append("run_config.yaml: it is not the configuration that the run recorded")
    return Check("configuration", "text and hash of the run's configuration", wrong)


def _printed(sources: Sources) -> Check:
    """Check every printed number of every document against its file, and every test in print."""
    wrong, n_numbers, n_tests, documents, absent = [], 0, 0, 0, 0
    for document, listed in _documents(sources):
        entries = [entry for entry in listed if _is_here(entry["source"], sources)]
        absent += len(listed) - len(entries)
        page, told = _read(sources.folder / document, entries, sources)
        tests = statcheck_printed(page, sources)
        wrong += [f"{document}: {sentence}" for sentence in (*told, *tests.disagreements)]
        documents += 1
        n_numbers += len(page.printed)
        n_tests += tests.recomputed
    looked_at = f"{n_numbers} in {documents} documents; {n_tests} tests as printed"
    left = [f"{absent} numbers whose file lies with the data, which are not here"] if absent else []
    return Check("printed numbers", looked_at, wrong, left)


def _is_here(source: str, sources: Sources) -> bool:
    """Say whether a number's file can be asked: those beside the results may have stayed behind."""
    return not source.startswith("../") or (sources.folder / source).is_file()


def _documents(sources: Sources) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for path in sorted(sources.folder.glob(LISTS)):
        listed = sources.look_up(f"{path.relative_to(sources.folder).as_posix()}#")
        for document in dict.fromkeys(entry["document"] for entry in listed["findings"]):
            yield document, entries_of(listed, document)


def _read(
    path: Path, entries: Sequence[Mapping[str, Any]], sources: Sources
) -> tuple[Page, list[str]]:
    try:
        if path.suffix == ".docx":
            page = read_word(path.read_bytes())
        else:
            page = read_page(path.read_text(encoding="utf-8"))
        page.printed = [p for p in page.printed if _is_here(p.address.partition("#")[0], sources)]
        if path.suffix == ".docx":
            return page, differences_of_word(page, entries, sources)
        return page, differences(page, entries, sources)
    except UNREADABLE as error:
        return Page(), [f"it cannot be read ({type(error).__name__})"]


def _tests(sources: Sources) -> Check:
    """Recompute p, interval and ratio of every test in the files from its parts."""
    wrong, n, left = [], 0, []
    for name in [*_fit_files(sources), *DESCRIPTIONS]:
        if (sources.folder / name).is_file():
            tally = statcheck(sources.look_up(f"{name}#"), name)
            n += tally.recomputed
            wrong += tally.disagreements
            left += tally.not_recomputed
    parts = [f"{len(left)} tests whose statistic is not in the file, only p"] if left else []
    return Check("tests", f"{n} recomputed from statistic and degrees of freedom", wrong, parts)


def _fits(sources: Sources) -> Check:
    """Check that the rows of each fit add up, and that all rest on one panel."""
    wrong, panels = [], {}
    names = _fit_files(sources)
    for name in names:
        data = sources.look_up(f"{name}#/data")
        total = data["rows_used"] + sum(entry["rows"] for entry in data["left_out"])
        if total != data["rows_in_panel"]:
            wrong.append(f"{name}: rows used and left out do not add up to the rows of the panel")
        panels[data["panel_sha256"]] = name
    if len(panels) > 1:
        wrong.append(f"fits rest on different panels: {', '.join(sorted(panels.values()))}")
    return Check("fits", f"rows of {len(names)} fits", wrong)


def _fit_files(sources: Sources) -> list[str]:
    return [f"fits/{path.name}" for path in sorted((sources.folder / "fits").glob("*.json"))]
