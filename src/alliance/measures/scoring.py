"""Apply scoring keys to item answers: reverse, add up, prorate, refuse.

Nothing is prorated in silence: beside every score stand the number of items it could rest on, the
number it does rest on, whether it was prorated and whether it was refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.instruments import Instrument, Item, Score
from alliance.config.measure_keys import keys_of
from alliance.persons import Persons

FORM = ["site", "client", "session"]
COLUMNS = {
    **{"site": "str", "client": "str", "session": "int64", "measure": "str", "subscale": "str"},
    **{"score": "float64", "n_items": "int64", "n_valid": "int64"},
    **{"prorated": "bool", "refused": "bool"},
}


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """One score of many forms.

    Attributes
    ----------
    value
        The score, NaN where refused; shape (n_forms,).
    n_items
        Items (or parts) that the score can rest on.
    n_valid
        Items (or parts) that it does rest on; shape (n_forms,).
    refused
        True where too many items are unanswered; shape (n_forms,).
    """

    value: np.ndarray
    n_items: int
    n_valid: np.ndarray
    refused: np.ndarray

    @property
    def prorated(self) -> np.ndarray:
        """True where a score stands although an item is unanswered; shape (n_forms,)."""
        return ~self.refused & (self.n_valid < self.n_items)


def score_form(answers: np.ndarray, instrument: Instrument) -> dict[str, ScoreColumn]:
    """Score forms of one instrument.

    Parameters
    ----------
    answers
        Raw answers, NaN where unanswered; shape (n_forms, instrument.n_items), item 1 first.
    instrument
        The key.

    Returns
    -------
    dict
        Score name to `ScoreColumn`, in the key's order.

    Notes
    -----
    Reversed answer = lowest + highest - answer. With v of k items answered and k - v within the
    instrument's rule, the unanswered ones are given the mean of the answered ones: a sum is
    mean x k (prorating, the form of person-mean imputation that test manuals print).
    """
    keyed = keyed_answers(answers, instrument)
    whole_form_refused = np.zeros(len(keyed), dtype=bool)
    if instrument.questionnaire_unanswered_most is not None:
        unanswered = np.isnan(keyed).sum(axis=1)
        whole_form_refused = unanswered > instrument.questionnaire_unanswered_most
    columns: dict[str, ScoreColumn] = {}
    for score in instrument.scores:
        parts = (
            np.column_stack([columns[part].value for part in score.parts])
            if score.parts
            else item_columns(keyed, score.items)
        )
        columns[score.name] = _score(parts, score, instrument, whole_form_refused)
    return columns


def keyed_answers(answers: np.ndarray, instrument: Instrument) -> np.ndarray:
    """Return the answers as they enter scores: reversed, and without those of no meaning.

    Parameters
    ----------
    answers
        As in `score_form`.

    Returns
    -------
    array
        A new array of the same shape. An answer that says that the question does not apply is NaN,
        or the value that the instrument's authors give it.
    """
    keyed = answers.astype(float, copy=True)
    offer = instrument.not_applicable
    void = np.zeros(keyed.shape, dtype=bool)
    if offer is not None:
        columns = [item - 1 for item in offer.items]
        void[:, columns] = keyed[:, columns] == offer.answer
    for item in instrument.reverse:
        low, high = instrument.range_of(item)
        keyed[:, item - 1] = low + high - keyed[:, item - 1]
    if offer is not None:
        keyed[void] = np.nan if offer.counts_as is None else offer.counts_as
    return keyed


def item_columns(keyed: np.ndarray, items: Sequence[Item]) -> np.ndarray:
    """Return the columns that a score adds up, (n_forms, n); a tuple gives its highest item."""
    return np.column_stack([_item(keyed, item) for item in items])


def _item(keyed: np.ndarray, item: Item) -> np.ndarray:
    """Return one item's column; for a tuple the highest answered of its items."""
    if isinstance(item, int):
        return keyed[:, item - 1]
    # fmax ignores NaN: a group counts as answered as soon as one of its items is.
    return np.asarray(np.fmax.reduce(keyed[:, [i - 1 for i in item]], axis=1))


def _score(
    parts: np.ndarray, score: Score, instrument: Instrument, whole_form_refused: np.ndarray
) -> ScoreColumn:
    k = parts.shape[1]
    answered = ~np.isnan(parts)
    n_valid = answered.sum(axis=1)
    if score.parts:
        allowed = 0
    elif instrument.questionnaire_unanswered_most is not None:
        allowed = k  # counted over the whole form instead
    else:
        allowed = score.unanswered_most
    refused = whole_form_refused | (k - n_valid > allowed) | (n_valid == 0)
    total = np.where(answered, parts, 0.0).sum(axis=1)
    # ASSUME unanswered items would have been answered like the answered ones of the same score.
    mean = total / np.maximum(n_valid, 1)
    if instrument.fill == "scale-mean-rounded":
        mean = (total + (k - n_valid) * np.floor(mean + 0.5)) / k
    value = (mean if score.rule == "mean" else mean * k) * score.times
    # mean x k can miss a whole number by a rounding error: complete forms keep their exact sum.
    if score.rule == "sum":
        value = np.where(n_valid == k, total * score.times, value)
    return ScoreColumn(np.where(refused, np.nan, value), k, n_valid, refused)


def scores_of(
    responses: pd.DataFrame, measures: Mapping[str, Instrument]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every form of every measure.

    Parameters
    ----------
    responses
        Table `responses` (see docs/architecture.md).
    measures
        Measure name to its key.

    Returns
    -------
    scores, ledger
        Table `scores`, and per site, measure and score the counts of forms `complete`, `prorated`
        and `refused` (too few answers).
    """
    tables = []
    for measure, instrument in measures.items():
        forms, answers = answer_matrix(responses[responses["measure"] == measure], instrument)
        for name, column in score_form(answers, instrument).items():
            table = forms.copy()
            table["measure"] = measure
            table["subscale"] = name
            table["score"] = column.value
            table["n_items"] = column.n_items
            table["n_valid"] = column.n_valid
            table["prorated"] = column.prorated
            table["refused"] = column.refused
            tables.append(table)
    # A cohort without questionnaires still has a table of scores, with no rows.
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    scores = pd.concat(tables, ignore_index=True) if tables else empty
    scores = scores.sort_values([*FORM, "measure", "subscale"], kind="stable", ignore_index=True)
    return scores, _ledger(scores)


def answer_matrix(
    responses: pd.DataFrame, instrument: Instrument
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the forms of one measure and their answers, shape (n_forms, n_items)."""
    forms = responses[FORM].drop_duplicates(ignore_index=True)
    row = responses.groupby(FORM, sort=False).ngroup().to_numpy()
    answers = np.full((len(forms), instrument.n_items), np.nan)
    answers[row, responses["item"].to_numpy(int) - 1] = responses["value"].to_numpy(float)
    return forms, answers


def _ledger(scores: pd.DataFrame) -> pd.DataFrame:
    keys = ["site", "measure", "subscale"]
    counts = (
        scores.assign(complete=~scores["prorated"] & ~scores["refused"], forms=True)
        .groupby(keys, as_index=False)[["forms", "complete", "prorated", "refused"]]
        .sum()
    )
    accounted = counts[["complete", "prorated", "refused"]].sum(axis=1)
    if not (accounted == counts["forms"]).all():
        msg = "forms scored and forms read differ: a defect of this program, please report it"
        raise AssertionError(msg)
    return counts


def score_measures(
    *,
    responses: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str | Path],
    scores: str | Path,
    ledger: str | Path,
) -> None:
    """Score the cohort: table `responses` in, tables `scores` and `scoring_ledger` out.

    `measures` is the config's mapping; `instruments` the paths of the keys that it names.
    """
    keys = keys_of(measures, instruments)
    persons = Persons()
    table, counts = scores_of(persons.numbered(files.read_parquet(responses)), keys)
    files.write_parquet(persons.named(table), scores)
    files.write_parquet(counts, ledger)
