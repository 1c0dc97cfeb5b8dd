"""How long the intake takes, and how much memory: long CSV in, scored Parquet out.

Each step runs in a process of its own, as in the workflow. Processor time and peak memory are the
operating system's (`wait4`), so that other programs on the machine do not count.

    .venv/bin/python benchmarks/intake_scaling.py           # measures; writes JSON and picture
    .venv/bin/python benchmarks/intake_scaling.py --draw    # the picture from the JSON alone
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "intake_scaling.json"
PICTURE = ROOT / "docs" / "intake_scaling.svg"
SESSIONS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
ANSWERS_A_SESSION = 10
KEY = ROOT / "config" / "instruments" / "core-10.yaml"
MAPPING = """site: big
tables:
  - {file: answers.csv, rows: answer, client: id, session: nr, form: form, item: item,
     answer: answer, measures: {distress: {form: core}}}
"""
STEPS = {
    "ingest": """from alliance.ingest.site import ingest_site
ingest_site(cohort="big", site="big", mapping=f"{d}/big.yaml", raw_folder=f"{d}/raw", measures=m,
            instruments=[key], private_folder=f"{d}/private", simulated=True, out_folder=f"{d}/big")
""",
    "plausibility": """from alliance.ingest.plausible import check_plausibility
check_plausibility(site_folders=[f"{d}/big"], measures=m, instruments=[key],
                   implausible=f"{d}/implausible.parquet", private_folder=f"{d}/private")
""",
    "pooling": """from alliance.ingest.pool import pool_sites
pool_sites(site_folders=[f"{d}/big"], implausible=f"{d}/implausible.parquet",
           out_folder=f"{d}/pooled", checks_folder=f"{d}/checks")
""",
    "scoring": """from alliance.measures.scoring import score_measures
score_measures(responses=f"{d}/pooled/responses.parquet", measures=m, instruments=[key],
               scores=f"{d}/scores.parquet", ledger=f"{d}/ledger.parquet")
""",
}


def write_answers(n_sessions: int, path: Path) -> None:
    """Write a long CSV: ten sessions a client, ten answers a session, one answer a row."""
    rng = np.random.default_rng(20261123)
    n_clients = n_sessions // 10
    per_client = 10 * ANSWERS_A_SESSION
    client = pa.array(np.repeat(np.arange(n_clients, dtype=np.int32), per_client))
    names = pa.array([f"P{number:06d}" for number in range(n_clients)])
    level = np.repeat(rng.normal(2.0, 0.8, n_clients), per_client)
    answer = np.clip(np.rint(level + rng.normal(0, 0.9, len(level))), 0, 4).astype(np.int8)
    item = np.tile(np.arange(1, ANSWERS_A_SESSION + 1), n_sessions)
    answer = np.where(np.isin(item, [2, 3]), 4 - answer, answer)  # reversed on the form
    table = pa.table(
        {
            "id": pa.DictionaryArray.from_arrays(client, names).cast(pa.string()),
            "nr": np.tile(np.repeat(np.arange(1, 11), ANSWERS_A_SESSION), n_clients),
            "form": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(item), dtype=np.int8)), pa.array(["core"])
            ).cast(pa.string()),
            "item": item,
            "answer": answer,
        }
    )
    options = pyarrow.csv.WriteOptions(quoting_style="none")
    pyarrow.csv.write_csv(table, path, options)


def measure(n_sessions: int) -> dict:
    """Return seconds of processor time and peak memory of each step."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        raw.mkdir()
        write_answers(n_sessions, raw / "answers.csv")
        (Path(folder) / "big.yaml").write_text(MAPPING, encoding="utf-8")
        steps = {}
        for name, code in STEPS.items():
            setting = f"d, key = {folder!r}, {str(KEY)!r}\n"
            setting += "m = {'distress': {'instrument': 'core-10'}}\n"
            started = time.monotonic()
            process = subprocess.Popen([sys.executable, "-c", setting + code])
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                sys.exit(f"{name} failed at {n_sessions:,} sessions")
            steps[name] = {
                "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
                "wall_seconds": round(time.monotonic() - started, 2),
                "peak_memory_gb": round(usage.ru_maxrss / 2**20, 2),
            }
        load = round(os.getloadavg()[0], 1)
    return {
        "sessions": n_sessions,
        "answers": n_sessions * ANSWERS_A_SESSION,
        "load": load,
        "steps": steps,
    }


def draw(measured: list[dict]) -> None:
    """Draw processor time and peak memory against the number of answers."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "intake_scaling", "svg.fonttype": "none"})
    answers = np.array([entry["answers"] for entry in measured])
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.2), layout="constrained")
    bottom = np.zeros(len(measured))
    for name in STEPS:
        seconds = np.array([entry["steps"][name]["processor_seconds"] for entry in measured])
        left.plot(answers, seconds, marker="o", markersize=3, label=name)
        bottom += seconds
    left.plot(answers, bottom, color="black", marker="o", markersize=4, label="all steps")
    left.plot(answers, bottom[-1] * answers / answers[-1], color="0.6", linestyle=":", zorder=0)
    left.set(xscale="log", yscale="log", xlabel="answers", ylabel="processor time (s)")
    left.legend(frameon=False, fontsize=8)
    peak = [max(s["peak_memory_gb"] for s in entry["steps"].values()) for entry in measured]
    right.plot(answers, peak, color="black", marker="o", markersize=4)
    right.axhline(4, color="0.6", linestyle=":")
    right.set(xscale="log", xlabel="answers", ylabel="peak memory of a step (GB)", ylim=(0, 4.4))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, format="svg", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", action="store_true", help="only draw what was measured")
    parser.add_argument("--sessions", help="e.g. 10000,100000 (default: up to a million)")
    arguments = parser.parse_args()
    if arguments.draw:
        draw(json.loads(RESULTS.read_text()))
        return
    sizes = [int(n) for n in (arguments.sessions or "").split(",") if n] or SESSIONS
    measured = []
    for n_sessions in sizes:
        measured.append(measure(n_sessions))
        print(json.dumps(measured[-1]), flush=True)
    if not arguments.sessions:
        RESULTS.write_text(json.dumps(measured, indent=1) + "\n")
        draw(measured)


if __name__ == "__main__":
    main()
