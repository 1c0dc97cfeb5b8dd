"""A first configuration for a new cohort, guessed from its raw files and full of questions.

`propose` looks at `data/raw/<cohort>/<site>/*` and writes `config/<cohort>.yaml` and
`config/sites/<cohort>/<site>.yaml`, with a comment at every guess. What it cannot know is left
without a value and marked `# DECIDE:`; since the configuration is read strictly, nothing runs
before that is decided. Names of columns, counts and ranges of numbers are told; a client's answers,
ids, names and dates never are. (Texts that the configuration must name, such as the answers
"never" and "often", are written into it where several rows share them.)

- `look`: open every file and sheet, guess how it is written;
- `profiles`: what each column holds, told without any value;
- `families`: columns whose names differ by numbers only;
- `scales`: which scoring key fits a family by number and range of its items;
- `roles`: which column is the client's id, the session, the therapist, ...;
- `forms`: the questionnaires in a table;
- `tables`: what a sheet seems to be, of all this;
- `entries`, `written`, `nodes`: the YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alliance import files
from alliance.errors import AllianceError, ConfigError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was written, and what is left to the reader.

    Attributes
    ----------
    written
        The files, in order.
    kept
        Files that were there before, by their new names.
    questions
        Number of `# DECIDE` marks by file.
    unread
        Raw files that could not be read: `site/file` and why.
    n_measures
        Questionnaires that were found.
    """

    written: list[Path]
    kept: dict[Path, Path]
    questions: Mapping[Path, int]
    unread: list[tuple[str, str]]
    n_measures: int


def propose(
    *, cohort: str, raw_folder: str | Path, config_folder: str | Path, replace: bool = False
) -> Proposal:
    """Look at a cohort's raw files and write a configuration to start from.

    Parameters
    ----------
    cohort
        Its short name.
    raw_folder
        Folder with one folder a site (`data/raw/<cohort>`).
    config_folder
        Where `<cohort>.yaml` and `sites/<cohort>/<site>.yaml` are written.
    replace
        Whether configurations that are there may be put aside (as `<name>.yaml.old`).

    Raises
    ------
    AllianceError
        There is nothing to look at, names cannot be used, or a configuration is there already.
    """
    from alliance.newcohort.look import look_at
    from alliance.newcohort.tables import propose_table
    from alliance.newcohort.written import cohort_text, site_text

    sites = _site_folders(cohort, Path(raw_folder))
    config = Path(config_folder) / f"{cohort}.yaml"
    mappings = {site: Path(config_folder) / "sites" / cohort / f"{site}.yaml" for site in sites}
    kept = _put_aside([config, *mappings.values()], replace)
    unread: list[tuple[str, str]] = []
    tables = {}
    for site, folder in sites.items():
        sheets, failed = look_at(folder)
        unread += [(f"{site}/{file}", why) for file, why in failed]
        tables[site] = [propose_table(sheet) for sheet in sheets]
    texts = {config: cohort_text(cohort, tables)}
    for site, path in mappings.items():
        failed = [(name.partition("/")[2], why) for name, why in unread if name.startswith(site)]
        texts[path] = site_text(site, tables[site], failed)
    for path, text in texts.items():
        files.write_text(text, path)
    questions = {
        path: text.count("# DECIDE") - text.count("#   # DECIDE") for path, text in texts.items()
    }
    named = {form.name for of_site in tables.values() for t in of_site for form in t.forms}
    return Proposal(list(texts), kept, questions, unread, len(named))


def _site_folders(cohort: str, raw_folder: Path) -> dict[str, Path]:
    """Return the sites' folders by name."""
    if not _NAME.fullmatch(cohort) or cohort in ("demo", "config", "README"):
        msg = (
            f"“{cohort}” cannot name a cohort: use letters, digits, _ . and -, the first no dot"
            " and no dash (and not demo, which is there already)."
        )
        raise ConfigError(msg)
    place = raw_folder.as_posix()
    wanted = f"Make a folder {place}/<site>/ for each clinic or lab and put its files there, as"
    wanted += " they were exported. A single site needs one, too."
    if not raw_folder.is_dir():
        raise AllianceError(f"There is no folder {place}. {wanted}")
    folders = sorted(p for p in raw_folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    loose = [p for p in raw_folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    if not folders:
        found = f"{len(loose)} files lie in {place} itself" if loose else f"{place} is empty"
        raise AllianceError(f"{found[0].upper()}{found[1:]}. {wanted}")
    odd = [p.name for p in folders if not _NAME.fullmatch(p.name)]
    if odd:
        msg = f"These folders cannot name sites: {', '.join(odd)}. Use letters, digits, _ . and -."
        raise AllianceError(msg)
    return {folder.name: folder for folder in folders}


def _put_aside(paths: list[Path], replace: bool) -> dict[Path, Path]:
    """Put configurations that are there aside, or refuse to touch them."""
    there = [path for path in paths if path.exists()]
    if there and not replace:
        listed = ", ".join(path.as_posix() for path in there)
        msg = (
            f"There is a configuration already: {listed}. Nothing was written. To begin anew, give"
            " the command again with AGAIN=yes (or --again): the old files are then kept beside"
            " the new ones, as <name>.yaml.old."
        )
        raise ConfigError(msg)
    kept = {}
    for path in there:
        aside = path.with_name(f"{path.name}.old")
        path.replace(aside)
        kept[path] = aside
    return kept
