"""How long a newcomer waits: clone, `make setup`, `make demo`, `make demo` again.

    python benchmarks/time_demo.py

Clones this repository into a temporary folder and times each step as a whole process; prints a
Markdown table. These are wall-clock seconds of one machine: compare the steps with each other only.
"""

import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STEPS = {
    "environment (warm package cache)": ["make", "setup"],
    "`make demo`": ["make", "demo"],
    "`make demo` again": ["make", "demo"],
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}\n")
        print("| step | seconds |\n|---|---|")
        for name, command in STEPS.items():
            start = time.perf_counter()
            subprocess.run(command, cwd=clone, check=True, capture_output=True)
            print(f"| {name} | {time.perf_counter() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()
