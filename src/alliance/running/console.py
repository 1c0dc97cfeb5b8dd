"""Run Snakemake and pass on what a person needs to read: the steps, the messages, the errors.

Snakemake keeps its full log under `.snakemake/log/`; only lines that tell a reader nothing are held
back here. Whatever ends this process, Snakemake and its jobs end with it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alliance.running.endings import AGAIN

NOISE = re.compile(
    r"\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]$"  # a time stamp alone
    r"|Using (profiles?|shell)|Assuming unrestricted|Building DAG|Select jobs|Execute \d+ jobs"
    r"|Complete log|RuleException|CalledProcessError|Command 'set |Exiting because|Elapsed time"
    r"|WorkflowError:?$|At least one job|Shutting down|localrule |WorkflowError in file"
    r"|Error in rule | +(message|jobid|input|output|log|wildcards|params): |Removing output files"
    r"|Both 'sacctmgr'|Job \d+ has been submitted|Cleaning up SLURM|see the cluster/cloud log"
    r"|(results|data/processed)/\S+(, (results|data/processed)/\S+)*$"
)
STEP = re.compile(r"(local)?[jJ]ob \d+: (?P<message>.*)")
KILLED = re.compile(r"died with <Signals\.SIG(KILL|TERM|HUP)|non-zero exit status (137|143|129)\b")
TOLD_KILLED = (
    "A step was ended from outside: by a person, or by the system because memory ran out. Close "
    "other programs or allow one step at a time (--cores 1), " + AGAIN
)

# Waits for the end of its parent (the other end of the pipe closes, however the parent ends), then
# ends the group of processes it was told of.
_GUARD = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "os.read(int(sys.argv[1]), 1)\n"
    "os.killpg(int(sys.argv[2]), signal.SIGKILL)\n"
)


def speak_plainly(command: Sequence[str], *, inherited: Sequence[int] = ()) -> int:
    """Run `command`, print its output without the noise, return its exit status.

    Parameters
    ----------
    command
        Program and arguments.
    inherited
        File descriptors that it inherits, such as that of a lock.
    """
    with _in_a_group_of_its_own(command, inherited) as process:
        assert process.stdout is not None  # PIPE
        for line in process.stdout:
            text = plain_line(line.rstrip())
            if text:
                print(text, flush=True)
        return process.wait()


@contextmanager
def _in_a_group_of_its_own(
    command: Sequence[str], inherited: Sequence[int]
) -> Iterator[subprocess.Popen[str]]:
    """Run `command`; once the body or this process has ended, no child of it is left."""
    apart = os.name == "posix"  # elsewhere there are no process groups
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=apart, pass_fds=inherited if apart else (),
    )  # fmt: skip
    if not apart:
        with process:
            yield process
        return
    read_end, write_end = os.pipe()
    guard = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _GUARD, str(read_end), str(process.pid)],
        pass_fds=[read_end], start_new_session=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read_end)
    try:
        yield process
    finally:
        guard.kill()
        guard.wait()
        os.close(write_end)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def plain_line(line: str) -> str | None:
    """Return the line as a person should read it, or None to leave it out."""
    if KILLED.search(line):
        return TOLD_KILLED
    if NOISE.match(line):
        return None
    step = STEP.match(line)
    return f"- {step['message']}" if step else line
