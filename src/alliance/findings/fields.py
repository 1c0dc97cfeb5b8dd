"""Values of JSON files that know their own address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alliance import files


@dataclass(frozen=True, slots=True)
class Field:
    """A value and where it stands.

    Attributes
    ----------
    source
        File, relative to the results folder of the cohort, e.g. `fits/alliance_growth.json`.
    pointer
        JSON pointer (RFC 6901) within it; empty for the whole file.
    raw
        The value: number, text, bool, None, list or dict.
    """

    source: str
    pointer: str
    raw: Any

    @property
    def address(self) -> str:
        """File and pointer in one, e.g. `fits/alliance_growth.json#/estimates/1/se`."""
        return f"{self.source}#{self.pointer}"

    def __getitem__(self, key: str | int) -> Field:
        """Return the field below this one; raises KeyError or IndexError like the value itself."""
        if isinstance(self.raw, list) and isinstance(key, int):
            position = range(len(self.raw))[key]  # -1 is the last one: pointers count from 0
            return Field(self.source, f"{self.pointer}/{position}", self.raw[position])
        if isinstance(self.raw, dict):
            return Field(self.source, f"{self.pointer}/{escaped(str(key))}", self.raw[key])
        raise KeyError(key)

    def __iter__(self) -> Iterator[Field]:
        """Iterate over the fields of a list, or the values of a dict."""
        keys = range(len(self.raw)) if isinstance(self.raw, list) else list(self.raw)
        return (self[key] for key in keys)

    def __len__(self) -> int:
        return len(self.raw)

    def __bool__(self) -> bool:
        return bool(self.raw) or (isinstance(self.raw, int | float) and self.raw is not False)

    def __contains__(self, key: object) -> bool:
        return isinstance(self.raw, dict) and key in self.raw

    def where(self, **wanted: Any) -> list[Field]:
        """Return the entries of a list whose values equal those wanted."""
        return [
            entry
            for entry in self
            if all(entry.raw.get(key) == value for key, value in wanted.items())
        ]


def escaped(key: str) -> str:
    """Return a key as it is written in a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def read_fields(path: str | Path, results_folder: str | Path) -> Field:
    """Return the content of a JSON file as a field; its source is relative to `results_folder`."""
    relative = os.path.relpath(Path(path).resolve(), Path(results_folder).resolve())
    return Field(Path(relative).as_posix(), "", files.read_json(path))


class Sources:
    """The JSON files of a results folder, each read once, to look addresses up in."""

    def __init__(self, results_folder: str | Path) -> None:
        self.folder = Path(results_folder)
        self._read: dict[str, Any] = {}

    def look_up(self, address: str) -> Any:
        """Return the value at an address (`file#pointer`).

        Raises
        ------
        OSError
            The file cannot be read.
        LookupError, ValueError, TypeError
            There is nothing at the pointer, or the file is no JSON.
        """
        source, _, pointer = address.partition("#")
        if source not in self._read:
            self._read[source] = files.read_json(self.folder / source)
        value = self._read[source]
        for step in pointer.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value
