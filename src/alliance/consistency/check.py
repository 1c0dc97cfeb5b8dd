"""Do the numbers of one concept agree: contradictions, and differences that have a reason."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alliance import files
from alliance.consistency.claims import Claim, Files, Scope, claims_of
from alliance.consistency.register import Concept, concept_by_place, concepts, register
from alliance.consistency.relations import broken_relations, same


def contradictions(contents: Files) -> list[str]:
    """Return a sentence for each contradiction in the files of a cohort; none if they agree."""
    told: list[str] = []
    for concept in concepts():
        by_scope = _by_scope(claims_of(concept, contents))
        for scope, claims in by_scope.items():
            told += _disagreeing(concept, scope, claims)
        told += _not_adding_up(concept, by_scope)
    return [*told, *broken_relations(contents)]


def differences(contents: Files) -> list[dict[str, Any]]:
    """Return the numbers of one concept and scope that differ for a reason, each with its own."""
    found = []
    for concept in concepts():
        for scope, claims in _by_scope(claims_of(concept, contents)).items():
            if all(same(claims[0].value, claim.value) for claim in claims):
                continue
            found.append(
                {
                    "concept": {"code": concept.code, "text": concept.definition},
                    "unit": concept.unit,
                    "scope": scope_words(scope),
                    "of_a_site": any(name == "site" for name, _ in scope),
                    "numbers": list(_numbers(claims)),
                }
            )
    return found


def _numbers(claims: Sequence[Claim]) -> Iterator[dict[str, Any]]:
    """Yield each number once for each reason."""
    seen: list[tuple[str, Any]] = []
    for claim in sorted(claims, key=lambda claim: bool(claim.reason)):
        if any(claim.reason == reason and same(claim.value, value) for reason, value in seen):
            continue
        if claim.reason and any(not reason and same(claim.value, value) for reason, value in seen):
            continue  # it does not differ
        seen.append((claim.reason, claim.value))
        text = register()["reasons"][claim.reason]["text"] if claim.reason else ""
        yield {
            "value": claim.value,
            "address": claim.address,
            "reason": {"code": claim.reason, "text": text} if claim.reason else None,
        }


def _by_scope(claims: Sequence[Claim]) -> dict[Scope, list[Claim]]:
    found: dict[Scope, list[Claim]] = defaultdict(list)
    for claim in claims:
        found[claim.scope].append(claim)
    return found


def _disagreeing(concept: Concept, scope: Scope, claims: Sequence[Claim]) -> Iterator[str]:
    """Yield numbers without a reason, or with the same one, that differ; and wrong reasons."""
    first: dict[str, Claim] = {}
    for claim in claims:
        other = first.setdefault(claim.reason, claim)
        if not same(claim.value, other.value):
            yield f"{_called(concept, scope)}: {_said(other)}, but {_said(claim)}"
    own = first.get("")
    for code, claim in first.items():
        bound = register()["reasons"][code].get("bound") if code and own else None
        if bound is None or own is None or same(claim.value, own.value):
            continue
        if (claim.value > own.value) != (bound == "at_least"):
            text = register()["reasons"][code]["text"]
            yield (f"{_called(concept, scope)}: {_said(own)}, but {_said(claim)}, which its reason"
                   f" does not explain ({text})")  # fmt: skip


def _not_adding_up(concept: Concept, by_scope: dict[Scope, list[Claim]]) -> Iterator[str]:
    """Yield the numbers whose parts add up to another one."""
    own = {
        scope: claim
        for scope, claims in by_scope.items()
        for claim in reversed(claims)
        if not claim.reason and not claim.partial
    }
    for dimension in concept.adds_over:
        parts: dict[Scope, list[Claim]] = defaultdict(list)
        for scope, claim in own.items():
            rest = frozenset(pair for pair in scope if pair[0] != dimension)
            if rest != scope:
                parts[rest].append(claim)
        for scope, found in parts.items():
            whole, total = own.get(scope), sum(claim.value for claim in found)
            if whole is not None and not same(whole.value, total):
                told = f"its parts by {dimension} add up to {total:g}"
                yield f"{_called(concept, scope)}: {_said(whole)}, but {told}"


def _called(concept: Concept, scope: Scope) -> str:
    words = scope_words(scope)
    return f"{concept.definition}{f' ({words})' if words else ''}"


def scope_words(scope: Scope) -> str:
    """Return a scope as words: `measure symptoms, site east`."""
    return ", ".join(f"{name} {value}" for name, value in sorted(scope))


def _said(claim: Claim) -> str:
    value = f"{claim.value:.6g}" if isinstance(claim.value, float) else f"{claim.value}"
    return f"{value} in {claim.address}"


def compare_numbers(
    *, sources: Sequence[str | Path], results_folder: str | Path, consistency: str | Path
) -> None:
    """Write consistency.json: which numbers of one concept differ, and for which reasons."""
    contents = contents_of(sources, results_folder)
    claims = [claims_of(concept, contents) for concept in concepts()]
    content = {
        "schema": "alliance-consistency-1",
        "concepts": sum(bool(found) for found in claims),
        "numbers": sum(map(len, claims)),
        "contradictions": len(contradictions(contents)),
        "differences": differences(contents),
    }
    files.write_json(content, consistency)


def printed_concepts(lists: Sequence[str | Path], contents: Files) -> str:
    """Return the concepts of all printed numbers as CSV: code, definition, unit, how often printed.

    Parameters
    ----------
    lists
        The lists of findings of all documents.
    contents
        The files that are compared.
    """
    named = {
        claim.address: (concept.code, concept.definition, concept.unit)
        for concept in reversed(concepts())
        for claim in claims_of(concept, contents)
    }
    addresses = Counter(
        f"{entry['source']}#{entry['pointer']}"
        for path in lists
        for entry in files.read_json(path)["findings"]
    )
    printed: Counter[tuple[str, str, str]] = Counter()
    for address, count in addresses.items():
        printed[named.get(address) or concept_by_place(address)] += count
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("concept", "definition", "unit", "printed"))
    writer.writerows((*concept, count) for concept, count in sorted(printed.items()))
    return stream.getvalue()


def contents_of(paths: Sequence[str | Path], results_folder: str | Path) -> dict[str, Any]:
    """Return the content of JSON files by their address within the results folder."""
    folder = Path(results_folder).resolve()
    return {
        Path(os.path.relpath(Path(path).resolve(), folder)).as_posix(): files.read_json(path)
        for path in paths
    }
