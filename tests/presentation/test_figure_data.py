"""The CSV behind a figure is what is drawn: the same places, and the same values as in the fits."""

import csv
import io

import numpy as np
import pytest
from matplotlib.axes import Axes

from alliance.figures import painters
from alliance.figures.data import COLUMNS, rows_of, write_data
from tests.presentation.test_figures import cohorts, drawn, hostile


def table(figure, folder):
    write_data(figure, folder / "x.csv")
    return list(csv.DictReader(io.StringIO((folder / "x.csv").read_text(encoding="utf-8"))))


def numbers(rows, column, **wanted):
    return [float(row[column]) for row in rows if all(row[key] == v for key, v in wanted.items())]


@pytest.mark.parametrize("name", painters())
def test_every_mark_has_a_name_and_a_place_and_every_file_something(all_figures, name):
    rows = rows_of(all_figures[1][name])
    assert rows
    for row in rows:
        assert set(row) <= set(COLUMNS)
        assert row["series"] or row["kind"] == "nothing to show", row
        assert {"x", "y", "row", "column", "text"} & set(row), row


def test_courses_are_those_of_the_fit(all_figures, tmp_path):
    results, figures = all_figures
    rows, fit = table(figures["growth"], tmp_path), results.fits[0]
    for curve in fit["curves"]:
        if curve["group"] == "all sites":
            continue
        panel = {"facet": f"a {fit['title']}", "series": curve["group"]}
        assert numbers(rows, "x", kind="line", **panel) == curve["x"]
        assert numbers(rows, "y", kind="line", **panel) == curve["estimate"]
        assert numbers(rows, "y_low", kind="band", **panel) == curve["ci_low"]
        assert numbers(rows, "y_high", kind="band", **panel) == curve["ci_high"]
        means = next(
            m for m in results.about["observed_courses"]
            if m["site"] == curve["group"] and m["measure"] == "alliance"
        )  # fmt: skip
        shown = [m for w, m in zip(means["weeks"], means["mean"], strict=True) if w <= 20]
        assert numbers(rows, "y", kind="points", **panel) == shown


def test_forest_plots_are_those_of_the_fit(all_figures, tmp_path):
    results, figures = all_figures
    rows = table(figures["effects"], tmp_path)
    for letter, fit in zip("abc", results.fits[2:5], strict=True):
        main = [e for e in fit["estimates"] if e["role"] == "main"]
        keys = ("ratio", "ratio_low", "ratio_high")
        if main[0]["ratio"] is None:
            keys = ("estimate", "ci_low", "ci_high")
        panel = {"facet": f"{letter} {fit['title']}", "series": "effect"}
        assert numbers(rows, "x", kind="points", **panel) == [e[keys[0]] for e in main]
        assert numbers(rows, "x_low", kind="interval", **panel) == [e[keys[1]] for e in main]
        assert numbers(rows, "x_high", kind="interval", **panel) == [e[keys[2]] for e in main]


def test_steps_bars_cells_and_printed_numbers_are_those_of_the_descriptions(all_figures, tmp_path):
    results, figures = all_figures
    rows = table(figures["leaving"], tmp_path)
    told = results.further["dropout"]["incidence"][0]
    panel = {"facet": "a How treatments ended, all clients", "series": "dropped out"}
    assert numbers(rows, "y", kind="steps", **panel) == told["value"]
    assert numbers(rows, "y_low", kind="band", **panel) == told["ci_low"]
    assert numbers(rows, "y_high", kind="band", **panel) == told["ci_high"]
    rows = table(figures["missing"], tmp_path)
    series = "sessions without the form"
    cells = {(r["row"], r["column"]): float(r["value"]) for r in rows if r["series"] == series}
    assert cells["north", "Alliance (client)"] == 100 - 94.5
    rows = table(figures["forms"], tmp_path)
    assert set(numbers(rows, "y_high", series="complete")) == {80.0}
    rows = table(figures["flow"], tmp_path)
    assert numbers(rows, "value", series="sessions attended") == [4 * 1302]


def test_what_the_file_says_is_what_the_artists_are(all_figures):
    """Drawn again from the file alone, lines, points and bands lie where they lay."""
    for name in ("growth", "growth_shape", "hazard", "decision", "hazard_prediction"):
        figure = all_figures[1][name]
        rows = rows_of(figure)
        axes = [a for part in figure.subfigs or [figure] for a in part._localaxes]
        drawn_places = [
            tuple(place)
            for a in axes
            for line in a.lines
            if line.get_transform() == a.transData
            for place in np.asarray(line.get_xydata(), float)
        ]
        in_file = [
            (row["x"], row["y"]) for row in rows if row["kind"] in ("line", "points", "steps")
        ]
        assert in_file == drawn_places, name
        shown = Axes(figure, (0, 0, 1, 1))
        for series in {row["series"] for row in rows if row["kind"] == "band"}:
            band = [r for r in rows if r["kind"] == "band" and r["series"] == series]
            columns = ([r[key] for r in band] for key in ("x", "y_low", "y_high"))
            assert shown.fill_between(*columns).get_paths()


def test_small_groups_are_in_no_file(mock):
    """Kaplan-Meier curves end, and numbers at risk are not told, below eight clients."""
    figure = drawn("hazard", *cohorts(mock)["plain"])
    rows = [row for row in rows_of(figure) if row["facet"].startswith("b")]
    group = mock.description()["survival_by_alliance"]["groups"][0]
    few = [s for s, n in zip(group["session"], group["at_risk"], strict=True) if n < 8]
    assert few
    assert not [r for r in rows if r["kind"] != "printed" and r["x"] in few]
    told = [r for r in rows if r["kind"] == "printed"]
    assert {r["text"] for r in told if r["x"] in few} == {"<8"}
    assert all(np.isnan(r["value"]) or r["value"] >= 8 for r in told)


def test_what_is_wrong_with_a_fit_stands_in_its_rows(mock):
    for name in ("growth", "effects"):
        rows = rows_of(drawn(name, *cohorts(mock)["marked"]))
        assert any("did not converge" in row["mark"] for row in rows)
        assert any("singular" in row["mark"] for row in rows)
    rows = rows_of(drawn("growth", *cohorts(mock)["no models"]))
    assert [row["kind"] for row in rows] == ["nothing to show"]
    assert "names no growth model" in rows[0]["text"]


def test_text_is_inert_and_bytes_are_the_same(mock, tmp_path):
    figure = drawn("growth", *hostile(mock))
    write_data(figure, tmp_path / "a.csv")
    write_data(figure, tmp_path / "b.csv")
    content = (tmp_path / "a.csv").read_bytes()
    assert content == (tmp_path / "b.csv").read_bytes()
    assert ",'=1+1," in content.decode()
    assert ",=1+1" not in content.decode()


def test_every_figure_comes_with_its_numbers(published):
    for name in painters():
        text = (published.folder / "figures" / f"{name}.csv").read_text(encoding="utf-8")
        assert text.splitlines()[0] == ",".join(COLUMNS)
        assert len(text.splitlines()) > 1
