"""What every stage shares: the cohort's configuration, its folders, and helpers that find inputs.

REQUIRED INPUTS
    cohort_config = config/config.yaml, or what `--config cohort_config=...` names

The configuration is read and checked before any rule runs; each mistake in it is named with file,
line and key, and nothing starts until there is none.
"""

import sys
from pathlib import Path

from snakemake.io import strip_wildcard_constraints

from alliance.audit.plan import frozen_path
from alliance.config.cohort import (
    instrument_path,
    load_cohort,
    raw_files_of,
    site_mapping_path,
    subscales_named,
    truth_of,
)
from alliance.config.formats import FORMATS
from alliance.config.site import load_site
from alliance.running.endings import plain_reason
from alliance.errors import AllianceError
from alliance.files import sha256_of
from alliance.ingest.pseudonyms import fingerprint_of
from alliance.running.outputs import drop_unvouched
from alliance.running.provenance import library as modules_behind

PROJECT = Path(workflow.basedir)
CONFIG = Path(config.get("cohort_config", PROJECT / "config" / "config.yaml")).resolve()

try:
    cohort = load_cohort(CONFIG)
except (AllianceError, OSError) as error:
    sys.exit(f"\n{plain_reason(error)}\n")

COHORT = cohort["cohort"]
RAW = f"data/raw/{COHORT}"
PROCESSED = f"data/processed/{COHORT}"
RESULTS = f"results/{COHORT}"


wildcard_constraints:
    site="|".join(cohort["sites"]),


def library(*modules):
    """Return the package files behind `modules`: editing one of them reruns the rule."""
    return modules_behind(*modules)


def reader_modules():
    """Return the modules that read raw files: each is imported by its format's name."""
    return [f"ingest.readers.{one.reader}" for one in FORMATS.values()]


def raw_files(wildcards):
    """Return the raw files of a site that are there (missing ones are reported by the intake)."""
    mapping = load_site(site_mapping_path(CONFIG, COHORT, wildcards.site))
    named = raw_files_of(mapping, Path(RAW) / wildcards.site)
    return [str(path) for path in named if Path(path).is_file()]


def raw_fingerprints(wildcards):
    """Return the hashes of a site's raw files: a file replaced by an older one counts as new."""
    return [sha256_of(path) for path in raw_files(wildcards)]


def mapping_file(wildcards):
    """Return the file that says how a site's export maps onto the canonical columns."""
    return str(site_mapping_path(CONFIG, COHORT, wildcards.site))


def instrument_files():
    """Return the scoring keys that the cohort's measures use."""
    ids = dict.fromkeys(
        measure["instrument"] for measure in cohort["measures"].values()
    )
    return [str(instrument_path(CONFIG, instrument)) for instrument in ids]


def models_of(family):
    """Return the config's models of one family by name."""
    return {name: m for name, m in cohort["models"].items() if m["family"] == family}


def fit_files(*families):
    """Return the paths of the fits of these families (all of them without an argument)."""
    return [
        f"{RESULTS}/fits/{name}.json"
        for name, model in cohort["models"].items()
        if not families or model["family"] in families
    ]


def further_descriptions():
    """Return the descriptions beside `description.json`, each known by the name of its file."""
    return [
        f"{RESULTS}/measurement.json",
        f"{RESULTS}/change.json",
        f"{RESULTS}/dropout.json",
        f"{RESULTS}/multiplicity.json",
    ]


def printed_descriptions():
    """Return the same and the filled checklists, which are made from them and the fits."""
    return [*further_descriptions(), f"{RESULTS}/checklists.json"]


def numbers_compared():
    """Return the files whose numbers are held against each other."""
    return [
        *fit_files(),
        f"{RESULTS}/description.json",
        *printed_descriptions(),
        f"{RESULTS}/intake.json",
        f"{RESULTS}/audit/run.json",
        f"{RESULTS}/manuscript/references.json",
        f"{PROCESSED}/datapackage.json",
    ]


def templates(*packages):
    """Return the page templates of these packages, which no import shows."""
    package = PROJECT / "src" / "alliance"
    folders = [package / name / "templates" for name in packages]
    found = [path for folder in folders for path in folder.rglob("*")]
    return sorted(str(path) for path in found if path.is_file())


def family_templates():
    """Return the templates of what the families add to the page."""
    folder = PROJECT / "src" / "alliance" / "families"
    return sorted(str(path) for path in folder.rglob("*.html"))


def truth_file():
    """Return the truth of a simulated cohort where it is known."""
    path = truth_of(cohort, RAW)
    return str(path) if path else []


def frozen_plan():
    """Return the frozen plan of the cohort where there is one."""
    path = frozen_path(CONFIG, COHORT)
    return str(path) if path.is_file() else []


def key_fingerprint():
    """Return what tells one key of the pseudonyms from another: with it all sites are read anew.

    Nothing where the cohort is simulated: the key is the public one, whatever lies beside.
    """
    return "" if truth_file() else fingerprint_of(f"private/{COHORT}")


def rules_to_run():
    """Return all rules but what is made only where it is asked for by name."""
    asked_for = ("all", "draw_private_courses", "write_share")
    return [own for own in workflow.rules if own.name not in asked_for]


def everything_made():
    """Return every file that these rules make."""
    patterns = [
        strip_wildcard_constraints(pattern)
        for own in rules_to_run()
        for pattern in own.output
    ]
    return [
        path for pattern in patterns for path in expand(pattern, site=cohort["sites"])
    ]


def step_records():
    """Return the record of each step (`alliance.running.steps`), with one file that it makes."""
    found = {}
    for own in rules_to_run():
        first = strip_wildcard_constraints(own.output[0])
        for path in dict.fromkeys(expand(first, site=cohort["sites"])):
            name = own.name
            if "{site}" in first:
                name += f".{Path(path).parent.name}"
            found[f"{RESULTS}/audit/steps/{name}.json"] = path
    return found


def drop_what_nobody_vouches_for():
    """Remove results that were changed since they were made, so that they are made again.

    What a stopped run was writing has changed, too: nobody need be told of each file then.
    """
    try:
        dropped = drop_unvouched(everything_made(), Path(RESULTS), step_records())
    except OSError as error:
        sys.exit(f"\n{plain_reason(error)}\n")
    if config.get("stopped_before"):
        if dropped.changed or dropped.unrecorded:
            print(
                "- The run before was stopped; what it left unfinished is made again."
            )
        return
    for path in dropped.changed:
        print(f"- {path.as_posix()} was changed since it was made: it is made again.")
    if dropped.unrecorded:
        print(
            f"- Files that no finished step has recorded: {len(dropped.unrecorded)}."
            " They are made again."
        )
