"""Correlations within and between clients: by hand, and where there is none."""

import math

import numpy as np
import pandas as pd
import pytest

from alliance.measures.correlations import (
    between_correlation,
    corrected_between,
    correlation_rows,
    spread_of,
    within_correlation,
)


def eight():
    """Eight clients with two sessions each.

    x: client j has j - 1 and j + 1. y: clients 0 to 6 rise by 2 with x, client 7 falls by 2;
    y's means are j for all but the first two, who are exchanged.
    """
    means = [1, 0, 2, 3, 4, 5, 6, 7]
    rows = []
    for client, mean in enumerate(means):
        turn = -1 if client == 7 else 1
        rows += [(client, client - 1, mean - turn), (client, client + 1, mean + turn)]
    return np.array(rows, float)


def spread(rows):
    return spread_of(rows[:, 1:], rows[:, 0].astype(int))


def test_by_hand():
    found = spread(eight())
    # deviations are -1 and 1 in x and y: sum of products 7 * 2 - 2 = 12, of squares 16 and 16
    within = within_correlation(found)
    assert within.r == pytest.approx(12 / 16)
    assert within.df == 16 - 8 - 1
    error = 1 / math.sqrt(6)
    assert within.low == pytest.approx(math.tanh(math.atanh(0.75) - 1.959963984540054 * error))
    assert within.p == pytest.approx(math.erfc(math.atanh(0.75) / error / math.sqrt(2)))
    # ranks with one exchange of neighbours: 1 - 6 * 2 / (8 * 63) = 41 / 42
    between = between_correlation(found)
    assert between.r == pytest.approx(41 / 42)
    assert between.df == 6
    # mean squares within 16/8 = 2 and 2, product 12/8; between 2 * 42/7 = 12 and 12, 2 * 41/7:
    # n = 2, so T = (12 - 2)/2 = 5 for both, (82/7 - 1.5)/2 = 5.107 for the product: above 1
    assert corrected_between(found) is None
    rows = eight()
    rows[:2, 2], rows[2:4, 2] = [6, 8], [0, 2]  # y of clients 0 and 1 far from their x
    other = spread(rows)
    y = np.array([7, 1, 2, 3, 4, 5, 6, 7.0])
    product = 2 * ((np.arange(8) - 3.5) * (y - y.mean())).sum() / 7
    true = ((product - 1.5) / 2) / math.sqrt(5 * (2 * ((y - y.mean()) ** 2).sum() / 7 - 2) / 2)
    assert corrected_between(other) == pytest.approx(true)


def test_one_session_more_of_a_client_with_one_changes_nothing_within():
    rows = eight()
    alone = np.vstack([rows, [[8, 100, -100]]])
    assert within_correlation(spread(alone)).r == within_correlation(spread(rows)).r
    assert within_correlation(spread(alone)).df == within_correlation(spread(rows)).df


def test_none_where_it_would_say_nothing():
    rows = eight()
    few = rows[rows[:, 0] < 7]
    for found in (within_correlation(spread(few)), between_correlation(spread(few))):
        assert found.r is None
        assert "Fewer than 8 clients" in found.message
    once = rows[::2]
    assert "two sessions" in within_correlation(spread(once)).message
    assert corrected_between(spread(once)) is None
    flat = rows.copy()
    flat[:, 2] = flat[:, 0] / 3 + 0.1  # constant within a client but for rounding
    assert (
        within_correlation(spread(flat)).message == "One of the two never varies within a client."
    )
    flat[:, 2] = np.tile([1.1, 3.3], 8)  # all clients have one mean
    assert (
        between_correlation(spread(flat)).message == "One of the two is the same for all clients."
    )
    same = rows.copy()
    same[:, 2] = 3 * same[:, 1]
    found = within_correlation(spread(same))
    assert found.r == pytest.approx(1)
    assert (found.p, found.low) == (None, None)


def tables(rows):
    """Return scores and sessions as the workflow's tables have them."""
    who = pd.DataFrame({"site": "a", "client": rows[:, 0].astype(int).astype(str)})
    who["session"] = who.groupby("client").cumcount() + 1
    scores = pd.concat(
        who.assign(measure=name, subscale="total", score=rows[:, at])
        for name, at in (("x", 1), ("y", 2))
    )
    sessions = who.assign(attended=True, weeks_since_intake=np.nan)
    return scores, sessions


HEADS = [
    {"measure": name, "score": "total", "label": name.upper(), "main": True} for name in ("x", "y")
]


def test_rows_name_pairs_and_fall_back_on_the_order_of_sessions():
    found = correlation_rows(*tables(eight()), HEADS)
    assert [row["label"] for row in found["score_statistics"]] == ["X", "Y", "Session"]
    pairs = [(r["label_1"], r["label_2"], r["level"]) for r in found["correlations"]]
    assert pairs[:2] == [("X", "Y", "within"), ("X", "Y", "between")]
    assert len(pairs) == 6
    x = found["score_statistics"][0]
    # 16 rows, deviations of 1 within; means 0 to 7
    assert (x["rows"], x["clients"], x["mean"]) == (16, 8, 3.5)
    assert x["sd_within"] == pytest.approx(math.sqrt(16 / 8))
    assert x["sd_between"] == pytest.approx(math.sqrt(6))


def test_pairs_rest_on_the_sessions_that_have_both():
    scores, sessions = tables(eight())
    missing = (scores["measure"] == "y") & (scores["client"] == "7") & (scores["session"] == 2)
    scores.loc[missing, "score"] = np.nan
    within = correlation_rows(scores, sessions, HEADS)["correlations"][0]
    # client 7 has one session with both and says nothing within: the others go together
    assert (within["rows"], within["clients"], within["r"]) == (15, 8, 1.0)
    none = scores[scores["measure"] == "x"]
    nothing = correlation_rows(none, sessions, HEADS)["correlations"][0]
    assert (nothing["r"], nothing["message"]) == (None, "No session has both.")


def test_order_of_rows_and_shift_of_scores_do_not_matter():
    rng = np.random.default_rng(3)
    rows = np.column_stack([np.repeat(np.arange(12), 5), rng.normal(size=(60, 2))])
    plain, order = spread(rows), rng.permutation(60)
    shuffled = spread(rows[order] * [1, 2, 1] + [0, 30, -7])
    for of in (within_correlation, between_correlation):
        assert of(shuffled).r == pytest.approx(of(plain).r, abs=1e-12)
    assert corrected_between(shuffled) == pytest.approx(corrected_between(plain), abs=1e-9)
