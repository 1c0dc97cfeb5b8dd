"""Codes of what several models estimate in ways of their own."""

from __future__ import annotations


def within_link(of: str, on: str) -> str:
    """Return the code of what a score's deviation does to another score, within clients."""
    return f"{of} -> {on}, within client"
