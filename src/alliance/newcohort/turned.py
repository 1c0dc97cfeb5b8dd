"""Whether the items that a form words the other way round were reversed before the export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.raw import RawTable
from alliance.newcohort.families import Family
from alliance.newcohort.scales import Candidate

LEAST_FORMS = 50  # with fewer a correlation tells nothing
CLEAR = 0.1  # mean correlation with the other items; nearer to zero both readings are possible


@dataclass(frozen=True, slots=True)
class Turned:
    """Items that the key reverses: those reversed already, those as printed, those in doubt."""

    already: tuple[int, ...]
    as_printed: tuple[int, ...]
    in_doubt: tuple[int, ...]


def answers_by_column(raw: RawTable, family: Family, decimal: str) -> pd.DataFrame:
    """Return a form's answers from columns of their own: one row a form, one column an item."""
    parser = parse.number_parser(decimal)
    sessions: list[int | None] = [*family.sessions] or [None]
    forms = [
        pd.DataFrame(
            {
                item: parse.by_unique(raw.column(family.columns[session, item]), parser)
                for item in family.items
                if (session, item) in family.columns
            }
        )
        for session in sessions
    ]
    return pd.concat(forms, ignore_index=True)


def answers_by_row(
    raw: RawTable, one_form: Sequence[str], item: str, answer: str, decimal: str
) -> pd.DataFrame:
    """Return the same from a table with one row an answer.

    Parameters
    ----------
    one_form
        The columns that tell one filled-in form from another: client, session, date.
    item, answer
        The columns of the item's number and of the answer to it.
    """
    rows = pd.DataFrame({name: raw.column(name) for name in one_form})
    rows["item"] = parse.by_unique(raw.column(item), parse.number_parser("."))
    rows["answer"] = parse.by_unique(raw.column(answer), parse.number_parser(decimal))
    return rows.dropna().pivot_table("answer", list(one_form), "item", aggfunc="first")


def turned(answers: pd.DataFrame, key: Candidate, usual: tuple[float, float]) -> Turned | None:
    """Return how the items that the key reverses stand in a table; None where it cannot show.

    As printed, such an item goes against the others; reversed already, it goes with them. Numbers
    beyond the `usual` range, which may stand for a missing answer, count for nothing.

    Parameters
    ----------
    answers
        One row a form, one column an item, named by its number.
    """
    items = [item for item in range(1, key.instrument.n_items + 1) if item in answers]
    reverse = sorted({*key.instrument.reverse} & {*items})
    straight = sorted({*items} - {*reverse, *key.instrument.unscored})
    if not reverse or not straight or items[-1] != key.instrument.n_items:
        return None
    answers = answers[items].where((answers >= usual[0]) & (answers <= usual[1])).dropna()
    if len(answers) < LEAST_FORMS:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):  # an item that everybody answers alike
        r = pd.DataFrame(answers.corr())
    goes = {item: float(np.mean(r[item][straight])) for item in reverse}
    return Turned(
        already=tuple(item for item, mean in goes.items() if mean > CLEAR),
        as_printed=tuple(item for item, mean in goes.items() if mean < -CLEAR),
        in_doubt=tuple(item for item, mean in goes.items() if not abs(mean) > CLEAR),
    )
