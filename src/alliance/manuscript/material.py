"""All that a methods text is written from, and which of the models may be spoken of as fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.manuscript.references import References

USABLE = ("converged", "singular")


@dataclass(frozen=True, slots=True)
class Material:
    """What was run.

    Attributes
    ----------
    results
        Fits and descriptions, as fields.
    references
        The works that may be cited.
    run
        `audit/run.json`: versions and hashes.
    """

    results: Results
    references: References
    run: Field

    def fits(self, *families: str) -> list[Field]:
        """Return the fits of these families (all of them without an argument)."""
        return [f for f in self.results.fits if not families or f["family"].raw in families]

    def usable(self, *families: str) -> list[Field]:
        """Return the fits that converged, on the boundary or not."""
        return [fit for fit in self.fits(*families) if fit["status"].raw in USABLE]

    def unusable(self, *families: str) -> list[Field]:
        """Return the fits that were tried and have no result."""
        return [fit for fit in self.fits(*families) if fit["status"].raw not in USABLE]

    def about(self, name: str) -> Field | None:
        """Return a further description, or None where that stage did not run."""
        found: Field | None = self.results.further.get(name)
        return found

    def total(self) -> Field | None:
        """Return the counts of the whole cohort."""
        rows = self.results.about["flow"].where(site="all")
        return rows[0] if rows else None

    def measures(self) -> Iterator[tuple[Field, Field | None]]:
        """Yield each measure as the cohort and as the description of its key knows it."""
        measurement = self.about("measurement")
        for measure in self.results.about["measures"]:
            keys = measurement["measures"].where(measure=measure["name"].raw) if measurement else []
            yield measure, keys[0] if keys else None


def is_there(holder: Field, *keys: str) -> bool:
    """Say whether a mapping has all these keys, with values that are not null."""
    return all(key in holder and holder[key].raw is not None for key in keys)
