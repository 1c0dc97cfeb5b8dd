"""Who is meant: clients by (site, id), ids as text exactly as in the files, never merged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

_SITE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

# Signs that are mistaken for one another in print or on the keyboard, and Cyrillic letters that
# look like Latin ones (written as code points, since nobody could tell them apart here).
_CYRILLIC = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425"  # capitals
    "\u0430\u0435\u043e\u0440\u0441\u0445"
)
_LATIN = "ABEKMHOPCTXaeopcx"
_LOOK_ALIKE = str.maketrans("oOlI|", "00111")


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


def look_alikes(people: People) -> np.ndarray:
    """Return the numbers of clients whose id looks like that of another client of the same site.

    Ids look alike that differ only in blanks, case, leading zeros or signs such as 0 and O.
    """
    plain = [_plain(str(own_id)) for own_id in people.ids]
    frame = pd.DataFrame({"site": people.sites, "plain": plain})
    return np.flatnonzero(frame.duplicated(keep=False).to_numpy())


def _plain(own_id: str) -> str:
    text = unicodedata.normalize("NFKC", own_id)
    text = "".join(text.split()).translate(str.maketrans(_CYRILLIC, _LATIN))
    text = text.translate(_LOOK_ALIKE).casefold()
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)
