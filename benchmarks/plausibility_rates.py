"""How often implausible data is named, and sound data suspected, over wrong and sound labs.

Writes `benchmarks/plausibility_rates.json` and the table in `docs/plausibility.md`. The labs are
those of `tests/plausibility/wrong_data.py`; the same numbers come out on every machine.

    .venv/bin/python benchmarks/plausibility_rates.py             # 500 labs of each sort
    .venv/bin/python benchmarks/plausibility_rates.py --table     # the table from the JSON alone
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "plausibility"))
import wrong_data

ROOT = Path(__file__).resolve().parents[1]

RESULTS = ROOT / "benchmarks" / "plausibility_rates.json"
PAGE = ROOT / "docs" / "plausibility.md"
LABS = 500  # of each sort


def _draw(job: tuple[int, bool, str]) -> wrong_data.Draw:
    number, is_wrong, folder = job
    return wrong_data.draw(number, Path(folder), wrong=is_wrong)


def run(n_labs: int, n_processes: int) -> dict:
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(n_processes) as pool:
        jobs = [
            (number, is_wrong, folder) for is_wrong in (True, False) for number in range(n_labs)
        ]
        drawn = list(pool.map(_draw, jobs, chunksize=5))
    wrong, sound = drawn[:n_labs], drawn[n_labs:]
    for number, one in enumerate(wrong):
        if not one.named_rightly:
            print("not named", number, one)
    for number, one in enumerate(sound):
        if one.rules:
            print("suspected", number, one)
    found = {
        kind: {
            "labs": sum(one.kind == kind for one in wrong),
            "named": sum(one.kind == kind and one.named_rightly for one in wrong),
            "rules": _counted([one for one in wrong if one.kind == kind]),
        }
        for kind in wrong_data.FAULTS
    }
    suspected = sum(bool(one.rules) for one in sound)
    return {
        "wrong": found,
        "sound": {"labs": n_labs, "suspected": suspected, "rules": _counted(sound)},
    }


def _counted(drawn: list[wrong_data.Draw]) -> dict[str, int]:
    return dict(sorted(Counter(rule for one in drawn for rule in one.rules).items()))


def table(results: dict) -> str:
    lines = ["| fault | labs | named rightly | by rules |", "|---|---:|---:|---|"]
    labs = named = 0
    for kind, found in results["wrong"].items():
        right = ", ".join(f"`{rule}`" for rule in sorted(wrong_data.FAULTS[kind].rules))
        words = kind.replace("_", " ")
        lines.append(f"| {words} | {found['labs']} | {found.get('named', 0)} | {right} |")
        labs, named = labs + found["labs"], named + found.get("named", 0)
    lines.append(f"| **all** | **{labs}** | **{named} ({named / labs:.1%})** | |")
    sound = results["sound"]
    share = sound["suspected"] / sound["labs"]
    rules = ", ".join(f"`{rule}` {n}" for rule, n in sound["rules"].items()) or "none"
    lines += [
        "",
        f"Sound labs suspected: {sound['suspected']} of {sound['labs']} ({share:.1%}); by",
    ]
    lines[-1] += f" rule: {rules}."
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true", help="only write the table anew")
    parser.add_argument("--processes", type=int, default=2, help="how many at once (default: 2)")
    parser.add_argument("--labs", type=int, default=LABS, help="how many of each sort")
    arguments = parser.parse_args()
    if not arguments.table:
        RESULTS.write_text(json.dumps(run(arguments.labs, arguments.processes), indent=1) + "\n")
    results = json.loads(RESULTS.read_text())
    begin, end = "<!-- rates: begin -->", "<!-- rates: end -->"
    page = PAGE.read_text(encoding="utf-8")
    new = f"{begin}\n{table(results)}\n{end}"
    page = re.sub(f"{begin}.*{end}", lambda _: new, page, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
