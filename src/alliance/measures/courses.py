"""The courses of one measure as a matrix: a row a client, a column a session number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

CLIENT = ["site", "client"]


@dataclass(frozen=True, slots=True)
class Courses:
    """Scores of one measure by client and session number.

    Attributes
    ----------
    clients
        site, client; one row a client, sorted.
    scores
        Shape (n_clients, n_sessions); column 0 is session 1, NaN where there is no score.
    """

    clients: pd.DataFrame
    scores: np.ndarray

    @property
    def last_session(self) -> np.ndarray:
        """Return the number of each client's last scored session, 0 for none, shape (n,)."""
        seen = ~np.isnan(self.scores)
        return np.where(
            seen.any(axis=1), self.scores.shape[1] - seen[:, ::-1].argmax(axis=1), 0
        ).astype(int)


def courses_of(scores: pd.DataFrame, column: str = "score") -> Courses:
    """Lay out scores (site, client, session, `column`; one row a session) as a matrix.

    Sessions count from 1; a number that nobody has a score for is a column of NaN.
    """
    scores = scores.dropna(subset=[column])
    clients = scores[CLIENT].drop_duplicates().sort_values(CLIENT, ignore_index=True)
    last = int(scores["session"].max()) if len(scores) else 0
    matrix = np.full((len(clients), last), np.nan)
    place = clients.reset_index().set_index(CLIENT)["index"]
    if len(scores):
        row = place.loc[pd.MultiIndex.from_frame(scores[CLIENT])].to_numpy()
        matrix[row, scores["session"].to_numpy(int) - 1] = scores[column].to_numpy(float)
    return Courses(clients, matrix)


def first_scores(scores: np.ndarray) -> np.ndarray:
    """Return each client's first score, NaN for none, shape (n,)."""
    seen = ~np.isnan(scores)
    if scores.shape[1] == 0:
        return np.full(len(scores), np.nan)
    return np.asarray(
        np.where(seen.any(axis=1), scores[np.arange(len(scores)), seen.argmax(axis=1)], np.nan)
    )
