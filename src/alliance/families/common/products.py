"""Of whom a coefficient speaks in a model with products.

Beside `week:treatment[CBT]` the coefficient of `week` is the course of the reference group, and the
product's own is a difference between groups (Cohen, Cohen, West & Aiken, 2003, chapter 9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alliance.families.common.multilevel import plain_name
from alliance.mixed.terms import Factor
from alliance.mixed.vocabulary import Vocabulary


def reference_group(fit: Any, term: str) -> str:
    """Return the group that the coefficient of `term` speaks of, or "" where it is everybody.

    e.g. `Treatment: TAU` for `week` beside `week:treatment[CBT]`, `Age years: 0` beside
    `week:age_years`.
    """
    products = {label: product for product, label in fit.prepared.fixed.items()}
    own = set(products[term])
    others = [
        factor
        for product in products.values()
        if own < set(product)
        for factor in product
        if factor not in own
    ]
    vocabulary = fit.prepared.vocabulary
    return "; ".join(dict.fromkeys(_where_it_is_zero(factor, vocabulary) for factor in others))


def group_compared(fit: Any, term: str, beside: str) -> str:
    """Return which groups a product compares, e.g. `Treatment: CBT against TAU`.

    `beside` is the factor whose coefficient differs between them, e.g. `week`.
    """
    products = {label: product for product, label in fit.prepared.fixed.items()}
    vocabulary = fit.prepared.vocabulary
    factors = [factor for factor in products[term] if factor.label != beside]
    return " x ".join(_step(factor, vocabulary) for factor in factors)


def _where_it_is_zero(factor: Factor, vocabulary: Vocabulary) -> str:
    reference = _reference(factor, vocabulary.categories)
    if reference is not None:
        return f"{plain_name(factor.atom.column)}: {reference}"
    if factor.atom.transform in ("center", "scale"):
        return f"{plain_name(factor.atom.column)}: its mean"
    return f"{plain_name(factor.label)}: 0"


def _step(factor: Factor, vocabulary: Vocabulary) -> str:
    reference = _reference(factor, vocabulary.categories)
    if reference is None:
        centred = factor.atom.transform == "center"  # which takes nothing from a step of one
        name = factor.atom.column if centred else factor.label
        return f"one more of {name.replace('_', ' ')}"
    return f"{plain_name(factor.label)} against {reference}"


def _reference(factor: Factor, categories: Mapping[str, Sequence[Any]]) -> Any | None:
    """Return the category that a factor is compared with, or None where it is a number."""
    is_category = factor.atom.column in categories and not factor.atom.transform
    return categories[factor.atom.column][0] if is_category else None
