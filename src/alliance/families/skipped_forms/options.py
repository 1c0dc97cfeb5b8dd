"""Options of the entries of family skipped_forms in the config."""

from __future__ import annotations

from alliance.families.family import Entry, Options
from alliance.families.options import key

NOW, BEFORE = "skipped_this_session", "skipped_before"


def effects(entry: Entry) -> list[str]:
    """Return what stands for skipped forms."""
    return [NOW, BEFORE]


OPTIONS = Options(
    description="whether a form that was not filled in foretells who drops out, beside the last"
    " score known",
    keys={
        "measure": key("word", "the measure whose forms are skipped"),
        "levels": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": ["therapist"]},
            "description": "levels with a random intercept; left out: therapist, where the cohort"
            " tells them apart; []: none",
        },
    },
    required=("measure",),
    effects=effects,
)
