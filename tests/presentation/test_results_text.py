"""The results section says what was found, by its numbers, and nothing of what there is not."""

import re

import pytest

from alliance.families.registry import families

SENTENCES = {
    "growth": "over treatment, b =",
    "growth_shape": "Of the shapes that were compared",
    "parallel_growth": "Correlations of levels and changes",
    "coupling": "on client means and deviations from them",
    "agreement": "In per cent of the possible range",
    "surface": "Along the response surface",
    "therapists": "Share of therapists",
    "hazard": "odds of leaving after a session",
    "by_site": "Over the sites",
}


def every_fit(mock):
    return [*mock.fits(), *mock.otherwise.fits(mock), mock.cox()]


@pytest.mark.parametrize("family", SENTENCES)
def test_a_family_that_ran_is_told_and_no_other(family, mock, told):
    text = told([fit for fit in every_fit(mock) if fit["family"] == family])
    assert SENTENCES[family] in text
    for other, sentence in SENTENCES.items():
        assert (sentence in text) is (other == family), other


def test_every_family_of_models_says_what_it_found_unless_it_asks_anew():
    silent = {name for name, family in families().items() if not family.found}
    asks_anew = {name for name, family in families().items()
                 if family.methods_part == families()["specifications"].methods_part}  # fmt: skip
    assert silent == asks_anew


@pytest.mark.parametrize("status", ["failed", "refused"])
def test_a_model_without_a_result_has_no_number(status, mock, told):
    text = told([fit | {"status": status, "message": "why"} for fit in every_fit(mock)])
    assert "95% CI" not in text.partition("Sample")[2].partition("\n## ")[2]
    assert "Course Over Treatment" not in text


def test_the_word_follows_from_the_interval(mock, told):
    growth = mock.fits()[0]
    for low, high, word in ((0.1, 0.9, "rose"), (-0.9, -0.1, "fell"),
                            (-0.1, 0.1, "did not clearly change")):  # fmt: skip
        entries = [e | {"ci_low": low, "ci_high": high} if e["role"] == "main" else e
                   for e in growth["estimates"]]  # fmt: skip
        assert f" {word} over treatment" in told([growth | {"estimates": entries}])


def test_a_primary_effect_has_its_adjusted_p(mock, told):
    growth = mock.fits()[0]
    at = next(k for k, e in enumerate(growth["estimates"]) if e["role"] == "main")
    address = f"{growth['model']}.json#/estimates/{at}"
    test = {"at": address, "group": "primary", "p_adjusted": 0.02}
    text = told([growth], multiplicity={"tests": [test], "groups": [], "primary_named": False})
    assert "(primary; adjusted p =\xa0.020)" in text


def test_what_a_cohort_does_not_have_is_not_spoken_of(mock, told):
    description = mock.description()
    description["measures"] = description["measures"][:1]
    for row in description["flow"]:
        row |= {"therapists": 0, "dropout": 0, "dropout_share": None}
    text = told([mock.fits()[0] | {"diagnostics": None}], description)
    assert not re.search("therapist|dropout|dropped|rupture|gain|sites:", text)


def test_a_singular_model_says_so(mock, told):
    assert "The fit is singular" in told([mock.singular(mock.fits()[0])])


def test_what_only_the_authors_know_stands_in_brackets(said):
    text = said()
    for asked in ("Diagnoses", "Treatment", "Sample size", "Ethics", "Registration", "Data and",
                  "Funding", "Conflicts of interest"):  # fmt: skip
        assert f"[{asked}" in text
