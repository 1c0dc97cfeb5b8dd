"""Facts that are told by ticked boxes: one column for each answer, as REDCap exports checkboxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.ingest.parse import is_one_of
from alliance.ingest.raw import Mark, RawTable
from alliance.likeness import Words

TICKED = Words(["1", "Checked", "TRUE", "x"])


def add_facts(table: Mapping[str, Any], raw: RawTable) -> None:
    """Put a column with the word of the ticked box beside the others, for each fact of `table`.

    A box that is not ticked says nothing. Two ticked boxes contradict each other: the cell stays
    empty and is marked.
    """
    for fact in table["client_facts"].values():
        boxes = fact["boxes"]
        if boxes is None or not set(boxes) <= set(raw.header):
            continue  # a missing box is told as a missing column
        ticked = np.array(
            [is_one_of(raw.column(box), TICKED).to_numpy(dtype=bool) for box in boxes]
        )
        n_ticked = ticked.sum(axis=0)
        words = np.array([*boxes.values(), None], dtype=object)
        which = np.where(n_ticked == 1, ticked.argmax(axis=0), len(boxes))
        raw.header.append(fact["column"])
        raw.columns.append(pd.Series(words[which], dtype="str"))
        at = raw.header.index(next(iter(boxes)))
        raw.marks += [Mark("two-boxes-ticked", int(row), at) for row in raw.rows[n_ticked > 1]]
