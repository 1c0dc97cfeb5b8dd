"""Which column is the client's id, the session, the therapist, ...: by name, checked by content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from alliance.newcohort.kinds import are_arms, are_ends, are_genders
from alliance.newcohort.profiles import Profile

# Words that columns are called by, in English, German, Dutch, French, Spanish and Chinese.
# The earlier a word stands, the surer it is.
WORDS: dict[str, tuple[str, ...]] = {
    "client": ("record_id", "client_id", "clientid", "patient_id", "patientid", "pat_id", "client",
               "patient", "klient", "pat", "participant", "subject", "proband", "vpn", "chiffre",
               "teilnehmer", "case_id", "case", "fall", "person", "who", "pid", "code", "id",
               "编号", "nummer", "user", "respondent"),
    "sessions_planned": ("planned", "geplant", "bewilligt", "contracted"),
    "session": ("session", "sessie", "sitzung", "sess", "seance", "sesion", "visit_no", "visit",
                "session_no", "wave", "week", "woche", "month", "monat", "maand", "timepoint",
                "zeitpunkt", "mzp", "redcap_event_name", "event", "occasion", "termin", "time",
                "zeit", "t"),
    "date": ("date", "datum", "fecha", "sess_date", "session_date", "recordeddate", "startdate",
             "submitdate", "日期"),
    "intake_date": ("intake", "aufnahme", "admission", "baseline_date", "therapiebeginn"),
    "day": ("day", "tag", "days", "when"),
    "therapist": ("therapist", "therapeut", "ther", "clinician", "counsel", "behandler",
                  "provider", "terapeut", "thérapeute"),
    "end_status": ("end_status", "end_reason", "therapieende", "discharge", "dropout", "abbruch",
                   "completer", "termination", "outcome_status", "status", "beendigung", "ende"),
    "age_years": ("age", "alter", "leeftijd", "edad", "年龄"),
    "gender": ("gender", "sex", "geschlecht", "geslacht", "性别",
               "male", "female"),
    "treatment": ("treatment", "arm", "group", "gruppe", "condition", "bedingung", "randomi",
                  "therapy", "therapie", "分组"),
    "site": ("site", "clinic", "klinik", "centre", "center", "zentrum", "site_masked"),
    "form": ("form", "questionnaire", "instrument", "measure", "fragebogen", "scale", "skala"),
    "item": ("item", "item_no", "question", "frage", "itemnr"),
    "answer": ("answer", "response", "value", "antwort", "wert", "score"),
}  # fmt: skip
# Words that say it only as a whole: THERAPY is no therapist, Therapieende no treatment.
_WHOLE = frozenset(("ther", "therapy", "therapie"))
# What texts say of a column whatever its name.
_BY_CONTENT = {"end_status": are_ends, "gender": are_genders, "treatment": are_arms}
_AGES = (3, 110)  # years
_MOST_PIECES = 4


@dataclass(slots=True)
class Roles:
    """What columns seem to be.

    Attributes
    ----------
    by_role
        The likeliest column of each role.
    rivals
        Other columns that may be meant, by role.
    by_content
        Roles whose column was told by its texts, not by its name.
    """

    by_role: dict[str, str] = field(default_factory=dict)
    rivals: dict[str, list[str]] = field(default_factory=dict)
    by_content: set[str] = field(default_factory=set)

    def get(self, role: str) -> str | None:
        """Return the column of a role, or None."""
        return self.by_role.get(role)


def roles(profiles: Sequence[Profile], taken: set[str], n_rows: int) -> Roles:
    """Return which column plays which role.

    Parameters
    ----------
    profiles
        The columns.
    taken
        Names of columns that hold items.
    n_rows
        Rows of the table.
    """
    free = [p for p in profiles if p.name not in taken and p.n_filled]
    found = Roles()
    used: set[str] = set()
    for role in WORDS:
        ranked = sorted(
            (
                (rank, at, p.name)
                for at, p in enumerate(free)
                if p.name not in used
                and (rank := _rank(role, p.name)) is not None
                and _can_be(role, p, n_rows)
            ),
        )
        if ranked:
            found.by_role[role] = ranked[0][2]
            found.rivals[role] = [name for _, _, name in ranked[1:4]]
            used.add(ranked[0][2])
    for role, is_so in _BY_CONTENT.items():
        told = next((p.name for p in free if p.name not in used and is_so(p)), None)
        if role not in found.by_role and told is not None:
            found.by_role[role] = told
            found.by_content.add(role)
            used.add(told)
    return found


def _rank(role: str, name: str) -> int | None:
    """Return how well a name says that the column plays a role (0: best), None if it does not."""
    words = WORDS[role]
    small = name.strip().lower()
    pieces = [p for p in re.split(r"[^0-9a-z\u00c0-\uffff]+|(?<=[a-z])(?=[0-9])", small) if p]
    if len(pieces) > _MOST_PIECES:
        return None  # a whole sentence is the wording of an item
    best: int | None = None
    for at, word in enumerate(words):
        if small == word or "_".join(pieces) == word:
            rank = at
        elif (
            word in pieces
            or (len(word) >= 4 and word not in _WHOLE and any(p.startswith(word) for p in pieces))
            or (not word.isascii() and word in small)
        ):
            rank = at + 100
        else:
            continue
        best = rank if best is None else min(best, rank)
    return best


def _can_be(role: str, profile: Profile, n_rows: int) -> bool:
    """Whether a column's content allows a role."""
    is_date = bool(profile.styles)
    if role == "client":
        return not is_date and profile.n_distinct > 1 and profile.n_filled >= 0.5 * n_rows
    if role in ("date", "intake_date"):
        return is_date
    if role == "session":
        return not is_date and profile.n_distinct <= max(200, n_rows // 2)
    if role == "therapist":
        return not is_date and not any(is_so(profile) for is_so in _BY_CONTENT.values())
    if role == "age_years" and not _AGES[0] <= profile.low <= profile.high <= _AGES[1]:
        return False
    if role in ("day", "sessions_planned", "age_years"):
        return profile.is_number and not is_date
    if role in ("end_status", "gender", "treatment"):
        return not is_date and profile.n_distinct <= 12
    if role == "answer":
        return not is_date
    return not is_date
