"""Tables of diagnostics: every number traced, every absence said."""

import csv
import re

import jsonschema

from alliance.families.registry import families, that_are
from alliance.figures import diagnostics_figures


def rows_of(results, name):
    with open(results.folder / "tables" / f"{name}.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def page_of(results, name):
    return (results.folder / "tables" / f"{name}.html").read_text(encoding="utf-8")


def test_made_up_diagnostics_are_valid_by_the_schema(mock):
    validator = jsonschema.Draft202012Validator(mock.schema("fit"))
    for fit in [*mock.fits(), *mock.otherwise.fits(mock)]:
        validator.validate(fit)
        validator.validate(mock.failed(fit))
        validator.validate(mock.refused(fit))


def test_influence_names_range_and_conclusions(without_pictures, mock):
    rows = rows_of(without_pictures, "influence")
    fit = mock.fits()[2]
    mains = [e["term"] for e in fit["estimates"] if e["role"] == "main"]
    own = [row for row in rows if row["model"] == fit["model"]]
    assert [row["term"] for row in own] == [term for term in mains for _ in range(3)]
    effects = fit["diagnostics"]["influence"]["effects"]
    assert [row["lowest"] for row in own] == [repr(e["lowest"]) for e in effects]
    page = re.sub("<[^>]+>", "", page_of(without_pictures, "influence"))
    assert "without a fit" in page  # one refit of each level failed
    assert without_pictures.differences() == []


def test_a_level_that_could_not_be_left_out_says_why(otherwise):
    page = re.sub("<[^>]+>", "", page_of(otherwise, "influence"))
    assert "without one client: Clients are not left out one by one." in page


def test_residuals_have_a_line_an_outcome(otherwise):
    rows = rows_of(otherwise, "residuals")
    assert [r["outcome"] for r in rows if r["model"] == "alliance_with_symptoms"] == [
        "alliance",
        "symptoms",
    ]
    assert not [r for r in rows if r["model"] == "dropout_hazard"]


def test_a_fit_without_result_has_no_diagnostics_in_any_table(marked):
    for name in ("influence", "residuals"):
        models = {row["model"] for row in rows_of(marked, name)}
        assert not models & {"symptom_growth", "alliance_to_symptoms", "symptoms_to_alliance"}
    assert "singular" in page_of(marked, "influence")


def test_the_family_decides_which_models_have_a_figure(mock):
    kinds = {"a": "growth", "b": "panel_estimators", "c": "hazard"}
    models = {name: {"family": family} for name, family in kinds.items()}
    assert diagnostics_figures(models) == {"a": "diagnostics_a", "c": "diagnostics_c"}
    without = {
        "specifications", "panel_estimators", "by_site", "continuous_time", "therapists",
        "course_and_leaving", "missing_not_at_random", "skipped_forms",
    }  # fmt: skip
    assert set(families()) - set(that_are("diagnosed")) == without
