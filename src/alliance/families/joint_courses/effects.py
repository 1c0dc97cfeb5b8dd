"""What is read off a model of joint courses: effects within clients, and links between groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from alliance.families.cohort import Cohort
from alliance.families.common.links import within_link
from alliance.families.common.multilevel import records
from alliance.families.facts import Estimator, Fact
from alliance.families.fit import Curve, Estimate, Role, estimate
from alliance.families.joint_courses.fitting import Model
from alliance.families.joint_courses.terms import term_between, term_of
from alliance.mixed import MixedFit, derived
from alliance.mixed.dynamics import course_structure
from alliance.mixed.inference.derived import Quantity
from alliance.mixed.inference.quantities import (
    held_effect,
    in_sds,
    lagged_effect,
    link,
    ordered_effect,
    per_sd,
    response,
    total_effect,
    within_session,
)

FARTHEST = 8
"""Sessions (or weeks) over which the answer to a deviation is followed."""

WITHIN, CARRIED = "within client", "autoregression"
POINTS, PER_SD = "points per point", "points per SD"
DELTA = Fact(Estimator.JOINT_COURSES, "joint courses, REML, delta method")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A number that is read off, and what it is called.

    Attributes
    ----------
    quantity, standardised
        Its value, and the same in standard deviations.
    label, level, unit, role, link
        As in an `Estimate`.
    on
        The outcome in whose points it is.
    """

    quantity: Quantity
    label: str
    level: str
    on: str
    unit: str = POINTS
    role: Role = "adjustment"
    standardised: Quantity | None = None
    link: str = ""


def directions(model: Model) -> list[tuple[str, str]]:
    """Return each pair: what acts, and what is acted on."""
    return [(of, on) for of in model.labels for on in model.labels if of != on]


def effects(model: Model, cohort: Cohort) -> list[Estimate]:
    """Return the effects within clients, between clients and between therapists."""
    readings = [
        *(one for of, on in directions(model) for one in _within(model, of, on)),
        *_carried(model),
        *(one for level in reversed(model.levels) for one in _between(model, level)),
    ]
    plain = [reading.quantity for reading in readings]
    standard = [reading.standardised or reading.quantity for reading in readings]
    table = records(derived(model.fit, [*plain, *standard]))
    return [
        _estimate(reading, row, in_sd, cohort.minimal_important_difference(reading.on))
        for reading, row, in_sd in zip(
            readings, table[: len(plain)], table[len(plain) :], strict=True
        )
    ]


def by_group(model: Model, fit: MixedFit, by: str) -> list[Estimate]:
    """Return the effects within clients in each group of a fit with coefficients by group."""
    groups = course_structure(fit).parameters.groups
    main = [pair for pair in directions(model) if _is_main(model, *pair)]
    pairs = [(group, *pair) for pair in main for group in groups]
    table = derived(fit, [_effect(model, of, on, fit, group) for group, of, on in pairs])
    code = Fact(Estimator.JOINT_COURSES_BY_GROUP, f"coefficients of their own, by {by}")
    found = []
    for (group, of, on), row in zip(pairs, records(table), strict=True):
        name = f"{by.replace('_', ' ')}: {group}"
        found.append(
            estimate(
                f"{of} -> {on} ({group})",
                label=f"{_name(model, of, on)}, {name}",
                role="main",
                level=WITHIN,
                estimator=code,
                unit=POINTS,
                numbers=_numbers(row),
            )
        )
    return found


def curves(model: Model) -> list[Curve]:
    """Return how a deviation of one SD is answered, and what it adds up to where it lasts."""
    fit, first, after = model.fit, model.first, np.arange(FARTHEST + 1, dtype=float)
    wanted = [
        (name, of, on, [per_sd(fit, quantity(fit, of, on, h, first=first), of) for h in after])
        for of, on in directions(model)
        if _is_main(model, of, on)
        for name, quantity in (("response", response), ("lasting", held_effect))
    ]
    table = derived(fit, [one for *_, own in wanted for one in own])
    numbers = table[["estimate", "ci_low", "ci_high"]].to_numpy().reshape(len(wanted), -1, 3)
    return [
        Curve(
            name,
            f"{model.labels[of]} → {model.labels[on]}",
            f"{model.step.capitalize()}s later",
            f"{model.labels[on]}, points",
            after,
            *own.T,
        )
        for (name, of, on, _), own in zip(wanted, numbers, strict=True)
    ]


# ------------------------------------------------------------------ readings


def _within(model: Model, of: str, on: str) -> Iterator[Reading]:
    """Yield what one outcome's deviation does to another: next, per SD, lasting, in total."""
    fit, first = model.fit, model.first
    one, other, step = model.labels[of], model.labels[on], model.step
    term = term_of(of, on, _in_the_session(model, of, on))
    effect = replace(_effect(model, of, on, fit), name=term)
    yield Reading(
        quantity=effect,
        label=_name(model, of, on),
        level=WITHIN,
        on=on,
        role="main" if _is_main(model, of, on) else "adjustment",
        standardised=in_sds(fit, effect, of, on),
        link=within_link(of, on),
    )
    where = "same session" if _in_the_session(model, of, on) else f"next {step}"
    above = f"{one} 1 SD above the client's course"
    reading = partial(Reading, level=WITHIN, on=on)
    yield reading(
        quantity=per_sd(fit, effect, of), label=f"{above} → {other}, {where}", unit=PER_SD
    )
    yield reading(
        quantity=per_sd(fit, held_effect(fit, of, on, first=first), of),
        label=f"{above}, {step} after {step} → {other}, in the end",
        unit=PER_SD,
    )
    yield reading(
        quantity=total_effect(fit, of, on, first=first),
        label=f"{one} → {other}, all later {step}s together",
    )
    if _in_the_session(model, of, on):
        names = " and ".join(model.labels[name] for name in first)
        yield reading(
            quantity=ordered_effect(fit, of, on, first=first),
            label=f"{one} → {other}, next {step}, given {names} before it",
        )


def _carried(model: Model) -> Iterator[Reading]:
    for name, label in model.labels.items():
        quantity = lagged_effect(model.fit, name, name)
        yield Reading(
            quantity=quantity,
            label=f"{label} → {label}, next {model.step}",
            level=CARRIED,
            on=name,
            standardised=quantity,
        )


def _between(model: Model, level: str) -> Iterator[Reading]:
    """Yield the links of groups' levels at intake, of each measure with the last one."""
    *others, last = model.labels
    for of in others:
        ends = (model.fit, level, f"{of}: 1", f"{last}: 1")
        term = term_between(level, of, last)
        reading = partial(Reading, level=f"between {level}s", on=last)
        yield reading(
            quantity=replace(link(*ends), name=term),
            label=f"{model.labels[of]} → {model.labels[last]}, levels at intake",
            role="main" if level != "site" else "adjustment",
            standardised=link(*ends, standardised=True),
        )
        yield reading(
            quantity=replace(link(*ends, per_sd=True), name=f"{term} per SD"),
            label=f"{model.labels[of]} 1 SD higher → {model.labels[last]}, levels at intake",
            unit=PER_SD,
        )


def _effect(model: Model, of: str, on: str, fit: MixedFit, group: Any = None) -> Quantity:
    """Return the effect of one outcome's deviation on another, in the order they are asked in."""
    if _in_the_session(model, of, on):
        return within_session(fit, of, on, first=model.first, group=group)
    if model.first and on not in model.first:
        return ordered_effect(fit, of, on, first=model.first, group=group)
    return lagged_effect(fit, of, on, group=group)


def _in_the_session(model: Model, of: str, on: str) -> bool:
    return of in model.first and on not in model.first


def _is_main(model: Model, of: str, on: str) -> bool:
    """With two outcomes both directions; with more those on the last one."""
    return len(model.labels) == 2 or on == list(model.labels)[-1]


def _name(model: Model, of: str, on: str) -> str:
    where = "same session" if _in_the_session(model, of, on) else f"next {model.step}"
    return f"{model.labels[of]} → {model.labels[on]}, {where}"


# ------------------------------------------------------------------ numbers


def _numbers(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers of an effect; where its level is at the boundary it has no interval."""
    known = np.isfinite(row["estimate"]) and np.isfinite(row["se"]) and row["se"] > 0
    return {
        "estimate": row["estimate"] if np.isfinite(row["estimate"]) else None,
        "df": None,
        "statistic": row["z"] if known else None,
        **{key: row[key] if known else None for key in ("se", "p", "ci_low", "ci_high")},
    }


def _estimate(
    reading: Reading, row: Mapping[str, Any], in_sd: Mapping[str, Any], smallest: float | None
) -> Estimate:
    numbers = _numbers(row)
    standard = _numbers(in_sd) if reading.standardised else dict.fromkeys(numbers)
    found = estimate(
        reading.quantity.name,
        label=reading.label,
        # At the boundary nothing is known of it, which is no main result.
        role=reading.role if numbers["se"] is not None else "adjustment",
        level=reading.level,
        estimator=DELTA,
        unit=reading.unit,
        numbers=numbers,
        standardised=standard["estimate"],
    )
    return replace(
        found,
        standardised_low=standard["ci_low"],
        standardised_high=standard["ci_high"],
        link=reading.link,
        minimal_important_difference=smallest,
    )
