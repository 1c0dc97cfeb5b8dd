"""Glyphs out of a small copy of a font are those out of the whole one, to the byte."""

import pytest
from matplotlib import font_manager
from matplotlib.backends import _backend_pdf_ps
from matplotlib.ft2font import FT2Font

from alliance.figures.fonts import SIGNS, small_fonts

FACES = [{}, {"weight": "bold"}, {"style": "italic"}]
TEXTS = [
    "Alliance across 0123456789 .−=,() efficient office",
    "β → ≤ ≥ ± ² · … – — ’ “ ” é ü ½ × √",
    SIGNS,
    "signs of others: Ж 漢 ▲ ☃",  # the long way
    "П ⁄ ⟶",  # in the copy, but only for what layout may put in the place of others
]


def taken(path, text):
    glyphs = {FT2Font(path).get_char_index(ord(sign)) for sign in text}
    with _backend_pdf_ps.get_glyphs_subset(path, glyphs) as found:
        return _backend_pdf_ps.font_as_file(found.font).getvalue(), found.glyph_index_map


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("face", FACES, ids=str)
def test_the_same_bytes(face, text):
    path = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", **face))
    whole = taken(path, text)
    own = _backend_pdf_ps.get_glyphs_subset
    with small_fonts():
        assert _backend_pdf_ps.get_glyphs_subset is not own
        small = taken(path, text)
    assert _backend_pdf_ps.get_glyphs_subset is own
    assert small == whole
