"""From numbers drawn at random `explain` leads to rows that give the number back."""

import itertools
import random
import sys
from collections import defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recompute import Data, Number
from recompute_kinds import KINDS, kind_of

from alliance.audit.explain import explain
from alliance.audit.printed import findings_of
from alliance.findings.fields import Sources
from alliance.findings.formats import format_value

DRAWN = 40
SLACK = 2e-5  # of a value: what an optimiser leaves, where a rounding is on edge
PAPERS = {"report.html": "report", "intake.html": "intake", "codebook.html": "codebook"}


@pytest.fixture(scope="module")
def demo(finished_demo):
    """The demo's results, what looks a field up, its findings by kind, and its rows."""
    results = finished_demo.folder / "results" / "demo"
    look_up = Sources(results).look_up
    by_kind = defaultdict(list)
    for finding in findings_of(results):
        kind = kind_of(finding, look_up)
        if kind:
            by_kind[kind].append(finding)
    return results, look_up, by_kind, Data(finished_demo.folder, "demo")


def paper_of(finding):
    return PAPERS.get(finding.document, finding.document.partition("/")[0])


def drawn(by_kind, seed):
    """Draw in turn from each kind, each time on another kind of document if there is one."""
    chance = random.Random(seed)
    strata = defaultdict(list)
    for kind, findings in by_kind.items():
        for finding in findings:
            strata[kind, paper_of(finding)].append(finding)
    shuffled = chance.sample(sorted(strata), len(strata))
    turns = defaultdict(list)
    for kind, paper in shuffled:
        turns[kind].append(strata[kind, paper])
    found = []
    for turn in itertools.count():
        for kind, of_papers in turns.items():
            found.append((kind, chance.choice(of_papers[turn % len(of_papers)])))
            if len(found) == DRAWN:
                return found


def number_of(finding, results, look_up, data):
    """Return a number with what its explanation leads to, and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(data.project)
        found = explain(finding, None, results)
    assert finding.address in dict(found.parts[1].entries).values()
    steps = finding.pointer.split("/")[1:]
    holders = [
        look_up(f"{finding.source}#" + "".join(f"/{s}" for s in steps[:depth]))
        for depth in range(len(steps))
    ]
    holders = [one for one in holders if isinstance(one, dict)]
    index = int(steps[-2]) if steps[-2].isdigit() else None
    fit = holders[0] if finding.source.startswith("fits/") else None
    return Number(steps[-1], index, holders, holders[-1], fit, holders[0], found.panel, data)


def printed_of(finding, value):
    near = (value, value * (1 + SLACK), value * (1 - SLACK))
    return {format_value(finding.format, one) for one in near}


@pytest.mark.parametrize("seed", [20261129, 7])
def test_forty_of_forty_numbers_come_back_from_the_rows_they_are_led_to(demo, seed):
    results, look_up, by_kind, data = demo
    found = drawn(by_kind, seed)
    assert len(found) == DRAWN and {kind for kind, _ in found} == set(KINDS)
    assert {paper_of(f) for _, f in found} == {
        "report", "intake", "codebook", "tables", "manuscript"
    }  # fmt: skip
    differ = []
    for kind, finding in found:
        value = KINDS[kind][1](number_of(finding, results, look_up, data))
        if finding.printed not in printed_of(finding, float(value)):
            differ.append((kind, finding.document, finding.address, finding.printed, float(value)))
    assert differ == []
