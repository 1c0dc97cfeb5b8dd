"""All long studies of faults with one command, and their figures in docs/guarantees.md.

    make faults

What is tested is the project as it is when the study begins, copied to `.faults/code`, so that work
on it can go on. What was found is kept in `.faults`: the same command goes on where it stopped, and
begins anew once that folder is removed. The table in docs/guarantees.md is written after each
study, with what has been run so far.
"""

import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import runs
import tiny
from journal import pieces_of

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "workflow", "profiles", "src", "config", "requirements.lock", "tests",
         "pyproject.toml")  # fmt: skip
PAGE = ROOT / "docs" / "guarantees.md"
BEGIN, END = "<!-- written by `make faults`: begin -->", "<!-- written by `make faults`: end -->"
NOT_WRONG = {"told": "told", "same": "without effect on the result",
             "unseen": "that no single file can show"}  # fmt: skip
WRONG = {"traceback": "tracebacks", "leak": "values in messages",
         "unaccounted": "rows unaccounted for",
         "silent": "silent changes that the file shows"}  # fmt: skip


def copied(folder):
    """Copy the project once into the folder of the studies; return the copy."""
    code = folder / "code"
    if (folder / "commit").exists():
        return code
    for part in PARTS:
        source, place = ROOT / part, code / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            shutil.copy2(source, place)
    tiny.write(code)
    runs.run(code)  # compiles the kernels, once for all copies
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    (folder / "commit").write_text(found or "unknown")
    return code


def sentences(folder):
    """Return a row for each study: name, what was run, what was found."""
    found = []
    if pieces := pieces_of(folder / "mutants.jsonl"):
        found.append(("broken exports", *_of_mutants(pieces)))
    if pieces := pieces_of(folder / "runs.jsonl"):
        found.append(("damaged, filled up, killed", *_of_runs(pieces)))
    if pieces := pieces_of(folder / "same.jsonl"):
        found.append(("other circumstances", *_of_same(pieces)))
    return found


def _of_mutants(pieces):
    kinds = Counter(piece["kind"] for piece in pieces)
    exports = {piece["export"] for piece in pieces}
    run = f"{len(pieces):,} variants of {len(exports)} exports, 1 to 3 mutations each"
    unseen = Counter(piece["detail"] for piece in pieces if piece["kind"] == "unseen")
    named = "; ".join(f"{detail} {n}" for detail, n in unseen.most_common())
    told = [f"{kinds[kind]:,} {words}" for kind, words in NOT_WRONG.items()]
    told[-1] += f" ({named})" if named else ""
    told += [f"**{words}: {kinds[kind]}**" for kind, words in WRONG.items()]
    beside = Counter(piece["pandas"] for piece in pieces if piece["pandas"])
    told.append(
        f"plain pandas on the {beside.total():,} that are one table in CSV, XLSX or Parquet: "
        f"{beside['traceback']} tracebacks, {beside['silent']} silently other tables"
    )
    for tool in ("pandera", "frictionless"):
        said = Counter(piece["peers"][tool] for piece in pieces if piece.get("peers"))
        if said:
            told.append(
                f"{tool} with a full schema on the {said.total():,} of one CSV table: "
                f"{said['traceback']} tracebacks, {said['silent']} silently other tables, "
                f"{said['told']} told"
            )
    return run, "; ".join(told)


def _of_runs(pieces):
    kills = Counter(piece["kill"] for piece in pieces)
    by_kind = ", ".join(f"{kind} {n}" for kind, n in sorted(kills.items()))
    disks = sum("free_kb" in piece for piece in pieces)
    run = (
        f"{sum(len(p['damaged']) for p in pieces):,} results damaged or deleted, {disks} full "
        f"disks, {kills.total()} kills at random moments ({by_kind}), "
        f"{sum('two_runs' in p for p in pieces)} times two runs at once"
    )
    rerun_s = statistics.median(piece["rerun_s"] for piece in pieces)
    wrong = sum(bool(piece["wrong"]) for piece in pieces)
    return run, (
        f"**turns of {len(pieces)} with other bytes after the plain rerun, a process left, a "
        f"traceback, or a reason not told: {wrong}**; a rerun takes {rerun_s:.0f} s (median)"
    )


def _of_same(pieces):
    asked = [piece["asked"] for piece in pieces]
    threads, has, zones = (
        ", ".join(sorted({one[name] for one in asked}))
        for name in ("OPENBLAS_NUM_THREADS", "LC_ALL", "TZ")
    )
    masks = ", ".join(sorted({piece["umask"] for piece in pieces}))
    run = (
        f"{len(pieces)} runs of two sites in folders of their own; threads {threads}; locales "
        f"{has}; time zones {zones}; umask {masks}; hash seeds, rows, files and sites shuffled"
    )
    wrong = sum(bool(piece["wrong"]) for piece in pieces)
    return run, (
        f"{len(pieces[0]['made'])} files each (those that quote the config or list its sites "
        "compared among runs with one order of sites); **runs with another byte in any, or modes "
        f"against the umask: {wrong}**"
    )


def write_table(folder):
    """Put the figures of what has been run so far into the page of guarantees."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in sentences(folder))
    today, commit = datetime.date.today(), (folder / "commit").read_text()
    told = f"Run on {today:%d %B %Y} with the code of commit {commit}, {os.cpu_count()} cores."
    table = f"{told}\n\n| study | what was run | found |\n|---|---|---|\n{rows}"
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--variants", type=int, default=10_000)
    asked.add_argument("--turns", type=int, default=200, help="of damage, full disks and kills")
    asked.add_argument("--runs", type=int, default=20, help="in other circumstances")
    asked.add_argument("--folder", type=Path, default=ROOT / ".faults")
    options = asked.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    code = copied(folder)
    status = 0
    for script, word, n in (
        ("full_mutants", "--variants", options.variants),
        ("full_same", "--runs", options.runs),
        ("full_runs", "--turns", options.turns),
    ):
        command = [sys.executable, str(code / "tests" / "faults" / f"{script}.py"), word, str(n),
                   "--folder", str(folder)]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(code / "src")}
        status |= subprocess.run(command, check=False, cwd=code, env=environment).returncode
        write_table(folder)
    print(f"The figures are in {PAGE}.")
    return status


if __name__ == "__main__":
    sys.exit(main())
