"""Rows of the description that rest on factor models: multilevel omega and invariance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alliance.config.instruments import Instrument, Score
from alliance.measures.forms import Forms
from alliance.measures.invariance import (
    SMALLEST_GROUP,
    Invariance,
    Step,
    invariance,
    invariance_over_sessions,
)
from alliance.measures.key_facts import items_of
from alliance.measures.multilevel_omega import multilevel_omega

Rows = list[dict[str, Any]]

# Larger models take minutes to hours: what is not computed says so.
MOST_ITEMS_FOR_OMEGA = 30
MOST_ITEMS_OVER_SITES = 30
MOST_ITEMS_OVER_SESSIONS = 16
FEWEST_ITEMS_OF_A_FACTOR = 3
HALF = 0.5
OMEGAS = {
    "between": "a client's mean over sessions",
    "within_equal": "a session's deviation from the client's mean",
    "single_form": "a single form",
    "between_shared": "a client's mean, of a construct that belongs to the client alone",
    "between_latent": "the latent mean of a client",
    "within": "the latent deviation of a session",
}
PRINTED = ("between", "within_equal", "single_form")


def structure_rows(
    head: Mapping[str, Any], key: Instrument, forms: Forms, main: Sequence[Score]
) -> dict[str, Rows]:
    """Return rows of multilevel omega (for every main score) and of invariance (of the measure).

    Parameters
    ----------
    head
        What names a row.
    key, forms
        The measure's key and forms.
    main
        The total, or all scores where there is none.
    """
    parts: dict[str, Rows] = {
        "multilevel_omega": [
            row for score in main for row in _omega_rows(dict(head), score, key, forms)
        ],
        "invariance": [],
        "invariance_steps": [],
        "invariance_releases": [],
    }
    factors = factors_of(key)
    for over in ("sites", "sessions"):
        found = _invariance(over, factors, forms)
        row = {"measure": head["measure"], "label": head["label"], "over": over}
        parts["invariance"].append(_summary(row, factors, found))
        if isinstance(found, Invariance):
            parts["invariance_steps"] += _steps(row, found)
            parts["invariance_releases"] += _releases(row, found)
    return parts


def factors_of(key: Instrument) -> dict[str, tuple[int, ...]]:
    """Return the factors of the measurement model with the numbers of their items.

    The subscales where they share no item and have three items each at least; else one factor of
    all items that enter a score.
    """
    scores = [score for score in key.scores if not score.parts]
    subscales = {
        score.name: tuple(item for item in score.items if isinstance(item, int))
        for score in scores
        if score.name != "total"
    }
    listed = [item for items in subscales.values() for item in items]
    large = all(len(items) >= FEWEST_ITEMS_OF_A_FACTOR for items in subscales.values())
    if len(subscales) > 1 and large and len(set(listed)) == len(listed):
        return subscales
    every = [item for item in range(1, key.n_items + 1) if item not in key.unscored]
    return {"one factor": tuple(every)}


def _omega_rows(head: dict[str, Any], score: Score, key: Instrument, forms: Forms) -> Rows:
    head = head | {"score": score.name}
    columns = forms.columns_of(score)
    row: dict[str, Any] = {
        **head,
        "kind": "",
        "meaning": "",
        "printed": True,
        "clients": 0,
        "forms": 0,
        "incomplete_forms": 0,
        "forms_per_client": None,
        "estimate": None,
        "low": None,
        "high": None,
        "message": "",
    }
    if columns.shape[1] > MOST_ITEMS_FOR_OMEGA:
        told = f"{columns.shape[1]} items are more than a two-level model is fitted to here."
        return [row | {"message": told}]
    some = ~np.isnan(columns).all(axis=1)
    found = multilevel_omega(
        columns[some], forms.client_codes(some), items=_names(items_of(score, key))
    )
    row |= {
        "clients": found.n_clients,
        "forms": found.n_forms,
        "incomplete_forms": found.n_left_out,
        "forms_per_client": found.forms_per_client,
    }
    if found.why_not is not None:
        return [row | {"message": found.why_not}]
    notes = list(found.warnings)
    if found.fixed_at_zero:
        notes.append("Residual variances between clients held at zero: "
                     + ", ".join(found.fixed_at_zero) + ".")  # fmt: skip
    rows = []
    for kind, meaning in OMEGAS.items():
        omega = getattr(found, kind)
        numbers = {
            "estimate": None if omega is None else _finite(omega.estimate),
            "low": None if omega is None else _finite(omega.ci_low),
            "high": None if omega is None else _finite(omega.ci_high),
        }
        own = {"kind": kind, "meaning": meaning, "printed": kind in PRINTED}
        rows.append(row | own | numbers | {"message": " ".join(notes)})
    return rows


def _invariance(over: str, factors: Mapping[str, Sequence[int]], forms: Forms) -> Invariance | str:
    """Return the chain of models, or why it is not fitted."""
    order = [item for items in factors.values() for item in items]
    most = MOST_ITEMS_OVER_SITES if over == "sites" else MOST_ITEMS_OVER_SESSIONS
    if len(order) > most:
        return f"{len(order)} items are more than the chain of models is fitted to here ({most})."
    answers = forms.keyed[:, [item - 1 for item in order]]
    some = ~np.isnan(answers).all(axis=1)
    who, client = forms.who[some], forms.client_codes(some)
    structure = {factor: _names(items) for factor, items in factors.items()}
    names = _names(order)
    if over == "sites":
        if who["site"].nunique() < 2:
            return "There is one site: nothing to compare."
        # ASSUME forms of one client depend on each other in a way that the scaled tests allow for:
        # every form is used, with clients as clusters.
        return invariance(
            answers[some], who["site"].to_numpy(), items=names, factors=structure, clusters=client
        )
    sessions = early_and_late(who["session"].to_numpy())
    if sessions is None:
        return "There are no two sessions with fifty forms each: nothing to compare."
    return invariance_over_sessions(
        answers[some],
        client,
        who["session"].to_numpy(),
        at=sessions,
        items=names,
        factors=structure,
    )


def early_and_late(sessions: np.ndarray) -> tuple[int, int] | None:
    """Return the first session with enough forms, and the last with half as many or more.

    `sessions`: session number of each form. None where there are no two.
    """
    numbers, forms = np.unique(sessions, return_counts=True)
    enough = forms >= SMALLEST_GROUP
    if enough.sum() < 2:
        return None
    first = int(np.flatnonzero(enough)[0])
    # ASSUME two sessions tell what there is to see: more of them take minutes to fit.
    late = np.flatnonzero(enough & (forms >= HALF * forms[first]))
    last = int(late[-1]) if late[-1] > first else int(np.flatnonzero(enough)[-1])
    return int(numbers[first]), int(numbers[last])


def _summary(
    row: Mapping[str, Any], factors: Mapping[str, Sequence[int]], found: Invariance | str
) -> dict[str, Any]:
    base = {**row, "factors": ", ".join(name.replace("_", " ") for name in factors)}
    if isinstance(found, str):
        return {
            **base,
            "groups": [],
            "left_out": [],
            "level": None,
            "partial_step": None,
            "partial_reached": None,
            "message": found,
        }
    partial = found.partial
    return {
        **base,
        "groups": [{"name": str(name), "forms": n} for name, n in found.n.items()],
        "left_out": [{"name": str(name), "why": why} for name, why in found.left_out.items()],
        "level": found.level,
        "partial_step": None if partial is None else partial.name,
        "partial_reached": None if partial is None else partial.reached,
        "message": found.why_not or "",
    }


def _steps(row: Mapping[str, Any], found: Invariance) -> Rows:
    rows = [_step(row, step, is_partial=False) for step in found.steps]
    if found.partial is not None:
        rows.append(_step(row, found.partial.step, is_partial=True))
    return rows


def _step(row: Mapping[str, Any], step: Step, *, is_partial: bool) -> dict[str, Any]:
    plain = ("chi2", "df", "p", "chi2_scaled", "scaling", "cfi", "tli", "rmsea", "rmsea_low",
             "rmsea_high", "srmr")  # fmt: skip
    change = step.change
    differences = ("chi2", "df", "p", "chi2_scaled", "p_scaled", "cfi", "rmsea", "srmr")
    return {
        **row,
        "step": step.name,
        "partial": is_partial,
        **{name: _finite(getattr(step, name)) for name in plain},
        **{
            f"change_{name}": None if change is None else _finite(getattr(change, name))
            for name in differences
        },
        "holds": step.holds,
        "converged": step.converged,
        "improper": len(step.heywood),
    }


def _releases(row: Mapping[str, Any], found: Invariance) -> Rows:
    if found.partial is None:
        return []
    return [
        {
            **row,
            "step": found.partial.name,
            "what": release.what,
            "item": release.item,
            "chi2": _finite(release.chi2),
            "df": release.df,
            "p": _finite(release.p),
        }
        for release in found.partial.releases
    ]


def _names(items: Sequence[Any]) -> tuple[str, ...]:
    """Return the items' names; no wording, only numbers."""
    return tuple(
        f"item {item}" if isinstance(item, int) else f"items {'/'.join(map(str, item))}"
        for item in items
    )


def _finite(value: float | int | None) -> float | int | None:
    return value if value is not None and math.isfinite(value) else None
