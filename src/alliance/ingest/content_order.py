"""The order of clients in every table: by what the tables say of them, never by their names.

An order by pseudonym changes with the key, and with it last digits of sums and whoever a resample
draws; an order by the clinic's id tells whoever holds a list of ids whose row is whose. This one
follows from the tables alone: it tells nothing that does not stand there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_AT_ONCE = 1_000_000  # rows hashed at once, so that memory does not grow with the answers


def content_rank(
    clients: pd.DataFrame, sessions: pd.DataFrame, valid: pd.DataFrame, measures: Sequence[str]
) -> np.ndarray:
    """Return the place of each client in the order of all tables.

    Parameters
    ----------
    clients
        A row a client, in the order of the numbers that the other tables give them: site, client,
        therapist (pseudonyms), facts.
    sessions
        client (number), session, weeks_since_intake, attended, therapist (pseudonym).
    valid
        client (number), session, measure (position in `measures`), item, value.
    measures
        Names of the measures.

    Returns
    -------
    array
        Ranks by site and, within it, by a hash of the client's sessions, then of the answers, then
        of the facts (so that a further measure or fact moves nobody who is told apart without it),
        then of whom the therapists see besides; shape (n_clients,). Those who are still alike
        have the same rows in every table; only between them do pseudonyms decide.
    """
    n = len(clients)
    came = sessions.astype({"session": "int64", "weeks_since_intake": float, "attended": bool})
    visits = _sums(came["client"], came[["session", "weeks_since_intake", "attended"]], n)
    names = pd.util.hash_array(np.array(measures, dtype=object))
    answers = np.zeros(n, dtype=np.uint64)
    for start in range(0, len(valid), _AT_ONCE):
        some = valid.iloc[start : start + _AT_ONCE]
        named = some[["session", "item", "value"]].assign(measure=names[some["measure"]])
        answers += _sums(some["client"], named.astype({"session": "int64", "item": "int64"}), n)
    facts = _hashes(clients.drop(columns=["client", "therapist"]))
    alone = _hashes(pd.DataFrame({"visits": visits, "answers": answers, "facts": facts}))
    beside = _caseloads(clients["therapist"], sessions, alone)
    site, client = (clients[name].to_numpy(dtype=str) for name in ("site", "client"))
    rank = np.empty(n, dtype=np.int64)
    rank[np.lexsort((client, beside, facts, answers, visits, site))] = np.arange(n)
    return rank


def _caseloads(therapist: pd.Series, sessions: pd.DataFrame, alone: np.ndarray) -> np.ndarray:
    """Return, by client, a hash of all whom the client's therapists see, each as they are alone."""
    seen = [
        pd.DataFrame({"client": np.arange(len(alone)), "session": 0, "therapist": therapist}),
        sessions[["client", "session", "therapist"]],
    ]
    pairs = pd.concat(seen, ignore_index=True).dropna(subset="therapist")
    code, names = pd.factorize(pairs["therapist"])
    own = pairs[["session"]].astype("int64").assign(alone=alone[pairs["client"].to_numpy(int)])
    caseload = _sums(pd.Series(code), own, len(names))
    return _sums(pairs["client"], own[["session"]].assign(of=caseload[code]), len(alone))


def _sums(number: pd.Series, rows: pd.DataFrame, n: int) -> np.ndarray:
    """Return the sum of the rows' hashes by number, whatever their order; shape (n,)."""
    total = np.zeros(n, dtype=np.uint64)
    np.add.at(total, number.to_numpy(dtype=np.int64), _hashes(rows))
    return total


def _hashes(rows: pd.DataFrame) -> np.ndarray:
    return np.asarray(pd.util.hash_pandas_object(rows, index=False), dtype=np.uint64)
