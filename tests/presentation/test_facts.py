"""Facts are codes with a text: rewording every text changes that text, and nothing else."""

import copy
import json
import re

import pytest

from alliance import files
from alliance.checklists import fill_checklists
from alliance.families import facts
from alliance.findings import read_fields
from alliance.findings.results import read_results_as_fields
from alliance.manuscript import collect_references
from alliance.manuscript.blocks import Bullets, Part, Table
from alliance.manuscript.methods import methods_text
from alliance.manuscript.references import read_references

NEW_WORDS = "Words that nobody knows"


def reworded(content):
    """Return the content with another text for every fact."""
    if isinstance(content, dict):
        if set(content) == {"code", "text"}:
            return content | {"text": f"{NEW_WORDS} ({content['code'].replace('_', ' ')})."}
        return {key: reworded(value) for key, value in content.items()}
    return [reworded(value) for value in content] if isinstance(content, list) else content


def skeleton(document):
    """Return the words of a text, with the address of what is printed in place of each finding."""
    found = []
    for block in document.blocks:
        if isinstance(block, Table):
            continue
        several = block.items if isinstance(block, Bullets) else (block.words,)
        for piece in (piece for words in several for piece in words):
            found.append(piece.field.address if isinstance(piece, Part) else str(piece))
    return found


@pytest.fixture(scope="module")
def both(mock, tmp_path_factory):
    """Return methods text, references and checklists with the facts' own words, and with others."""
    plain = [*mock.fits(), *mock.otherwise.fits(mock), mock.cox()]
    at_random = mock.fact("missing_at_random", "Missing forms are missing at random.")
    nickell = mock.fact("short_course_bias", "Too low in short courses (Nickell, 1981).")
    ahead = mock.fact("no_look_ahead", "Running means, no look-ahead.")
    plain[-1]["engine"]["estimator"] = mock.fact("cox", "Cox partial likelihood, ties by Efron")
    for fit in plain:
        fit["assumptions"] = [*fit["assumptions"], at_random, nickell, ahead]
    made = {}
    for name, fits in (("own", plain), ("other", reworded(copy.deepcopy(plain)))):
        folder = tmp_path_factory.mktemp(name)
        inputs = mock.write(folder, fits, mock.description())
        place = inputs["description"].parent
        inputs["run"] = place / "audit" / "run.json"
        files.write_json(mock.RUN, inputs["run"])
        references = place / "manuscript" / "references.json"
        collect_references(**inputs, references=references, bibliography=place / "r.bib")
        fill_checklists(**inputs, checklists=place / "checklists.json")
        run = inputs.pop("run")
        document = methods_text(
            read_results_as_fields(inputs["fits"], inputs["description"], inputs["further"]),
            read_references(references, place),
            read_fields(run, place),
        )
        made[name] = (
            skeleton(document),
            [work["id"] for work in files.read_json(references)],
            files.read_json(place / "checklists.json"),
        )
    return made


def test_no_sentence_of_the_methods_text_hangs_on_the_words_of_a_fact(both):
    assert both["other"][0] == both["own"][0]
    assert any("assumptions" in piece or "estimator" in piece for piece in both["own"][0])


def test_no_reference_hangs_on_the_words_of_a_fact(both):
    assert both["other"][1] == both["own"][1]
    assert {"rubin1976", "nickell1981", "efron1977"} <= set(both["own"][1])


def test_no_checklist_entry_hangs_on_the_words_of_a_fact(both):
    assert both["other"][2] == both["own"][2]
    assert NEW_WORDS not in json.dumps(both["other"][2])


def test_codes_are_words_for_programs():
    kinds = (facts.Assumption, facts.Estimator, facts.DfMethod, facts.Warned, facts.Reason,
             facts.Tested)  # fmt: skip
    assert all(re.fullmatch("[a-z][a-z0-9_]*", code) for kind in kinds for code in kind)
