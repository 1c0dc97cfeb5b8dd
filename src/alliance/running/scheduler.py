"""Snakemake's command line, with a Python whose path may hold any sign.

Snakemake puts `sys.executable` into the command line of a job as it stands (snakemake issues 2645,
2981, 3235), so that a blank in it ends the run. It is quoted here before Snakemake sees it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path


def quoted(path: str, system: str = os.name) -> str:
    """Return a path as one word of a command line, for the system's own shell."""
    return subprocess.list2cmdline([path]) if system == "nt" else shlex.quote(path)


def given_to_snakemake(name: str, path: Path) -> str:
    """Return an argument of `--config` from which Snakemake reads the path as it is.

    It strips quotation marks from both ends and takes what is left for YAML, in which `#` begins a
    comment: hence the quotation marks, and the blanks that protect them.
    """
    return f"{name}= {json.dumps(str(path))} "


def main() -> None:
    """Run Snakemake with the arguments of the command line; exit with its status."""
    from snakemake.cli import main as snakemake

    sys.executable = quoted(sys.executable)
    snakemake()


if __name__ == "__main__":
    main()
