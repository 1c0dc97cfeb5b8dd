"""Figures: fits and the description in, pictures out. Nothing is computed here.

Every figure of `FIGURES` is always written: where the data do not exist, the picture says in plain
words why there is nothing to show. No picture shows a single person's values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alliance.findings.results import Results, read_results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = (
    "flow",
    "missing",
    "forms",
    "reliability",
    "decision",
    "variance_shares",
    "invariance",
    "courses",
    "shapes",
    "together",
    "views",
    "effects",
    "choices",
    "conditions",
    "leaving",
    "dropout",
    "prediction",
    "sites",
    "estimates",
    "change",
    "ruptures",
    "rule_agreement",
)
FORMATS = ("png", "svg", "pdf", "csv")


def draw_figures(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    out_folder: str | Path,
) -> None:
    """Draw every figure and publish it as PNG (300 dpi), SVG and PDF, and its numbers as CSV.

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
    from alliance.figures import style
    from alliance.figures.data import write_data

    draw = painters()
    with style.in_house_style():
        for name in FIGURES:
            figure = draw[name](results)
            style.save(figure, Path(out_folder) / name)
            write_data(figure, Path(out_folder) / f"{name}.csv")


def painters() -> dict[str, Callable[[Results], Figure]]:
    """Return which function draws which figure."""
    # matplotlib takes half a second to import: only who draws pays for it.
    from alliance.figures import (
        change,
        choices,
        conditions,
        courses,
        decision,
        dropout,
        effects,
        estimates,
        flow,
        forms,
        invariance,
        leaving,
        missing,
        prediction,
        reliability,
        rule_agreement,
        ruptures,
        shapes,
        sites,
        together,
        variance_shares,
        views,
    )

    return {
        "flow": flow.draw,
        "missing": missing.draw,
        "forms": forms.draw,
        "reliability": reliability.draw,
        "decision": decision.draw,
        "variance_shares": variance_shares.draw,
        "invariance": invariance.draw,
        "courses": courses.draw,
        "shapes": shapes.draw,
        "together": together.draw,
        "views": views.draw,
        "choices": choices.draw,
        "conditions": conditions.draw,
        "sites": sites.draw,
        "effects": effects.draw,
        "leaving": leaving.draw,
        "dropout": dropout.draw,
        "prediction": prediction.draw,
        "estimates": estimates.draw,
        "change": change.draw,
        "ruptures": ruptures.draw,
        "rule_agreement": rule_agreement.draw,
    }
