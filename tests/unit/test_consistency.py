"""One concept, one number: the register, and what is told of made-up files."""

import pytest

from alliance.consistency.check import contradictions, differences
from alliance.consistency.claims import claims_of
from alliance.consistency.register import concept_by_place, concepts, field_of, register


def flow(**clients):
    return [{"site": site, "clients": n} for site, n in clients.items()]


def files(flow_of_clients, people, rows=()):
    tables = [{"name": name, "rows": n} for name, n in dict(rows).items()]
    return {
        "description.json": {"flow": flow_of_clients},
        "intake.json": {"people": people},
        "../../data/processed/x/datapackage.json": {"resources": tables},
    }


def test_files_that_agree():
    same = flow(all=5, a=2, b=3)
    assert contradictions(files(same, same, {"clients": 5})) == []


@pytest.mark.parametrize(
    ("one", "other", "rows", "told"),
    [
        (flow(all=5, a=2, b=3), flow(all=5, a=2, b=3), {"clients": 6}, "clients of the cohort"),
        (flow(all=5, a=2, b=3), flow(all=5, a=3, b=3), {}, "(site a)"),
        (flow(all=6, a=2, b=3), [], {}, "parts by site add up to 5"),
    ],
)
def test_a_contradiction_names_concept_scope_and_both_addresses(one, other, rows, told):
    (sentence, *_) = contradictions(files(one, other, rows))
    assert told in sentence and "#/" in sentence


def test_a_reason_is_told_and_holds_one_way_only():
    content = files(flow(all=5), [], {})
    at = {"by": "all", "clients": 4}
    content["dropout.json"] = {"staying": [at]}
    assert contradictions(content) == []
    (difference,) = differences(content)
    assert [n["reason"] and n["reason"]["code"] for n in difference["numbers"]] == [None, "at_risk"]
    at["clients"] = 6
    assert "which its reason does not explain" in contradictions(content)[0]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"share": 30.0}, "no share can be"),
        ({"prorated_percent": 130.0}, "no share can be"),
        ({"estimate": 3.0, "ci_low": 1.0, "ci_high": 2.0}, "outside its own interval"),
        ({"omega": 0.95, "omega_low": 0.8, "omega_high": 0.9}, "outside its own interval"),
        ({"sd": -1.0}, "below zero"),
    ],
)
def test_numbers_that_cannot_be(entry, told):
    assert told in contradictions({"measurement.json": {"reliability": [entry]}})[0]


def test_rounding_of_a_shared_number_is_a_contradiction():
    found = {
        "change.json": {"measures": [{"measure": "x", "reliable_points": 4.8767}]},
        "dropout.json": {"definitions": [{"measure": "x", "reliable_points": 4.88}]},
    }
    assert len(contradictions(found)) == 1


def test_scopes_are_read_off_the_entries():
    (found,) = claims_of(
        next(c for c in concepts() if c.code == "instrument_lowest"),
        {"datapackage.json": {"measures": [
            {"name": "m", "scores": [{"name": "goal", "range": [4, 20]}]}
        ]}},
    )  # fmt: skip
    assert found.scope == {("measure", "m"), ("score", "goal")} and found.value == 4
    assert found.address == "datapackage.json#/measures/0/scores/0/range/0"


def test_the_register_is_whole():
    reasons = register()["reasons"]
    for concept in concepts():
        assert concept.definition and concept.fields
        for field in concept.fields:
            assert field.more.get("reason", next(iter(reasons))) in reasons
            assert set(field.more) <= {
                "where",
                "unless",
                "reason",
                "scope",
                "times",
                "partial",
                "told_apart",
            }
    named = {f.more.get("reason") for c in concepts() for f in c.fields}
    assert set(reasons) <= named


def test_what_no_concept_names_is_defined_by_its_schema():
    code, definition, unit = concept_by_place("dropout.json#/staying/3/at_risk/2")
    assert (code, unit) == ("dropout.staying.at_risk", "") and definition
    assert concept_by_place("fits/x.json#/estimates/4/se") == concept_by_place(
        "fits/y.json#/estimates/0/se"
    )
    assert concept_by_place("nobody.json#/x")[1] == ""


def test_an_address_is_read_into_steps():
    field = field_of("fits#{model}/estimates/*{label,level}/se")
    assert [step.key for step in field.steps] == ["", "estimates", "*", "se"]
    assert field.steps[2].scopes == (("label", "label"), ("level", "level"))
