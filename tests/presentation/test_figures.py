"""Figures: every one is written, says what is wrong, and nothing overlaps or is cut off."""

import itertools
import re

import pytest
from matplotlib.text import Text

from alliance.families.family import load
from alliance.figures import (
    FORMATS,
    diagnostics,
    diagnostics_figures,
    painters,
    style,
)
from alliance.findings.results import Results

PAINTERS = {name: load(painter) for name, painter in painters().items()}
MEASURES = ("forms", "reliability", "decision", "variance_shares", "invariance")


def cohorts(mock):
    """Return fits and description of cohorts that a figure must cope with."""
    good = mock.fits()
    thirty = tuple(f"clinic-{k:02d}" for k in range(30))
    long = ("psychotherapy-outpatient-clinic-of-the-university-hospital-nr-01", "b", "c")
    none = {"survival_by_alliance": {"message": "No client-rated alliance.", "groups": []}}
    marks = (mock.singular, mock.failed, mock.failed, mock.refused, mock.singular)

    def at(*sites):
        return [mock.growth("alliance_growth", sites), *good[2:]], mock.description(sites)

    return {
        "plain": (good, mock.description()),
        "marked": (
            [mark(fit) for mark, fit in zip(marks, good, strict=True)],
            mock.description(),
        ),
        "refused": ([mock.refused(fit) for fit in good], mock.description() | none),
        "no models": ([], mock.description() | none | {"problems": []}),
        "one site": at("only"),
        "thirty sites": at(*thirty),
        "long names": at(*long),
        "hostile": hostile(mock),
        "otherwise": (mock.otherwise.fits(mock), mock.description()),
        "otherwise, thirty sites": (mock.otherwise.fits(mock, thirty), mock.description()),
        "otherwise, long names": (mock.otherwise.fits(mock, long), mock.description()),
        "otherwise, hostile": (mock.otherwise.hostile(mock), mock.description()),
        "otherwise, marked": (mock.otherwise.marked(mock), mock.description()),
        "many measures": (good, many_measures(mock, 6)),
        "still more": (good, many_measures(mock, 11)),
    }


def hostile(mock):
    """Return a cohort whose titles, labels and sites try to be markup, formulas or code."""
    sites = ('<img src=x onerror="alert(1)">', r"$\frac{1}{0}$", "=1+1", "{{7*7}}")
    fits = [mock.growth("alliance_growth", sites), *mock.fits()[2:]]
    for fit in fits:
        fit["title"] = fit["outcome"]["label"] = mock.HOSTILE
        for estimate in fit["estimates"]:
            estimate["label"] = mock.HOSTILE
    description = mock.description(sites)
    for measure in description["measures"]:
        measure["label"] = mock.HOSTILE
    return fits, description


def many_measures(mock, n):
    """Return a description with so many measures, and so many kinds of problems."""
    description = mock.description()
    words = [
        "Anhedonia (SHAPS)",
        "Depressive symptoms (HAM-D)",
        "Well-being",
        "Interpersonal problems",
    ]
    labels = [f"{words[k % 4]} {k}" for k in range(n)]
    measures, missing = description["measures"], description["missing"]
    description["measures"] = [
        measures[0] | {"name": f"m{k}", "label": labels[k]} for k in range(n)
    ]
    description["missing"] = [row | {"measure": f"m{k}"} for row in missing[::2] for k in range(n)]
    problems = description["problems"]
    rules = ["conflicting-duplicate", "dates-against-sessions", "client-without-sessions"]
    description["problems"] = [problems[0] | {"rule": f"{rules[k % 3]}-{k}"} for k in range(n)]
    return description


NAMES = (
    "plain",
    "marked",
    "refused",
    "no models",
    "one site",
    "thirty sites",
    "long names",
    "hostile",
)
OTHERWISE = ("thirty sites", "long names", "hostile", "marked")
CASES = [
    *itertools.product(painters(), NAMES),
    *itertools.product(
        (
            "growth_shape",
            "parallel_growth",
            "two_views",
            "specifications",
            "conditions",
            "by_site",
            "estimates",
            "flow",
        ),
        ("otherwise", *(f"otherwise, {name}" for name in OTHERWISE)),
    ),
    *itertools.product(("missing", *MEASURES), ("many measures", "still more")),
]


def drawn(name, fits, description, measurement=None, leaving=None):
    given = {"measurement": measurement, "dropout": leaving}
    further = {key: value for key, value in given.items() if value is not None}
    with style.in_house_style():
        figure = PAINTERS[name](Results(fits, description, further))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure


def texts_of(figure):
    """Return the texts that are really drawn (not ticks outside of the axes), with their boxes."""
    found = []
    draw = Text.draw

    def note(text, renderer):
        if text.get_visible() and text.get_text().strip():
            # of the words alone, without the line that leads to them
            found.append((text.get_text(), Text.get_window_extent(text, renderer)))
        draw(text, renderer)

    with style.in_house_style(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        figure.draw(figure.canvas.get_renderer())
    return found


def test_every_figure_is_written_in_every_format(published, mock):
    names = {path.name for path in (published.folder / "figures").iterdir()}
    by_name = {fit["model"]: fit for fit in mock.fits()}
    wanted = [*painters(), *diagnostics_figures(by_name).values()]
    assert names == {f"{name}.{kind}" for name in wanted for kind in FORMATS}
    for name in wanted:
        folder = published.folder / "figures"
        assert (folder / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert (folder / f"{name}.pdf").read_bytes()[:5] == b"%PDF-"
        assert "<svg" in (folder / f"{name}.svg").read_text(encoding="utf-8")


def test_png_is_300_dpi_at_a_journals_width(published):
    from PIL import Image

    for name in painters():
        with Image.open(published.folder / "figures" / f"{name}.png") as image:
            assert image.size[0] == pytest.approx(120 / 25.4 * 300, abs=1)
            assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)
            assert set(image.info) <= {"dpi"}


def test_no_date_program_or_path_in_any_file(published):
    for path in (published.folder / "figures").iterdir():
        content = path.read_bytes()
        for word in (
            b"CreationDate",
            b"matplotlib.org",
            b"Software",
            b"dc:date",
            b"/tmp/",
            b"/home/",
        ):
            assert word not in content, (path.name, word)


@pytest.mark.parametrize(("name", "cohort"), CASES)
def test_no_text_overlaps_another_or_is_cut_off(mock, name, cohort):
    fits, description = cohorts(mock)[cohort]
    figure = drawn(name, fits, description, mock.measurement(description))
    nothing_overlaps_or_is_cut_off(figure)


def test_no_text_overlaps_where_leaving_is_described(mock):
    figure = drawn("leaving", mock.fits(), mock.description(), leaving=mock.leaving())
    nothing_overlaps_or_is_cut_off(figure)
    words = " ".join(text for text, _ in texts_of(figure))
    assert "Clients at risk" in words
    assert "completed as agreed" in words


def nothing_overlaps_or_is_cut_off(figure):
    width, height = figure.bbox.width, figure.bbox.height
    texts = texts_of(figure)
    assert texts
    for text, box in texts:
        inside = (
            box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= width + 0.5 and box.y1 <= height + 0.5
        )
        assert inside, f"{text!r} is cut off"
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0.6 or down <= 0.6, f"{one!r} overlaps {other!r}"


@pytest.mark.parametrize(
    "name", ["growth", "effects", "hazard", "hazard_prediction", "estimates", "flow"]
)
def test_what_is_wrong_with_a_fit_stands_in_the_picture(mock, name):
    words = " ".join(text for text, _ in texts_of(drawn(name, *cohorts(mock)["marked"])))
    words = re.sub(r"\s+", " ", words)
    if name != "flow":
        assert "singular" in words
    if name not in ("hazard", "hazard_prediction"):
        assert "did not converge" in words


@pytest.mark.parametrize("name", painters())
def test_a_figure_without_data_says_why(mock, name):
    words = " ".join(text for text, _ in texts_of(drawn(name, *cohorts(mock)["no models"])))
    if name != "flow":
        assert "Nothing to show here" in words
    empty = mock.description() | {"flow": [], "missing": [], "problems": [], "observed_courses": []}
    assert texts_of(drawn(name, [], empty))


@pytest.mark.parametrize("name", MEASURES)
def test_what_the_measures_are_like_is_drawn_or_its_absence_said(mock, name):
    description = mock.description()
    measurement = mock.measurement(description)
    figure = drawn(name, [], description, measurement)
    words = " ".join(text for text, _ in texts_of(figure))
    assert "Nothing to show here" not in words or name in ("reliability", "forms")
    nobody = {key: [] if isinstance(value, list) else value for key, value in measurement.items()}
    for content, told in ((nobody, "No questionnaire"), (None, "was not described")):
        words = " ".join(text for text, _ in texts_of(drawn(name, [], description, content)))
        assert told in words


def test_the_made_up_measures_are_valid_by_the_schema(mock):
    import jsonschema

    content = mock.measurement(mock.description())
    jsonschema.Draft202012Validator(mock.schema("measurement")).validate(content)


def test_no_curve_is_drawn_where_few_are_left(mock):
    """Kaplan-Meier steps over fewer than eight people would show single persons' ends."""
    figure = drawn("hazard", *cohorts(mock)["plain"])
    observed = figure.axes[-1]
    for line, group in zip(
        observed.lines, mock.description()["survival_by_alliance"]["groups"], strict=True
    ):
        enough = [s for s, n in zip(group["session"], group["at_risk"], strict=True) if n >= 8]
        assert list(line.get_xdata()) == enough
    assert any(text == "<8" for text, _ in texts_of(figure))


def test_a_dollar_sign_is_a_dollar_sign(mock):
    words = [text for text, _ in texts_of(drawn("growth", *hostile(mock)))]
    assert any(r"$\frac{1}{0}$" in text for text in words)


def diagnosed_fits(mock):
    """Return fits whose figures of diagnostics must be legible."""
    good = [*mock.fits(), *mock.otherwise.fits(mock)]
    marks = (mock.singular, mock.failed, mock.refused, mock.disputed)
    hazard = mock.fits()[4]
    silent = {
        "message": "These data do not tell therapists apart: their variance is estimated as zero.",
        "normal": None,
    }
    hazard["diagnostics"]["random_effects"][0] |= silent
    growth = mock.fits()[0]
    growth["diagnostics"]["random_effects"][0] |= silent
    few = mock.fits()[0]
    few["diagnostics"]["residuals"][0] |= {
        "normal": None, "by_fixed_part": None, "by_fitted": None,
        "message": "Fewer than 8 clients: their residuals are not shown.",
    }  # fmt: skip
    few["diagnostics"]["random_effects"] = []
    few["diagnostics"]["influence"] = {"levels": [], "effects": []}
    return [
        *good,
        *(mark(fit) for mark in marks for fit in (good[0], good[4])),
        *hostile(mock)[0],
        hazard,
        growth,
        few,
        {key: value for key, value in good[0].items() if key != "diagnostics"},
    ]


def drawn_diagnostics(fit):
    with style.in_house_style():
        figure = diagnostics.draw(fit)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure


def test_no_text_overlaps_in_figures_of_diagnostics(mock):
    parallel = mock.otherwise.fits(mock)[5]
    for fit in (*diagnosed_fits(mock)[-4:-1], parallel, hostile(mock)[0][0]):
        nothing_overlaps_or_is_cut_off(drawn_diagnostics(fit))


@pytest.mark.slow
def test_no_text_overlaps_in_any_figure_of_diagnostics(mock):
    for fit in diagnosed_fits(mock):
        nothing_overlaps_or_is_cut_off(drawn_diagnostics(fit))


def test_figures_of_diagnostics_say_what_is_wrong_or_missing(mock):
    good = mock.fits()[0]

    def words(fit):
        return " ".join(" ".join(text for text, _ in texts_of(drawn_diagnostics(fit))).split())

    assert "another conclusion" in words(good)
    assert "singular" in words(mock.singular(good))
    assert "engines differ" in words(mock.disputed(good))
    for mark in (mock.failed, mock.refused):
        assert "Nothing to show here" in words(mark(good))
    assert "This family has none." in words(mock.otherwise.fits(mock)[1])


def test_figures_of_diagnostics_are_small(published):
    for path in (published.folder / "figures").glob("diagnostics_*.svg"):
        assert path.stat().st_size < 70_000, path.name
