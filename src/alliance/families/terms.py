"""What the name of a term says, by the grammar of `fit_mixed`: `site[north]`, `a:b`, `y: a:b`."""

from __future__ import annotations


def is_of_sites(term: str) -> bool:
    """Say whether a term compares sites."""
    return "site[" in term


def is_product(term: str) -> bool:
    """Say whether a term is a product; the outcome that it is about (`y: `) does not count."""
    return ":" in term.rpartition(": ")[2]
