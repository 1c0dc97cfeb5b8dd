"""What every Python peer shares: the clock, the memory, and the JSON it leaves behind."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPEAT_WITHIN_S = 10.0  # short fits are repeated within this time and the fastest one counts
REPEAT_AT_MOST = 5
WARM_UP_S = 30.0  # a first run shorter than this is repeated in any case: it may have compiled


def arguments() -> tuple[str, str, str]:
    """Read data file, task and result file from the command line."""
    return sys.argv[1], sys.argv[2], sys.argv[3]


def timed(fit: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Run `fit` up to five times; its result, the first and the fastest time in seconds."""
    seconds: list[float] = []
    processor: list[float] = []
    reset_peak()
    before = resident_mb("VmRSS")
    result = None
    while len(seconds) < REPEAT_AT_MOST and (
        sum(seconds[1:]) < REPEAT_WITHIN_S if sum(seconds) < WARM_UP_S else not seconds
    ):
        result = None  # a former fit must not count towards the peak
        start, start_processor = time.perf_counter(), time.process_time()
        result = fit()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - start_processor)
    return result, {
        "seconds": min(seconds),
        "processor_seconds": min(processor),
        "first_seconds": seconds[0],
        "runs": len(seconds),
        "data_mb": before,
        "peak_mb": resident_mb("VmHWM"),
    }


def reset_peak() -> None:
    """Start the kernel's high-water mark anew (Linux), so that reading the file does not count."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def resident_mb(key: str) -> float:
    """`VmRSS` (now) or `VmHWM` (peak) of this process in MB; nan where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def report(path: str, **numbers: Any) -> None:
    """Write the result file."""
    Path(path).write_text(json.dumps(numbers))
