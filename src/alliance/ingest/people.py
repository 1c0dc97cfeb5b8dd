"""Who is meant: clients by (site, id), ids as text exactly as in the files, never merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.likeness import id_keys

_SITE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class People:
    """The clients of a mapping, numbered from 0 in order of (site, id).

    Attributes
    ----------
    sites, ids
        Shape (n,): each client's site and own id.
    """

    sites: np.ndarray
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def number_people(
    sites: Sequence[pd.Series], ids: Sequence[pd.Series]
) -> tuple[People, list[np.ndarray]]:
    """Give the clients of several tables numbers.

    Parameters
    ----------
    sites, ids
        One Series a table, shape (rows,): site and id of each row, missing where unknown.

    Returns
    -------
    tuple
        The people, and for each table the number of each row's client (-1: unknown).
    """
    lengths = [len(series) for series in ids]
    site, site_names = _ranked(_joined(sites))
    own_id, id_names = _ranked(_joined(ids))
    known = (site >= 0) & (own_id >= 0)
    pairs = site[known] * max(len(id_names), 1) + own_id[known]
    positions, distinct = pd.factorize(pairs, sort=True)
    numbers = np.full(len(site), -1, dtype=np.int64)
    numbers[known] = positions
    people = People(
        sites=site_names[np.asarray(distinct) // max(len(id_names), 1)],
        ids=id_names[np.asarray(distinct) % max(len(id_names), 1)],
    )
    return people, np.split(numbers, np.cumsum(lengths)[:-1]) if lengths else []


def _ranked(texts: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of each text (-1: missing) and the distinct texts in order."""
    codes, distinct = pd.factorize(texts)
    names = np.asarray(distinct, dtype=object)
    order = np.argsort(names.astype(str), kind="stable")
    rank = np.full(len(names) + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(names))
    return rank[codes], names[order]


def _joined(parts: Sequence[pd.Series]) -> pd.Series:
    return pd.concat(parts, ignore_index=True) if parts else pd.Series(dtype="str")


def is_site_name(name: str) -> bool:
    """Whether a text of the data may serve as a site's name."""
    return bool(_SITE_NAME.fullmatch(name)) and name[0] not in ".-"


def same_spelling(ids: pd.Series, same_as: Mapping[str, str]) -> pd.Series:
    """Return ids, those that the mapping declares the same as another in that one's spelling."""
    return ids.replace(dict(same_as)) if same_as else ids


def look_alikes(ids: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return the groups of (site, id) of one site that look alike, each in order, sorted.

    See `alliance.likeness.id_keys`: they differ in what cannot be seen, or is easily mistaken.
    """
    groups: dict[tuple[str, str], int] = {}
    members: dict[int, list[tuple[str, str]]] = {}
    for number, pair in enumerate(sorted(set(ids))):
        site, own_id = pair
        keys = [(site, f"{i}{key}") for i, key in enumerate(id_keys(own_id))]
        known = sorted({groups[key] for key in keys if key in groups})
        group = known[0] if known else number
        for other in known[1:]:  # this id ties two groups together
            members[group] += members.pop(other)
            groups |= {key: group for key, own in groups.items() if own == other}
        members.setdefault(group, []).append(pair)
        groups |= dict.fromkeys(keys, group)
    return [sorted(listed) for listed in members.values() if len(listed) > 1]
