"""Damage results, kill runs and fill the disk, over and over; a plain rerun must mend it all.

One round damages or deletes some files of all kinds, lets one run meet a full disk and kills one of
each kind at a random moment; then the same command, run once to its end, must give the same bytes.

    python tests/faults/full_runs.py --rounds 50 --folder FOLDER

FOLDER holds a copy of the project and should be a small disk of its own (a tmpfs of 300 MB); the
full disk is left out where `--disk` does not say that it is. What was done and found is written to
FOLDER/rounds.jsonl.
"""

import argparse
import json
import runpy
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import runs
import tiny

N_DAMAGED = 20
NOT_PLAIN = ("Traceback", "defect of the program", "Error:")


def one_round(folder, whole, chance, disk):
    """Return what was done to the run, and what was wrong afterwards."""
    wrong = []
    names = chance.sample(sorted(whole), N_DAMAGED)
    done = runs.damage_some(folder, names, chance)
    if disk:
        free_kb = chance.choice([0, 20, 100, 300, 1000])
        status, said = with_full_disk(folder, free_kb * 1024)
        done.append(f"disk with {free_kb} KB left: status {status}")
        if status and any(word in said for word in NOT_PLAIN):
            wrong.append(f"full disk, {free_kb} KB: {said[-1500:]}")
        if status and "disk is full" not in said:
            wrong.append(f"full disk not told: {said[-1500:]}")
    for kind in runs.KILLS:
        after_s = chance.uniform(0.2, 40)
        said, hit, left = runs.killed_run(folder, kind, after_s)
        done.append(f"{kind} killed after {after_s:.1f} s{'' if hit else ' (too late)'}")
        if left:
            wrong.append(f"{kind} killed, left: {sorted(left.values())}")
        if any(word in said for word in NOT_PLAIN):
            wrong.append(f"{kind} killed after {after_s:.1f} s: {said[-1500:]}")
    started = time.monotonic()
    status, said = runs.run(folder)
    seconds = round(time.monotonic() - started, 1)
    if status:
        wrong.append(f"the rerun failed: {said[-3000:]}")
    now = runs.bytes_made(folder)
    differing = sorted(name for name in whole | now if whole.get(name) != now.get(name))
    if differing:
        wrong.append(f"other bytes: {differing}")
    return {"done": done, "wrong": wrong, "rerun_s": seconds}


def with_full_disk(folder, free):
    """Run while only `free` bytes are left on the folder's disk."""
    filler = Path(folder) / "filler"
    with filler.open("wb") as stream:
        left = shutil.disk_usage(folder).free - free
        while left > 0:
            left -= stream.write(bytes(min(left, 1 << 20)))
    try:
        return runs.run(folder)
    finally:
        filler.unlink()


def _as_made_first(project):
    """Return the bytes of the first whole run, kept beside the project."""
    kept = project.parent / "whole.json"
    if not kept.exists():
        kept.write_text(json.dumps(runs.bytes_made(project)))
    return json.loads(kept.read_text())


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--disk", action="store_true", help="the folder is a small disk of its own")
    options = asked.parse_args()
    project = options.folder / "project"
    if not project.exists():
        runpy.run_path(str(Path(__file__).parents[1] / "conftest.py"))["Project"](project)
        tiny.write(project)
    status, said = runs.run(project)
    if status:
        sys.exit(said)
    whole, failed = _as_made_first(project), 0
    for number in range(options.rounds):
        chance = runs.seeded(f"{options.seed} {number}")
        found = one_round(project, whole, chance, options.disk)
        failed += bool(found["wrong"])
        with (options.folder / "rounds.jsonl").open("a") as stream:
            stream.write(json.dumps({"round": number, **found}) + "\n")
        print(f"round {number}: {'WRONG' if found['wrong'] else 'well'}", flush=True)
    sys.exit(failed > 0)
