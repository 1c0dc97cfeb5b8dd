"""Whatever shows a fit says what is wrong with it: every figure, every table, every section.

The tests run over `painters`, `table_names` and the page's own findings, so that a new picture,
table or section cannot forget the marks. What shows a fit is what changes when the fit is taken
away.
"""

import re

import pytest
from matplotlib.text import Text

from alliance.families.family import load
from alliance.figures import painters, style
from alliance.findings.marks import LONG, SHORT, kinds_of, mark_of
from alliance.findings.results import Results
from alliance.tables import table_names

KINDS = sorted(SHORT)
RESULTS_OF_A_FIT = re.compile(
    r"^/(estimates|companions|marginal_effects|variance_components|curves|tests)/"
)


def test_a_mark_in_full_begins_with_the_mark_in_short():
    assert LONG.keys() == SHORT.keys()
    assert all(LONG[kind].startswith(SHORT[kind]) for kind in KINDS)


def test_several_marks_stand_side_by_side(mock):
    fit = mock.disputed(mock.singular(everything(mock)[0]))
    assert kinds_of(fit) == ["singular", "disputed"]
    assert mark_of(fit) == "singular, engines differ"
    assert mark_of(everything(mock)[0]) == ""


def everything(mock):
    """The fits of a cohort with every family of models."""
    return [*mock.fits(), mock.cox()]


def words_of(name, fits, description):
    with style.in_house_style():
        figure = load(painters()[name])(Results(fits, description, {}))
    found = [text.get_text() for text in figure.findobj(Text)]
    return re.sub(r"\s+", " ", " ".join(found))


@pytest.fixture(scope="module")
def shown_in(mock):
    """Return which fits a figure shows: those without which it is another picture."""
    found = {}

    def of(name):
        if name not in found:
            description, good = mock.description(), everything(mock)
            plain = words_of(name, good, description)
            assert not any(SHORT[kind] in plain for kind in KINDS)
            found[name] = [
                fit
                for place, fit in enumerate(good)
                if words_of(name, good[:place] + good[place + 1 :], description) != plain
            ]
        return found[name]

    return of


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", painters())
def test_a_figure_that_shows_a_fit_shows_its_mark(mock, shown_in, name, kind):
    shown = shown_in(name)
    if not shown:
        return
    bad = [getattr(mock, kind)(fit) for fit in everything(mock)]
    words = words_of(name, bad, mock.description())
    if kind == "refused":  # its place is taken by its reason, or by none where others are shown
        assert SHORT[kind] in words or bad[0]["message"] in words or "Nothing to show" in words
        return
    assert words.count(SHORT[kind]) >= len(shown), words


@pytest.fixture(scope="module", params=KINDS)
def all_planted(request, mock, results_of, tmp_path_factory):
    """Every fit of the cohort with the same fault."""
    fits = [getattr(mock, request.param)(fit) for fit in everything(mock)]
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, results_of(folder, fits=fits).publish(figures=False)


# A checklist names models as places, the sessions left out as heads: no estimate of theirs.
OF_FITS = [name for name in table_names() if not name.startswith("checklist") and name != "unused"]


@pytest.mark.parametrize("name", OF_FITS)
def test_a_table_that_shows_a_fit_shows_its_mark(mock, all_planted, published, name):
    kind, results = all_planted
    for fit in everything(mock):
        page = (results.folder / "tables" / f"{name}.html").read_text(encoding="utf-8")
        if f"fits/{fit['model']}.json" not in page and fit["title"] not in page:
            continue
        assert SHORT[kind] in page
        csv = (results.folder / "tables" / f"{name}.csv").read_text(encoding="utf-8")
        for line in csv.splitlines()[1:]:
            if line.startswith(f"{fit['model']},"):
                assert kind in line or SHORT[kind] in line or "False" in line
    plain = (published.folder / "tables" / f"{name}.html").read_text(encoding="utf-8")
    without_notes = re.sub(r"(?s)<p class=\"table-note\">.*?</p>", "", plain)
    assert SHORT[kind] not in re.sub("<[^>]+>", "", without_notes)


def test_a_section_with_a_number_of_a_fit_shows_its_mark(all_planted):
    kind, results = all_planted
    assert results.differences() == []
    shown = 0
    for section in re.findall(r'(?s)<section id="[^"]+".*?</section>', results.html()):
        addresses = re.findall(r'title="(fits/[^"#]+)#(/[^"]*)"', section)
        models = {file for file, pointer in addresses if RESULTS_OF_A_FIT.match(pointer)}
        if models:
            shown += 1
            words = re.sub("<[^>]+>", "", section).lower()
            assert SHORT[kind] in words, section[:80]
    assert shown or kind == "refused"
