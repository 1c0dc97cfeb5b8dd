"""Measurement invariance: does an instrument measure the same at every site and session.

A chain of factor models with more and more held equal (see `invariance_models`). A step holds if
the fit does not get worse by more than the published bounds: CFI falls by at most .010 and RMSEA
rises by at most .015 (Cheung & Rensvold 2002; Chen 2007). Likelihood ratio tests stand beside it.
What cannot be done is an answer too: the result says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from alliance.errors import FitError
from alliance.measures.invariance_answer import Change, Invariance, Partial, Release, Step
from alliance.measures.invariance_models import (
    HELD_EQUAL,
    STEPS,
    Layout,
    Released,
    models_of,
    releasable,
)
from alliance.sem import Sample, SemFit, fit_sem, sample
from alliance.sem.indices import p_of

CFI_MAY_FALL = 0.010
RMSEA_MAY_RISE = 0.015
SMALLEST_GROUP = 50
"""A group or session with fewer forms is left out."""

MOST_SESSIONS = 3
"""How many sessions are compared unless they are named."""

MOST_COLUMNS = 90
"""Items x sessions that are still practical: the information has about columns^4 / 4 cells."""


def invariance(
    answers: np.ndarray,
    groups: Sequence[object] | np.ndarray,
    *,
    items: Sequence[str] | None = None,
    factors: Mapping[str, Sequence[str]] | None = None,
    clusters: Sequence[object] | np.ndarray | None = None,
    smallest_group: int = SMALLEST_GROUP,
) -> Invariance:
    """Test invariance over groups, such as sites.

    ASSUME answers are continuous and normal enough for maximum likelihood (the scaled tests guard
    against the rest), and missing at random.

    Parameters
    ----------
    answers
        Shape (n_forms, n_items), NaN where unanswered. One form per client, or give `clusters`.
    groups
        Group of each form.
    items
        Names of the columns; item_1, item_2, ... otherwise.
    factors
        Factor to its items; one factor of all items otherwise.
    clusters
        Client (or therapist) of each form. Where one has several, the scaled tests allow for it,
        and steps are judged by the robust CFI and RMSEA.
    smallest_group
        A group with fewer forms is left out.

    Returns
    -------
    Invariance
    """
    table, names, structure = _named(answers, items, factors)
    labels = np.asarray([str(group) for group in groups])
    codes = None if clusters is None else np.asarray(clusters)
    left_out, kept_items = _varying_items(table, names, structure)
    structure, problem = _without(structure, left_out)
    if problem is not None:
        return Invariance("groups", structure, {}, left_out, problem)
    columns = [names.index(item) for item in kept_items]
    samples: dict[str, Sample] = {}
    for group in sorted(set(labels.tolist())):
        at = labels == group
        own = sample(table[at][:, columns], kept_items, None if codes is None else codes[at])
        reason = _too_thin(own, smallest_group)
        if reason is None:
            samples[group] = own
        else:
            left_out[group] = reason
    used = {group: own.n for group, own in samples.items()}
    empty = Invariance("groups", structure, used, left_out, None)
    if len(samples) < 2:
        count = len(set(labels.tolist()))
        told = (
            "there is only one group" if count == 1 else "fewer than two groups have enough forms"
        )
        return replace(empty, why_not=f"Nothing to compare: {told}.")
    repeated = any(
        own.clusters is not None and len(np.unique(own.clusters)) < own.n
        for own in samples.values()
    )
    layout = Layout(structure, tuple(samples), over_sessions=False)
    return _chain(empty, layout, samples, robust=repeated)


def invariance_over_sessions(
    answers: np.ndarray,
    clients: Sequence[object] | np.ndarray,
    sessions: Sequence[int] | np.ndarray,
    *,
    at: Sequence[int] | None = None,
    items: Sequence[str] | None = None,
    factors: Mapping[str, Sequence[str]] | None = None,
    smallest_group: int = SMALLEST_GROUP,
) -> Invariance:
    """Test invariance over sessions by a longitudinal factor model.

    Clients who left before a session stay in the model with what they answered. Residuals of one
    item are correlated over sessions. Assumptions as in `invariance`.

    Parameters
    ----------
    answers
        Shape (n_forms, n_items), NaN where unanswered.
    clients, sessions
        Client and session number of each form; a client has one form per session.
    at
        Sessions to compare; otherwise the first, the middle and the last of those with enough
        forms.
    items, factors, smallest_group
        As in `invariance`.

    Returns
    -------
    Invariance
    """
    table, names, structure = _named(answers, items, factors)
    number = np.asarray(sessions).astype(int)
    left_out, kept_items = _varying_items(table, names, structure)
    structure, problem = _without(structure, left_out)
    if problem is not None:
        return Invariance("sessions", structure, {}, left_out, problem)
    columns = [names.index(item) for item in kept_items]
    usable: list[int] = []
    for session in sorted(set(number.tolist() if at is None else (int(s) for s in at))):
        own = sample(table[number == session][:, columns], kept_items)
        reason = _too_thin(own, smallest_group)
        if reason is None:
            usable.append(session)
        elif at is not None:
            left_out[str(session)] = reason
    chosen = usable if at is not None else _spread(usable, MOST_SESSIONS)
    codes, client = np.unique(np.asarray(clients), return_inverse=True)
    n = {str(s): int((~np.isnan(table[number == s])).any(axis=1).sum()) for s in chosen}
    empty = Invariance("sessions", structure, n, left_out, None)
    if len(chosen) < 2:
        return replace(
            empty, why_not="Nothing to compare: fewer than two sessions have enough forms."
        )
    if len(chosen) * len(columns) > MOST_COLUMNS:
        return replace(
            empty,
            why_not=f"{len(columns)} items at {len(chosen)} sessions are too many for one model "
            f"(at most {MOST_COLUMNS} columns): name fewer sessions, or one subscale at a time.",
        )
    wide = np.full((len(codes), len(chosen) * len(columns)), np.nan)
    for block, session in enumerate(chosen):
        rows = np.flatnonzero(number == session)
        if len(set(client[rows].tolist())) < len(rows):
            return replace(empty, why_not="A client has two forms of the same session.")
        wide[client[rows], block * len(columns) : (block + 1) * len(columns)] = table[rows][
            :, columns
        ]
    layout = Layout(structure, tuple(str(s) for s in chosen), over_sessions=True)
    names_wide = models_of(layout, "configural")[""].observed
    place = {f"{i} @{s}": k for k, (s, i) in enumerate((s, i) for s in chosen for i in kept_items)}
    data = sample(wide[:, [place[name] for name in names_wide]], names_wide)
    return _chain(empty, layout, {"": data}, robust=False)


def _named(
    answers: np.ndarray, items: Sequence[str] | None, factors: Mapping[str, Sequence[str]] | None
) -> tuple[np.ndarray, list[str], dict[str, tuple[str, ...]]]:
    table = np.asarray(answers, dtype=float)
    names = [f"item_{k + 1}" for k in range(table.shape[1])] if items is None else list(items)
    chosen = {"factor": names} if factors is None else factors
    structure = {factor: tuple(its) for factor, its in chosen.items()}
    unknown = {i for its in structure.values() for i in its} - set(names)
    if unknown or len(names) != table.shape[1]:
        raise ValueError(f"items and columns do not fit: {sorted(unknown)}")
    return table, names, structure


def _varying_items(
    table: np.ndarray, names: Sequence[str], factors: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, str], list[str]]:
    """Return the factors' items that never vary, by reason, and the others, factor by factor."""
    left_out = {}
    used = list(dict.fromkeys(item for items in factors.values() for item in items))
    for name in used:
        column = table[:, names.index(name)]
        values = column[~np.isnan(column)]
        if len(values) == 0:
            left_out[name] = "nobody answered it"
        elif values.min() == values.max():
            left_out[name] = "all answers are the same"
    return left_out, [name for name in used if name not in left_out]


def _without(
    factors: Mapping[str, tuple[str, ...]], left_out: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], str | None]:
    kept = {f: tuple(i for i in items if i not in left_out) for f, items in factors.items()}
    short = [f for f, items in kept.items() if len(items) < 3]
    if not short:
        return kept, None
    told = ", ".join(f"'{f}' ({len(kept[f])})" for f in short)
    return kept, f"A factor needs at least three items that vary; too few have: {told}."


def _too_thin(own: Sample, smallest: int) -> str | None:
    if own.n < smallest:
        return f"{own.n} forms, fewer than {smallest}"
    if own.n <= own.p:
        return f"{own.n} forms for {own.p} items"
    pairs = own.pairs_observed()
    _, variance = own.available()
    thin = [
        n for n, v, c in zip(own.names, variance, np.diag(pairs), strict=True) if c < 2 or v <= 0
    ]
    return f"no spread in {', '.join(thin)}" if thin else None


def _spread(sessions: Sequence[int], most: int) -> list[int]:
    """Return the first, the last, and what lies evenly between."""
    if len(sessions) <= most:
        return list(sessions)
    at = np.round(np.linspace(0, len(sessions) - 1, most)).astype(int)
    return [sessions[k] for k in at]


def _chain(
    empty: Invariance, layout: Layout, data: Mapping[str, Sample], *, robust: bool
) -> Invariance:
    steps: list[Step] = []
    fits: list[SemFit] = []
    level = None
    partial = None
    for name in STEPS:
        try:
            fit = fit_sem(models_of(layout, name), data, like=fits[0] if fits else None)
        except FitError as error:
            if not steps:
                return replace(empty, why_not=str(error))
            break
        if fit.indices is None:
            return replace(empty, why_not=" ".join(fit.warnings))
        step = _step(name, fit, steps[-1] if steps else None, robust)
        broken = not fit.convergence.converged
        if not steps and broken:
            return replace(
                empty,
                steps=(step,),
                why_not="The configural model has no stable solution in these data.",
            )
        held_so_far = level == (STEPS[len(steps) - 1] if steps else None)
        if step.holds or not steps:
            level = name if held_so_far else level
        elif held_so_far and partial is None and not broken:
            partial = _partial(layout, data, fits[-1], steps[-1], fit, step)
        steps.append(step)
        fits.append(fit)
        if broken:
            break
    return replace(empty, steps=tuple(steps), level=level, partial=partial)


def _partial(
    layout: Layout,
    data: Mapping[str, Sample],
    before_fit: SemFit,
    before: Step,
    fit: SemFit,
    step: Step,
) -> Partial | None:
    """Release the equality with the largest score test until the step holds."""
    name, robust = step.name, step.robust
    released: Released = frozenset()
    releases: list[Release] = []
    while not step.holds:
        tests = {
            pair: fit.score_test(models_of(layout, name, released | {pair}))
            for pair in releasable(layout, name, released)
        }
        if not tests:
            return Partial(name, tuple(releases), step, False) if releases else None
        what, item = max(tests, key=lambda pair: tests[pair].chi2 / tests[pair].df)
        test = tests[what, item]
        released = released | {(what, item)}
        releases.append(Release(what, item, test.chi2, test.df, _number(test.p)))
        try:
            fit = fit_sem(models_of(layout, name, released), data, like=before_fit)
        except FitError:
            return Partial(name, tuple(releases[:-1]), step, False)
        step = _step(name, fit, before, robust)
        if step.holds is None:
            return Partial(name, tuple(releases), step, False)
    return Partial(name, tuple(releases), step, True)


def _step(name: str, fit: SemFit, before: Step | None, robust: bool) -> Step:
    own = fit.indices
    assert own is not None
    step = Step(
        name=name,
        chi2=own.test.chi2,
        df=own.test.df,
        p=_number(own.test.p),
        chi2_scaled=_number(own.test.chi2_scaled),
        scaling=_number(own.test.scaling),
        cfi=own.cfi_robust if robust else own.cfi,
        tli=own.tli_robust if robust else own.tli,
        rmsea=own.rmsea_robust if robust else own.rmsea,
        rmsea_low=own.rmsea_robust_low if robust else own.rmsea_low,
        rmsea_high=own.rmsea_robust_high if robust else own.rmsea_high,
        srmr=own.srmr,
        aic=own.aic,
        bic=own.bic,
        robust=robust,
        n_parameters=own.n_parameters,
        converged=fit.convergence.converged,
        heywood=fit.convergence.heywood,
        change=None,
        holds=None,
    )
    if before is None:
        return step
    change = _change(step, before)
    judged = step.converged and before.converged and np.isfinite([change.cfi, change.rmsea]).all()
    holds = change.cfi >= -CFI_MAY_FALL and change.rmsea <= RMSEA_MAY_RISE
    return replace(step, change=change, holds=bool(holds) if judged else None)


def _change(new: Step, old: Step) -> Change:
    chi2, df = new.chi2 - old.chi2, new.df - old.df
    scalings = [step.scaling if step.scaling is not None else np.nan for step in (new, old)]
    factor = (new.df * scalings[0] - old.df * scalings[1]) / df
    scaled = chi2 / factor if factor > 0 else float("nan")
    return Change(
        chi2=chi2,
        df=df,
        p=_number(p_of(chi2, df)),
        chi2_scaled=_number(scaled),
        p_scaled=_number(p_of(scaled, df)),
        cfi=new.cfi - old.cfi,
        rmsea=new.rmsea - old.rmsea,
        srmr=new.srmr - old.srmr,
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


__all__ = [
    "CFI_MAY_FALL",
    "HELD_EQUAL",
    "RMSEA_MAY_RISE",
    "SMALLEST_GROUP",
    "STEPS",
    "Change",
    "Invariance",
    "Partial",
    "Release",
    "Step",
    "invariance",
    "invariance_over_sessions",
]
