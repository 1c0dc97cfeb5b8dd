"""The few words that the page and the query lists put beside a rule's own."""

from __future__ import annotations

from collections.abc import Sequence

# In order of urgency: what the intake did, and how urgent a look is.
ACTIONS = {
    "stopped": "must be mended",
    "row set aside": "please mend",
    "cell set aside": "please mend",
    "noted": "please look",
}
DONE = {
    "stopped": "the run cannot go on",
    "row set aside": "the row is left out",
    "cell set aside": "the cell is left out",
    "noted": "kept as it is",
}

MAPPING, SITE = "whoever keeps the site mapping", "the site"


def rule_words(rule: str) -> str:
    """Return a rule's name as words."""
    return rule.replace("-", " ")


def mended_by(remedy: str) -> str:
    """Return who can do what a remedy says: the site, whoever keeps the mapping, or either."""
    if "mapping" not in remedy and "`" not in remedy:
        return SITE
    either = (", or ", "mend the cell", "export the")
    return f"{SITE}, or {MAPPING}" if any(words in remedy for words in either) else MAPPING


def ranges_words(numbers: Sequence[int], most: int = 12) -> str:
    """Return row numbers as ranges: `3, 7–9, 15`; what is beyond `most` ranges is counted."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    words = [str(low) if low == high else f"{low}–{high}" for low, high in ranges[:most]]
    rest = sum(high - low + 1 for low, high in ranges[most:])
    return ", ".join(words) + (f" and {rest} more" if rest else "")
