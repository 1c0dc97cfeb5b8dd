"""Run one step of the workflow: log what it says, and end plainly when the user can mend it."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alliance.errors import AllianceError

# A step that ended because of something the user can mend; the message stands on the screen and in
# the log, and needs no traceback.
USER_ERROR = 3


@contextmanager
def step(log: str | Path) -> Iterator[None]:
    """Run the body with logging and warnings going to `log`.

    An `AllianceError` is printed as it is, without traceback. Any other exception is a defect of
    ours: the traceback goes to the log and one sentence with its place to the screen. A traceback
    could show a client's value, so its text holds the lines of code but not the exception's text.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("w", encoding="utf-8") as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger = logging.getLogger()
        logger.addHandler(handler)
        logging.getLogger("alliance").setLevel(logging.INFO)
        logging.captureWarnings(True)
        try:
            yield
        except AllianceError as error:
            stream.write(f"{error}\n")
            print(f"\n{error}\n", file=sys.stderr)
            sys.exit(USER_ERROR)
        except Exception as error:  # the last line of defence: told, logged, never passed on
            frames = traceback.extract_tb(error.__traceback__)
            stream.write(f"{type(error).__name__} at\n" + "".join(traceback.format_list(frames)))
            last = frames[-1]
            print(
                f"\nThis step failed because of a defect of the program ({type(error).__name__} in "
                f"{Path(last.filename).name}, line {last.lineno}). The log is {log}; please report "
                "it. It holds no client's data.\n",
                file=sys.stderr,
            )
            sys.exit(1)
        finally:
            logging.captureWarnings(False)
            logger.removeHandler(handler)
