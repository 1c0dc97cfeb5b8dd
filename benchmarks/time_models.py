"""How long the demo's models take: each fit alone, one core, after the machine code is in place.

    python benchmarks/time_models.py > benchmarks/time_models.md

Needs the demo's panel (`make demo`). Wall-clock seconds of one machine, the second of two fits; the
first also reads compiled code from its cache. A fit holds the engine, its second start, the second
engine where there is one, companions and curves.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import platform
import time
from importlib import import_module
from pathlib import Path

from alliance import files
from alliance.config.cohort import load_cohort
from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort

ROOT = Path(__file__).resolve().parents[1]
MODULES = {  # of families that are called otherwise
    "ladder": "growth_shape",
    "parallel": "parallel_growth",
    "arms": "specifications",
    "panel": "panel_estimators",
    "dropout": "hazard",
    "survival": "continuous_time",
}
PANEL = ROOT / "data" / "processed" / "demo" / "panel.parquet"


def main() -> None:
    """Fit every model of the demo's configuration twice and print the seconds."""
    config = load_cohort(ROOT / "config" / "config.yaml")
    keys = load_instruments()
    measures = config["measures"]
    cohort = Cohort(
        panel=files.read_parquet(PANEL),
        panel_sha256=files.sha256_of(PANEL),
        measures=measures,
        instruments={name: keys[entry["instrument"]] for name, entry in measures.items()},
    )
    print(
        f"# Seconds to fit the demo's models\n\n{len(cohort.panel):,} sessions, one core, ", end=""
    )
    print(f"{platform.system()}, Python {platform.python_version()}.\n")
    print("| model | status | first fit | again |\n|---|---|--:|--:|")
    first_sum = again_sum = 0.0
    for name, entry in config["models"].items():
        family = entry["family"]
        module = MODULES.get(family, family)
        fit_one = getattr(import_module(f"alliance.families.{module}.model"), f"{family}_fit")
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            fit = fit_one(cohort, name, entry).as_json()
            seconds.append(time.perf_counter() - start)
        first_sum, again_sum = first_sum + seconds[0], again_sum + seconds[1]
        print(f"| {name} | {fit['status']} | {seconds[0]:.2f} | {seconds[1]:.2f} |")
    print(f"| **together** | | **{first_sum:.2f}** | **{again_sum:.2f}** |")


if __name__ == "__main__":
    main()
