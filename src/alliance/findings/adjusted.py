"""Adjusted p values beside the plain ones: looked up by the address of the test."""

from __future__ import annotations

from collections.abc import Mapping

from alliance.findings.fields import Field
from alliance.findings.results import Results

PRIMARY = "primary"
Adjusted = Mapping[str, Field]
"""Address of a test's entry to its entry in multiplicity.json."""


def adjusted_of(results: Results) -> Adjusted:
    """Return the tests that count, by address; none where nothing was adjusted."""
    found = results.further.get("multiplicity")
    return {} if found is None else {test["at"].raw: test for test in found["tests"]}
