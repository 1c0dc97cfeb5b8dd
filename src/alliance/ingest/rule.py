"""What a rule is: what is done where raw data breaks it, and the words for the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["stopped", "row set aside", "cell set aside", "noted"]
CELL_SET_ASIDE: Action = "cell set aside"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: what is done where it is broken, what was expected, what to do about it."""

    action: Action
    expected: str
    remedy: str


def rules(action: Action, **texts: tuple[str, str]) -> dict[str, Rule]:
    """Return rules by name, each from what is expected and what to do (expected, remedy)."""
    return {
        name.replace("_", "-"): Rule(action, expected, remedy)
        for name, (expected, remedy) in texts.items()
    }
