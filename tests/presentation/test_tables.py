"""Tables: full precision for machines, honest marks for people."""

import csv
import re

import pytest

from alliance.tables import table_names


def rows_of(results, name):
    with open(results.folder / "tables" / f"{name}.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def page_of(results, name):
    return (results.folder / "tables" / f"{name}.html").read_text(encoding="utf-8")


def test_every_table_is_written_three_times(published):
    names = {path.name for path in (published.folder / "tables").iterdir()}
    assert names == {f"{name}.{kind}" for name in table_names() for kind in ("csv", "html", "tex")}


def test_csv_has_every_digit_of_the_fit(published, mock):
    for fit in mock.fits():
        rows = [row for row in rows_of(published, "fixed_effects") if row["model"] == fit["model"]]
        entries = fit["estimates"] + fit["companions"]
        assert len(rows) == len(entries)
        for row, entry in zip(rows, entries, strict=True):
            for key in ("estimate", "se", "df", "p", "ci_low", "ratio"):
                assert row[key] == ("" if entry[key] is None else repr(entry[key]))


@pytest.mark.parametrize("which", ["published", "otherwise"])
def test_a_cell_of_a_csv_is_one_value(which, request):
    """A fact is a code with a text: programs read the text, not both in brackets."""
    results = request.getfixturevalue(which)
    for name in table_names():
        cells = [cell for row in rows_of(results, name) for cell in row.values()]
        assert [cell for cell in cells if re.match(r"[\[{(] *['\"]", cell or "")] == [], name


def test_whole_numbers_stay_whole_beside_missing_ones(marked):
    evaluations = [row["evaluations"] for row in rows_of(marked, "convergence")]
    assert evaluations == ["63", "63", "63", "", "63"]


def test_a_fit_that_did_not_converge_is_marked_and_has_no_stars(marked):
    for name in ("fixed_effects", "variance_components"):
        page = page_of(marked, name)
        groups = re.split(r'<tr class="group', page)[1:]
        by_title = {re.sub("<[^>]+>", "", group.split("</tr>")[0]): group for group in groups}
        failed = [group for title, group in by_title.items() if "did not converge" in title]
        assert len(failed) == 2
        assert all("*" not in re.sub("<[^>]+>", "", group.split("</tbody>")[0]) for group in failed)
        assert sum("singular" in title for title in by_title) == 1
    # the others have stars, so that the test can fail
    assert "***" in page_of(marked, "fixed_effects")
    status = [row["status"] for row in rows_of(marked, "convergence")]
    assert status == ["singular", "failed", "failed", "refused", "converged"]


def test_a_refused_model_says_why_and_shows_no_number(marked):
    page = page_of(marked, "fixed_effects")
    assert "There is no score of Alliance (client) in this cohort." in page
    assert not [r for r in rows_of(marked, "fixed_effects") if r["model"] == "symptoms_to_alliance"]


def test_a_formula_in_a_label_is_inert_in_a_spreadsheet(mock, results_of, tmp_path):
    fits = mock.fits()
    fits[0]["estimates"][0]["label"] = "=HYPERLINK(1)"
    results = results_of(tmp_path, fits=fits).publish(figures=False)
    labels = [row["label"] for row in rows_of(results, "fixed_effects")]
    assert "'=HYPERLINK(1)" in labels
    # numbers stay numbers
    assert any(row["estimate"].startswith("-") for row in rows_of(results, "fixed_effects"))


def test_means_over_few_clients_and_extremes_are_not_shown(mock, results_of, tmp_path):
    description = mock.description()
    for row in description["sample"]:
        if row["site"] == "north" and row["mean"] is not None:
            row.update(n=3, mean=77.77)
    results = results_of(tmp_path, description=description).publish(figures=False)
    everything = page_of(results, "sample") + results.html()
    assert "77.8" not in everything
    assert not {"minimum", "maximum"} & rows_of(results, "sample")[0].keys()
    assert all(row["mean"] == "" for row in rows_of(results, "sample") if row["n"] == "3")


@pytest.mark.parametrize("n_sites", [1, 30])
def test_one_site_and_thirty_sites_are_laid_out(mock, results_of, tmp_path, n_sites):
    sites = tuple(f"clinic-{k:02d}" for k in range(n_sites))
    fits = [mock.growth("alliance_growth", sites), *mock.fits()[1:]]
    results = results_of(tmp_path, fits=fits, description=mock.description(sites))
    results.publish(figures=False)
    assert results.differences() == []
    flow = page_of(results, "flow")
    assert ("All\u00a0sites" in flow) == (n_sites > 1)
    assert flow.count("<tr") == 1 + n_sites + (n_sites > 1)


def test_an_empty_cohort_still_gives_every_table(mock, results_of, tmp_path):
    empty = {
        key: []
        for key in ("measures", "flow", "sample", "rows", "missing", "problems", "observed_courses")
    }
    description = mock.description() | empty
    results = results_of(tmp_path, fits=[], description=description, truth=False)
    results.publish(figures=False)
    assert results.differences() == []
    for name in table_names():
        assert "<td" in page_of(results, name)
