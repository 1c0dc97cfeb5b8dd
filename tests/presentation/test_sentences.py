"""Sentences that judge: none claims more than its numbers show.

Each stands for its kind: causes, nulls taken for proof, an order in time where there is none, an
average that is said to foretell, shares of the wrong level, groups that the cohort does not have.
"""

import copy
import re

import pytest

from alliance.config.cohort import PROJECT
from alliance.families.facts import Assumption
from alliance.findings.formats import format_value

FOUR = ("north", "south", "east", "west")
# What no template and no text of a model may say, and why.
NEVER = {
    r"\bmoves? (the other|symptoms)": "a cause",
    r"show(s)? no difference": "a null is no proof",
    r"do(es)? not differ by more than": "a null is no proof",
    r"followed by the therapist": "the same session has no order in time",
    r"therapist notice": "a slope is no perception",
    r"by a other": "no English",
    r"because it says so": "an interval may be narrow",
    r"it matters whom one meets": "a cause",
    r"changes the probability": "a cause",
    r"a change of the probability": "a cause",
    r"Does the alliance foretell it": "there may be no alliance",
    r"whose therapists the fit has not seen": "there may be no therapists",
    r"intervals? exclude[s]? zero turns": "a ratio has no zero",
}


def sources():
    package = PROJECT / "src" / "alliance"
    folders = ("families", "report", "manuscript", "figures", "tables", "measures", "panel")
    return [
        file
        for folder in folders
        for file in sorted((package / folder).rglob("*"))
        if file.suffix in (".html", ".py")
    ] + [PROJECT / "README.md"]


@pytest.mark.parametrize("pattern", NEVER)
def test_nothing_that_is_printed_claims_this(pattern):
    found = [
        file.name
        for file in sources()
        if re.search(pattern, re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8")))
    ]
    assert not found, NEVER[pattern]


def told(results):
    """Return the words of a page."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", results.html()))


def published(results_of, folder, fits, description=None):
    results = results_of(folder, fits=fits, description=description).publish(figures=False)
    assert results.differences() == []
    return told(results)


def test_an_average_is_laid_beside_an_average_and_never_beside_a_session(
    mock, results_of, tmp_path
):
    fit = mock.coupling("alliance_to_symptoms", "alliance", "symptoms", -0.1)
    fit["outcome"]["measure"] = "Symptoms"
    between = next(e for e in fit["estimates"] if e["level"] == "between-client")
    between |= {"ci_low": -0.3, "ci_high": -0.1, "estimate": -0.2}
    text = published(results_of, tmp_path, [fit])
    assert "lower Symptoms on average (a difference between clients, no forecast" in text
    assert not re.search(r"on average: lower [^.(]* at the next session", text)
    assert not re.search(r"average over treatment is one point higher have \w+ [^.:]* next", text)


def test_an_effect_whose_interval_holds_none_has_no_sign_to_turn(mock, results_of, tmp_path):
    fit = mock.diagnosed(mock.coupling("alliance_to_symptoms", "alliance", "symptoms", -0.1))
    effects = fit["diagnostics"]["influence"]["effects"]
    for effect in effects:
        effect |= {"lowest": -0.4, "highest": 0.2}
    for entry in fit["estimates"]:
        entry |= {"ci_low": -0.5, "ci_high": 0.3}
    text = published(results_of, tmp_path, [fit])
    assert "sign turns" not in text


def test_a_ratio_is_called_by_its_name(mock, results_of, tmp_path):
    fit = mock.dropout()
    for entry in fit["estimates"]:
        entry["unit"] = "log hazard per point"
    text = published(results_of, tmp_path, [fit])
    assert "hazard ratio per point" in text and "odds ratio per point" not in text


def test_notes_are_not_called_wrong(mock, results_of, tmp_path):
    description = mock.description()
    for problem in description["problems"]:
        problem["action"] = "noted"
    text = published(results_of, tmp_path, mock.fits(), description)
    assert "What stood out in the files was named" in text
    assert "What was wrong in the files" not in text


def test_probabilities_differ_by_percentage_points():
    assert format_value("percentage-points:2", -0.00193) == "−0.19"
    section = PROJECT / "src" / "alliance" / "families" / "hazard" / "section.html"
    told = section.read_text(encoding="utf-8").split('fit["marginal_effects"]')[1]
    told = " ".join(told.split("{% endfor %}")[0].split())
    assert "percentage points on average" in told and "share:" not in told


def test_an_intraclass_correlation_says_which_levels_share(said):
    text = said()
    assert "correlation of two sessions that share a group of this level" in text
    assert "and so also the levels above it" in text


def test_how_residuals_and_slopes_were_chosen_is_told(mock, said):
    rule = mock.fact(Assumption.STEP_CHOSEN_BY_RULE, "Slopes of clients, by the lowest BIC.")
    fit = mock.growth("alliance_growth", FOUR)
    assert "decided by a rule fixed in advance" not in said([fit])
    chosen = copy.deepcopy(fit)
    chosen["assumptions"] = [*fit["assumptions"], rule]
    text = said([chosen])
    assert "decided by a rule fixed in advance" in text
    assert "Slopes of clients, by the lowest BIC." in text


def test_degrees_of_freedom_are_those_of_the_models(mock, said):
    one, other = mock.growth("alliance_growth", FOUR), mock.growth("symptom_growth", FOUR)
    satterthwaite = mock.fact("satterthwaite", "Satterthwaite")
    one["engine"] = one["engine"] | {"df_method": satterthwaite}
    roger = mock.fact("kenward_roger", "Kenward-Roger")
    other["engine"] = other["engine"] | {"df_method": roger}
    text = said([one, other])
    assert "degrees of freedom of Satterthwaite" in text
    assert "or Kenward and Roger" in text


def test_of_totals_nobody_knows_the_items(mock, said):
    description = mock.description()
    measurement = mock.measurement(description)
    name = measurement["measures"][0]["measure"]
    measurement["measures"][0]["totals_only"] = True
    label = next(m["label"] for m in description["measures"] if m["name"] == name)
    text = said(description=description, measurement=measurement)
    sentence = re.search(rf"For {re.escape(label)}, [\d,]+ forms are[^.]*\.[^.]*\.", text)[0]
    assert "items" not in sentence and "answered" not in sentence


def test_clients_of_therapists_are_spoken_of_where_there_are_therapists(mock, results_of, tmp_path):
    text = published(results_of, tmp_path / "with", mock.fits())
    assert "lies between clients of one therapist" in text
    assert "Clients of one therapist differ" not in text


def test_few_clusters_are_told_of_and_cited(mock, results_of, tmp_path):
    """Every digit of the sentence is vouched for: `differences` of the page are none."""
    fit = mock.coupling("alliance_to_symptoms", "alliance", "symptoms", -0.1)
    cr2 = mock.fact(Assumption.FEW_CLUSTERS_BY_CR2, "Clusters are few.")
    fit["assumptions"] = [*fit["assumptions"], cr2]
    text = published(results_of, tmp_path, [fit])
    assert "bias-reduced sandwich with Satterthwaite" in text and "Pustejovsky" in text


@pytest.mark.parametrize("which", ["published", "otherwise"])
def test_blanks_stand_where_they_belong(which, request):
    """None before a comma, a semicolon or a point; one before the bracket of an interval."""
    page = re.sub(r"(?s)<(style|svg).*?</\1>", "", request.getfixturevalue(which).html())
    inline = r"</?(a|b|i|em|strong|span|code|sup|sub)\b[^>]*>"
    text = " ".join(re.sub("<[^>]+>", "\n", re.sub(inline, "", page)).split(" "))
    assert re.findall(r".{30}\S[ \n]+[;,](?=\s).{20}", text) == []
    assert re.findall(r".{30}\d\[.{20}", text) == []


def test_an_intercept_of_several_outcomes_is_named():
    part = "therapist: correlation of 'early_alliance: 1' and 'last: 1' is 1"
    words = (
        "therapist: correlation of the intercept of early alliance and the intercept of last is 1"
    )
    assert format_value("component-words", part) == words
