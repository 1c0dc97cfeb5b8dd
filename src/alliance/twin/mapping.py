"""The twin's configuration: that of the cohort, but for its name, and where a file is another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from alliance.config import strict_yaml
from alliance.config.cohort import TWIN

# What explains a file that is written as plain CSV instead.
OF_THE_FILE = ("format", "sheet", "member", "header_row", "skip_after_header", "delimiter", "quote",
               "encoding", "decimal", "dictionary", "header", "cells")  # fmt: skip


def config_text(text: str, cohort: str, title: str) -> str:
    """Return the config of the twin: name, title and `simulated` are its own, the rest as it is."""
    text = re.sub(r"(?m)^simulated:.*\n?", "", text)
    named = f"cohort: {cohort}{TWIN}\nsimulated: true"
    text = re.sub(r"(?m)^cohort:.*$", lambda _: named, text, count=1)
    told = f"title: {json.dumps(f'{title} (synthetic twin)', ensure_ascii=False)}"
    return re.sub(r"(?m)^title:.*$", lambda _: told, text, count=1)


def mapping_text(path: Path, as_csv: Mapping[int, str]) -> tuple[str, list[str]]:
    """Return a site's mapping for the twin's files, and what differs in it.

    Parameters
    ----------
    path
        The site's mapping.
    as_csv
        Tables (by position) that are written as plain CSV, with the name of the file.
    """
    text = path.read_text(encoding="utf-8")
    content = strict_yaml.read(path).content
    notes = []
    for at, table in enumerate(content["tables"]):
        notes += list(_adapt(table, as_csv.get(at)))
    if not notes:
        return text, notes
    told = "".join(f"# {note}\n" for note in notes)
    return f"# Adapted to the files of the synthetic twin:\n{told}{_dumped(content)}", notes


def _adapt(table: dict[str, Any], csv_name: str | None) -> Iterator[str]:
    file = table["file"]
    if table.pop("n_rows", None) is not None:
        yield f"{file}: `n_rows` is left out: the twin has another number of rows"
    if table.pop("join", None) is not None:
        yield f"{file}: the columns that were joined on stand in the file itself"
    if csv_name is not None:
        for key in OF_THE_FILE:
            table.pop(key, None)
        table["file"] = csv_name
        yield f"{file}: written as plain CSV, {csv_name}"


class _Plain(yaml.SafeDumper):
    """A dumper without anchors: the strict reader takes none."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dumped(content: Any) -> str:
    return yaml.dump(content, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100)
