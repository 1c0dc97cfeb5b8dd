"""The commands behind `make explain`, `verify`, `compare`, `freeze` and `crate`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alliance import files
from alliance.errors import ConfigError
from alliance.running.cohort_named import config_of, shown

# How a printed number can be named, beside its id (`alliance.audit.printed.Asked`).
NUMBER = {
    "document": "where it stands, e.g. tables.docx; default: report.html for an id",
    "printed": "what is printed there",
    "place": "section or table",
    "row": "heading of its row",
    "column": "heading of its column",
}


def add_parsers(commands: Any) -> None:
    """Add the commands to those of the program (`commands`: subparsers of argparse)."""
    explain = commands.add_parser("explain", help="say where a printed number comes from")
    explain.add_argument("id", nargs="?", default="", help="its id, e.g. f23 (of report.html)")
    explain.add_argument("--cohort", default="", help="mylab for results/mylab/")
    for name, words in NUMBER.items():
        explain.add_argument(f"--{name}", default="", help=words)
    freeze = commands.add_parser("freeze", help="freeze the plan before the data are looked at")
    crate = commands.add_parser("crate", help="pack a finished run: crates/<cohort>.zip")
    for command in (freeze, crate):
        command.add_argument("--cohort", default="", help="mylab for config/mylab.yaml")
    compare = commands.add_parser("compare", help="say what differs between two runs, and why")
    compare.add_argument("before", type=Path, help="a results folder, e.g. results/mylab")
    compare.add_argument("after", type=Path, help="another one of the same cohort")
    verify = commands.add_parser("verify", help="check a results folder, in plain Python")
    verify.add_argument("folder", type=Path, help="a results folder, e.g. results/mylab")


def _explain(options: argparse.Namespace) -> int:
    """Say where a printed number comes from: on the screen, as a page, down to the raw rows."""
    from alliance.audit.explain import explain, write
    from alliance.audit.parts import as_text
    from alliance.audit.printed import Asked, find

    config_of(options.cohort)  # a cohort is always named
    results = Path("results") / options.cohort
    asked = Asked(id=options.id, **{name: getattr(options, name) for name in NUMBER})
    found = explain(*find(asked, results), results)
    print(as_text(found.parts))
    page, listed = write(found, results, Path())
    print(f"The same as a page: {page.as_posix()}")
    if isinstance(listed, Path):
        print(f"The raw rows, for the lab alone: {listed.as_posix()}. It must not be shared.")
    else:
        print(f"No list of raw rows: {listed}")
    return 0


def _freeze(options: argparse.Namespace) -> int:
    """Freeze the plan of a cohort: the report lists what differs from it."""
    import datetime

    from alliance.audit.plan import freeze

    path = freeze(config_of(options.cohort), datetime.date.today())
    print(f"The plan is frozen in {shown(path)}, under the seal {files.read_json(path)['seal']}.")
    print("Keep it under version control, and quote the seal, e.g. in a preregistration.")
    return 0


def _crate(options: argparse.Namespace) -> int:
    """Pack a finished run as a Provenance Run Crate."""
    import datetime

    from alliance.audit.crate import pack
    from alliance.config.cohort import load_cohort

    config = config_of(options.cohort)
    cohort = load_cohort(config)["cohort"]
    out = Path("crates") / f"{cohort}.zip"
    n = pack(config, Path("results") / cohort, out, datetime.date.today())
    print(f"{n} files are in {out.as_posix()}. Its README.md says how they are run again.")
    return 0


def _compare(options: argparse.Namespace) -> int:
    """Say what differs between two results folders; the status is 1 if anything does."""
    from alliance.audit.compare import compare
    from alliance.audit.parts import as_text

    parts = compare(options.before, options.after)
    print(as_text(parts) if parts else "Nothing differs: no file, estimate or word.")
    return 1 if parts else 0


def _verify(options: argparse.Namespace) -> int:
    """Check a results folder and say what was checked; the status is 1 if anything is wrong."""
    from alliance.audit.certificate import as_parts, checks_of, safely
    from alliance.audit.parts import as_text
    from alliance.audit.refit import refitted

    if not options.folder.is_dir():
        msg = f"{options.folder} is no folder. Name one with results, e.g. results/demo."
        raise ConfigError(msg)
    checks = [*checks_of(options.folder), safely(refitted, options.folder)]
    print(as_text(as_parts(checks, options.folder)))
    return 1 if any(check.wrong for check in checks) else 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "explain": _explain,
    "compare": _compare,
    "verify": _verify,
    "freeze": _freeze,
    "crate": _crate,
}
