"""Small SVG: the same drawing in fewer bytes.

matplotlib writes for people to read: indented, every element named, six decimals. In a page nobody
reads it, so numbers are rounded to a hundredth of a point (a twenty-fifth of a pixel at 300 dpi),
outlines and places of letters are steps on a coarser grid, names that nothing refers to are left
out, those of glyphs and markers are short, and quotes are single, since a double quote takes three
bytes in the address of a picture (`data:image/svg+xml,`).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from string import ascii_letters
from xml.sax.saxutils import escape

NAMESPACES = {"http://www.w3.org/2000/svg": "", "http://www.w3.org/1999/xlink": ""}
SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
HEAD = "<svg xmlns='http://www.w3.org/2000/svg'"  # since its version 2 a link needs no other
PLACES = 2
FACTOR_DIGITS = 6
"""A factor multiplies what it scales: it keeps six significant digits."""

OUTLINE = "scale(0.015625)"
"""How matplotlib scales the outline of a letter, which it draws on 6,400 units a line's height."""
COARSER = 64
"""How many of these units make one of ours, a fifteenth of a point in type of seven points."""
IN_TYPE = "scale(0.0"
"""In the transform of what is drawn in units of the type: a hundredth of its size each."""

_STEP = re.compile(r"([MLQCZz])([^A-Za-z]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_FACTORS = re.compile(r"((?:scale|rotate|matrix)\()([^)]*)\)")
_SHIFT = re.compile(r"translate\((\S+) (\S+)\)")
_REFERENCE = re.compile(r"#([\w.-]+)")
_ROUNDED = ("d", "points", "x", "y", "width", "height", "style", "transform")
_DOUBLED = re.compile(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3\b")  # `#aabbcc` is `#abc`
_INK = re.compile(r"fill:\s*#[0-9a-f]{6}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b")


def compact(svg: bytes) -> bytes:
    """Return the drawing without what no reader sees; the same input gives the same bytes."""
    root = ET.fromstring(svg)
    _drop_unseen(root)
    _coarsen_outlines(root)
    _say_ink_once(root)
    _shorten_names(root)
    return (HEAD + _element(root)[len("<svg") :]).encode("utf-8")


def _drop_unseen(root: ET.Element) -> None:
    """Remove metadata, and glyphs without ink where they are used: every space between words."""
    blanks = {f"#{e.get('id')}" for e in root.iter(SVG + "path") if not e.get("d")}
    for parent in root.iter():
        for child in list(parent):
            blank = child.tag == SVG + "path" and not child.get("d")
            if blank or child.tag == SVG + "metadata" or child.get(LINK) in blanks:
                parent.remove(child)


def _coarsen_outlines(root: ET.Element) -> None:
    """Write the outlines of letters, half of all bytes, as whole steps on a coarser grid.

    Letters stand on the same grid, of which a unit is a hundredth of the type's size.
    """
    for path in root.iter(SVG + "path"):
        if path.get("transform") == OUTLINE:
            path.set("d", _in_steps(path.get("d", "")))
            del path.attrib["transform"]
    for group in root.iter(SVG + "g"):
        for letter in group if IN_TYPE in group.get("transform", "") else ():
            if letter.tag == SVG + "use" and (shift := letter.get("transform")):
                letter.set("transform", _NUMBER.sub(lambda n: f"{float(n.group()):.0f}", shift))


def _say_ink_once(root: ET.Element) -> None:
    """Give the drawing the colour that most of its type has, and not each line of type anew.

    What has no colour of its own, and would be black, has it too.
    """
    plain = [group for group in root.iter(SVG + "g") if _INK.fullmatch(group.get("style", ""))]
    if not plain:
        return
    (ink, _), *_ = Counter(group.get("style", "") for group in plain).most_common(1)
    for group in plain:
        if group.get("style") == ink:
            del group.attrib["style"]
    root.set("fill", ink.removeprefix("fill:").strip())


def _in_steps(outline: str) -> str:
    """Return an outline relative to where it stands; every place is rounded, no error adds up."""
    at = start = (0, 0)
    written = ""
    for letter, numbers in _STEP.findall(outline):
        if letter in "Zz":
            written, at = written + "z", start
            continue
        places = [round(float(number) / COARSER) for number in numbers.split()]
        points = list(zip(places[::2], places[1::2], strict=True))
        steps = [step for x, y in points for step in (x - at[0], y - at[1])]
        at = points[-1]
        start = at if letter == "M" else start
        if letter == "L" and 0 in steps:
            written += f"h{steps[0]}" if steps[1] == 0 else f"v{steps[1]}"
        else:
            separated = (f" {n}" if k and n >= 0 else f"{n}" for k, n in enumerate(steps))
            written += letter.lower() + "".join(separated)
    return written


def _shorten_names(root: ET.Element) -> None:
    """Number the names that are referred to, and remove the others."""
    used = set(_REFERENCE.findall(" ".join(v for e in root.iter() for v in e.attrib.values())))
    short: dict[str, str] = {}
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in used:
            element.set("id", short.setdefault(name, _nth_name(len(short))))
    for element in root.iter():
        for key, value in element.attrib.items():
            if "#" in value:
                element.set(key, _REFERENCE.sub(lambda m: f"#{short.get(m[1], m[1])}", value))


def _nth_name(n: int) -> str:
    """Return the names a, b, ..., Z, aa, ab, ... by their place."""
    name = ""
    while n >= 0:
        name = ascii_letters[n % len(ascii_letters)] + name
        n = n // len(ascii_letters) - 1
    return name


def _element(element: ET.Element) -> str:
    """Return an element as text; a group that says nothing of its own gives its content alone."""
    inside = escape((element.text or "").strip()) + "".join(map(_element, _gathered(element)))
    tag = _name(element.tag)
    if tag in ("g", "defs") and not inside:
        return ""
    if tag == "g" and not element.attrib:
        return inside
    if tag == "use" and (shift := _SHIFT.fullmatch(element.get("transform", ""))):
        # the same place in fewer letters
        del element.attrib["transform"]
        element.attrib.update({k: v for k, v in zip("xy", shift.groups(), strict=True) if v != "0"})
    attributes = "".join(
        f" {_name(name)}='{_attribute(_name(name), value)}'"
        for name, value in element.attrib.items()
    )
    return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _gathered(element: ET.Element) -> Iterator[ET.Element]:
    """Yield what is within an element; markers in a row that look alike have their look once."""
    alike = groupby(element, key=lambda e: e.get("style") if e.tag == SVG + "use" else None)
    for look, found in alike:
        children = list(found)
        if look is None or len(children) == 1:
            yield from children
            continue
        group = ET.Element(SVG + "g", {"style": look})
        for child in children:
            del child.attrib["style"]
            group.append(child)
        yield group


def _name(tag: str) -> str:
    """Return a name as it is written, with its prefix."""
    space, found, local = tag.removeprefix("{").partition("}")
    return NAMESPACES[space] + local if found else tag


def _attribute(name: str, value: str) -> str:
    # the size of the whole stays exact: a picture that is laid out otherwise is shifted everywhere
    if name in _ROUNDED and not value.endswith("pt"):
        value = _transform(value) if name == "transform" else _rounded(value)
    if name in ("d", "points"):
        value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value.strip())
    value = re.sub(r"\s+", " ", value.strip())
    if name == "style":
        value = re.sub(r"\s*([:;,])\s*", r"\1", value).rstrip(";")
        value = _DOUBLED.sub(r"#\1\2\3", value)
    return escape(value, {"'": "&apos;"})


def _transform(value: str) -> str:
    """Return shifts rounded like places, and factors to six significant digits."""
    parts = []
    for k, part in enumerate(_FACTORS.split(value)):
        # the split gives: text, name of a factor, its numbers, text, ...
        if k % 3 == 0:
            parts.append(_rounded(part))
        elif k % 3 == 1:
            parts.append(part)
        else:
            exact = _NUMBER.sub(lambda n: f"{float(n.group()):.{FACTOR_DIGITS}g}", part)
            parts.append(exact + ")")
    return "".join(parts)


def _rounded(value: str) -> str:
    """Return a text whose numbers have two decimals at most; colours stay as they are."""
    colours = _COLOUR.findall(value)
    pieces = [_NUMBER.sub(_short, piece) for piece in _COLOUR.split(value)]
    return "".join(a + b for a, b in zip(pieces, [*colours, ""], strict=True))


def _short(number: re.Match[str]) -> str:
    text = f"{float(number.group()):.{PLACES}f}".rstrip("0").rstrip(".")
    if text in ("-0", ""):
        return "0"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
