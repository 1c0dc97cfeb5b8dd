"""What texts of a column say of it: ends of treatment, arms, genders; told by their letters.

Answers hold by every language that the words below are of; a column of codes is judged by its value
labels.
"""

from __future__ import annotations

import re

from alliance.newcohort.profiles import Profile

# Stems of words; what is denied ("not completed", "kein Abbruch") is looked for first.
_ENDS: dict[str, tuple[str, ...]] = {
    "dropout": ("drop", "abbruch", "abgebrochen", "discontin", "left", "quit", "withdr", "lost",
                "uitval", "uitgevallen", "abandon", "no show", "noshow", "nichterschein",
                "terminated early", "early termination", "vorzeitig"),
    "completed": ("complet", "regul", "abgeschl", "finish", "beendet", "planned end", "afgerond"),
    "transferred": ("transfer", "wechsel", "referred", "moved", "verlegt", "doorverwezen",
                    "überwiesen"),
    "ongoing": ("ongoing", "laufend", "current", "active", "still", "in treatment", "lopend",
                "andauernd", "en cours"),
}  # fmt: skip
_NOT_COMPLETED = re.compile(
    r"(\b(not|non|never|did ?n.t|nicht|niet|kein\w*)[ -]*|\b(in|un))"
    r"(complet|finish|beendet|abgeschl|regul|afgerond)"
)
_DENIED = re.compile(r"\b(no|not|non|nicht|kein\w*|geen|niet)\b")
_ARMS = re.compile(
    r"placebo|control|kontroll|controle|wait|warte|wacht|\btau\b|usual|usueel|\bcbt\b|\bkvt\b|"
    r"\bact\b|\bipt\b|\bdbt\b|\bst\b|treat|behandl|intervention|interventie|experiment|\bdrug\b|"
    r"medik|medic|active|arm\b|group|gruppe|condition|therap|standard|sham|relax|support"
)
_GENDERS = frozenset(
    ("m", "f", "w", "d", "x", "male", "female", "man", "woman", "men", "women", "männlich",
     "weiblich", "divers", "diverse", "mann", "frau", "vrouw", "homme", "femme", "hombre", "mujer",
     "nonbinary", "non-binary", "other", "transgender", "男", "女")
)  # fmt: skip
MOST_ARMS = 4
FEW_CLIENTS = 12  # per text: fewer may well be the clients of one therapist


def texts_of(profile: Profile) -> list[str]:
    """Return the texts of a column in small letters, value labels instead of their codes."""
    return [profile.labels.get(text, text).strip().lower() for text in profile.texts]


def end_of(text: str) -> str | None:
    """Return which end of treatment a text names, or None where its letters do not tell."""
    small = text.strip().lower()
    if _NOT_COMPLETED.search(small):
        return "dropout"
    found = {word for word, stems in _ENDS.items() if any(stem in small for stem in stems)}
    if _DENIED.search(small) or not found:
        return None
    return next((word for word in _ENDS if word in found), None)


def are_ends(profile: Profile) -> bool:
    """Whether texts are ends of treatment: two different ends among them, no other half of them."""
    texts = texts_of(profile)
    ends = [end for text in texts if (end := end_of(text)) is not None]
    return len(set(ends)) >= 2 and len(ends) >= 0.5 * len(texts)


def are_genders(profile: Profile) -> bool:
    """Whether all texts are genders."""
    texts = texts_of(profile)
    return len(texts) >= 2 and set(texts) <= _GENDERS


def are_arms(profile: Profile) -> bool:
    """Whether a few texts, one of which at least is an arm's, stand for what clients were given."""
    texts = texts_of(profile)
    return 2 <= len(texts) <= MOST_ARMS and any(_ARMS.search(text) for text in texts)


def clients_a_text(profile: Profile, n_clients: int) -> float:
    """Return how many clients a text of the column stands for on average."""
    return n_clients / profile.n_distinct if profile.n_distinct else 0.0
