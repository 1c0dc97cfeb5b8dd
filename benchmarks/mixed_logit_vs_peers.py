"""The dropout hazard with random intercepts: this project beside glmer, glmmTMB and gpboost.

    .venv/bin/python benchmarks/mixed_logit_vs_peers.py --sizes S,M --peer-python <venv>/bin/python
    .venv/bin/python benchmarks/mixed_logit_vs_peers.py --sizes L --tasks therapist --keep

writes `docs/mixed_logit_benchmarks.md` and `benchmarks/mixed_logit_results.json`. One process and
one core per measurement; the clock covers the fit and its standard errors, not reading the file or
imports; short fits are repeated within 10 s (at most five times) and the fastest counts, for every
software alike; default settings of each peer. Elapsed and processor seconds are both kept: on a
machine that others use at the same time only the latter can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "mixed_logit_results.json"
PAGE = ROOT / "docs" / "mixed_logit_benchmarks.md"
CLIENTS = {"S": 300, "M": 5_000, "L": 100_000}
TASKS = {"therapist": "therapist intercept", "nested": "site and therapist intercepts"}
PEERS = ("alliance.mixed", "gpboost", "glmmTMB", "glmer")
FIXED = ["log_session", "alliance_within", "alliance_mean", "symptoms"]
ONE_CORE = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


def simulate(size: str, seed: int = 20240301) -> pd.DataFrame:
    """Sessions at risk of clients (20 per therapist, 10 therapists per site).

    logit h = -2.58 - .35 log(session) - .4 alliance_within - .3 alliance_mean + u + v, with
    sd(u) = .5 over therapists and sd(v) = .3 over sites; 5 to 19 sessions planned.
    """
    clients, most = CLIENTS[size], 19
    rng = np.random.default_rng([seed, clients])
    therapist = np.arange(clients) // 20
    site = therapist // 10
    intercept = rng.normal(0, 0.5, therapist[-1] + 1)[therapist]
    intercept += rng.normal(0, 0.3, site[-1] + 1)[site]
    alliance_mean = rng.normal(0, 0.7, clients)
    session = np.arange(1, most + 1)
    within = rng.normal(0, 0.6, (clients, most))
    eta = (
        (-2.58 - 0.35 * np.log(session))[None, :]
        - 0.4 * within
        + (intercept - 0.3 * alliance_mean)[:, None]
    )
    event = rng.random((clients, most)) < 1 / (1 + np.exp(-eta))
    last = np.minimum(
        np.where(event.any(axis=1), event.argmax(axis=1) + 1, most), rng.integers(5, 20, clients)
    )
    at_risk = session[None, :] <= last[:, None]
    client = np.repeat(np.arange(clients), at_risk.sum(axis=1))
    return pd.DataFrame(
        {
            "site": site[client],
            "therapist": therapist[client],
            "client": client,
            "log_session": np.log(np.broadcast_to(session, at_risk.shape)[at_risk]),
            "alliance_within": within[at_risk],
            "alliance_mean": alliance_mean[client],
            "symptoms": rng.normal(size=len(client)),
            "dropout": event[at_risk].astype(int),
        }
    )


NOTES = [
    "## Notes",
    "",
    "- Ours includes preparing the data frame, the checks for separation and a second start.",
    "- The first call of a process also loads compiled code from the cache (0.2 to 0.5 s), and",
    "  the first call ever compiles it (several seconds); both are left out, as imports are.",
    "- With two levels gpboost's log-likelihood is another one: glmmTMB, glmer and this project",
    "  agree on theirs. With one level all four agree.",
    "- glmer's default tolerance ends a little below the maximum: see",
    "  [mixed_logit.md](mixed_logit.md).",
]


# ----------------------------------------------------------------------------------------------
# In a process of its own
# ----------------------------------------------------------------------------------------------


def work(peer: str, path: str, task: str, out: str) -> None:
    """Measure one Python peer and leave a JSON behind."""
    data = pd.read_csv(path)
    fit = {"alliance.mixed": fit_here, "gpboost": fit_gpboost}[peer](data, task)
    elapsed: list[float] = []
    processor: list[float] = []
    result: dict[str, Any] = {}
    while len(elapsed) < 5 and sum(elapsed) < 10:
        started, spent = time.perf_counter(), time.process_time()
        result = fit()
        elapsed.append(time.perf_counter() - started)
        processor.append(time.process_time() - spent)
    result |= {"elapsed_s": min(elapsed), "processor_s": min(processor), "runs": len(elapsed)}
    result |= {"first_elapsed_s": elapsed[0], "first_processor_s": processor[0]}
    Path(out).write_text(json.dumps(result))


def fit_here(data: pd.DataFrame, task: str) -> Callable[[], dict[str, Any]]:
    from alliance.mixed import fit_mixed_logit

    levels = ["therapist"] if task == "therapist" else ["site", "therapist"]

    def fit() -> dict[str, Any]:
        result = fit_mixed_logit(data, "dropout", ["1", *FIXED], {name: ["1"] for name in levels})
        return {
            "version": "this commit",
            "log_likelihood": result.log_likelihood,
            "estimates": result.coefficients["estimate"].tolist(),
            "standard_errors": result.coefficients["se"].tolist(),
        }

    return fit


def fit_gpboost(data: pd.DataFrame, task: str) -> Callable[[], dict[str, Any]]:
    import gpboost

    groups = data[["therapist"] if task == "therapist" else ["therapist", "site"]].to_numpy()
    x = np.column_stack([np.ones(len(data)), data[FIXED]])
    y = data["dropout"].to_numpy()

    def fit() -> dict[str, Any]:
        model = gpboost.GPModel(
            group_data=groups, likelihood="bernoulli_logit", num_parallel_threads=1
        )
        model.fit(y=y, X=x)
        table = np.asarray(model.get_coef(std_err=True))
        return {
            "version": gpboost.__version__,
            "log_likelihood": -float(model.get_current_neg_log_likelihood()),
            "estimates": table[0].tolist(),
            "standard_errors": table[1].tolist(),
        }

    return fit


# ----------------------------------------------------------------------------------------------
# The driver
# ----------------------------------------------------------------------------------------------


def measure(
    peer: str, data: Path, task: str, peer_python: str | None, limit_s: float
) -> dict[str, Any]:
    """Run one peer; a failure comes back as `{"failed": why}`."""
    out = data.parent / "result.json"
    out.unlink(missing_ok=True)
    environment = os.environ | ONE_CORE
    if peer in ("glmer", "glmmTMB"):
        if shutil.which("Rscript") is None:
            return {"failed": "Rscript is not installed"}
        start = ["Rscript", str(HERE / "mixed_logit_peers.R"), peer]
    elif peer == "gpboost":
        if peer_python is None:
            return {"failed": "no environment with gpboost given"}
        environment.pop("PYTHONPATH", None)
        start = [peer_python, __file__, "--work", peer]
    else:
        environment |= {"PYTHONPATH": str(ROOT / "src")}
        start = [sys.executable, __file__, "--work", peer]
    try:
        run = subprocess.run(
            [*start, str(data), task, str(out)],
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}),
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not finished in {limit_s:.0f} s"}
    if run.returncode == 0 and out.exists():
        return json.loads(out.read_text())
    return {"failed": (run.stderr.strip().splitlines() or ["no result"])[-1][:120]}


def write_page(results: list[dict[str, Any]]) -> None:
    """Write the table, one block per task and size."""
    lines = [
        "# Binary outcomes: speed beside peers",
        "",
        "Written by `benchmarks/mixed_logit_vs_peers.py`; simulated discrete-time dropout hazard,",
        "four predictors, one process and one core each, default settings of every software,",
        "standard errors included. Short fits are repeated and the fastest counts.",
        "",
        f"Machine: {machine()}.",
        "Others were at work on it at the same time: compare the *processor* seconds.",
        "",
    ]
    for task, words in TASKS.items():
        for size in CLIENTS:
            block = [r for r in results if r["task"] == task and r["size"] == size]
            if not block:
                continue
            own = next((r for r in block if r["peer"] == PEERS[0] and "failed" not in r), None)
            lines += [
                f"## {words}, {size}: {block[0]['rows']:,} rows",
                "",
                "| software | version | processor s | elapsed s | times slower | log-likelihood | "
                "relative to ours | largest gap of b, in SE |",
                "|---|---|--:|--:|--:|--:|--:|--:|",
            ]
            lines += [_row(r, own) for r in sorted(block, key=lambda r: PEERS.index(r["peer"]))]
            lines.append("")
    lines += NOTES
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


def _row(r: dict[str, Any], own: dict[str, Any] | None) -> str:
    if "failed" in r:
        return f"| {r['peer']} | | {r['failed']} | | | | | |"
    start = f"| {r['peer']} | {r['version']} | {r['processor_s']:.3g} | {r['elapsed_s']:.3g} |"
    if own is None:
        return f"{start} | {r['log_likelihood']:.4f} | | |"
    times = r["processor_s"] / own["processor_s"]
    relative = (r["log_likelihood"] - own["log_likelihood"]) / abs(own["log_likelihood"])
    gap = np.abs(np.subtract(r["estimates"], own["estimates"])) / own["standard_errors"]
    return f"{start} {times:.3g} | {r['log_likelihood']:.4f} | {relative:+.1e} | {gap.max():.1e} |"


def machine() -> str:
    """Processor, cores and system."""
    name = platform.processor() or platform.machine()
    try:
        info = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="S,M")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--peer-python", help="interpreter of an environment with gpboost")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one process")
    parser.add_argument("--keep", action="store_true", help="add to the results already there")
    parser.add_argument("--page-only", action="store_true")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if options.keep or options.page_only else []
    if not options.page_only:
        for size in options.sizes.split(","):
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder) / "data.csv"
                frame = simulate(size)
                frame.to_csv(data, index=False)
                for task in options.tasks.split(","):
                    for peer in options.peers.split(","):
                        key = {"size": size, "task": task, "peer": peer, "rows": len(frame)}
                        found = measure(peer, data, task, options.peer_python, options.limit)
                        results = [r for r in results if any(r[k] != key[k] for k in key)]
                        results.append(key | found)
                        print(key, {k: v for k, v in found.items() if not isinstance(v, list)})
                        RESULTS.write_text(json.dumps(results, indent=1))
    write_page(results)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--work":
        work(*sys.argv[2:6])
    else:
        main()
