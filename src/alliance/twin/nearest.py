"""How near the rows of a twin are to real ones, against how near real ones are to one another.

A twin that copied, or that was drawn by perturbing rows, has rows nearer to a real row than real
rows of other people are. Held against each other are distances to the closest record: from each
row of the twin to the real rows, and from each real row to those of all other clients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NEAR = 0.05  # the closest twentieth of the real distances
BLOCK = 500  # rows compared at a time
COURSE = ["client", "session", "measure"]


@dataclass(frozen=True, slots=True)
class Nearness:
    """Distances to the closest real record.

    Attributes
    ----------
    twin, real
        (n,): from rows of the twin; from real rows to those of other clients.
    """

    twin: np.ndarray
    real: np.ndarray

    @property
    def excess(self) -> float:
        """By how much the share of the closest is larger in the twin than among real rows.

        The closest are those at most as far as the closest twentieth of the real rows.
        """
        bound = np.quantile(self.real, NEAR)
        return float((self.twin <= bound).mean() - (self.real <= bound).mean())

    @property
    def nearer(self) -> float:
        """Probability that a row of the twin is nearer than a real row (one half: alike)."""
        order = np.sort(self.real)
        below = [np.searchsorted(order, self.twin, side) for side in ("left", "right")]
        return float(1 - np.mean(below) / len(order))


def nearness(twin: pd.DataFrame, real: pd.DataFrame) -> Nearness:
    """Return how near rows are to real ones.

    Parameters
    ----------
    twin, real
        Indexed by client (the first level of the index), with the same columns of numbers; a
        distance is the root mean square over the columns, in SDs of the real ones, and of two
        cells of which one alone is missing it is one SD.
    """
    spread = real.std().replace(0.0, 1.0).fillna(1.0)
    a, b = ((frame[real.columns] / spread).to_numpy(dtype=float) for frame in (twin, real))
    people = pd.factorize(real.index.get_level_values(0))[0]
    nobody = np.full(len(a), -1)
    return Nearness(_closest(a, nobody, b, people), _closest(b, people, b, people))


def courses(scores: pd.DataFrame) -> pd.DataFrame:
    """Return whole courses, a row a client: the total of each measure at each session."""
    totals = scores[scores["subscale"] == "total"]
    wide = totals.pivot(index="client", columns=["measure", "session"], values="score")
    return wide.sort_index(axis=1)


def forms(responses: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the forms of a measure, a row a form: the answer to each item."""
    own = responses[responses["measure"] == measure]
    return own.pivot(index=["client", "session"], columns="item", values="value")


def _closest(
    rows: np.ndarray, own: np.ndarray, others: np.ndarray, people: np.ndarray
) -> np.ndarray:
    """Return the distance of each row to the closest of `others` that is another person's."""
    found = np.empty(len(rows))
    is_there = (~np.isnan(others)).astype(float)
    filled = np.nan_to_num(others)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        there, values = (~np.isnan(block)).astype(float), np.nan_to_num(block)
        both = there @ is_there.T
        squares = values**2 @ is_there.T + there @ (filled**2).T - 2 * values @ filled.T
        only_one = there.sum(1)[:, None] + is_there.sum(1)[None, :] - 2 * both
        distance = (squares + only_one) / np.maximum(both + only_one, 1)
        distance[own[start : start + BLOCK, None] == people[None, :]] = np.inf
        found[start : start + BLOCK] = distance.min(axis=1)
    return np.sqrt(np.maximum(found, 0.0))
