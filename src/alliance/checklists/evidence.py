"""What a run has to show for itself: fits, descriptions and the record of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alliance.findings.results import Results

USABLE = ("converged", "singular")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The content of a results folder as plain values.

    Attributes
    ----------
    results
        Fits and descriptions.
    run
        The record of the run: `audit/run.json`.
    """

    results: Results
    run: Mapping[str, Any]

    @property
    def fits(self) -> Sequence[Mapping[str, Any]]:
        """All fits, also those that failed or were refused."""
        return self.results.fits

    @property
    def usable(self) -> list[Mapping[str, Any]]:
        """The fits whose numbers are results: neither failed nor refused, and not empty."""
        return [fit for fit in self.fits if fit["status"] in USABLE and fit["estimates"]]

    def of_family(self, *families: str) -> list[Mapping[str, Any]]:
        """Return the usable fits of these families."""
        return [fit for fit in self.usable if fit["family"] in families]

    @property
    def total(self) -> Mapping[str, Any]:
        """Counts over all sites (of the one site, where there is one)."""
        flow = self.about("flow")
        everywhere = [row for row in flow if row["site"] == "all"]
        return next(iter([*everywhere, *flow]), {})

    def about(self, part: str) -> list[Mapping[str, Any]]:
        """Return a part of the cohort's description."""
        return list(self.results.about[part])

    def described(self, description: str, part: str) -> list[Mapping[str, Any]]:
        """Return a list of another description; none where its stage did not run."""
        content = self.results.further.get(description)
        return [] if content is None else list(content[part])

    def estimates(self, *parts: str) -> Iterator[Mapping[str, Any]]:
        """Iterate over the estimates of all usable fits, or over other parts of them."""
        return (
            entry for fit in self.usable for part in parts or ["estimates"] for entry in fit[part]
        )
