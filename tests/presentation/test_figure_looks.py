"""Pictures for print and for everybody: widths, type, lines, colours for the colour-blind, grey."""

import io
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.container import BarContainer
from matplotlib.text import Text

from alliance.figures import painters, style
from alliance.figures.svg import compact

# Simulation of full colour blindness: Machado, Oliveira & Fernandes (2009), IEEE Transactions on
# Visualization and Computer Graphics 15(6), severity 1.0, on linear RGB.
VISIONS = {
    "all colours": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),  # relative luminance
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ @ np.ones(3)
FAR_ENOUGH = 10.0
"""Distance in CIE Lab: more than four times a just noticeable difference, which is 2.3 (Mahy, Van
Eycken & Oosterlinck, 1994), since lines and points are small and lie apart."""


def lab(colour, vision):
    srgb = np.asarray(to_rgb(colour))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(VISIONS[vision] @ linear, 0, 1) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other):
    """Return the smallest distance of two colours over all kinds of seeing."""
    return min(float(np.linalg.norm(lab(one, v) - lab(other, v))) for v in VISIONS)


def series_of(axes):
    """Return (colour, what else tells it apart) of everything that stands for a series."""
    for line in axes.lines:
        data = line.get_transform() == axes.transData and len(line.get_xdata())
        if data and line.get_label() != "_nolegend_":
            filled = to_rgba(line.get_markerfacecolor()) != to_rgba("white")
            yield line.get_color(), ("line", line.get_marker(), str(line._unscaled_dash_pattern),
                                     filled)  # fmt: skip
    for container in axes.containers:
        if isinstance(container, BarContainer):
            for bar in container:
                yield bar.get_facecolor(), ("bar", bar.get_hatch())


def axes_of(figure):
    return [a for part in list(figure.subfigs) or [figure] for a in part._localaxes]


def test_the_simulations_are_what_they_are_called():
    assert distance("#000000", "#ffffff") == pytest.approx(100, abs=0.1)
    red, green = "#d62728", "#2ca02c"
    assert np.linalg.norm(lab(red, "all colours") - lab(green, "all colours")) > 100
    assert np.linalg.norm(lab(red, "deuteranopia") - lab(green, "deuteranopia")) < 40
    assert lab("#ff0000", "grey")[1:] == pytest.approx([0, 0], abs=0.1)


@pytest.mark.parametrize("name", painters())
def test_series_are_told_apart_without_colours_and_in_grey(all_figures, name):
    for axes in axes_of(all_figures[1][name]):
        for (one, a), (other, b) in itertools.combinations(set(series_of(axes)), 2):
            if a == b and to_rgb(one) != to_rgb(other):
                assert distance(one, other) >= FAR_ENOUGH, (name, one, other, a)


def test_shades_grow_darker_in_every_kind_of_seeing():
    for vision in VISIONS:
        light = [lab(style.SHADES(depth), vision)[0] for depth in np.linspace(0, 1, 11)]
        assert all(after < before for before, after in itertools.pairwise(light)), vision


@pytest.mark.parametrize("name", painters())
def test_it_can_be_printed(all_figures, name):
    """No wider than a page of a journal, no type below 6.3 points, no line below half a point."""
    figure = all_figures[1][name]
    assert figure.get_figwidth() * 25.4 <= 180
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            assert text.get_fontsize() >= 6.3, text.get_text()
    for axes in axes_of(figure):
        for line in (*axes.lines, *axes.get_xgridlines(), *axes.get_ygridlines()):
            drawn = line.get_linestyle() != "None" and len(line.get_xdata())
            assert not drawn or line.get_linewidth() >= 0.5
        for collection in axes.collections:
            if getattr(collection, "filled", False) or not collection.get_paths():
                continue  # shades between contour lines have no edge
            assert all(width == 0 or width >= 0.5 for width in collection.get_linewidth())


def places(svg):
    """Return every path and shift of a drawing with ink, in order, and those of letters apart."""
    found, letters, root = [], [], ET.fromstring(svg)
    in_type = {child for group in root.iter() if "scale(0.0" in group.get("transform", "")
               for child in group.iter() if child is not group}  # fmt: skip
    blanks = {f"#{e.get('id')}" for e in root.iter() if e.tag.endswith("}path") and not e.get("d")}
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        link = element.get("{http://www.w3.org/1999/xlink}href") or element.get("href")
        if link in blanks:
            continue
        if tag == "path" and element.get("d") and element not in in_type:
            found.append([float(n) for n in re.findall(r"-?\d*\.?\d+", element.get("d"))])
        elif tag == "use":
            shift = re.findall(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
            x, y = shift[0] if shift else (element.get("x", "0"), element.get("y", "0"))
            (letters if element in in_type else found).append([float(x), float(y)])
    return found, letters


@pytest.mark.parametrize("name", ["growth", "forms", "two_views"])
def test_the_small_drawing_is_the_same_drawing(all_figures, name):
    buffer = io.BytesIO()
    with style.in_house_style():
        all_figures[1][name].savefig(buffer, format="svg")
    large = buffer.getvalue()
    small = compact(large)
    assert compact(large) == small
    assert len(small) < 0.65 * len(large)
    assert b'"' not in small
    assert b"\n" not in small
    (one, letters), (other, on_their_grid) = places(large), places(small)
    for before, after in zip(one, other, strict=True):
        assert np.abs(np.subtract(before, after)).max() <= 0.005 + 1e-9
    # A letter stands on the grid of its type: a unit is a hundredth of the type's size.
    assert np.abs(np.subtract(letters, on_their_grid)).max() <= 0.5 + 1e-9
    names = set(re.findall(rb" id='([^']+)'", small))
    assert set(re.findall(rb"(?:href='|url\()#([A-Za-z]+)", small)) == names
    scales = set(re.findall(rb"scale\([^)]*\)", large)) - {b"scale(0.015625)"}
    assert scales == set(re.findall(rb"scale\([^)]*\)", small))


def test_a_letter_keeps_its_outline_on_the_coarser_grid():
    """Steps lead where the outline's places were, to half a unit; no error adds up."""
    outline = "M 678 2272 L 4684 2272 L 4684 1741 Q 17 -91 0 7 L 678 1741 L 678 2272 z"
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg"><path id="a" d="{outline}"
    transform="scale(0.015625)"/><use href="#a"/></svg>"""
    small = compact(svg.encode()).decode()
    assert "d='m11 36h62v-9q-73-28-73-27l11 27v9z'" in small
    assert "transform" not in small


def test_what_would_break_out_of_a_drawing_stays_in():
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg"><g id="a&quot;'&lt;"><path d="M 1 2" id="b"
    style="fill: #1b1f24; font: 'x'"/></g><text>1 &lt; 2</text></svg>"""
    small = compact(svg)
    assert b"#1b1f24" in small
    assert b"1 &lt; 2" in small
    ET.fromstring(small)
