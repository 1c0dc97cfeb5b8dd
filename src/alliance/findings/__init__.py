"""Findings: every printed number with its identity, and the check that a page tells the truth.

- `fields`: a value of a JSON file that knows its own address (file and JSON pointer).
- `formats`: the named ways to print a value; APA style, honest rounding.
- `ledger`: `Findings.show`, the only way from a field onto a page; it keeps a record.
- `check`: the way back. It reads the page anew, looks every address up, formats again, compares,
  and reports every digit on the page that nobody vouches for.
"""

from alliance.findings.check import check_findings
from alliance.findings.fields import Field, read_fields
from alliance.findings.ledger import Finding, Findings

__all__ = ["Field", "Finding", "Findings", "check_findings", "read_fields"]
