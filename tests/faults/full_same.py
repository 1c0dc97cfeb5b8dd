"""Run one cohort many times in other circumstances, and compare every byte.

Each run has a folder, a number of threads, a locale, a time zone, a hash seed and a umask of its
own; rows of the files, the order in which files are written and the order of sites in the config
are shuffled. What quotes the config itself is compared among runs with the same order of sites.

    python tests/faults/full_same.py --runs 20 --folder FOLDER

FOLDER keeps what was found (`same.jsonl`): the same command goes on where it stopped.
"""

import argparse
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import runs
import tiny
from journal import Journal

SITES = ("clinic", "practice")
THREADS = (1, 2, 4)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
LOCALES = ("POSIX", "C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "fr_FR.UTF-8")
UMASKS = (0o022, 0o077)
# Files that quote the config, or list the sites in its order: compared where that order is one.
QUOTE_CONFIG = ("audit/run.json", "run_config.yaml", "outputs.json", "datapackage.json",
                "codebook.html", "intake.html", "intake.json", "report.html", "findings.json",
                "methods.md", "methods.html", "methods.docx", "results.md",
                "results.html", "results.docx")  # fmt: skip


def locales():
    """Return three locales that this machine has, as unlike each other as there are."""
    done = subprocess.run(["locale", "-a"], check=False, capture_output=True, text=True)
    has = {name.lower().replace("-", "") for name in done.stdout.split()}
    return [name for name in LOCALES if name.lower().replace("-", "") in has][-3:] or ["C"]


def one_run(folder, number):
    """Run in circumstances of its own; return them, the bytes, and what was wrong."""
    chance = runs.seeded(f"same {number}")
    project = folder / "same" / f"{number}-{chance.randrange(1000)}" / "project"
    shutil.rmtree(project.parent, ignore_errors=True)
    runpy.run_path(str(Path(__file__).parents[1] / "conftest.py"))["Project"](project)
    order = tiny.write(project, sites=SITES, chance=chance)
    threads, mask = THREADS[number % 3], UMASKS[number % 2]
    has = locales()
    asked = {
        "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads), "PYTHONHASHSEED": str(chance.randrange(1 << 32)),
        "LC_ALL": has[number // 3 % len(has)], "TZ": ZONES[number // 2 % 3],
    }  # fmt: skip
    command = runs.command(project)
    command["args"] += ["--cores", str(min(threads, 2))]
    command["env"] |= asked
    done = subprocess.run(check=False, umask=mask, **command)
    made = runs.bytes_made(project)
    wrong = [] if done.returncode == 0 else [f"the run failed: {done.stdout[-3000:]}"]
    open_to_others = [
        name for name in made if (project / name).stat().st_mode & 0o777 & mask
    ]  # fmt: skip
    if open_to_others:
        wrong.append(f"modes against umask {mask:03o}: {open_to_others}")
    shutil.rmtree(project.parent)
    return {"asked": asked, "umask": f"{mask:03o}", "order": order, "made": made, "wrong": wrong}


def differing(one, other):
    """Return the files in which two runs differ and should not."""
    mine, its = one["made"], other["made"]
    names = sorted(name for name in mine | its if mine.get(name) != its.get(name))
    if one["order"] == other["order"]:
        return names
    return [name for name in names if not name.endswith(QUOTE_CONFIG)]


def study(n_runs, folder):
    """Make the runs that are left; return how many of all went wrong."""
    journal = Journal(folder / "same.jsonl", n_runs)
    for number in range(n_runs):
        if number in journal.done:
            continue
        found, before = one_run(folder, number), list(journal.done.values())
        # with the first run, and with the first that has the sites in this order
        alike = [piece for piece in before if piece["order"] == found["order"]]
        for piece in [*before[:1], *alike[:1]]:
            if names := differing(piece, found):
                found["wrong"].append(f"other bytes than run {piece['number']}: {names}")
        journal.add(number, **found)
        print(f"same: {'WRONG' if found['wrong'] else 'well'}, {journal.progress()}", flush=True)
    return sum(bool(piece["wrong"]) for piece in journal.done.values())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=20)
    arguments.add_argument("--folder", type=Path, required=True)
    options = arguments.parse_args()
    sys.exit(study(options.runs, options.folder.resolve()) > 0)
