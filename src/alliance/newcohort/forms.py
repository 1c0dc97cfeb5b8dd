"""The questionnaires in a table: families of columns, blocks of wordings, forms of a long table."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alliance.config.site_mapping import letters_of
from alliance.ingest import parse
from alliance.ingest.raw import RawTable
from alliance.newcohort.families import Family, families
from alliance.newcohort.profiles import Profile, shared_texts, usual_range
from alliance.newcohort.scales import Candidate, candidates, chosen, with_options_numbered
from alliance.newcohort.turned import Turned

LEAST_IN_BLOCK = 3
HIGHEST_ITEM = 10  # an answer beyond this is no item's: the column holds a total
_MOST_CODES = 11
_TOTAL = "(total|sum|summe|score|gesamt|tot)"


@dataclass(slots=True)
class Form:
    """A questionnaire as it stands in a table.

    Attributes
    ----------
    stem
        Letters that tell what it is.
    columns
        Columns that hold its answers.
    n_items
        Items, 1 where a column holds a total.
    low, high
        Range of the answers; NaN for texts.
    texts
        The answers, where they are texts.
    family
        The pattern, or None.
    at
        Letters of the columns (`[D-K, M-N]`) where names are wordings.
    left_out
        Letters of columns among them that are no items.
    items
        Names of the columns at `at`.
    form
        Its text in the form column of a long table.
    total
        Column, or pattern of columns, with the total that the site wrote down.
    listed
        Scoring keys that may fit.
    turned
        How the items that the key reverses stand in the file, where that shows.
    name
        Its name in the config, given once all sites are known.
    """

    stem: str
    columns: list[str]
    n_items: int
    low: float
    high: float
    texts: tuple[str, ...] = ()
    family: Family | None = None
    at: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    form: str | None = None
    total: str | None = None
    listed: list[Candidate] = field(default_factory=list)
    turned: Turned | None = None
    name: str = ""

    @property
    def key(self) -> Candidate | None:
        """The scoring key that is written down."""
        return chosen(self.listed)

    @property
    def is_wide(self) -> bool:
        """Whether the session stands in the names of its columns."""
        return self.family is not None and bool(self.family.sessions and self.family.items)

    @property
    def is_total(self) -> bool:
        """Whether the columns hold one number a session, and no items."""
        return self.n_items == 1


def find_forms(
    raw: RawTable, profiles: Sequence[Profile], sessions_in_rows: bool = False
) -> list[Form]:
    """Return the questionnaires among the columns of a table."""
    by_name = {p.name: p for p in profiles}
    usable = [p.name for p in profiles if not p.styles and (p.n_filled == 0 or _is_answer(p))]
    found = []
    for family in families(usable, sessions_in_rows):
        members = [by_name[name] for name in family.columns.values()]
        if not any(p.n_filled for p in members):
            continue
        form = _form(family.stem, members, family)
        if form is not None:
            found.append(form)
    taken = {name for form in found for name in form.columns}
    return found + _blocks(raw, [p for p in profiles if p.name not in taken])


def _is_answer(profile: Profile) -> bool:
    return profile.is_number or (bool(profile.texts) and profile.n_distinct <= _MOST_CODES)


def _form(stem: str, members: Sequence[Profile], family: Family | None) -> Form | None:
    numbers = [p for p in members if p.is_number]
    are_numbers = len(numbers) >= 0.5 * sum(p.n_filled > 0 for p in members)
    low, high, _ = usual_range(numbers) if are_numbers else (math.nan, math.nan, False)
    texts = () if are_numbers else shared_texts(members)
    if not are_numbers and not 2 <= len(texts) <= _MOST_CODES:
        return None
    n_items = len(family.items) if family else len(members)
    if family is not None and (not family.items or (high > HIGHEST_ITEM and not family.sessions)):
        counted = family.items or family.sessions
        if len(counted) < LEAST_IN_BLOCK or counted != [*range(1, counted[-1] + 1)]:
            return None
        n_items = 1  # one column a session: a total
    elif family is not None and family.items != list(range(1, n_items + 1)):
        return None if n_items < LEAST_IN_BLOCK else _with_key(stem, members, 0, low, high, texts)
    if n_items == 2:
        return None
    return _with_key(stem, members, n_items, low, high, texts, family)


def _with_key(
    stem: str,
    members: Sequence[Profile],
    n_items: int,
    low: float,
    high: float,
    texts: tuple[str, ...],
    family: Family | None = None,
) -> Form | None:
    if n_items == 0:
        return None
    whole = all(p.whole for p in members if p.is_number)
    listed = [] if n_items == 1 else candidates(stem, n_items, low, high, whole)
    if family is not None and not any(c.weight > 1 for c in listed):
        listed = [*_options_numbered(stem, members, n_items, family), *listed]
    if texts:
        listed = [
            c for c in listed if c.instrument.maximum - c.instrument.minimum + 1 >= len(texts)
        ]
    names = [p.name for p in members]
    return Form(stem, names, n_items, low, high, texts, family=family, listed=listed)


def _options_numbered(
    stem: str, members: Sequence[Profile], n_items: int, family: Family
) -> list[Candidate]:
    item_of = {name: item for (_, item), name in family.columns.items()}

    def range_of(named: bool, items: Collection[int]) -> tuple[float, float]:
        chosen_ones = [p for p in members if (item_of.get(p.name) in items) == named]
        low, high, _ = usual_range([p for p in chosen_ones if p.is_number])
        return low, high

    return with_options_numbered(stem, n_items, range_of)


def _blocks(raw: RawTable, profiles: Sequence[Profile]) -> list[Form]:
    """Return runs of columns with the same few texts, whose names are the wordings of items."""
    free = {p.name: p for p in profiles}
    found: list[Form] = []
    block: list[int] = []
    texts: set[str] = set()
    for at, name in [*enumerate(raw.header), (len(raw.header), "")]:
        profile = free.get(name)
        own = (
            set(profile.texts)
            if profile and not profile.is_number and not profile.styles
            else set()
        )
        if own and (not texts or own <= texts or texts <= own) and len(own | texts) <= _MOST_CODES:
            block.append(at)
            texts |= own
            continue
        if len(block) >= LEAST_IN_BLOCK and len(texts) >= 2:
            found.append(_block(raw, block, free))
        block, texts = ([at], own) if own else ([], set())
    return found


def _block(raw: RawTable, block: Sequence[int], free: Mapping[str, Profile]) -> Form:
    # A column in which everybody gives the same answer is a check of attention, no item.
    items = [at for at in block if free[raw.header[at]].n_distinct > 1]
    left_out = [letters_of(at) for at in block if at not in items]
    answers = shared_texts(free[raw.header[at]] for at in block)
    listed = _with_room(candidates("", len(items), math.nan, math.nan), len(answers))
    columns = [raw.header[at] for at in block]
    return Form(
        "form", columns, len(items), math.nan, math.nan, answers,
        at=_letters(items), left_out=left_out, listed=listed,
        items=[raw.header[at] for at in items],
    )  # fmt: skip


def with_totals(forms: list[Form], names: Sequence[str], by_session: bool) -> list[Form]:
    """Return the forms that hold items, each with the total that stands beside its items.

    Parameters
    ----------
    forms
        The forms of a table.
    names
        All its columns.
    by_session
        Whether each row is a session (then a total is one column, not a pattern).
    """
    if by_session:
        for form in forms:
            if form.family is None:
                continue
            stem = re.escape(form.family.pattern.partition("{item}")[0].rstrip("_.- "))
            wanted = re.compile(rf"(?i){stem}[_. -]?{_TOTAL}")
            form.total = next((name for name in names if wanted.fullmatch(name)), None)
        return forms
    wide = [form for form in forms if form.is_wide]
    if not wide:
        return forms
    for form in wide:
        assert form.family is not None  # is_wide
        stem = form.family.pattern.partition("{session}")[0].lower()
        for other in forms:
            if other.is_wide or other.family is None:
                continue
            pattern = other.family.pattern.replace("{item}", "{session}")
            is_own = pattern.lower().startswith(f"{stem}{{session}}")
            if is_own and re.fullmatch(rf"(?i)[_. -]?{_TOTAL}", pattern.partition("}")[2]):
                form.total = pattern
    return wide


def _with_room(listed: list[Candidate], n_texts: int) -> list[Candidate]:
    """Return the keys whose scale has as many steps as there are texts, or more."""
    return [c for c in listed if c.instrument.maximum - c.instrument.minimum + 1 >= n_texts]


def _letters(positions: Sequence[int]) -> list[str]:
    """Return positions as letters and ranges of letters."""
    ranges: list[list[int]] = []
    for at in positions:
        if ranges and at == ranges[-1][1] + 1:
            ranges[-1][1] = at
        else:
            ranges.append([at, at])
    return [letters_of(a) if a == b else f"{letters_of(a)}-{letters_of(b)}" for a, b in ranges]


def rows_of_form(raw: RawTable, form: str | None, text: str | None) -> np.ndarray:
    """Return which rows of a table with one row an answer are of one form; all if none is named."""
    if form is None:
        return np.ones(len(raw), dtype=bool)
    return (raw.column(form).str.strip() == text).fillna(False).to_numpy(dtype=bool)


def forms_of_long(
    raw: RawTable, form: str | None, item: str, answer: str, texts: Sequence[str], decimal: str
) -> list[Form]:
    """Return the questionnaires of a table with one row an answer."""
    items = parse.by_unique(raw.column(item), parse.number_parser("."))
    values = parse.by_unique(raw.column(answer), parse.number_parser(decimal))
    groups: list[str | None] = list(texts) if form else [None]
    found = []
    for text in groups:
        here = rows_of_form(raw, form, text)
        numbers, own = items[here], values[here]
        numbers = numbers[np.isfinite(numbers)]
        n_items = int(np.percentile(numbers, 99.5)) if len(numbers) else 0
        own = own[np.isfinite(own)]
        # ASSUME one answer in a hundred may be a slip: the range is that of the others.
        low, high = (
            (float(np.quantile(own, 0.005)), float(np.quantile(own, 0.995)))
            if len(own)
            else (math.nan, math.nan)
        )
        stem = re.sub(r"[^a-z0-9]+", "_", (text or "form").lower()).strip("_") or "form"
        listed = candidates(stem, n_items, low, high) if n_items > 1 else []
        found.append(Form(stem, [], max(n_items, 1), low, high, form=text, listed=listed))
    return found


def range_words(form: Form) -> str:
    """Return what was seen of a form."""
    if math.isnan(form.low):
        texts = f", {len(form.texts)} different texts" if form.texts else ""
        return f"{form.n_items} items{texts}"
    if form.is_total:
        return f"one number a session, from {form.low:g} to {form.high:g}"
    return f"{form.n_items} items, answers from {form.low:g} to {form.high:g}"
