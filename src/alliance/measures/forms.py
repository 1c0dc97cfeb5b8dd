"""The forms of one measure: who, when, and the keyed answers; and the groups they are judged in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument, Score
from alliance.measures.key_facts import items_of
from alliance.measures.scoring import FORM, answer_matrix, item_columns, keyed_answers

ALL = "all"
LAST = "last"
SESSIONS = ("1", "3", LAST)
"""Sessions at which reliability is told: before the alliance has formed, after, and at the end."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Forms of one measure.

    Attributes
    ----------
    who
        site, client, session of each form; sorted by them.
    keyed
        Keyed answers, NaN where unanswered or not applicable; shape (n_forms, n_items).
    key
        The instrument.
    """

    who: pd.DataFrame
    keyed: np.ndarray
    key: Instrument

    @classmethod
    def of(cls, responses: pd.DataFrame, key: Instrument) -> Forms:
        """Return the forms in `responses` (of one measure only)."""
        who, answers = answer_matrix(responses.reset_index(drop=True), key)
        order = who.sort_values(FORM, kind="stable").index
        keyed = keyed_answers(answers[order], key)
        return cls(who.loc[order].reset_index(drop=True), keyed, key)

    def columns_of(self, score: Score) -> np.ndarray:
        """Return the columns that a score rests on, shape (n_forms, n)."""
        return item_columns(self.keyed, items_of(score, self.key))

    def client_codes(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the number of each form's client, from 0 without gaps, of all or some forms."""
        who = self.who if rows is None else self.who[rows]
        return np.asarray(who.groupby(["site", "client"], sort=True).ngroup())

    def session_codes(self, rows: np.ndarray) -> np.ndarray:
        """Return the session of some forms as codes from 0 without gaps."""
        return np.unique(self.who.loc[rows, "session"].to_numpy(), return_inverse=True)[1]

    def groups(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Yield (site, session, mask): all forms, each site's, and those of sessions 1, 3, last."""
        everything = np.ones(len(self.who), dtype=bool)
        yield ALL, ALL, everything
        sites = sorted(self.who["site"].unique())
        for site in sites if len(sites) > 1 else []:
            yield site, ALL, (self.who["site"] == site).to_numpy()
        last = self.who.groupby(["site", "client"])["session"].transform("max")
        for session in SESSIONS:
            number = last if session == LAST else int(session)
            yield ALL, session, (self.who["session"] == number).to_numpy()
