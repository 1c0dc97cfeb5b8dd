"""Fonts of PDFs in half the time: glyphs are taken out of a small copy of the font.

For every figure and face matplotlib reads a whole font with its layout tables (DejaVu: 6,000
glyphs) and takes some forty glyphs out of it: a quarter of the time of all figures. The copy holds
what figures are written in, under the same numbers, with all that its layout tables may put there
instead; so what is taken out of it is the same to the byte (`tests/unit/test_fonts.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from io import BytesIO
from typing import Any

from matplotlib.backends import _backend_pdf_ps
from matplotlib.backends._backend_pdf_ps import SubsetResults
from matplotlib.ft2font import FT2Font

# Latin, Greek, dashes and quotes, superscripts, arrows, and some signs of mathematics.
SIGNS = "".join(
    chr(code)
    for first, last in (
        (0x20, 0x17F), (0x391, 0x3C9), (0x2010, 0x2026), (0x2070, 0x208E), (0x2190, 0x2193)
    )
    for code in range(first, last + 1)
) + "−√×≈≠≤≥∞"  # fmt: skip


class _Copy(BytesIO):
    face_index = 0  # what matplotlib asks of a font's path


@contextmanager
def small_fonts() -> Iterator[None]:
    """Save PDFs with small copies of fonts; a figure with any other sign goes the long way."""
    own = _backend_pdf_ps.get_glyphs_subset  # matplotlib has no public way to its fonts

    def quick(fontfile: Any, glyphs: set[Any]) -> AbstractContextManager[SubsetResults]:
        data, held = _small_copy(str(fontfile), fontfile.face_index)
        return own(_Copy(data) if held.issuperset(glyphs) else fontfile, glyphs)

    _backend_pdf_ps.get_glyphs_subset = quick
    try:
        yield
    finally:
        _backend_pdf_ps.get_glyphs_subset = own


@cache
def _small_copy(path: str, face: int) -> tuple[bytes, frozenset[int]]:
    """Return a font file with `SIGNS` alone, and the numbers of their glyphs.

    What layout tables may put in their place is there too, but without the characters that it
    stands for: who asks for such a glyph itself needs the whole font.
    """
    from fontTools import subset

    full = FT2Font(path, face_index=face)
    held = frozenset(full.get_char_index(ord(sign)) for sign in SIGNS)
    options = subset.Options(
        glyph_names=True, recommended_glyphs=True, retain_gids=True, passthrough_tables=True
    )
    options.font_number = face
    with subset.load_font(path, options) as font:
        subsetter = subset.Subsetter(options=options)
        subsetter.populate(gids=held)
        subsetter.subset(font)
        small = BytesIO()
        font.save(small, reorderTables=False)
    return small.getvalue(), held
