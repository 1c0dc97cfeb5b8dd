"""Tables in the form in which a paper prints them (APA 7, sections 7.8 to 7.21).

Each has a number and a title in italics, headings over groups of columns, no vertical rules, and
below it notes: general, specific, of probability. `APA_TABLES` is their order in the manuscript.
"""

APA_TABLES = (
    "apa_sample",
    "apa_reliability",
    "apa_correlations",
    "apa_growth",
    "apa_coupling",
    "apa_dropout",
    "apa_sites",
)
