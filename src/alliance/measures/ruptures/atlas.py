"""How ruptures look on average: the course around their onset, and when they begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.measures.ruptures.detect import Ruptures

BEFORE, AFTER = 3, 6
OFFSETS = np.arange(-BEFORE, AFTER + 1)


@dataclass(slots=True)
class Profile:
    """Sums over ruptures, so that profiles of many cohorts can be added.

    Attributes
    ----------
    total, count
        Points from the level before the drop and how many scores that rests on, by session from
        onset; shape (10,).
    onsets
        Ruptures that begin at each session, shape (n_sessions,).
    """

    total: np.ndarray
    count: np.ndarray
    onsets: np.ndarray

    def __add__(self, other: Profile) -> Profile:
        return Profile(
            self.total + other.total, self.count + other.count, self.onsets + other.onsets
        )


def profile_of(scores: np.ndarray, ruptures: Ruptures) -> Profile:
    """Return the profile of ruptures found in courses, shape (n_clients, n_sessions)."""
    n_sessions = scores.shape[1]
    place = ruptures.onset[:, None] - 1 + OFFSETS[None, :]
    inside = (place >= 0) & (place < n_sessions)
    seen = scores[ruptures.row[:, None], np.clip(place, 0, n_sessions - 1)]
    seen = np.where(inside, seen, np.nan) - ruptures.before[:, None]
    there = ~np.isnan(seen)
    onsets = np.bincount(ruptures.onset, minlength=n_sessions + 1)[1:]
    return Profile(np.where(there, seen, 0.0).sum(axis=0), there.sum(axis=0), onsets)
