"""The few exceptions that a user can meet.

Each message is written for a reader who is no programmer: what is wrong, where, and what to do.
None may contain a client's value (an answer, a name, a date, an id of the clinic's own).
"""


class AllianceError(Exception):
    """Base of every error whose message is meant for the user and printed without a traceback."""


class ConfigError(AllianceError):
    """A configuration file is wrong; names file, line and key path, and the nearest valid key."""


class DataError(AllianceError):
    """Data cannot be used as they are; lists every problem with file, row, column and remedy."""


class FitError(AllianceError):
    """A model cannot be fitted to these data; names the cause in terms of columns and groups."""


class ReportError(AllianceError):
    """A page or table says something that the files do not; lists the differences."""
