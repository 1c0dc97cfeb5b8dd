"""The workflow through a SLURM of one machine gives what it gives locally: `make test-cluster`.

Needs root and Debian's `slurm-wlm` and `munge` (`apt-get install slurm-wlm munge`), and the extra
`cluster`; without them it says so and ends well. It starts the three services in a folder of its
own, runs a cohort there (a tiny one, or `--cohort demo`), kills a job, the node's daemon, the
controller and the launcher on the way, gives the same command again where that ended the run, and
compares every byte with a local run.
"""

from __future__ import annotations

import argparse
import filecmp
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests" / "faults"))

import tiny  # noqa: E402

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
COPIED = ("Snakefile", "workflow", "config", "profiles", "data/raw/demo", "src",
          "requirements.lock", "pyproject.toml")  # fmt: skip
# Steps of a job look here, whatever the environment says.
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
# What says when or on which machine a run was made.
OF_THE_RUN = {"benchmarks", "logs", ".run"}
CONFIG = """ClusterName=alliance
SlurmctldHost={host}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=30
MinJobAge=300
SchedulerParameters=sched_interval=1
NodeName={host} CPUs={cores} RealMemory={memory_mb} State=UNKNOWN
PartitionName=alliance Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Return what is missing for this test; empty if nothing is."""
    if missing := [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]:
        return f"not installed: {', '.join(missing)} (Debian: slurm-wlm, munge)"
    if SYSTEM_CONF.exists():
        return f"this machine has a SLURM of its own ({SYSTEM_CONF})"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "the extra `cluster` is not installed (docs/cluster.md)"
    return "" if os.geteuid() == 0 else "SLURM's daemons are started by root only"


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"


class Cluster:
    """A SLURM of one node in a folder; only processes that it started itself are ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "spool"):
            (folder / name).mkdir()
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        text = CONFIG.format(
            host=socket.gethostname(), folder=folder, cores=os.cpu_count(), memory_mb=memory
        )
        SYSTEM_CONF.parent.mkdir(exist_ok=True)
        SYSTEM_CONF.write_text(text)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.environment = os.environ | {"PATH": _path()}

    def start(self, *names: str) -> None:
        """Start services in the foreground of their own."""
        f = self.folder
        commands = {
            "munged": [
                "munged", "--foreground", "--force", f"--socket={f}/munge.socket",
                f"--key-file={f}/munge.key", f"--log-file={f}/munged.log",
                f"--pid-file={f}/munged.pid", f"--seed-file={f}/munged.seed",
            ],
            "slurmctld": ["slurmctld", "-D"],
            "slurmd": ["slurmd", "-D"],
        }  # fmt: skip
        for name in names:
            with (f / f"{name}.out").open("ab") as out:
                self.started[name] = subprocess.Popen(
                    commands[name], env=self.environment, stdout=out, stderr=out
                )
            time.sleep(1)

    def kill(self, name: str) -> None:
        """Kill a service as a power cut would, and start it again after two seconds."""
        self.started[name].kill()
        self.started[name].wait()
        time.sleep(2)
        self.start(name)

    def kill_job(self) -> None:
        """Cancel the job that runs."""
        jobs = self.said("squeue", "--noheader", "--states=running", "--format=%i").split()
        if jobs:
            self.said("scancel", "--signal=KILL", "--full", jobs[0])

    def said(self, *command: str) -> str:
        """Return what a command of SLURM prints."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def wait(self, seconds: float = 60) -> None:
        """Wait until the node takes jobs."""
        end = time.monotonic() + seconds
        while self.said("sinfo", "--noheader", "--format=%t").strip() not in ("idle", "mix"):
            if time.monotonic() > end:
                raise TimeoutError(f"the node takes no jobs: see {self.folder}/slurmctld.log")
            time.sleep(1)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """Start a cluster and end it."""
    cluster = Cluster(folder)
    try:
        cluster.start("munged", "slurmctld", "slurmd")
        cluster.wait()
        yield cluster
    finally:
        for process in reversed(cluster.started.values()):
            process.terminate()
            process.wait()
        SYSTEM_CONF.unlink(missing_ok=True)


def project_in(folder: Path) -> Path:
    """Copy what a run reads into a folder of its own; return it."""
    for name in COPIED:
        source, target = PROJECT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, target)
    tiny.write(folder)
    return folder


def run(project: Path, cohort: str, profile: str) -> subprocess.Popen[bytes]:
    """Start the command that a user gives."""
    command = [sys.executable, "-m", "alliance", "results", "--cohort", cohort]
    environment = os.environ | {"PATH": _path(), "PYTHONPATH": str(project / "src")}
    with (project / f"{profile}.out").open("ab") as out:
        return subprocess.Popen(
            [*command, "--profile", profile], cwd=project, env=environment, stdout=out, stderr=out
        )


def differences(one: Path, other: Path, cohort: str) -> list[str]:
    """Return the files that differ between two projects' results and processed tables."""

    def made(project: Path) -> set[Path]:
        tops = (project / "results" / cohort, project / "data" / "processed" / cohort)
        found = (path for top in tops for path in top.rglob("*") if path.is_file())
        inside = (path.relative_to(project) for path in found)
        return {path for path in inside if not OF_THE_RUN & set(path.parts)}

    return sorted(
        str(path) for path in made(one) | made(other)
        if not ((one / path).is_file() and (other / path).is_file()
                and filecmp.cmp(one / path, other / path, shallow=False))
    )  # fmt: skip


def main() -> int:
    """Run a cohort locally and through SLURM; return 1 if a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohort", choices=["tiny", "demo"], default="tiny")
    parser.add_argument("--kills", type=int, default=4, help="of job, node, controller, launcher")
    parser.add_argument("--every", type=float, default=25, help="seconds between kills")
    options = parser.parse_args()
    if missing := why_not():
        print(f"Skipped: {missing}.")
        return 0
    with tempfile.TemporaryDirectory() as name:
        local, shared = (project_in(_made(Path(name) / here)) for here in ("local", "shared"))
        if run(local, options.cohort, "default").wait():
            print((local / "default.out").read_text()[-3000:])
            return 1
        with cluster_in(_made(Path(name) / "slurm")) as cluster:
            kills, attempts, ended = with_kills(cluster, shared, options)
        differing = differences(local, shared, options.cohort)
    print(
        f"Kills: {kills}. Starts: {attempts}. Files that differ: {', '.join(differing) or 'none'}."
    )
    return int(bool(differing) or not ended)


def with_kills(
    cluster: Cluster, project: Path, options: argparse.Namespace
) -> tuple[int, int, bool]:
    """Run through SLURM, kill on the way; return kills, starts, and whether it came to its end."""
    kinds: list[Callable[[subprocess.Popen[bytes]], None]] = [
        lambda _: cluster.kill_job(),
        lambda _: cluster.kill("slurmd"),
        lambda _: cluster.kill("slurmctld"),
        lambda launcher: launcher.kill(),
    ]
    killed = 0
    for start in range(1, options.kills + 2):
        launcher = run(project, options.cohort, "slurm")
        while _still_runs(launcher, options.every):
            if killed < options.kills:
                kinds[killed % len(kinds)](launcher)
                killed += 1
        if launcher.returncode == 0:
            return killed, start, True
    print((project / "slurm.out").read_text()[-3000:])
    return killed, start, False


def _still_runs(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
