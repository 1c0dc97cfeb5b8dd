"""Item answers that add up to a given scale score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.simulate.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Form:
    """A questionnaire as far as answers must fit it.

    Scores are sums of items after reversal; `reverse` lists items stored the other way round.
    """

    instrument: str
    measure: str
    minimum: int
    maximum: int
    subscales: tuple[tuple[int, ...], ...]
    reverse: tuple[int, ...]
    easiness: tuple[float, ...]

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.easiness)


# The keys are those of config/instruments (a test holds them together); `easiness` is how far an
# item's mean lies from the mean of all, chosen to look like real forms (few endorse PHQ item 9).
WAI_SR = Form(
    instrument="wai-sr-c",
    measure="alliance",
    minimum=1,
    maximum=5,
    subscales=((4, 6, 8, 11), (1, 2, 10, 12), (3, 5, 7, 9)),
    reverse=(),
    easiness=(-0.3, -0.2, 0.2, 0.0, 0.3, 0.1, 0.2, 0.1, 0.1, -0.2, -0.1, -0.2),
)
PHQ_9 = Form(
    instrument="phq-9",
    measure="symptoms",
    minimum=0,
    maximum=3,
    subscales=(tuple(range(1, 10)),),
    reverse=(),
    easiness=(0.2, 0.3, 0.3, 0.5, -0.1, 0.2, 0.0, -0.5, -0.9),
)
WAI_S_T = Form(
    instrument="wai-s-t",
    measure="alliance_therapist",
    minimum=1,
    maximum=7,
    subscales=((4, 6, 10, 11), (1, 2, 8, 12), (3, 5, 7, 9)),
    reverse=(4, 10),
    easiness=(0.0, -0.2, 0.4, -0.2, 0.3, 0.1, 0.3, 0.0, 0.2, -0.5, -0.2, -0.2),
)
FORMS = (WAI_SR, WAI_S_T, PHQ_9)


def draw_items(
    form: Form,
    totals: np.ndarray,
    person: np.ndarray,
    parameters: Parameters,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return raw answers, (n_forms, n_items), whose scored sum is the total of each form.

    Parameters
    ----------
    form
        The questionnaire.
    totals
        (n_forms,) scale scores, whole numbers that the form can give.
    person
        (n_forms,) number of whoever answers; the same person keeps the same way to answer.
    parameters
        Spread of items and subscales.
    rng
        Source of chance.
    """
    item_sd, subscale_sd = _spreads(form, parameters)
    stable = parameters.stable_item_share
    n_forms, n_items = len(totals), form.n_items
    weights = 1.0 + parameters.item_total_weight_spread * rng.standard_normal(n_items)
    weights += 1.0 - weights.mean()
    usual = np.array(form.easiness) - np.mean(form.easiness)
    person_habit = rng.standard_normal((int(person.max()) + 1, n_items))[person]
    today = rng.standard_normal((n_forms, n_items))
    leaning = (
        np.outer(totals - totals.mean(), weights) / n_items
        + totals.mean() / n_items
        + usual
        + item_sd * (np.sqrt(stable) * person_habit + np.sqrt(1.0 - stable) * today)
    )
    for items in form.subscales:
        leaning[:, np.array(items) - 1] += subscale_sd * rng.standard_normal((n_forms, 1))
    answers = share_out(totals, leaning, form.minimum, form.maximum)
    for item in form.reverse:
        answers[:, item - 1] = form.minimum + form.maximum - answers[:, item - 1]
    return answers


def _spreads(form: Form, parameters: Parameters) -> tuple[float, float]:
    """Return the SD of an item's own part and of its subscale's part."""
    p = parameters
    return {
        "alliance": (p.alliance_item_sd, p.alliance_subscale_sd),
        "symptoms": (p.symptoms_item_sd, 0.0),
        "alliance_therapist": (p.therapist_item_sd, p.therapist_subscale_sd),
    }[form.measure]


def share_out(
    totals: np.ndarray, leaning: np.ndarray, minimum: int, maximum: int | np.ndarray
) -> np.ndarray:
    """Return whole answers near `leaning`, within the range (of all, or each), with the given sums.

    Each answer starts at the nearest whole number; what is missing to the sum is given, or what
    is too much is taken, point by point where the answer is furthest from its leaning.
    """
    answers = np.clip(np.rint(leaning), minimum, maximum).astype(int)
    rows = np.arange(len(totals))
    while True:
        gap = totals - answers.sum(axis=1)
        if not gap.any():
            return np.asarray(answers)
        step = np.sign(gap)[:, None]
        room = np.where(step > 0, answers < maximum, answers > minimum)
        pull = np.where(room, step * (leaning - answers), -np.inf)
        answers[rows, pull.argmax(axis=1)] += step[:, 0]
