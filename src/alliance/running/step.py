"""Run one step of the workflow: log what it says, record what it made, and end plainly."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from alliance import files
from alliance.running.endings import defect_log, defect_message, plain_reason
from alliance.running.outputs import remember_outputs
from alliance.running.steps import remember_step

# A step that ended because of something the user can mend; the message stands on the screen and in
# the log, and needs no traceback.
USER_ERROR = 3
DEFECT = 1


@contextmanager
def step(log: str | Path, job: Any = None) -> Iterator[None]:
    """Run the body with logging and warnings going to `log`, in `results/<cohort>/logs/`.

    However the body ends, the user reads a sentence and no traceback
    (`alliance.running.endings`). What it has published is recorded once it is through, and with it,
    for a `job` of the workflow, what it was made from (`alliance.running.steps`).
    """
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        with Path(log).open("w", encoding="utf-8") as stream, _logging_to(stream):
            try:
                results = _results_of(Path(log))
                with files.noting_published() as published:
                    yield
                    if job is not None:
                        remember_step(job, published, results)
                remember_outputs(published, results)
            except (Exception, KeyboardInterrupt) as error:
                stream.write(f"{plain_reason(error) or defect_log(error)}\n")
                raise
    except (Exception, KeyboardInterrupt) as error:  # the last line of defence
        told = plain_reason(error)
        print(f"\n{told or defect_message(error, log)}\n", file=sys.stderr)
        sys.exit(USER_ERROR if told else DEFECT)


@contextmanager
def _logging_to(stream: IO[str]) -> Iterator[None]:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger()
    logger.addHandler(handler)
    logging.getLogger("alliance").setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(handler)


def _results_of(log: Path) -> Path:
    """Return the results folder that a log lies in."""
    parents = list(log.parents)
    return next((folder.parent for folder in parents if folder.name == "logs"), parents[0])
