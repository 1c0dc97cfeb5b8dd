"""Tables in the form in which a paper prints them (APA 7, sections 7.8 to 7.21).

Each has a number and a title in italics, headings over groups of columns, no vertical rules, and
below it notes: general, specific, of probability. `apa_tables` gives their order in the manuscript.
"""

from alliance.families import registry

_GENERAL = ("apa_sample", "apa_reliability", "apa_correlations")


def apa_tables() -> list[str]:
    """Return the names of the tables of a paper, in their order."""
    return [*_GENERAL, *registry.named("apa_tables")]
