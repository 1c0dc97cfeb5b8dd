"""The file formats that can be read, one line each.

Their names in a site's mapping, what an ending tells and which reader reads them follow from here.
Light, as a mapping is checked with it: a reader is a module of `alliance.ingest.readers`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    reader
        Module of `alliance.ingest.readers`.
    meaning
        What is said of it where a format has to be chosen.
    endings
        Of the names of such files; none where a mapping must name the format.
    is_text
        Whether it is delimited text, with or without the habits of a program.
    """

    reader: str
    meaning: str
    endings: tuple[str, ...] = ()
    is_text: bool = False


FORMATS = {
    "csv": Format("delimited", "any delimited text", (".csv", ".tsv", ".txt"), is_text=True),
    "excel": Format("excel", "a workbook, also .ods", (".xlsx", ".xls", ".xlsm", ".ods")),
    "sav": Format("sav", "SPSS", (".sav", ".zsav", ".por")),
    "stata": Format("stata", ".dta", (".dta",)),
    "sas": Format("sas", ".sas7bdat or .xpt", (".sas7bdat", ".xpt")),
    "parquet": Format("parquet", ".parquet", (".parquet", ".pq")),
    "redcap": Format("redcap", "a CSV export of REDCap", is_text=True),
    "qualtrics": Format(
        "qualtrics", "a CSV export of Qualtrics, with three header rows", is_text=True
    ),
    "limesurvey": Format("limesurvey", "a CSV export of LimeSurvey", is_text=True),
}
FORMAT_BY_ENDING = {ending: name for name, one in FORMATS.items() for ending in one.endings}
DELIMITED = tuple(name for name, one in FORMATS.items() if one.is_text)


def names() -> list[str]:
    """Return the formats' names, as a mapping writes them."""
    return list(FORMATS)


def meanings() -> dict[str, str]:
    """Return what is said of each format."""
    return {name: one.meaning for name, one in FORMATS.items()}
