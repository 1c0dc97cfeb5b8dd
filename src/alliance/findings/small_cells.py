"""Which counts of people are not printed: they come too near to single persons.

One number for tables, texts and checklists, so that the promise of the methods text holds in all.
"""

from __future__ import annotations

FEWEST_CLIENTS = 8  # in a category, or behind a mean, that is told
