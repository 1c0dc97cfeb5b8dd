"""The commands behind the make targets: `python -m alliance run`, `python -m alliance simulate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alliance.console import speak_plainly
from alliance.errors import AllianceError, ConfigError
from alliance.one_run import one_run_at_a_time
from alliance.outputs import drop_changed_outputs, remember_outputs

PROJECT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="alliance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a cohort from raw files to the report")
    run.add_argument("--cohort", default="demo", help="demo, or mylab for config/mylab.yaml")
    run.add_argument("--config", type=Path, help="the cohort's config file, if it lies elsewhere")
    run.add_argument("--cores", type=int, default=2)
    simulate = commands.add_parser("simulate", help="rebuild the demo cohort's raw files")
    simulate.add_argument("--config", type=Path, default=PROJECT / "config" / "config.yaml")
    simulate.add_argument("--folder", type=Path, help="default: data/raw/<cohort>")
    options = parser.parse_args(arguments)
    try:
        return _run(options) if options.command == "run" else _simulate(options)
    except AllianceError as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1


def config_of(cohort: str) -> Path:
    """Return the config file of a cohort; raise `ConfigError` where there is none."""
    path = PROJECT / "config" / ("config.yaml" if cohort == "demo" else f"{cohort}.yaml")
    if not path.is_file():
        known = sorted(p.stem for p in path.parent.glob("*.yaml") if p.stem != "config")
        msg = (
            f"There is no config for a cohort “{cohort}”: config/{path.name} is missing. "
            f"Cohorts here: {', '.join(['demo', *known])}."
        )
        raise ConfigError(msg)
    return path


def _run(options: argparse.Namespace) -> int:
    from alliance.config import load_cohort

    if " " in f"{PROJECT}{sys.executable}":
        msg = (
            "The project lies in a folder with a blank in its name, which the programs it uses "
            "cannot handle. Move it to a path without blanks."
        )
        raise ConfigError(msg)
    config = options.config or config_of(options.cohort)
    cohort = load_cohort(config)["cohort"]
    results, processed = Path("results") / cohort, Path("data") / "processed" / cohort
    with one_run_at_a_time(results):
        for path in drop_changed_outputs(results, processed):
            print(f"- {path} was changed since it was made: it will be made again.")
        status = speak_plainly(
            [
                sys.executable, "-m", "snakemake",
                "--snakefile", str(PROJECT / "Snakefile"),
                "--profile", str(PROJECT / "profiles" / "default"),
                "--cores", str(options.cores),
                "--nolock",  # one_run_at_a_time does it, and leaves no lock behind a killed run
                "--config", f"cohort_config={config.resolve()}",
            ]
        )  # fmt: skip
        remember_outputs(results, processed)
    if status == 0:
        print(f"\nThe report is at {results / 'report.html'}: open it in any browser.")
    else:
        print(
            f"\nThe run stopped; the reason stands above. Logs: {results / 'logs'}", file=sys.stderr
        )
    return status


def _simulate(options: argparse.Namespace) -> int:
    from alliance.config import load_cohort
    from alliance.simulate import write_demo

    cohort = load_cohort(options.config)
    folder = options.folder or Path("data") / "raw" / cohort["cohort"]
    write_demo(seed=cohort["seed"], folder=folder)
    print(f"Wrote {folder} from seed {cohort['seed']}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
