"""Columns that seem to hold totals without their items, as archives and registries have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from alliance.newcohort.families import families
from alliance.newcohort.forms import Form
from alliance.newcohort.profiles import Profile
from alliance.newcohort.scales import Candidate, known_keys, named_by

_TOTAL_WORD = re.compile(r"(?i)(?<![a-z])(total|sum|summe|score|gesamt|tot)(?![a-z])")
# Questionnaires and rating scales that registries hold totals of and the project has no key of.
_KNOWN_SCALES = ("panss", "bprs", "imps", "hamd", "hdrs", "hrsd", "hama", "mmse", "cgi", "gaf",
                 "ids", "honos", "moca", "nosie", "sans", "saps", "ymrs", "stai", "ces", "ghq",
                 "edss", "qol")  # fmt: skip


def totals_of(profiles: Sequence[Profile], taken: Iterable[str], rows: str | None) -> list[Form]:
    """Return the forms of which totals alone are there.

    Parameters
    ----------
    profiles
        The columns of a table.
    taken
        Names of columns that are something else.
    rows
        What one row is: a session (then each column is a form) or a client (then columns whose
        names are built alike are the sessions of one).
    """
    used = set(taken)
    free = [
        p for p in profiles if p.name not in used and p.is_number and not p.styles
        and p.n_distinct > 2
    ]  # fmt: skip
    if rows == "session":
        numbered = {n for f in families([p.name for p in free]) for n in f.columns.values()}
        free = [p for p in free if p.name not in numbered]  # items of some form, not totals
        # the shortest name first: `bdi` before `bdi.pre`, which may stand for one session only
        groups = {p.name: [p] for p in sorted(free, key=lambda p: len(p.name)) if _is_total(p)}
    else:
        groups = {}
        for profile in free:
            groups.setdefault(_letters(profile.name), []).append(profile)
        groups = {
            stem: members
            for stem, members in groups.items()
            if len(members) > 1 and any(map(_is_total, members)) and _are_alike(stem, members, free)
        }
    return [_form(_letters(stem) or "total", members) for stem, members in groups.items()]


def _are_alike(stem: str, members: Sequence[Profile], free: Sequence[Profile]) -> bool:
    """Whether the names of sessions are built alike (`bdi.pre`, `bdi.2m`), and none is elsewhere.

    Where they are not (`bdi_intake`, `bdi1`, `wk2bdi`), nobody but the site knows their order.
    """
    own = {p.name for p in members}
    signs = {re.sub(r"[A-Za-z0-9].*", "", p.name[len(stem) :]) for p in members}
    elsewhere = any(stem in p.name.lower() for p in free if p.name not in own)
    return bool(stem) and len(signs) == 1 and signs != {""} and not elsewhere


def _is_total(profile: Profile) -> bool:
    """Whether a name is that of a questionnaire, or says that it is a total."""
    letters = _letters(profile.name)
    is_known = any(letters.startswith(word) for word in _KNOWN_SCALES)
    return is_known or bool(_TOTAL_WORD.search(profile.name)) or bool(named_by(profile.name))


def _letters(name: str) -> str:
    found = re.match(r"[a-z\u00e0-\uffff]+", name.lower())
    return found[0] if found else ""


def _form(stem: str, members: Sequence[Profile]) -> Form:
    low = min(p.low for p in members)
    high = max(p.high for p in members)
    found = [_candidate(key, low, high) for key in named_by(stem)]
    listed = sorted(filter(None, found), key=lambda c: (-c.weight, c.instrument.id))
    columns = [p.name for p in members]
    return Form(stem, columns, 1, low, high, listed=listed)


def _candidate(key: str, low: float, high: float) -> Candidate | None:
    """Return a key whose total may have this range."""
    instrument = known_keys()[key]
    stated = instrument.definition["scores"].get("total", {}).get("range")
    if stated is None:
        return None
    fits = stated[0] <= low and high <= stated[1]
    told = f"the name fits; its total runs from {stated[0]:g} to {stated[1]:g}"
    told += "" if fits else ", so that it cannot be this one as it stands"
    return Candidate(instrument, 4.0 if fits else 0.1, told, named=True)
