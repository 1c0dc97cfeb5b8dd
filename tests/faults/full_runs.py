"""Damage results, kill runs and fill the disk, over and over; a plain rerun must mend it all.

One turn damages or deletes five files of all kinds, every fourth turn lets a run meet a full disk,
every tenth starts two runs at once, and each kills a part of a run at a random moment; then the
same command, run to its end, must give the bytes of the first whole run.

    python tests/faults/full_runs.py --turns 200 --folder FOLDER

FOLDER keeps what was done and found (`runs.jsonl`): the same command goes on where it stopped. The
runs themselves are made on a small disk in memory that only this process sees (Linux, `unshare`);
where it cannot be made, no full disk is tried, and that is said.
"""

import argparse
import json
import os
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import runs
import tiny
from journal import Journal

N_DAMAGED = 5
FREE_KB = (0, 20, 100, 300, 1000, 3000)
DISK = "250m"
KEY = f"private/{runs.COHORT}/pseudonym.key"  # what no program can make again
NOT_PLAIN = ("Traceback", "defect of the program", "Error:")


def turn(folder, number, whole, whole_s, disk):
    """Return what was done to the run, and what was wrong afterwards."""
    chance = runs.seeded(f"turn {number}")
    names = sorted(set(whole) - {KEY})
    found = {"damaged": runs.damage_some(folder, chance.sample(names, N_DAMAGED), chance)}
    wrong, hit = [], False
    if disk and number % 4 == 0:
        found["free_kb"] = chance.choice(FREE_KB)
        wrong += full_disk(folder, found["free_kb"])
    if number % 10 == 0:
        found["two_runs"] = True
        wrong += runs.refused_run(folder)
    found["kill"], after_s = (
        runs.KILLS[number % len(runs.KILLS)],
        chance.uniform(0.3, 0.8 * whole_s),
    )
    while not hit:  # a run with little to mend may have ended before
        said, hit, left = runs.killed_run(folder, found["kill"], after_s)
        if left:
            wrong.append(f"killed, left: {sorted(left.values())}")
        if any(word in said for word in NOT_PLAIN):
            wrong.append(f"killed after {after_s:.1f} s: {said[-1500:]}")
        if not hit:
            there = [name for name in names if (folder / name).exists()]
            found["damaged"] += runs.damage_some(folder, chance.sample(there, N_DAMAGED), chance)
            after_s /= 2
    found["after_s"] = round(after_s, 1)
    started = time.monotonic()
    status, said = runs.run(folder)
    found["rerun_s"] = round(time.monotonic() - started, 1)
    if status:
        wrong.append(f"the rerun failed: {said[-3000:]}")
    now = runs.bytes_made(folder)
    if differing := sorted(name for name in whole | now if whole.get(name) != now.get(name)):
        wrong.append(f"other bytes: {differing}")
    return found | {"wrong": wrong}


def full_disk(folder, free_kb):
    """Run while `free_kb` are left on the folder's disk; return what was wrong."""
    filler = Path(folder) / "filler"
    with filler.open("wb") as stream:
        left = shutil.disk_usage(folder).free - free_kb * 1024
        while left > 0:
            left -= stream.write(bytes(min(left, 1 << 20)))
    try:
        status, said = runs.run(folder)
    finally:
        filler.unlink()
    if not status:
        return []
    wrong = (
        [f"full disk, {free_kb} KB: {said[-1500:]}"] if any(w in said for w in NOT_PLAIN) else []
    )
    return wrong if "disk is full" in said else [*wrong, f"full disk not told: {said[-1500:]}"]


def on_a_small_disk(arguments):
    """Run this study again on a disk of its own; return the status (None: no such disk)."""
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    apart = ["unshare", "--mount", *own_user]
    try:
        if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
            return None
    except FileNotFoundError:
        return None
    mounted = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'
    place = arguments.folder / "disk"
    place.mkdir(parents=True, exist_ok=True)
    again = [sys.executable, __file__, "--turns", str(arguments.turns),
             "--folder", str(arguments.folder), "--disk"]  # fmt: skip
    command = [*apart, "sh", "-c", mounted, "sh", DISK, str(place), *again]
    return subprocess.run(command, check=False).returncode


def study(n_turns, folder, disk):
    """Take the turns that are left; return how many of all went wrong."""
    journal = Journal(folder / "runs.jsonl", n_turns)
    if not journal.left:
        return _n_wrong(journal)
    project = folder / "disk" / "project"
    shutil.rmtree(project, ignore_errors=True)
    runpy.run_path(str(Path(__file__).parents[1] / "conftest.py"))["Project"](project)
    tiny.write(project)
    runs.run(project)  # compiles what the next one is timed without
    shutil.rmtree(project / "results")
    started = time.monotonic()
    status, said = runs.run(project)
    whole_s = time.monotonic() - started
    if status:
        sys.exit(said)
    whole = runs.bytes_made(project)
    kept = folder / "whole.json"  # what an earlier part of this study began with
    if kept.exists() and json.loads(kept.read_text()) != whole:
        sys.exit(f"Another copy gave other bytes than {kept} holds.")
    kept.write_text(json.dumps(whole))
    print(f"runs: a whole run takes {whole_s:.0f} s", flush=True)
    for number in range(n_turns):
        if number not in journal.done:
            found = turn(project, number, whole, whole_s, disk)
            journal.add(number, **found)
            print(
                f"runs: {'WRONG' if found['wrong'] else 'well'}, {journal.progress()}", flush=True
            )
    return _n_wrong(journal)


def _n_wrong(journal):
    return sum(bool(piece["wrong"]) for piece in journal.done.values())


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--turns", type=int, default=200)
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--disk", action="store_true", help="FOLDER/disk is a small disk already")
    options = asked.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    status = None if options.disk else on_a_small_disk(options)
    if status is not None:
        sys.exit(status)
    if not options.disk:
        print("runs: no small disk can be made here: full disks are left out", flush=True)
    sys.exit(study(options.turns, options.folder, options.disk) > 0)
