"""A site's query list: what it is asked to look at, row by row, ready to be sent.

The list is CSV in UTF-8 with a byte order mark, so that a spreadsheet shows the letters of other
languages; no cell can be taken for a formula; the last column is for the site's answer.
"""

from __future__ import annotations

import pandas as pd

from alliance.files import inert_text
from alliance.intake_page.words import ACTIONS, DONE, mended_by, rule_words

COLUMNS = ("query", "urgency", "file", "sheet", "row", "column", "problem", "expected", "to_do",
           "to_be_mended_by", "what_was_done", "rows_concerned", "your_answer")  # fmt: skip


def query_list(quarantine: pd.DataFrame) -> str:
    """Return the problems of one site as CSV text: what stops the run first, then by place.

    Parameters
    ----------
    quarantine
        The site's rows of the quarantine table; it holds no value of a client's, nor does the list.
    """
    order = quarantine["action"].map({action: i for i, action in enumerate(ACTIONS)})
    by = ["order", "file", "sheet", "row", "column", "rule"]
    rows = quarantine.assign(order=order).sort_values(by, kind="stable", na_position="first")
    listed = pd.DataFrame(
        {
            "query": range(1, len(rows) + 1),
            "urgency": rows["action"].map(ACTIONS).to_numpy(),
            **{name: rows[name].array for name in ("file", "sheet", "row", "column")},
            "problem": rows["rule"].map(rule_words).to_numpy(),
            "expected": rows["expected"].to_numpy(),
            "to_do": rows["remedy"].to_numpy(),
            "to_be_mended_by": rows["remedy"].map(mended_by).to_numpy(),
            "what_was_done": rows["action"].map(DONE).to_numpy(),
            "rows_concerned": rows["rows_affected"].to_numpy(),
            "your_answer": "",
        },
        columns=list(COLUMNS),
    )
    texts = listed.select_dtypes(["object", "string"]).columns
    for name in texts:
        listed[name] = listed[name].map(inert_text, na_action="ignore")
    return "\ufeff" + listed.to_csv(index=False, lineterminator="\n")
