"""Speed, memory and likelihood of `alliance.mixed` beside its peers, in one run, one core each.

    python benchmarks/mixed_vs_peers.py --sizes S,M --peer-python /path/to/peers/bin/python

Every measurement is a process of its own on one core, with a time limit; a peer that is absent,
runs out of time or fails is reported as such and stops nothing. See `benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import mixed_data
import mixed_page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ONE_CORE = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "R_DATATABLE_NUM_THREADS",
    )
}


@dataclass(frozen=True)
class Peer:
    """A program under `peers/`, what it is asked, and up to which size it is tried."""

    script: str
    sizes: dict[str, tuple[str, ...]]  # task -> sizes
    environment: str  # "project", "peers" or "R"


PEERS = {
    "alliance.mixed": Peer(
        "engine.py",
        {
            "core": ("S", "M", "L", "XL"),
            "ar1": ("S", "M", "L"),
            "kr": ("S", "M", "L"),
            "bootstrap": ("S", "M"),
            "irregular": ("S", "M", "L"),
            "several": ("S", "M", "L"),
        },
        "project",
    ),
    "mixedlm": Peer(
        "mixedlm_peer.py", {"core": ("S", "M", "L"), "irregular": ("S", "M", "L")}, "peers"
    ),
    "lme4": Peer(
        "lme4.R",
        {
            "core": ("S", "M", "L"),
            "irregular": ("S", "M"),
            "bootstrap": ("S", "M"),
            "several": ("S", "M"),
        },
        "R",
    ),
    "nlme": Peer("nlme.R", {"core": ("S", "M"), "ar1": ("S", "M"), "several": ("S", "M")}, "R"),
    "glmmTMB": Peer("glmmTMB.R", {"core": ("S", "M")}, "R"),
    "statsmodels": Peer("statsmodels_peer.py", {"core": ("S", "M")}, "peers"),
    "gpboost": Peer("gpboost_peer.py", {"core": ("S", "M", "L")}, "peers"),
    "pbkrtest": Peer("pbkrtest.R", {"kr": ("S", "M")}, "R"),
}
TASKS = ("core", "irregular", "ar1", "several", "kr", "bootstrap")


def command(peer: Peer, peer_python: str | None) -> list[str] | None:
    """How this peer is started; None where its interpreter is absent."""
    if peer.environment == "R":
        return ["Rscript", peer.script] if shutil.which("Rscript") else None
    if peer.environment == "peers":
        return [peer_python, peer.script] if peer_python else None
    return [sys.executable, peer.script]


def measure(
    peer: Peer, start: list[str], data: Path, task: str, limit_s: float, memory_gb: float
) -> dict:
    """One process, one core, one JSON; a failure comes back as `{"failed": why}`."""
    out = data.parent / "result.json"
    out.unlink(missing_ok=True)
    environment = os.environ | ONE_CORE | {"PYTHONPATH": str(ROOT / "src")}
    if peer.environment == "peers":
        environment.pop("PYTHONPATH")

    def confine() -> None:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        limit = int(memory_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    try:
        run = subprocess.run(
            [*start, str(data), task, str(out)],
            cwd=HERE / "peers",
            env=environment,
            preexec_fn=confine,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not finished in {limit_s:.0f} s"}
    if run.returncode == 0 and out.exists():
        return json.loads(out.read_text())
    return {"failed": reason(run.stderr)}


def reason(stderr: str) -> str:
    """Pick the last telling line of what a peer wrote."""
    if "No module named" in stderr or "there is no package called" in stderr:
        return "not installed"
    if any(word in stderr for word in ("MemoryError", "cannot allocate", "bad_alloc")):
        return "out of memory (within the limit of the run)"
    lines = [line.strip() for line in stderr.splitlines() if "Error" in line]
    return (lines[-1] if lines else "ended without a result")[:120]


def write_data(size: str, task: str, folder: Path, for_r: bool) -> tuple[Path, int]:
    """Parquet for Python, CSV for R, of the same rows."""
    if task == "several":
        data = mixed_data.simulate_several(size)
    else:
        data = mixed_data.simulate(size, serial=task == "ar1", irregular=task == "irregular")
    stem = folder / f"{size}_{task}"
    data.to_parquet(stem.with_suffix(".parquet"))
    if for_r:
        data.to_csv(stem.with_suffix(".csv"), index=False)
    return stem, len(data)


def run_all(options: argparse.Namespace) -> list[dict]:
    """Every task at every size for every peer; a line on the screen as each ends."""
    results = []
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        for size in options.sizes:
            for task in options.tasks:
                wanted = {
                    name: peer
                    for name, peer in PEERS.items()
                    if name in options.peers and size in peer.sizes.get(task, ())
                }
                if not wanted:
                    continue
                for_r = any(peer.environment == "R" for peer in wanted.values())
                stem, n_rows = write_data(size, task, folder, for_r)
                for name, peer in wanted.items():
                    start = command(peer, options.peer_python)
                    suffix = ".csv" if peer.environment == "R" else ".parquet"
                    limit = options.limits.get(name, options.limit)
                    numbers = (
                        {"failed": "interpreter not given or absent"}
                        if start is None
                        else measure(
                            peer, start, stem.with_suffix(suffix), task, limit, options.memory_gb
                        )
                    )
                    entry = {"task": task, "size": size, "rows": n_rows, "peer": name} | numbers
                    entry["load"] = round(os.getloadavg()[0], 2)
                    entry["at"] = time.strftime("%Y-%m-%d %H:%M")
                    results.append(entry)
                    shown = numbers.get("failed") or f"{numbers['seconds']:.4g} s"
                    print(f"{task:10s} {size:3s} {name:15s} {shown}", flush=True)
                for old in folder.iterdir():
                    old.unlink()
    return results


def merge(old: list[dict], new: list[dict]) -> list[dict]:
    """Replace old measurements by new ones of the same task, size and peer."""

    def key(entry: dict) -> tuple:
        return entry["task"], entry["size"], entry["peer"]

    fresh = {key(entry) for entry in new}
    return [entry for entry in old if key(entry) not in fresh] + new


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    def listed(text: str) -> list[str]:
        return text.split(",")

    def limits(text: str) -> dict[str, float]:
        return {name: float(value) for name, value in (part.split("=") for part in listed(text))}

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=listed, default=["S", "M"], help="of S,M,L,XL")
    parser.add_argument("--tasks", type=listed, default=list(TASKS))
    parser.add_argument("--peers", type=listed, default=list(PEERS))
    parser.add_argument("--peer-python", help="python of the environment with the PyPI peers")
    parser.add_argument("--limit", type=float, default=600, help="seconds for one process")
    parser.add_argument("--limits", type=limits, default={}, help="e.g. pbkrtest=200,nlme=900")
    parser.add_argument("--memory-gb", type=float, default=12, help="address space of a process")
    parser.add_argument("--keep", action="store_true", help="keep other measurements of the file")
    parser.add_argument("--page-only", action="store_true", help="rewrite the page, measure none")
    parser.add_argument("--results", type=Path, default=HERE / "mixed_results.json")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    old = []
    if (options.keep or options.page_only) and options.results.exists():
        old = json.loads(options.results.read_text())["results"]
    new = [] if options.page_only else run_all(options)
    body = {"machine": mixed_page.machine(), "results": merge(old, new)}
    if options.page_only:
        body["machine"] = json.loads(options.results.read_text())["machine"]
    options.results.write_text(json.dumps(body, indent=1) + "\n")
    mixed_page.write(body, options.docs)


if __name__ == "__main__":
    main()
