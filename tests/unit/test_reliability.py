"""Reliability on data of every poor kind: a number or a plain sentence, never a traceback."""

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.measures.describe import PARTS, measurement_of
from alliance.measures.forms import Forms
from alliance.measures.generalizability import crossed_components, nested_components
from alliance.measures.reliability import consistency
from alliance.measures.structure_rows import early_and_late, factors_of
from alliance.measures.variance_shares import variance_shares

KEYS = load_instruments()
RNG = np.random.default_rng(5)


def simulated(n_clients=40, n_sessions=4, m=5, rng=None):
    """Return answers, client and session codes with client, session and item effects."""
    rng = np.random.default_rng(1) if rng is None else rng
    client = np.repeat(np.arange(n_clients), n_sessions)
    session = np.tile(np.arange(n_sessions), n_clients)
    score = rng.normal(0, 1, n_clients)[client] + rng.normal(0, 0.7, len(client))
    habit = rng.normal(0, 0.4, (n_clients, m))[client]
    return score[:, None] + habit + rng.normal(0, 0.8, (len(client), m)), client, session


def test_alpha_by_hand():
    # Spearman-Brown: two parallel items that correlate at r have alpha 2 r / (1 + r).
    one = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
    two = np.array([2.0, 1, 4, 3, 6, 5, 8, 7])
    r = np.corrcoef(one, two)[0, 1]
    found = consistency(np.column_stack([one, two]), np.arange(8), RNG, draws=10)
    assert found.alpha.value == pytest.approx(2 * r / (1 + r))
    assert found.omega.value is None
    assert "Two items" in found.messages[0]


def test_the_order_of_forms_does_not_matter():
    items, client, _ = simulated()
    order = np.random.default_rng(2).permutation(len(items))
    plain = consistency(items, client, np.random.default_rng(3), draws=30)
    shuffled = consistency(items[order], client[order], np.random.default_rng(3), draws=30)
    assert shuffled.alpha.value == pytest.approx(plain.alpha.value, abs=1e-12)
    assert shuffled.omega.low == pytest.approx(plain.omega.low, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x, c: (x[:, :1], c), "One number"),
        (lambda x, c: (x[:0], c[:0]), "No form"),
        (lambda x, c: (x[c < 5], c[c < 5]), "Fewer than eight clients"),
        (lambda x, c: (np.zeros_like(x), c), "Fewer than two items vary"),
        (lambda x, c: (np.column_stack([x, np.ones(len(x))]), c), "1 item has the same answer"),
        (lambda x, c: (np.tile(x[c < 9], 3), c[c < 9]), "too few for a factor of 15 items"),
        (lambda x, c: (np.column_stack([x, x[:, 0]]), c), "determine each other"),
    ],
    ids=["one item", "empty", "few clients", "constant", "constant item", "few for items", "copy"],
)
def test_what_cannot_be_computed_is_said(change, told):
    items, client, _ = simulated()
    found = consistency(*change(items, client), np.random.default_rng(4), draws=20)
    assert told in " ".join(found.messages)


def test_a_constant_item_leaves_the_others():
    items, client, _ = simulated()
    plain = consistency(items, client, np.random.default_rng(4), draws=20)
    more = np.column_stack([items, np.full(len(items), 3.0)])
    found = consistency(more, client, np.random.default_rng(4), draws=20)
    assert found.alpha.value == pytest.approx(plain.alpha.value)
    assert found.item_rest[-1] is None
    assert found.n_items == 5


def test_everybody_seen_once_cannot_be_told_apart():
    items, client, session = simulated(n_sessions=1)
    assert nested_components(items, client) is None
    assert crossed_components(items, client, session) is None


def test_no_difference_between_clients_is_zero_reliability():
    items, client, _ = simulated(60, 6)
    rng = np.random.default_rng(8)
    found = nested_components(items[rng.permutation(len(items))], client)
    assert found.person_reliability(1) < 0.1
    without = nested_components(items - items.mean(axis=1, keepdims=True), client)
    assert without.person == 0
    assert without.person_reliability(3) == 0
    assert without.sessions_for(0.8) is None


def test_reliability_rises_with_sessions_and_sessions_for_inverts_it():
    items, client, _ = simulated()
    found = nested_components(items, client)
    values = [found.person_reliability(k) for k in range(1, 12)]
    assert values == sorted(values)
    needed = found.sessions_for(0.8)
    assert found.person_reliability(needed) >= 0.8
    assert needed == 1 or found.person_reliability(needed - 1) < 0.8


def shares_table(sites=4, therapists=5, clients=6, sessions=4):
    rows = []
    rng = np.random.default_rng(3)
    for s in range(sites):
        for t in range(therapists):
            for c in range(clients):
                level = rng.normal(0, 2)
                rows += [
                    (f"s{s}", f"s{s}t{t}", f"s{s}t{t}c{c}", level + rng.normal())
                    for _ in range(sessions)
                ]
    return pd.DataFrame(rows, columns=["site", "therapist", "client", "score"])


@pytest.mark.parametrize(
    ("change", "levels", "told"),
    [
        (lambda t: t, ["site", "therapist", "client", "session"], "4 sites say little"),
        (lambda t: t[t["site"] == "s0"], ["therapist", "client", "session"], "there is one site"),
        (lambda t: t.assign(therapist=pd.NA), ["site", "client", "session"], "No share of therap"),
        (lambda t: t.assign(therapist=t["client"]), ["site", "client", "session"], "one client"),
        (lambda t: t.drop_duplicates("client"), [], "cannot be told apart"),
        (lambda t: t.assign(score=1.0), [], "never varies"),
        (lambda t: t[:0], [], "never varies"),
    ],
    ids=["all", "one site", "no therapists", "one each", "one session", "constant", "empty"],
)
def test_variance_shares_of_poor_cohorts(change, levels, told):
    found = variance_shares(change(shares_table()), seed=1, draws=20)
    assert [level.level for level in found.levels] == levels
    assert told in " ".join(found.messages)
    if levels:
        assert sum(level.share for level in found.levels) == pytest.approx(1)
        assert all(level.share_low <= level.share_high for level in found.levels)


def cohort(frame):
    """Return the tables that a description reads, from responses of one measure."""
    from alliance.measures.scoring import scores_of

    scores, _ = scores_of(frame, {"alliance": KEYS["wai-sr-c"]})
    who = frame[["site", "client", "session"]].drop_duplicates()
    sessions = who.assign(attended=True, weeks_since_intake=0.0)
    clients = who[["site", "client"]].drop_duplicates().assign(therapist=pd.NA)
    return {"clients": clients, "sessions": sessions, "responses": frame, "scores": scores}


def responses(n_clients=30, n_sessions=3, sites=("a", "b")):
    answers, client, session = simulated(n_clients, n_sessions, 12)
    answers = np.clip(np.rint(answers + 3), 1, 5)
    rows = [
        (sites[c % len(sites)], f"c{c:03d}", s + 1, "alliance", item + 1, answers[i, item])
        for i, (c, s) in enumerate(zip(client, session, strict=True))
        for item in range(12)
    ]
    return pd.DataFrame(rows, columns=["site", "client", "session", "measure", "item", "value"])


def described(frame, measure="wai-sr-c"):
    import jsonschema

    from alliance import files
    from alliance.config.closed_schema import schema

    content = files.plain(
        measurement_of(
            **cohort(frame),
            measures={"alliance": {"instrument": measure}},
            keys={"alliance": KEYS[measure]},
            seed=1,
        )
    )
    jsonschema.Draft202012Validator(schema("measurement")).validate(content)
    return content


def test_a_description_has_every_part():
    content = described(responses())
    assert set(PARTS) < set(content)
    whole = content["reliability"][0]
    assert whole["alpha_low"] < whole["alpha"] < whole["alpha_high"]
    assert {row["session"] for row in content["reliability"]} == {"all", "1", "3", "last"}
    assert all(row["message"] for row in content["invariance"])  # thirty clients are too few
    assert [row["sessions"] for row in content["decision"]][:3] == [1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:0],
        lambda t: t[t["client"] == "c000"],
        lambda t: t[t["session"] == 1],
        lambda t: t[t["site"] == "a"],
        lambda t: t[t["item"] == 1],
        lambda t: t[t["client"].isin(["c000", "c001", "c002"])],
        lambda t: t.assign(value=3.0),
    ],
    ids=["nobody", "one client", "one session", "one site", "one item", "three clients", "same"],
)
def test_a_poor_cohort_is_described_in_sentences(change):
    content = described(change(responses()))
    said = [row["message"] for part in ("reliability", "generalizability") for row in content[part]]
    numbers = [row["alpha"] for row in content["reliability"]]
    assert any(said) or all(number is not None for number in numbers)
    assert content["measures"][0]["measure"] == "alliance"


@pytest.mark.slow
def test_seed_and_rows_decide_the_numbers_and_nothing_else():
    frame = responses()
    assert described(frame) == described(frame.sample(frac=1, random_state=3))


def test_factors_are_the_subscales_where_they_share_no_item():
    assert list(factors_of(KEYS["wai-sr-c"])) == ["goal", "task", "bond"]
    assert factors_of(KEYS["phq-9"]) == {"one factor": tuple(range(1, 10))}
    assert list(factors_of(KEYS["qids-sr-16"])) == ["one factor"]  # its parts have one item each


def test_early_and_late_sessions():
    sessions = np.repeat([1, 2, 3, 4], [100, 90, 60, 20])
    assert early_and_late(sessions) == (1, 3)
    assert early_and_late(sessions[:100]) is None
    assert early_and_late(np.repeat([1, 2], [200, 60])) == (1, 2)


def test_forms_are_sorted_and_grouped():
    forms = Forms.of(responses().sample(frac=1, random_state=1), KEYS["wai-sr-c"])
    assert forms.who.equals(forms.who.sort_values(["site", "client", "session"]))
    names = [(site, session) for site, session, _ in forms.groups()]
    expected = [("all", "all"), ("a", "all"), ("b", "all"),
                ("all", "1"), ("all", "3"), ("all", "last")]  # fmt: skip
    assert names == expected
