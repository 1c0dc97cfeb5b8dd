"""Rows of estimates with intervals, named at the left, with the numbers at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from alliance.figures import style
from alliance.findings.formats import decimals_for, format_value


@dataclass(frozen=True, slots=True)
class Line:
    """One row.

    Attributes
    ----------
    name
        At the left.
    entry
        Estimate of a fit.
    main
        Whether it is what was reported: filled and dark.
    pooled
        Whether it puts others together: drawn as a diamond.
    bare
        Whether only its interval means something (a prediction): no point.
    """

    name: str
    entry: Mapping[str, Any]
    main: bool = False
    pooled: bool = False
    bare: bool = False


def height_of(lines: Sequence[Line], extra: float = 22.0) -> float:
    """Return the height in millimetres that so many rows need, as high as the longest name."""
    longest = max((_name(line).count("\n") + 1 for line in lines), default=1)
    return extra + (1.6 + 2.7 * longest) * max(len(lines), 1)


def _name(line: Line) -> str:
    return style.wrapped(line.name, 30, 2)


def draw_lines(
    axes: Axes,
    lines: Sequence[Line],
    failed: bool = False,
    reference: float | None = None,
    numbers: bool = True,
) -> None:
    """Draw the rows from top to bottom; ratios stand on a logarithmic axis.

    Parameters
    ----------
    lines
        The rows; the first one's rounding is taken for all.
    failed
        Whether the fit did not converge: hollow and pale.
    reference
        Where a faint line recalls the reported estimate; None for none.
    numbers
        Whether estimate and interval stand in figures at the right.
    """
    as_ratio = all(line.entry["ratio"] is not None for line in lines)
    keys = ("ratio", "ratio_low", "ratio_high") if as_ratio else ("estimate", "ci_low", "ci_high")
    first = lines[0].entry
    format = "ratio" if as_ratio else decimals_for(first["se"], first["estimate"])
    for y, line in enumerate(lines):
        value, low, high = (line.entry[key] for key in keys)
        colour = style.SOFT if failed else style.BLUE if line.main else style.SKY
        if low is not None and high is not None:
            dashed = ":" if failed or line.bare else "-"
            axes.plot(
                [low, high], [y, y], color=colour, lw=1.6 if line.main else 1.1, ls=dashed,
                label="_estimate",
            )  # fmt: skip
        if not line.bare:
            axes.plot(
                value,
                y,
                marker="D" if line.pooled else "o",
                ms=5 if line.pooled else 4,
                ls="none",
                color=colour,
                mfc=colour if line.main and not failed else "white",
                mew=1.0,
                label="_estimate",
            )
        if not numbers:
            continue
        shown = [] if line.bare else [format_value(format, value)]
        if low is not None and high is not None:
            shown.append(f"[{format_value(format, low)}, {format_value(format, high)}]")
        axes.text(
            1.03,
            y,
            " ".join(shown),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6.6,
            color=style.SOFT if failed else style.INK,
        )
    axes.set_yticks(range(len(lines)), [_name(line) for line in lines], fontsize=6.6)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.axvline(1 if as_ratio else 0, color=style.INK, lw=0.6, label="_no effect")
    if reference is not None:
        axes.axvline(reference, color=style.BLUE, lw=0.6, ls=(0, (2, 2)), alpha=0.7,
                     label="_reported")  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.12)
    axes.locator_params(axis="x", nbins=5)
    if as_ratio:
        ratio_axis(axes)


def ratio_axis(axes: Axes) -> None:
    """Make the axis of ratios logarithmic, with ticks that a reader knows."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    if high / low < 2:  # so narrow that equal steps look equal
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        return
    steps = (0.01, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4, 10, 100)
    ticks = [step for step in steps if low <= step <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
