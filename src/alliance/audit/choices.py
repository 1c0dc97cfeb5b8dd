"""Which choices two configurations do not share, each named once.

A choice is what somebody wrote, or left to its default where the other one wrote it. What nobody
wrote follows from other choices (the copy of a model that a second one is asked of, the cohort's
seed in an entry) and is none of its own; nor is a default that somebody has written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Choice = tuple[str, Any, Any]  # path, and what stands there in either; None: nothing


def changed_choices(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Choice]:
    """Yield each choice that differs, by its path, e.g. `models/symptom_growth/time`.

    Parameters
    ----------
    one, other
        `written`: the configuration as its file has it; `settings`: the same with every default.

    Yields
    ------
    tuple
        The outermost path at which both differ, and both values. A list is one choice; so is a
        whole entry that only one of both has.
    """
    yield from _below("", *(_Part(side["written"], side["settings"]) for side in (one, other)))


class _Part(NamedTuple):
    """A part of a configuration, as it was written and with its defaults; None: not there."""

    written: Any
    settings: Any

    @property
    def value(self) -> Any:
        """What holds; the reader may have moved elsewhere what was written here."""
        return self.written if self.settings is None else self.settings

    @property
    def told(self) -> Any:
        """What a person is told: in their own words, if there are any."""
        return self.value if self.written is None else self.written

    def at(self, key: str) -> _Part:
        return _Part(*(side.get(key) if isinstance(side, Mapping) else None for side in self))


def _below(path: str, one: _Part, other: _Part) -> Iterator[Choice]:
    keys = sorted({*_keys(one.written), *_keys(other.written)})
    if keys and isinstance(one.value, Mapping) and isinstance(other.value, Mapping):
        for key in keys:
            yield from _below(f"{path}/{key}" if path else key, one.at(key), other.at(key))
    elif one.value != other.value:
        yield path, one.told, other.told


def _keys(written: Any) -> Iterable[str]:
    return written if isinstance(written, Mapping) else ()
