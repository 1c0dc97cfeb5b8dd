"""When a form is filled in, and what that makes of effects from one session to another.

Where one measure is asked before a session and the other after it, the later one of a session
follows the earlier one of the same session; what the later one moves shows at the next session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alliance.families.cohort import Cohort
from alliance.families.facts import Assumption, Fact

BEFORE, AFTER = "before", "after"
PARTS = ("", "_within", "_running_within", "_running_between")
"""Columns of a score that belong to one session."""


def asked_first(cohort: Cohort, scores: Sequence[str]) -> list[str]:
    """Return the scores asked before a session, where all others are asked after it; else none."""
    asked = {score: cohort.asked(score) for score in scores}
    if set(asked.values()) != {BEFORE, AFTER}:
        return []
    return [score for score in scores if asked[score] == BEFORE]


def in_the_session(cohort: Cohort, predictor: str, outcome: str) -> bool:
    """Say whether the predictor is asked before the session that the outcome is asked after."""
    return asked_first(cohort, [predictor, outcome]) == [predictor]


def order_of(cohort: Cohort, scores: Sequence[str]) -> Fact:
    """Return in which order forms are taken to be filled in."""
    first = asked_first(cohort, scores)
    if not first:
        words = (
            "All forms of a session are taken to be filled in at the same time; what they share "
            "within a session has no direction."
        )
        return Fact(Assumption.FORMS_AT_ONE_TIME, words)
    before = " and ".join(cohort.label(score) for score in first)
    after = " and ".join(cohort.label(score) for score in scores if score not in first)
    words = f"At every site, {before} is filled in before the session and {after} after it."
    return Fact(Assumption.FORMS_IN_ORDER, words)


def stated_order(cohort: Cohort, scores: Sequence[str]) -> list[Fact]:
    """Return the order of forms where the config states it."""
    return [order_of(cohort, scores)] if asked_first(cohort, scores) else []


def with_predictor_in_order(cohort: Cohort, predictor: str, outcome: str) -> Cohort:
    """Return the cohort for a model of the outcome's next score.

    Where the predictor is asked before the outcome's session, its columns are those of that
    session: the row's next. Elsewhere the cohort is unchanged.
    """
    if not in_the_session(cohort, predictor, outcome):
        return cohort
    panel, key = cohort.panel, ["site", "client", "session"]
    columns = [f"{predictor}{part}" for part in PARTS if f"{predictor}{part}" in panel]
    following = panel[[*key, *columns]].assign(session=panel["session"] - 1)
    found = panel[key].merge(following, on=key, how="left").set_axis(panel.index)
    return replace(cohort, panel=panel.assign(**{column: found[column] for column in columns}))
