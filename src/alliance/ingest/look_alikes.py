"""Tell what looks alike: ids kept as two, categories kept as two, texts read as the mapping's word.

No message shows a text of the data: it says where the texts stand and in which kind of sign they
differ. The ids themselves go to the private folder, as lines that can be copied into the mapping.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from alliance import files
from alliance.ingest import parse
from alliance.ingest.layouts.cells import therapist_ids
from alliance.ingest.people import look_alikes
from alliance.ingest.problems import Place, Problems, rows_where
from alliance.ingest.reading import Reading
from alliance.ingest.rules import RULES
from alliance.likeness import TRIMMED, Words, difference, seen

_OPENING = """\
# Ids of {site} that look alike, as the last check found them. They are kept apart.
# Where two spellings are one, copy the line into the site's mapping: the second spelling is kept.
# These are ids of persons: this file stays in the private folder.
same_as:
"""


class _Ids(NamedTuple):
    """A column of ids, and where it stands."""

    reading: Reading
    column: str
    ids: pd.Series
    raw: pd.Series


def note_ids(readings: list[Reading], problems: Problems) -> None:
    """Note the ids of clients, therapists and sites that look like another one of the same site."""
    for kind, columns in (
        ("client", list(_client_columns(readings))),
        ("therapist", list(_therapist_columns(readings))),
        ("site", list(_site_columns(readings))),
    ):
        _note_alike(kind, columns, problems)
        _note_unused(kind, columns, problems)


def _client_columns(readings: list[Reading]) -> Iterator[_Ids]:
    for reading in readings:
        column = reading.table["client"]
        yield _Ids(reading, column, reading.own_id, reading.cells(column))


def _therapist_columns(readings: list[Reading]) -> Iterator[_Ids]:
    for reading in readings:
        fact = reading.table["client_facts"].get("therapist")
        of_sessions = reading.columns.session_facts.get("therapist", {}).values()
        for column in ([fact["column"]] if fact else []) + list(of_sessions):
            yield _Ids(reading, column, therapist_ids(reading, column), reading.cells(column))


def _site_columns(readings: list[Reading]) -> Iterator[_Ids]:
    for reading in readings:
        given = reading.table["site"]
        if given is not None:
            yield _Ids(reading, given["column"], reading.site, reading.cells(given["column"]))


def _note_alike(kind: str, columns: list[_Ids], problems: Problems) -> None:
    firsts = []
    for at, (reading, _, ids, _) in enumerate(columns):
        site = "" if kind == "site" else reading.site
        own = pd.DataFrame({"site": site, "id": ids, "row": reading.raw.rows, "at": at})
        told = reading.alive
        if kind == "client":  # ten million answers are of few clients
            told[told] = ~pd.Series(reading.client[told]).duplicated().to_numpy()
        firsts.append(own[told].dropna().drop_duplicates(["site", "id"]))
    if not firsts:
        return
    first = pd.concat(firsts, ignore_index=True).drop_duplicates(["site", "id"])
    pairs = zip(first["site"].astype(str), first["id"].astype(str), strict=True)
    place_of = dict(zip(pairs, zip(first["at"], map(int, first["row"]), strict=True), strict=True))
    rows_by_kind: dict[tuple[int, str], list[int]] = {}
    for group in look_alikes(place_of):
        for pair in group:
            other = group[0] if pair is not group[0] else group[1]
            at, row = place_of[pair]
            rows_by_kind.setdefault((at, difference(pair[1], other[1])), []).append(row)
    for (at, differs), rows in rows_by_kind.items():
        reading, column, _, _ = columns[at]
        evidence = f"this {kind}'s differs from another one in {differs}" if differs else None
        problems.add(
            "look-alike-id",
            reading.place("clients"),
            rows=sorted(rows),
            column=column,
            expected=evidence and f"{_expected('look-alike-id')}; {evidence}",
        )


def _note_unused(kind: str, columns: list[_Ids], problems: Problems) -> None:
    """Note spellings of `same_as` that stand nowhere."""
    if not columns:
        return
    left = set(columns[0].reading.table["same_as"][kind])
    for _, _, _, raw in columns:
        left -= set(raw.dropna().unique()) if left else set()
    if left:
        place = columns[0].reading.place("clients")
        problems.add_finding(
            "same-as-unused", place, None, f"{len(left)} under `{kind}` stand nowhere"
        )


def note_categories(readings: list[Reading], problems: Problems) -> None:
    """Note words of a fact without `codes` that look like another one of the site's."""
    facts = {
        name
        for reading in readings
        for name, fact in reading.table["client_facts"].items()
        if fact["type"] == "category" and name != "therapist"
    }
    for name in sorted(facts):
        told_in = [reading for reading in readings if name in reading.table["client_facts"]]
        counts: Counter[str] = Counter()
        words_in = [_words(reading, name) for reading in told_in]
        for words in words_in:
            counts.update({str(word): n for word, n in words.value_counts().items()})
        for group in look_alikes(("", word) for word in counts):
            spellings = sorted((word for _, word in group), key=lambda word: (-counts[word], word))
            for rare in spellings[1:]:
                at = next(i for i, words in enumerate(words_in) if (words == rare).any())
                reading, is_rare = told_in[at], (words_in[at] == rare).fillna(False)
                differs = difference(rare, spellings[0]) or "signs that look alike"
                problems.add(
                    "look-alike-category",
                    reading.place("clients"),
                    rows=rows_where(is_rare, reading.raw.rows)[:1],
                    column=reading.table["client_facts"][name]["column"],
                    rows_affected=counts[rare],
                    expected=f"{_expected('look-alike-category')}; this one differs from a more"
                    f" frequent one in {differs}",
                )


def between_sites(clients: pd.DataFrame) -> pd.DataFrame:
    """Return a problem for each site whose words for a fact look like another site's.

    `clients` is the table of all sites; each site alone may spell its words in one way.
    """
    ours = ("site", "client", "therapist", "end_status")
    found = []
    for name in clients.columns.difference(list(ours)):
        if clients[name].dtype.kind in "fiu" or clients["site"].nunique() < 2:
            continue
        sites = clients.dropna(subset=name).groupby(name)["site"].unique()
        for group in look_alikes(("", str(word)) for word in sites.index):
            spellings = sorted((w for _, w in group), key=lambda w: (-len(sites[w]), w))
            for rare in spellings[1:]:
                for site in set(sites[rare]) - set(sites[spellings[0]]):
                    problems = Problems(str(site))
                    how = difference(rare, spellings[0]) or "signs that look alike"
                    evidence = f"a word for {name} differs from another site's in {how}"
                    place = Place("(all files)", None, "clients")
                    problems.add_finding("look-alike-category", place, None, evidence)
                    found.append(problems.table())
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _words(reading: Reading, name: str) -> pd.Series:
    """Return the category of each kept row."""
    fact = reading.table["client_facts"][name]
    labels = reading.raw.labels.get(fact["column"])
    parser = parse.code_parser(fact["codes"], labels)
    return parse.words_by_unique(reading.cells(fact["column"]).where(reading.alive), parser)


def note_words(reading: Reading) -> None:
    """Note where texts were read as words of the mapping that they merely look like."""
    told: dict[tuple[str, str], tuple[str, int]] = {}
    for what, column, words, labelled in _words_of_mapping(reading):
        counts = reading.cells(column).str.strip(TRIMMED).value_counts()
        for text, n in counts.items():
            word = None if str(text) in words.exact else words.find(str(text))
            if word is not None and text not in labelled:
                key = (what, difference(str(text), word))
                first, before = told.get(key, (column, 0))
                told[key] = (first, before + int(n))
    for (_, differs), (column, n) in told.items():
        evidence = f"{n:,} cells differ from a text of the mapping in {differs}"
        reading.problems.add_finding(
            "look-alike-word", reading.place(), column, evidence, rows_affected=n
        )


def _words_of_mapping(
    reading: Reading,
) -> Iterator[tuple[str, str, Words, Collection[str]]]:
    """Yield what is told, its column, the mapping's words for it, and codes with a label there."""
    table = reading.table
    for name, fact in table["client_facts"].items():
        if fact["codes"]:
            labels = reading.raw.labels.get(fact["column"], {})
            yield name, fact["column"], Words(fact["codes"]), labels
    for name, measure in table["measures"].items():
        if measure["codes"]:
            columns = [entry.column for entry in reading.columns.items.get(name, [])]
            for column in columns or [table["answer"]]:
                yield name, column, Words(measure["codes"]), ()
    if table["form"] is not None:
        forms = [measure["form"] for measure in table["measures"].values()]
        yield "form", table["form"], Words([*forms, *table["ignore_forms"]]), ()
    session = table["session"]
    if session is not None and session["column"] is not None:
        events = [*(session["codes"] or ()), *session["about_client"], *session["ignore"]]
        yield "session", session["column"], Words(events), ()
    if "attended" in table["session_facts"]:
        attended = Words(table["session_facts"]["attended"]["attended"])
        for column in reading.columns.session_facts["attended"].values():
            yield "attended", column, attended, ()


def note_rows_left_out(reading: Reading) -> None:
    """Note rows that `keep_rows` leaves out although their text looks like one that it names."""
    for column, kept in reading.table["keep_rows"].items():
        exact, alike = Words(kept, (seen,)), Words(kept)
        counts = reading.raw.column(column).value_counts()
        n = sum(
            int(count)
            for text, count in counts.items()
            if alike.find(str(text)) is not None and exact.find(str(text)) is None
        )
        if n:
            reading.problems.add_finding(
                "look-alike-word",
                reading.place(),
                column,
                f"{n:,} rows were left out whose text differs from one of `keep_rows` in capital"
                " letters or the form of a number only",
                remedy="add their text to `keep_rows` of this table if they should be read",
                rows_affected=n,
            )


def write_private_list(
    folder: str | Path, site: str, ids: Mapping[str, Iterable[tuple[str, str]]]
) -> None:
    """Write `look_alikes_<site>.yaml`: a line for the mapping of each id that looks like another.

    `ids` are (site, id) by kind. Where nothing looks alike, a list of an earlier run is removed.
    """
    path = Path(folder) / f"look_alikes_{site}.yaml"
    lines = []
    for kind, pairs in ids.items():
        own = []
        for group in look_alikes(pairs):
            kept, *others = sorted((own_id for _, own_id in group), key=_oddness)
            own += [
                f"    {_quoted(other)}: {_quoted(kept)}"
                f"  # differ in {difference(other, kept) or 'signs that look alike'}"
                for other in dict.fromkeys(others)
                if other != kept
            ]
        lines += [f"  {kind}:", *own] if own else []
    if lines:
        text = _OPENING.format(site=site) + "\n".join(lines) + "\n"
        files.write_text(text, path, mode=0o600)
    else:
        path.unlink(missing_ok=True)


def _oddness(own_id: str) -> tuple[bool, int, str]:
    """Order spellings: those without odd signs first, then the longer (007 before 7)."""
    return own_id != seen(own_id), -len(own_id), own_id


def _quoted(text: str) -> str:
    """Return a text as YAML that shows every sign that cannot be seen."""
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=False, width=10**6)).strip()


def _expected(rule: str) -> str:
    return RULES[rule].expected
