"""All that pictures, tables and the page are made of: the fits and the descriptions of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alliance import files
from alliance.findings.fields import read_fields


@dataclass(frozen=True, slots=True)
class Results:
    """The content of a results folder, as plain values (pictures) or as fields (tables, page).

    Attributes
    ----------
    fits
        The fits, in the order in which models are to appear.
    about
        The description of the cohort: `description.json`.
    further
        The other descriptions by the name of their file, e.g. `measurement`; a stage that did not
        run for this cohort is not there.
    """

    fits: Sequence[Any]
    about: Any
    further: Mapping[str, Any]

    def of_family(self, *families: str) -> list[Any]:
        """Return the fits (as plain values) of these families, in order."""
        return [fit for fit in self.fits if fit["family"] in families]


def read_results(
    fits: Sequence[str | Path], description: str | Path, further: Sequence[str | Path] = ()
) -> Results:
    """Return the content of these JSON files as plain values."""
    return Results(
        fits=[files.read_json(path) for path in fits],
        about=files.read_json(description),
        further={Path(path).stem: files.read_json(path) for path in further},
    )


def read_results_as_fields(
    fits: Sequence[str | Path], description: str | Path, further: Sequence[str | Path] = ()
) -> Results:
    """Return the same as fields that know their address, counted from the description's folder."""
    folder = Path(description).parent
    return Results(
        fits=[read_fields(path, folder) for path in fits],
        about=read_fields(description, folder),
        further={Path(path).stem: read_fields(path, folder) for path in further},
    )
