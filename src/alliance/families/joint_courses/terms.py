"""How effects are called in a fit: names that figures take apart again."""

from __future__ import annotations

ARROW, IN_THE_SESSION, LEVEL = " -> ", ", same session", ": "


def term_of(of: str, on: str, in_the_session: bool) -> str:
    """Return the term of the effect of one outcome on another."""
    return f"{of}{ARROW}{on}{IN_THE_SESSION if in_the_session else ''}"


def term_between(level: str, of: str, on: str) -> str:
    """Return the term of the link of two outcomes' levels between the groups of a level."""
    return f"{level}{LEVEL}{of}{ARROW}{on}"


def ends_of(term: str) -> tuple[str, str, bool]:
    """Return what acts, what is acted on, and whether within one session."""
    own = term.partition(LEVEL)[2] or term
    of, _, on = own.removesuffix(IN_THE_SESSION).partition(ARROW)
    return of, on, term.endswith(IN_THE_SESSION)
