"""The commands behind the make targets: `python -m alliance` demo, check, results, test, ..."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from alliance import files
from alliance.audit import commands as audit
from alliance.errors import ConfigError
from alliance.running import tools
from alliance.running.cohort_named import PROJECT, config_of, shown
from alliance.running.console import speak_plainly
from alliance.running.endings import defect_log, defect_message, plain_reason
from alliance.running.former import (
    FORMER,
    SHARE,
    put_former_aside,
    put_outdated_share_aside,
)
from alliance.running.one_run import one_run_at_a_time
from alliance.running.raw_folders import unread_places
from alliance.running.scheduler import given_to_snakemake

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended
NOT_READ = 141  # and of one whose reader has closed, as `| head` does
UNUSABLE = frozenset("{}\n\r")  # in a path Snakemake takes them for the marks of a pattern


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that lacks a letter shows a mark
            stream.reconfigure(errors="replace")
    options, further = _parser().parse_known_args(arguments)
    if further and options.command not in tools.TOOLS:
        _parser().error(f"unrecognized arguments: {' '.join(further)}")
    options.further = further
    # A polite request to end (a closed terminal, a machine going down) is Ctrl-C to us.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        status = COMMANDS[options.command](options)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        return _ended(plain_reason(error), INTERRUPTED)
    except BrokenPipeError as error:
        return _ended(plain_reason(error), NOT_READ)
    except Exception as error:  # the last line of defence
        return _ended(plain_reason(error) or _defect(error), 1)
    return status


def _ended(told: str | None, status: int) -> int:
    """Say why the command ends, as far as anybody reads it; return the status."""
    try:
        print(f"\n{told}\n", file=sys.stderr, flush=True)
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    if status == NOT_READ:  # or Python would try once more as it ends, and complain
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(nowhere, stream.fileno())
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="alliance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a cohort from raw files to the report")
    results = commands.add_parser("results", help="the same")
    demo = commands.add_parser("demo", help="run the demo cohort: results/demo/report.html")
    check = commands.add_parser("check", help="read and check a cohort's files, and nothing more")
    courses = commands.add_parser("courses", help="draw every client's course: private/<cohort>/")
    share = commands.add_parser("share", help="write what may leave the lab")
    new = commands.add_parser("new-cohort", help="write a first configuration from raw files")
    twin = commands.add_parser("twin", help="write a cohort of nobody's data like a real one")
    for command in (run, results, check, courses, share, new, twin):
        command.add_argument("--cohort", default="", help="mylab for config/mylab.yaml")
    demo.set_defaults(cohort="demo")
    for command in (run, results, demo, check, courses, share):
        command.add_argument("--config", type=Path, help="the config file, if it lies elsewhere")
        command.add_argument("--cores", type=int, default=2)
        command.add_argument("--profile", default="default", help="a folder of profiles/")
    new.add_argument("--again", action="store_true", help="begin anew, keeping the old as .old")
    rerun = commands.add_parser("rerun", help="run a cohort again, and compare with what is there")
    rerun.add_argument("--cohort", default="", help="mylab for config/mylab.yaml")
    rerun.set_defaults(config=None, cores=2, profile="default")
    audit.add_parsers(commands)
    simulate = commands.add_parser("simulate", help="rebuild the demo cohort's raw files")
    simulate.add_argument("--config", type=Path, default=PROJECT / "config" / "config.yaml")
    simulate.add_argument("--folder", type=Path, help="default: data/raw/<cohort>")
    commands.add_parser("setup", help="make the environment in .venv from the lock")
    commands.add_parser("clean", help="remove what the demo's run has made")
    for name in tools.TOOLS:
        commands.add_parser(name, help=f"what `make {name}` does")
    return parser


def _defect(error: Exception) -> str:
    """Log a defect of the program; return the sentence on it."""
    log = Path("results") / "defect.log"
    try:
        files.write_text(defect_log(error), log)
    except OSError as second:
        return (
            f"{defect_message(error, 'missing')} (It could not be written.)\n{plain_reason(second)}"
        )
    return defect_message(error, log)


def _run(options: argparse.Namespace) -> int:
    results, status = _workflow(options)
    page = results / "intake.html"
    if status == 0:
        print(f"\nThe report is at {results / 'report.html'}: open it in any browser.")
        print(f"What the files held, and what was set aside: {page}")
        return status
    told = f"\nThe run stopped; the reason stands above. Logs: {results / 'logs'}"
    if page.is_file():
        told += f"\nEvery problem of the files, with place and remedy: {page}"
    print(told, file=sys.stderr)
    return status


def _check(options: argparse.Namespace) -> int:
    """Read the files and write the data page; the status is 1 if a problem blocks the run."""
    from alliance.config.cohort import load_cohort

    results, status = _workflow(options, "write_intake_page")
    if status:
        print(f"\nThe check stopped; the reason stands above. Logs: {results / 'logs'}")
        return status
    found = files.read_json(results / "intake.json")
    counts, cohort = found["by_action"], found["cohort"]
    set_aside = counts["row_set_aside"] + counts["cell_set_aside"]
    print(f"\nThe data page is at {results / 'intake.html'}: open it in any browser.")
    print(f"What each site is asked to mend: {results / 'checks'}/queries_<site>.csv")
    print(
        f"Problems that stop the run: {counts['stopped']}; set aside: {set_aside};"
        f" noted: {counts['noted']}."
    )
    if not load_cohort(options.config or config_of(options.cohort))["measures"]:
        print(
            "The config names no measure: no questionnaire is read, and nothing can be said of"
            " alliance or symptoms."
        )
    if found["usable"]:
        print(f"Nothing stops the run. Next: make results COHORT={cohort}")
        return 0
    print(f"Mend what stops the run, then: make check COHORT={cohort}")
    return 1


def _courses(options: argparse.Namespace) -> int:
    """Draw the course of every client into the private folder."""
    from alliance.config.cohort import load_cohort

    cohort = load_cohort(options.config or config_of(options.cohort))["cohort"]
    courses = f"private/{cohort}/courses.pdf"
    results, status = _workflow(options, courses)
    if status:
        print(f"\nThe run stopped; the reason stands above. Logs: {results / 'logs'}")
        return status
    print(f"\nThe course of every client is in {courses}. It must not be shared.")
    return 0


def _share(options: argparse.Namespace) -> int:
    """Write the folder that may leave the lab."""
    results, status = _workflow(options, "write_share")
    if status:
        print(f"\nThe run stopped; the reason stands above. Logs: {results / 'logs'}")
        return status
    print(f"\nWhat may leave the lab is in {results / 'share'}: report.html and all beside it.")
    print(f"Read first what was hidden and why: {results / 'share' / 'disclosure.html'}")
    return 0


def _workflow(options: argparse.Namespace, *targets: str) -> tuple[Path, int]:
    """Run the workflow up to `targets` (all of it without); return results folder and status."""
    from alliance.config.cohort import load_cohort

    if found := UNUSABLE & set(f"{PROJECT}{Path.cwd()}"):
        signs = " ".join("a line end" if sign.isspace() else sign for sign in sorted(found))
        msg = (
            f"The path of the project has signs ({signs}) that Snakemake takes for its own. Move "
            "it to a path without curly brackets and line ends."
        )
        raise ConfigError(msg)
    config = options.config or config_of(options.cohort)
    loaded = load_cohort(config)
    cohort = loaded["cohort"]
    results = Path("results") / cohort
    for told in unread_places(Path("data") / "raw" / cohort, loaded["sites"]):
        print(f"Note: {told}", flush=True)
    with one_run_at_a_time(results) as lock:
        if former := put_former_aside(results, loaded["models"]):
            print(
                f"Note: results of models that the config no longer names are now in "
                f"{results / FORMER}: {', '.join(former)}.",
                flush=True,
            )
        files.make_personal_folder(Path("data") / "processed" / cohort)
        files.make_personal_folder(Path("private") / cohort)
        for told in _key_notes(loaded):
            print(f"Note: {told}", flush=True)
        _find_a_home()
        status = speak_plainly(
            [
                sys.executable, "-m", "alliance.running.scheduler", *targets,
                "--snakefile", str(PROJECT / "Snakefile"),
                *_where(options.profile, options.cores),
                "--nolock",  # one_run_at_a_time does it, and leaves no lock behind a killed run
                "--config", given_to_snakemake("cohort_config", config.resolve()),
                "only_vouched=true", *(["stopped_before=true"] if lock.stopped_before else []),
            ],
            inherited=[lock.fileno],
        )  # fmt: skip
        if put_outdated_share_aside(results):
            print(
                f"Note: {results / SHARE} was made from other results and is now in "
                f"{results / FORMER / SHARE}. To make it anew: make share COHORT={cohort}",
                flush=True,
            )
    return results, status


def _where(profile: str, cores: int) -> list[str]:
    """Return the arguments of Snakemake that say where the steps run."""
    folder = PROJECT / "profiles"
    there = sorted(path.parent.name for path in folder.glob("*/profile.yaml"))
    if profile not in there:
        msg = f"There is no profile {profile} in {shown(folder)}; there are: {', '.join(there)}."
        raise ConfigError(msg)
    local = ["--cores", str(cores)] if profile == "default" else []
    return ["--profile", str(folder / profile), *local]


def _key_notes(loaded: Mapping[str, Any]) -> Iterator[str]:
    """Draw the key of the pseudonyms where there is none; yield what must be known of it."""
    from alliance.config.cohort import truth_of
    from alliance.ingest.pseudonyms import draw_key

    raw = Path("data") / "raw" / loaded["cohort"]
    if truth_of(loaded, raw):
        return  # the public key of simulated cohorts
    if loaded["simulated"]:
        yield (
            f"the config says `simulated: true`, but {raw.as_posix()} holds no truth.json of the "
            "simulator: ids are protected as those of real people."
        )
    if draw_key(Path("private") / loaded["cohort"]):
        yield (
            f"private/{loaded['cohort']}/pseudonym.key was gone, and another key was drawn: the "
            "pseudonyms are others than in all former results. Should there be a copy of the old "
            "key, put it back and run the same command again."
        )


def _rerun(options: argparse.Namespace) -> int:
    """Put the results of a cohort aside, run it again, and say what differs."""
    from alliance.config.cohort import load_cohort

    cohort = load_cohort(config_of(options.cohort))["cohort"]
    results, before = Path("results") / cohort, Path("results") / "before" / cohort
    if before.exists() or not results.is_dir():
        msg = f"{before} is there already, or {results} is not: nothing was moved and nothing run."
        raise ConfigError(msg)
    before.parent.mkdir(exist_ok=True)
    results.rename(before)
    if status := _run(options):
        return status
    return audit.COMMANDS["compare"](argparse.Namespace(before=before, after=results))


def _find_a_home() -> None:
    """Keep what programs remember between runs in the project where the home cannot be written."""
    home = Path(os.path.expanduser("~"))
    if home.is_absolute() and os.access(home, os.W_OK | os.X_OK):
        return
    instead = Path(".snakemake", "home").resolve()
    instead.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        HOME=str(instead), XDG_CACHE_HOME=str(instead), MPLCONFIGDIR=str(instead / "matplotlib")
    )


def _twin(options: argparse.Namespace) -> int:
    """Write the twin of a cohort; say what to do with it."""
    from alliance.twin.write import write_twin

    notes = write_twin(config_of(options.cohort), Path())
    name = f"{options.cohort}_twin"
    for note in notes:
        print(f"- {note}")
    print(f"The twin is in data/raw/{name}, its config in config/{name}.yaml.")
    print("What it keeps of the cohort and what not: docs/twin.md; all that it was drawn from:")
    print(f"data/raw/{name}/truth.json. Next: make results COHORT={name}")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from alliance.config.cohort import load_cohort
    from alliance.simulate import write_demo

    cohort = load_cohort(options.config)
    folder = options.folder or Path("data") / "raw" / cohort["cohort"]
    write_demo(seed=cohort["seed"], folder=folder)
    print(f"Wrote {folder} from seed {cohort['seed']}.")
    return 0


def _new_cohort(options: argparse.Namespace) -> int:
    """Write a first configuration; say what is left to decide, and what to do next."""
    from alliance.newcohort import propose

    name = options.cohort
    raw = Path("data") / "raw" / name
    made = propose(
        cohort=name, raw_folder=raw, config_folder=PROJECT / "config", replace=options.again
    )
    for old, new in made.kept.items():
        print(f"- {shown(old)} was there already; it is kept as {new.name}")
    for place, why in made.unread:
        print(f"- {raw.as_posix()}/{place} could not be read: {why}")
    for path in made.written:
        n = made.questions[path]
        asked = "no question" if n == 0 else "1 question" if n == 1 else f"{n} questions"
        print(f"- wrote {shown(path)}: {asked} to decide")
    if not made.n_measures:
        print("- no questionnaire was found in any file: see the comment in the config")
    print(
        "\nRead these files line by line: GUESS marks what looked likely, DECIDE what only you can"
        "\nanswer (docs/new-cohort.md leads through it). A key without a value stops every run"
        f"\nuntil it is filled in. Next: make check COHORT={name}"
    )
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "results": _run,
    "demo": _run,
    "check": _check,
    "courses": _courses,
    "share": _share,
    "new-cohort": _new_cohort,
    "rerun": _rerun,
    "twin": _twin,
    **audit.COMMANDS,
    "simulate": _simulate,
    "setup": lambda options: tools.set_up(),
    "clean": lambda options: tools.clean(),
    **{name: lambda o: tools.run_tool(o.command, o.further) for name in tools.TOOLS},
}

if __name__ == "__main__":
    sys.exit(main())
