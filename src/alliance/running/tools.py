"""What make does, without make or a shell: environment, tests, checks of style, the lock.

Uses the standard library alone, so that `python -m alliance setup`, given in the folder `src`, runs
before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from alliance.errors import AllianceError

PROJECT = Path(__file__).resolve().parents[3]
ENVIRONMENT = PROJECT / ".venv"
READY = ENVIRONMENT / "ready"
MADE_FROM = ("requirements.lock", "requirements-uv.lock", "pyproject.toml")
OLDEST, NEWEST = (3, 11), (3, 13)  # pythons that the lock is made for

TEST = ("pytest", "-n", "2", "--dist", "loadfile")
STYLE = ("pre_commit", "run", "--all-files")
LOCK = ("uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-emit-index-url", "--no-header", "--quiet", "--extra", "dev", "pyproject.toml",
        "-o", "requirements.lock")  # fmt: skip
# By command: modules, or scripts of the project, with their arguments; run one after the other.
TOOLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "test": (STYLE, (*TEST, "-m", "not exhaustive")),
    "test-all": (STYLE, TEST),
    "test-fast": ((*TEST, "-m", "not slow"),),
    "check-style": (STYLE,),
    "lock": (LOCK,),
    "faults": (("tests/faults/full.py",),),
    "test-cluster": (("tests/cluster/full.py",),),
    "rupture-rules": (("benchmarks/rupture_rules.py",),),
    "dropout-recovery": (("benchmarks/dropout_recovery.py", "--cohorts", "300"),),
    "coupling-recovery": (("benchmarks/coupling_recovery.py", "--cohorts", "500"),),
}
OF_THE_DEMO = ("results/demo", ".snakemake", "data/processed/demo", "private/demo")


def python_of_environment() -> Path:
    """Return the environment's Python."""
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def set_up() -> int:
    """Make the environment in `.venv` from the lock; return the exit status.

    Raises
    ------
    AllianceError
        This Python is too old.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        msg = f"Python 3.11 or newer is needed; this is {version}."
        raise AllianceError(msg)
    if sys.version_info[:2] > NEWEST:
        print(f"Note: the environment is locked for Python 3.11 to 3.13; this is {version}.")
    python = str(python_of_environment())
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = [python, "-m", "uv", "pip"]
    at = ["--quiet", "--python", python]
    steps = (
        [sys.executable, "-m", "venv", str(ENVIRONMENT)],
        [*pip, "--require-hashes", "-r", "requirements-uv.lock"],
        [*uv, "sync", *at, "--compile-bytecode", "--require-hashes",
         "requirements.lock", "requirements-uv.lock"],
        [*uv, "install", *at, "--no-deps", "--no-build-isolation", "--editable", "."],
    )  # fmt: skip
    for step in steps:
        if status := _called(step):
            return status
    compile_kernels(python)
    READY.touch()
    shown = python_of_environment().relative_to(PROJECT)
    print(f"The environment is ready. Next, in the project's folder: {shown} -m alliance demo")
    return 0


def compile_kernels(python: str) -> None:
    """Compile the engines' kernels side by side; one that fails is compiled where it is used."""
    command = [python, "-m", "alliance.running.compile_kernels"]
    begun = [
        subprocess.Popen([*command, engine], cwd=PROJECT, stderr=subprocess.DEVNULL)
        for engine in ("mixed", "logit", "sem")
    ]
    for process in begun:
        process.wait()


def run_tool(command: str, further: Sequence[str] = ()) -> int:
    """Run a command of `TOOLS`, with further arguments for its last step; return the status."""
    if not READY.exists():
        msg = "The environment is not there yet: see “Two commands” in README.md."
        raise AllianceError(msg)
    *before, last = TOOLS[command]
    for tool, *arguments in (*before, (*last, *further)):
        module = [] if tool.endswith(".py") else ["-m"]
        if status := _called([str(python_of_environment()), *module, tool, *arguments]):
            return status
    return 0


def clean() -> int:
    """Remove what the demo's run has made, not the environment and no raw data."""
    for folder in OF_THE_DEMO:
        shutil.rmtree(PROJECT / folder, ignore_errors=True)
    return 0


def _called(command: Sequence[str]) -> int:
    """Run a program in the project's folder, with the environment's own programs found first."""
    programs = os.pathsep.join([str(python_of_environment().parent), os.environ.get("PATH", "")])
    # One thread a process: tests and studies run in several processes already.
    environment = os.environ | {"PATH": programs, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode
