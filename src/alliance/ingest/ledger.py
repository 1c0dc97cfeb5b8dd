"""Account for every row and every answer: read = kept + set aside, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from alliance.ingest.problems import Place
from alliance.ingest.rules import READ

COLUMNS = {"site": "str", "file": "str", "sheet": "str", "table": "str", "unit": "str",
           "reason": "str", "count": "int64"}  # fmt: skip
ACCOUNT = ["site", "file", "sheet", "table", "unit"]


@dataclass(slots=True)
class Ledger:
    """The account of one site."""

    site: str
    _counts: Counter[tuple[str, str | None, str, str, str]] = field(default_factory=Counter)

    def count(self, place: Place, unit: str, counts: Mapping[str, int]) -> None:
        """Add `counts` by reason (`read`, `kept`, `blank`, or a rule's name) to an account."""
        for reason, count in counts.items():
            if count or reason == READ:
                self._counts[(place.file, place.sheet, place.table, unit, reason)] += int(count)

    def table(self) -> pd.DataFrame:
        """Return the ledger, after making sure that it balances."""
        entries = sorted(
            self._counts.items(), key=lambda e: tuple(str(part or "") for part in e[0])
        )
        table = pd.DataFrame(
            [(self.site, *key, count) for key, count in entries], columns=list(COLUMNS)
        ).astype(COLUMNS)
        assert_balanced(table)
        return table


def assert_balanced(ledger: pd.DataFrame) -> None:
    """Raise AssertionError unless read = kept + all other reasons in every account.

    An unbalanced ledger is a fault of the program, never of the data.
    """
    is_read = ledger["reason"] == READ
    signed = ledger["count"].where(is_read, -ledger["count"])
    rest = signed.groupby([ledger[key] for key in ACCOUNT], dropna=False).sum()
    if (rest != 0).any():
        account = dict(zip(ACCOUNT, rest[rest != 0].index[0], strict=True))
        msg = f"rows were lost or counted twice in {account}: this is a fault of the program"
        raise AssertionError(msg)
