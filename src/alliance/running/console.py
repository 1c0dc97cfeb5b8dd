"""Run Snakemake and pass on what a person needs to read: the steps, the messages, the errors.

Snakemake keeps its full log under `.snakemake/log/`; only lines that tell a reader nothing are held
back here.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

NOISE = re.compile(
    r"\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]$"  # a time stamp alone
    r"|Using (profiles?|shell)|Assuming unrestricted|Building DAG|Select jobs|Execute \d+ jobs"
    r"|Complete log|RuleException|CalledProcessError|Command 'set |Exiting because|Elapsed time"
    r"|WorkflowError:?$|At least one job|Shutting down|localrule |WorkflowError in file"
    r"|Error in rule | +(message|jobid|input|output|log|wildcards|params): |Removing output files"
    r"|(results|data/processed)/\S+(, (results|data/processed)/\S+)*$"
)
STEP = re.compile(r"(local)?[jJ]ob \d+: (?P<message>.*)")


def speak_plainly(command: Sequence[str]) -> int:
    """Run `command`, print its output without the noise, return its exit status."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None  # PIPE
    for line in process.stdout:
        text = plain_line(line.rstrip())
        if text:
            print(text, flush=True)
    return process.wait()


def plain_line(line: str) -> str | None:
    """Return the line as a person should read it, or None to leave it out."""
    if NOISE.match(line):
        return None
    step = STEP.match(line)
    return f"- {step['message']}" if step else line
