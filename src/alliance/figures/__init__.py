"""Figures: fits and the description in, pictures out. Nothing is computed here.

Every figure of `painters` is always written: where the data do not exist, the picture says in plain
words why there is nothing to show. No picture shows a single person's values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alliance.families import registry
from alliance.families.family import load
from alliance.findings.results import read_results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Which module draws which figure of the cohort as a whole; those of families stand with them.
_GENERAL = {
    name: f"alliance.figures.{name}:draw"
    for name in (
        "flow",
        "missing",
        "forms",
        "reliability",
        "decision",
        "variance_shares",
        "invariance",
        "effects",
        "conditions",
        "leaving",
        "estimates",
        "change",
        "ruptures",
        "rule_agreement",
    )
}
FORMATS = ("png", "svg", "pdf", "csv")


def diagnostics_figures(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the name of the figure of diagnostics of each model that has one.

    Parameters
    ----------
    models
        Name to anything that knows its `family`: the config's entries, or fits. The family alone
        decides, so that the figures of a cohort are known before a model is fitted; one that could
        not be fitted, or has no diagnostics after all, has a picture that says so.
    """
    return {
        name: f"diagnostics_{name}"
        for name, m in models.items()
        if m["family"] in registry.that_are("diagnosed")
    }


def draw_figures(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    out_folder: str | Path,
) -> None:
    """Draw every figure, and one of diagnostics a model: PNG (300 dpi), SVG, PDF, numbers as CSV.

    Parameters
    ----------
    fits
        The fits' JSON files, in the order in which models are to appear.
    description
        The cohort's `description.json`.
    further
        Other descriptions, e.g. `measurement.json`; known by the names of their files.
    out_folder
        Where `<name>.png`, `.svg`, `.pdf` and `.csv` are written. The same input gives the same
        bytes.
    """
    results = read_results(fits, description, further)
    from alliance.figures import diagnostics, style

    by_name = {fit["model"]: fit for fit in results.fits}
    with style.in_house_style():
        for name, painter in painters().items():
            _publish(load(painter)(results), Path(out_folder), name)
        for model, name in diagnostics_figures(by_name).items():
            _publish(diagnostics.draw(by_name[model]), Path(out_folder), name)


def _publish(figure: Figure, out_folder: Path, name: str) -> None:
    """Write a figure in every format, and the numbers that are drawn."""
    from alliance.figures import style
    from alliance.figures.data import write_data

    style.save(figure, out_folder / name)
    write_data(figure, out_folder / f"{name}.csv")


def painters() -> dict[str, str]:
    """Return which function draws which figure, by late reference: matplotlib is slow to import."""
    return _GENERAL | registry.named("figures")
