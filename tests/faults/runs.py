"""What happens to a run, and whether a plain rerun ends with the same bytes.

Everything here works on a copy of the project with the tiny cohort (`tiny`), run once to its end.
"""

import contextlib
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd

COHORT = "tiny"
FOLDERS = (f"results/{COHORT}", f"data/processed/{COHORT}", f"private/{COHORT}")
HOLD_TIMES = {"logs", "benchmarks"}


def bytes_made(folder):
    """Return the SHA-256 of every file of the cohort's but logs, by its path."""
    found = [path for part in FOLDERS for path in (Path(folder) / part).rglob("*")]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.is_file() and not HOLD_TIMES & set(path.parts)
    }


def shared_files_with(folder, values):
    """Return files outside raw and private folders in which one of the raw values stands."""
    wanted = re.compile("|".join(map(re.escape, values)).encode())
    left_out = (f"data/raw/{COHORT}", f"private/{COHORT}", "src", "config", "workflow")
    found = []
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(left_out) and wanted.search(_unpacked(path)):
            found.append(name)
    return found


def _unpacked(path):
    """Return the bytes of a file; of an office file those of its parts, of Parquet its cells."""
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as parts:
            return b"".join(map(parts.read, parts.namelist()))
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv().encode()
    return path.read_bytes()


def command(folder):
    """Return arguments of `subprocess` for the run that a user starts."""
    return {
        "args": [sys.executable, "-m", "alliance", "run", "--cohort", COHORT],
        "cwd": folder,
        "env": os.environ | {"PYTHONPATH": str(Path(folder) / "src")},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


def run(folder):
    """Run to the end; return status and what was said."""
    done = subprocess.run(check=False, **command(folder))
    return done.returncode, done.stdout


# --------------------------------------------------------------------------------------------------
# results that are damaged or gone


def emptied(data, chance):
    return b""


def cut_off(data, chance):
    return data[: chance.randrange(len(data))]


def one_sign_changed(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def more_at_its_end(data, chance):
    return data + b" "


def noise(data, chance):
    return chance.randbytes(len(data))


def gone(data, chance):
    return None


DAMAGES = (emptied, cut_off, one_sign_changed, more_at_its_end, noise, gone)


def damage(folder, name, kind, chance):
    """Damage one file of the cohort's."""
    path = Path(folder) / name
    data = kind(path.read_bytes(), chance)
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


def damage_some(folder, names, chance):
    """Damage each of the files in a way of its own; return what was done."""
    done = [(name, chance.choice(DAMAGES)) for name in names]
    for name, kind in done:
        damage(folder, name, kind, chance)
    return [f"{name}: {kind.__name__}" for name, kind in done]


# --------------------------------------------------------------------------------------------------
# killed runs


def processes_of(folder):
    """Return the processes that work in a project's folder: number and command."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                where, words = os.readlink(entry / "cwd"), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if where == str(Path(folder).resolve()) and words:
                found[int(entry.name)] = words.decode(errors="replace").replace("\0", " ")
    return found


def whom(kind, launcher, found):
    """Return the processes that a kill of this kind hits, and whether as a group."""
    if kind == "group":
        return [launcher]
    if kind == "launcher":
        return [launcher]
    if kind == "scheduler":
        return [pid for pid, words in found.items() if "alliance.running.scheduler" in words]
    return [pid for pid, words in found.items() if ".snakemake/scripts/" in words]  # jobs


KILLS = ("launcher", "group", "scheduler", "job")


def killed_run(folder, kind, after_s):
    """Start a run, kill a part of it, and return what was said and who was left 2 s later."""
    process = subprocess.Popen(start_new_session=True, **command(folder))
    time.sleep(after_s)
    hit = []
    while not hit and process.poll() is None:  # no job may be there at this very moment
        hit = whom(kind, process.pid, processes_of(folder))
        time.sleep(0.02)
    hit = hit if process.poll() is None else []
    for pid in hit:
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if kind == "group" else os.kill)(pid, signal.SIGKILL)
    if kind in ("launcher", "group"):
        time.sleep(2)
        left = processes_of(folder)
        said = process.communicate()[0]
    else:
        said = process.communicate()[0]
        left = processes_of(folder)
    return said, bool(hit), left


def refused_run(folder):
    """Start a run and, as it works, another; return what was wrong, and end both."""
    first = subprocess.Popen(**command(folder))
    while not (Path(folder) / "results" / COHORT / ".run").read_text() and first.poll() is None:
        time.sleep(0.02)
    status, said = run(folder)
    told = f"process {first.pid} on" in said
    first.send_signal(signal.SIGINT)  # Ctrl-C
    ended = first.communicate()[0]
    wrong = [] if status and told else [f"the second run was not refused: {said[-1500:]}"]
    if "Traceback" in ended:
        wrong.append(f"Ctrl-C: {ended[-1500:]}")
    return wrong


def seeded(seed):
    return random.Random(seed)
