"""Answers to single items, drawn so that they add up to the course of the sum.

    leaning_itj = m_j + b_j (T_it - mean T) + h_ij + e_itj,   h ~ N(0, B),  e ~ N(0, W)

in the direction of scoring; m, b (loading on the sum), B and W are moments of the answers. Leanings
are then rounded to answers of the form whose sum is T (`simulate.items.share_out`), a normal
threshold model with thresholds half way between answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.simulate.items import share_out
from alliance.twin.courses import scored_items
from alliance.twin.margins import SMALLEST, three_digits
from alliance.twin.normal import draw_normal, possible

ROUNDING = 1 / 12  # variance that rounding to whole steps adds
OF_FORM = ["site", "client", "session"]


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one form, J in all, in the direction of scoring.

    Attributes
    ----------
    lowest, highest, step
        Of the answers: number, (J,), number (0: any number).
    reverse, summed
        (J,): true where the form stores it turned round; where it counts into the sum.
    mean, loading
        (J,): mean answer, points for each point of the sum.
    between, within
        (J, J): covariances of what is left, of clients and of single forms.
    mean_sum
        Mean of the sum of items.
    """

    lowest: float
    highest: np.ndarray
    step: float
    reverse: np.ndarray
    summed: np.ndarray
    mean: np.ndarray
    loading: np.ndarray
    between: np.ndarray
    within: np.ndarray
    mean_sum: float

    def possible(self, sums: np.ndarray) -> np.ndarray:
        """Return the sums that the form can give nearest to `sums`."""
        n, top = int(self.summed.sum()), float(self.highest[self.summed].sum())
        kept: np.ndarray = np.clip(sums, n * self.lowest, top)
        if not self.step:
            return kept
        return np.asarray(
            np.rint((kept - n * self.lowest) / self.step) * self.step + n * self.lowest
        )

    def draw(self, sums: np.ndarray, person: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the answers of forms as ticked, (n_forms, J).

        Parameters
        ----------
        sums
            (n_forms,): possible sums.
        person
            (n_forms,): number of whoever answers.
        rng
            Source of chance.
        """
        n_people = int(person.max()) + 1 if len(person) else 0
        leaning = self.mean + np.outer(sums - self.mean_sum, self.loading)
        leaning += draw_normal(self.between, n_people, rng)[person]
        leaning += draw_normal(self.within, len(sums), rng)
        answers = np.clip(leaning, self.lowest, self.highest)
        if self.step:
            answers = self.lowest + self.step * self._whole(sums, leaning)
        else:
            left = (sums - answers[:, self.summed].sum(axis=1)) / self.summed.sum()
            answers[:, self.summed] += left[:, None]
            answers = np.round(np.clip(answers, self.lowest, self.highest), 3)
        turned = self.lowest + self.highest - answers
        return np.asarray(np.where(self.reverse, turned, answers))

    def _whole(self, sums: np.ndarray, leaning: np.ndarray) -> np.ndarray:
        """Return whole steps above the lowest answer, (n_forms, J), that add up to `sums`."""
        steps = (leaning - self.lowest) / self.step
        tops = np.rint((self.highest - self.lowest) / self.step).astype(int)
        whole = np.clip(np.rint(steps), 0, tops).astype(int)
        totals = np.rint((sums - self.summed.sum() * self.lowest) / self.step).astype(int)
        at = np.flatnonzero(self.summed)
        whole[:, at] = share_out(totals, steps[:, at], 0, tops[at])
        return whole


def items_of(key: Instrument, answers: pd.DataFrame) -> Items:
    """Return the model of a form's items.

    Parameters
    ----------
    key
        Its scoring key.
    answers
        Answers of whole forms as scored, a column an item from 1, and `client`.
    """
    numbers = range(1, key.n_items + 1)
    summed = np.isin(np.array(numbers), scored_items(key))
    highest = np.array([key.range_of(item)[1] for item in numbers], dtype=float)
    reverse = np.isin(np.array(numbers), key.reverse)
    many = len(answers) >= key.n_items + SMALLEST
    enough = many and answers["client"].nunique() >= SMALLEST
    values = answers[list(numbers)].to_numpy(dtype=float)
    if not enough:  # ASSUME nothing of the items but that they are alike
        values = np.tile((key.minimum + highest) / 2, (2, 1))
    total = values[:, summed].sum(axis=1)
    spread = float(total.var())
    mean, centred = values.mean(axis=0), total - total.mean()
    own = values - mean
    loading = (own * centred[:, None]).mean(axis=0) / spread if spread else summed / summed.sum()
    rest = own - np.outer(centred, loading)
    noise = np.diag(np.full(key.n_items, ROUNDING * key.step**2))
    clients = answers["client"] if enough else pd.Series([0, 1])
    between, within = _parts(rest, clients, noise)
    return Items(
        lowest=key.minimum, highest=highest, step=key.step, reverse=reverse, summed=summed,
        mean=mean, loading=loading, between=between, within=within, mean_sum=float(total.mean()),
    )  # fmt: skip


def scored(key: Instrument, responses: pd.DataFrame) -> pd.DataFrame:
    """Return answers as scored, a row a form: site, client, session and a column an item."""
    lowest, highest = key.minimum, np.array(
        [np.nan, *(key.range_of(item)[1] for item in range(1, key.n_items + 1))]
    )  # fmt: skip
    item = responses["item"].to_numpy(dtype=int)
    value = responses["value"].to_numpy(dtype=float)
    turned = np.where(np.isin(item, key.reverse), lowest + highest[item] - value, value)
    on_scale = (turned >= lowest) & (turned <= highest[item])
    wide = responses[[*OF_FORM, "item"]].assign(value=turned)[on_scale]
    table: pd.DataFrame = wide.pivot(index=OF_FORM, columns="item", values="value")
    return table.reindex(columns=range(1, key.n_items + 1)).reset_index()


def sums(key: Instrument, answers: pd.DataFrame) -> pd.Series:
    """Return the sum of the items of each form of `scored`, that of the whole items extrapolated.

    ASSUME a form with at least half of its items says what the whole one would.
    """
    own = answers[scored_items(key)]
    enough = own.notna().sum(axis=1) >= own.shape[1] / 2
    return (own.mean(axis=1) * own.shape[1]).where(enough)


def _parts(
    rest: np.ndarray, clients: pd.Series, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return covariances between clients, and within them less what rounding adds."""
    frame = pd.DataFrame(rest)
    who = clients.to_numpy()
    deviations = (frame - frame.groupby(who).transform("mean")).to_numpy()
    freedom = max(len(frame) - len(np.unique(who)), 1)
    within = deviations.T @ deviations / freedom
    between = np.cov(rest, rowvar=False, ddof=0).reshape(within.shape) - within
    return possible(between), possible(within - noise)


def told(items: Items) -> dict[str, object]:
    """Return the parameters with three significant digits, for the record of the twin."""
    return {
        "mean": [three_digits(value) for value in items.mean],
        "loading": [three_digits(value) for value in items.loading],
        "sd_between_clients": [three_digits(v) for v in np.sqrt(items.between.diagonal())],
        "sd_within_clients": [three_digits(v) for v in np.sqrt(items.within.diagonal())],
    }
