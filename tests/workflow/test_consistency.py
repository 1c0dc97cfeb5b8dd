"""Contradictions planted in the files of the demo are found, and there are none without.

Each plant changes what one file says of a concept, as a stage that counted, rounded or defined
otherwise would. The other files, and the documents printed from them, stay as they are.
"""

import copy
import csv

import pytest

from alliance.consistency.check import (
    contents_of,
    contradictions,
    differences,
    printed_concepts,
)


@pytest.fixture(scope="module")
def contents(finished_demo):
    folder = finished_demo.folder / "results/demo"
    names = ("description", "change", "dropout", "measurement", "multiplicity", "intake",
             "checklists", "audit/run", "manuscript/references")  # fmt: skip
    paths = [folder / f"{name}.json" for name in names]
    paths += sorted((folder / "fits").glob("*.json"))
    paths.append(finished_demo.folder / "data/processed/demo/datapackage.json")
    return contents_of(paths, folder)


def test_none_in_the_demo(contents):
    assert contradictions(contents) == []


def test_what_differs_says_why(contents):
    found = differences(contents)
    codes = {difference["concept"]["code"] for difference in found}
    assert {"events", "improved", "clients"} <= codes
    for difference in found:
        without = [one for one in difference["numbers"] if one["reason"] is None]
        assert len(without) == 1, difference


def test_every_printed_number_has_a_meaning(finished_demo, contents):
    folder = finished_demo.folder / "results/demo/audit"
    lines = printed_concepts(sorted(folder.glob("*findings.json")), contents).splitlines()
    assert [row for row in csv.DictReader(lines) if not row["definition"]] == []
    assert len(lines) > 200


def _entry(listed, **wanted):
    return next(e for e in listed if all(e.get(key) == value for key, value in wanted.items()))


def _set(key, value):
    def change(entry):
        old = entry[key]
        entry[key] = value(old) if callable(value) else value
        assert entry[key] != old

    return change


def _more(key, by=1):
    return _set(key, lambda old: old + by)


def _flow(site, change):
    return lambda c: change(_entry(c["description.json"]["flow"], site=site))


def _missing(site, measure, change):
    found = {"site": site, "measure": measure}
    return lambda c: change(_entry(c["description.json"]["missing"], **found))


def _people(site, change):
    return lambda c: change(_entry(c["intake.json"]["people"], site=site))


def _package(name, change):
    def plant(c):
        (source,) = (s for s in c if s.endswith("datapackage.json"))
        change(_entry(c[source]["resources"], name=name))

    return plant


def _change(measure, change):
    return lambda c: change(_entry(c["change.json"]["measures"], measure=measure))


def _method(measure, method, change):
    return _change(measure, lambda e: change(_entry(e["methods"], method=method)))


def _rule(place, change):
    return lambda c: change(c["change.json"]["ruptures"][0]["rules"][place])


def _definition(name, change):
    return lambda c: change(_entry(c["dropout.json"]["definitions"], name=name))


def _reliability(change, **wanted):
    return lambda c: change(_entry(c["measurement.json"]["reliability"], **wanted))


def _shares(change, **wanted):
    return lambda c: change(_entry(c["measurement.json"]["variance_shares"], **wanted))


def _prorating(change, **wanted):
    found = {"session": "all", "score": "total"} | wanted
    return lambda c: change(_entry(c["measurement.json"]["prorating"], **found))


def _fit(model, change):
    return lambda c: change(c[f"fits/{model}.json"])


def _main(model, change):
    return _fit(model, lambda fit: change(_entry(fit["estimates"], role="main")))


TOTAL = {"score": "total", "session": "all", "site": "all"}
SYMPTOMS = {"measure": "symptoms"} | TOTAL
PLANTED = {
    # counts of persons and sessions
    "a client more in the flow": _flow("all", _more("clients")),
    "a client less at one site": _flow("east", _more("clients", -1)),
    "a client more on the data page": _people("all", _more("clients")),
    "a client of one site on the data page": _people("west", _more("clients", 2)),
    "a client less in the codebook": _package("clients", _more("rows", -1)),
    "a client more where change is judged": _change("symptoms", _more("clients")),
    "a client more in the first line of the life table": lambda c: _more("at_risk")(
        c["dropout.json"]["by_session"][0]
    ),
    "more clients with ruptures looked for than there are": lambda c: _more(
        "clients_with_scores", 10
    )(c["change.json"]["ruptures"][0]),
    "a therapist less on the data page": _people("all", _more("therapists", -1)),
    "a therapist more at one site": _flow("north", _more("therapists")),
    "a session more in the flow": _flow("all", _more("sessions")),
    "a session less where forms are counted": _missing("all", "alliance", _more("sessions", -1)),
    "a session more in a model's panel": _fit(
        "symptom_growth", lambda fit: _more("rows_in_panel")(fit["data"])
    ),
    "fewer sessions on record than attended": _people("all", _set("sessions", 4000)),
    "a row more in the codebook's panel": _package("panel", _more("rows")),
    # dropout and ends
    "a dropout more in the flow": _flow("all", _more("dropout")),
    "a dropout less by the definition in use": _definition(
        "discharge_status", _more("dropouts", -1)
    ),
    "a completer more at one site": _flow("south", _more("completed")),
    "an event more in the curve": lambda c: _more("events")(c["dropout.json"]["staying"][0]),
    "a dropout share in per cent where shares are": _definition(
        "discharge_status", _set("share", lambda share: 100 * share)
    ),
    "a share where per cent are": _flow("all", _set("dropout_share", lambda p: p / 100)),
    "a dropout share that was rounded to whole per cent": _flow("all", _set("dropout_share", 27.0)),
    # forms and answers
    "a form more in one table": _missing("all", "symptoms", _more("forms")),
    "a prorated form more among the scores": _prorating(_more("prorated"), measure="alliance"),
    "a refused form less": _prorating(_more("refused", -1), measure="symptoms"),
    "per cent of forms of another base": _missing("east", "alliance", _set("forms_percent", 99.0)),
    "an answer less in the codebook": _package("responses", _more("rows", -1)),
    "more forms judged than filled in": _reliability(_more("forms", 500), **SYMPTOMS),
    "rows kept that were not read": lambda c: _more("kept")(c["description.json"]["rows"][0]),
    "a problem more on the data page": lambda c: _more("problems")(c["intake.json"]),
    "a problem more at one site": lambda c: _more("problems")(
        c["intake.json"]["by_rule"][0]["sites"][0]
    ),
    # reliability, spread, change
    "another reliability for leaving unimproved": _definition(
        "no_change", _set("reliability", 0.85)
    ),
    "another reliability for ruptures": lambda c: _set("reliability", 0.9)(
        c["change.json"]["ruptures"][0]
    ),
    "a reliable change by another SD": _change("symptoms", _set("reliable_points", 4.835255)),
    "a reliable change by 2 instead of 1.96": _change(
        "alliance", _set("reliable_points", lambda points: points * 2 / 1.96)
    ),
    "a reliable change that was rounded": _definition("no_change", _set("reliable_points", 4.88)),
    "least points of sudden gains by another SD": _change(
        "symptoms", lambda e: _set("least_points", 4.8)(e["sudden"])
    ),
    "the SD of fewer first scores": _change("symptoms", _set("sd_of_first_scores", 4.361)),
    "an SD with n instead of n - 1": lambda c: _set("sd", lambda sd: sd * (422 / 423) ** 0.5)(
        _entry(c["description.json"]["sample"], measure="symptoms", site="all")
    ),
    "improved clients that the classes do not hold": _method(
        "symptoms", "jacobson-truax", lambda e: _more("clients")(e["classes"][1])
    ),
    "per cent of all instead of those judged": _method(
        "symptoms", "jacobson-truax", lambda e: _set("percent", lambda p: p * 406 / 425)(
            e["classes"][0]
        ),
    ),
    "a client left out twice": _change("symptoms", lambda e: _more("clients")(e["left_out"][0])),
    "more ruptures than repaired, unrepaired and open ones": _rule(0, _more("ruptures")),
    "per cent repaired of all ruptures": _rule(
        0, lambda e: _set("percent_repaired", 100 * e["repaired"] / e["ruptures"])(e)
    ),
    "fewer ruptures after treatment than in the panel": lambda c: _set("sessions", 3)(
        _entry(c["change.json"]["consequences"], event="alliance_rupture")["with"]
    ),
    "more sudden gains known than there are": lambda c: _more("sessions", 40)(
        _entry(c["change.json"]["consequences"], event="symptoms_gain")["with"]
    ),
    # measurement
    "a reliability beyond its own interval": _reliability(_set("alpha", 0.84), **SYMPTOMS),
    "an ICC in per cent": _shares(
        _set("icc", lambda icc: 100 * icc), measure="alliance", score="total", level="client"
    ),
    "a share of variance above one": _shares(
        _set("share", 1.2), measure="symptoms", score="total", level="client"
    ),
    "another lowest score": lambda c: _set("lowest", 1)(
        _entry(c["measurement.json"]["scores"], measure="symptoms", score="total")
    ),
    "another highest score": lambda c: _set("highest", 60)(
        _entry(c["description.json"]["measures"], name="alliance_therapist")
    ),
    "an item less": lambda c: _more("items", -1)(c["measurement.json"]["measures"][0]),
    # models
    "an effect of another run": _main(
        "alliance_to_symptoms_specifications", _set("estimate", lambda b: b + 0.01)
    ),
    "an effect rounded in one file": _main(
        "alliance_to_symptoms", _set("estimate", lambda b: round(b, 2))
    ),
    "a standard error of another estimator": _main(
        "symptoms_to_alliance", _set("se", lambda se: 1.1 * se)
    ),
    "an effect with its sign turned": _main("alliance_growth", _set("estimate", lambda b: -b)),
    "an effect per week in one file": _main(
        "alliance_to_symptoms_specifications", _set("unit", "points per week")
    ),
    "an effect outside its interval": _main("symptom_growth", _set("ci_high", -9.0)),
    "a variance that is an SD": _fit(
        "alliance_growth",
        lambda fit: _set("variance_or_covariance", lambda v: v**0.5)(
            fit["variance_components"][0]
        ),
    ),
    "an SD of therapists in the diagnostics": _fit(
        "alliance_to_symptoms",
        lambda fit: _more("sd", 0.1)(fit["diagnostics"]["random_effects"][0]),
    ),
    "a group more in a model": _fit(
        "alliance_to_symptoms",
        lambda fit: _more("n")(_entry(fit["data"]["groups"], level="therapist")),
    ),
    "a row used twice": _fit("symptom_growth", lambda fit: _more("rows_used")(fit["data"])),
    "a p above one": _main("two_views", _set("p", 1.2)),
    "an adjusted p above one": lambda c: _set("p_adjusted", 1.5)(
        c["multiplicity.json"]["tests"][0]
    ),
    # texts, versions, years
    "another analysis table": _fit(
        "dropout_hazard", lambda fit: _set("panel_sha256", "0" * 64)(fit["data"])
    ),
    "another version of the second engine": _fit(
        "alliance_to_symptoms", lambda fit: _set("version", "0.14.0")(fit["second_engine"])
    ),
    "an engine that agrees where none is": _fit(
        "alliance_to_symptoms",
        lambda fit: fit["warnings"].append({"code": "no_second_engine", "text": "None."}),
    ),
    "an engine that disagrees without a warning": _fit(
        "alliance_to_symptoms", lambda fit: _set("agrees", False)(fit["second_engine"])
    ),
    "another name of a measure": _change("symptoms", _set("label", "Depression")),
    "a version of the program that did not run": lambda c: _set("version", "9.9.9")(
        c["audit/run.json"]
    ),
    "a work of another year": lambda c: _set("reference", lambda old: old | {
        "issued": {"date-parts": [[1066]]}
    })(c["measurement.json"]["measures"][0]),
    "an item of a checklist counted twice": lambda c: _more("reported")(
        c["checklists.json"]["checklists"][0]["counts"]
    ),
}  # fmt: skip


def test_there_are_fifty_and_more():
    assert len(PLANTED) >= 50


@pytest.mark.parametrize("name", PLANTED)
def test_each_is_found(contents, name):
    planted = copy.deepcopy(contents)
    PLANTED[name](planted)
    assert contradictions(planted)
