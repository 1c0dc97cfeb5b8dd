"""Two runs: the planted cause is named, and what has no effect is told apart from it."""

import importlib.util
import random
from pathlib import Path

import pytest

from alliance.audit.causes import trace
from alliance.audit.compare import compare

_SPEC = importlib.util.spec_from_file_location(
    "pretended", Path(__file__).with_name("pretended.py")
)
pretended = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pretended)
OUTSIDE = ("data/raw/", "config/sites/", "config/instruments/")


def plant(seed):
    """Return the steps of a second run and the (kind, name) of the one cause planted in it.

    Every third has a second edit besides, in a module whose steps make the same as before.
    """
    chance, found = random.Random(seed), pretended.steps()
    kind, still, environment = ("input", "setting", "code", "environment")[seed % 4], [], "3.11.7"
    if kind == "input":
        name = chance.choice([p for s in found for p in s["inputs"] if p.startswith(OUTSIDE)])
        for step in found:
            if name in step["inputs"]:
                step["inputs"][name] = pretended.of(f"edited {seed}")
    elif kind == "setting":
        step = found[[s["name"] for s in found].index(f"fit_{chance.choice(['growth', 'hazard'])}")]
        model = chance.choice(sorted(step["settings"]["models"]))
        option = chance.choice(["df", "time", "levels"])
        models = {k: dict(v) for k, v in step["settings"]["models"].items()}
        models[model][option] = f"other {seed}"
        step["settings"] = {"models": models}
        name = f"{step['name']}: models/{model}/{option}"
    elif kind == "code":
        named = sorted({path for s in found for path in s["code"]} - set(pretended.GROUND))
        name = chance.choice(named)
        _edit(found, name)
    else:
        name, environment = "python", "3.13.1"
        step = chance.choice([s for s in found if s["name"] != "record_run"])
        for path in step["outputs"]:
            step["outputs"][path] = pretended.of(f"{path} on another machine")
        made = dict(step["outputs"])
        for later in found:
            later["inputs"] |= {p: made[p] for p in later["inputs"] if p in made}
        return pretended.propagate(found, still=[step["name"]]), (kind, name), environment
    if seed % 3 == 0:
        idle = "src/alliance/ingest/pool.py"
        if name != idle:
            _edit(found, idle)
            still = ["pool_sites"] if _untouched(found, "pool_sites") else []
    return pretended.propagate(found, still), (kind, name), environment


def _edit(found, module):
    for step in found:
        if module in step["code"]:
            step["code"][module] = pretended.of(f"{module} edited")


def _untouched(found, name):
    """Say whether nothing before a step was edited, so that its files stay the same."""
    before = pretended.steps()
    names = [step["name"] for step in found]
    earlier = names[: names.index(name)]
    return all(found[names.index(n)]["inputs"] == before[names.index(n)]["inputs"]
               and found[names.index(n)]["code"] == before[names.index(n)]["code"]
               for n in earlier)  # fmt: skip


@pytest.mark.parametrize("seed", range(50))
def test_the_planted_cause_is_named(tmp_path, seed):
    found, cause, environment = plant(seed)
    before = pretended.write(tmp_path / "a", pretended.steps())
    after = pretended.write(tmp_path / "b", found, shift=0.25, environment=environment)
    traced = trace(before, after)
    assert cause in {(one.kind, one.name) for one in traced.causes}
    others = [one for one in traced.causes if (one.kind, one.name) != cause]
    assert all(one.name == "src/alliance/ingest/pool.py" for one in others), others


def test_two_runs_with_the_same_records_differ_in_nothing(tmp_path):
    before, after = (pretended.write(tmp_path / name, pretended.steps()) for name in "ab")
    assert compare(before, after) == []


def test_an_edit_that_changes_no_file_is_no_cause(tmp_path):
    found = pretended.steps()
    _edit(found, "src/alliance/mixed/fit.py")
    before = pretended.write(tmp_path / "a", pretended.steps())
    after = pretended.write(tmp_path / "b", found)
    traced = trace(before, after)
    assert traced.causes == [] and traced.changed == []
    assert [one.name for one in traced.without_effect] == ["src/alliance/mixed/fit.py"]


def test_what_was_recorded_alike_and_made_otherwise_is_said_to_be_unknown(tmp_path):
    found = pretended.steps()
    fit = found[[step["name"] for step in found].index("fit_hazard")]
    fit["outputs"] = {path: pretended.of("by chance") for path in fit["outputs"]}
    before = pretended.write(tmp_path / "a", pretended.steps())
    after = pretended.write(tmp_path / "b", found)
    assert [(one.kind, one.name) for one in trace(before, after).causes] == [
        ("unknown", "fit_hazard")
    ]


def test_estimates_are_told_in_standard_errors_and_words_by_document(tmp_path):
    found, _, _ = plant(1)
    before = pretended.write(tmp_path / "a", pretended.steps())
    after = pretended.write(tmp_path / "b", found, shift=0.25)
    parts = {part.heading: dict(part.entries) for part in compare(before, after)}
    assert all("0.5 standard errors" in said for said in parts["Estimates"].values())
    assert parts["Words"] == {"report.html": "1 printed numbers and words differ"}
