"""Every processed table and its columns: meaning, unit, key, and the rule that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alliance.config.instruments import Instrument
from alliance.config.site_mapping import END_STATUS


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes
    ----------
    name
        Its name.
    description
        What it holds.
    unit
        What it is counted in; empty for names and words.
    required
        Whether every row has it.
    values
        The words that may stand there, if they are few.
    minimum, maximum
        Range of a number, if there is one.
    """

    name: str
    description: str
    unit: str = ""
    required: bool = True
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table.

    Attributes
    ----------
    name
        File name without ending.
    title, description
        What it is, in a few words and in a sentence or two.
    rule
        The rule of the workflow that makes it.
    key
        Columns that tell rows apart; empty where rows may be alike.
    refers_to
        Another table that each row belongs to, with the columns that say so.
    columns
        The columns that every cohort has.
    """

    name: str
    title: str
    description: str
    rule: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    refers_to: tuple[str, tuple[str, ...]] | None = None


_SITE = Column("site", "Short name of the site (clinic or lab).")
_CLIENT = Column("client", "Pseudonym of the client; unique over all sites.")
_SESSION = Column("session", "Number of the session in the client's course.", "count", minimum=1)
_THERAPIST = Column(
    "therapist", "Pseudonym of the therapist; unique over all sites.", required=False
)
_END = Column("end_status", "How treatment ended.", required=False, values=END_STATUS)
_PLANNED = Column("sessions_planned", "Sessions agreed at the start.", "count", required=False)
_WEEKS = Column(
    "weeks_since_intake",
    "Time since the client's first dated session, or the declared intake date; below 0 before it.",
    "weeks",
    required=False,
)
_MEASURE = Column("measure", "Name of the measure, as in the cohort's config.")
_SUBSCALE = Column("subscale", "Name of the score in the scoring key; “total” is the whole form.")
_PLACE = (
    Column("file", "Raw file, by its name in the site's folder."),
    Column("sheet", "Sheet of a workbook.", required=False),
)
_PROBLEM = (
    _SITE,
    *_PLACE,
    Column("row", "Row as a spreadsheet shows it (a CSV file's header is row 1).", "count", False),
    Column("column", "Column as in the file, or its letter such as (D).", required=False),
    Column("rule", "Short fixed name of the rule that is broken."),
    Column("expected", "What was expected there, in words."),
    Column("remedy", "What to do about it."),
    Column("action", "What the intake did.",
           values=("stopped", "row set aside", "cell set aside", "noted")),
    Column("table", "Canonical table concerned.", values=("clients", "sessions", "responses")),
    Column("rows_affected", "How many rows the problem concerns.", "count", minimum=0),
)  # fmt: skip

TABLES: tuple[TableDescription, ...] = (
    TableDescription(
        "clients",
        "Clients",
        "One row a client: what is known once, under the names that the site mappings give.",
        "pool_sites",
        ("site", "client"),
        (_SITE, _CLIENT, _THERAPIST, _END, _PLANNED),
    ),
    TableDescription(
        "sessions",
        "Sessions",
        "One row a session of a client, attended or not. No dates: time counts from intake.",
        "pool_sites",
        ("site", "client", "session"),
        (_SITE, _CLIENT, _SESSION, _WEEKS, Column("attended", "Whether the session took place.")),
        ("clients", ("site", "client")),
    ),
    TableDescription(
        "responses",
        "Answers",
        "One row an answer to one item: only valid answers; an unanswered item has no row.",
        "pool_sites",
        ("site", "client", "session", "measure", "item"),
        (
            _SITE,
            _CLIENT,
            _SESSION,
            _MEASURE,
            Column("item", "Number of the item on the form.", "count", minimum=1),
            Column("value", "The answer as given: reversed items are not yet reversed.", "points"),
        ),
        ("sessions", ("site", "client", "session")),
    ),
    TableDescription(
        "scores",
        "Scores",
        "One row a client, session, measure and subscale, with how many items it rests on.",
        "score_measures",
        ("site", "client", "session", "measure", "subscale"),
        (
            _SITE,
            _CLIENT,
            _SESSION,
            _MEASURE,
            _SUBSCALE,
            Column("score", "The score; missing where too few items are answered.", "points",
                   False),
            Column("n_items", "Items that belong to the score.", "count", minimum=0),
            Column("n_valid", "Items with a valid answer.", "count", minimum=0),
            Column("prorated", "Whether unanswered items were filled in by the key's rule."),
            Column("refused", "Whether too few items were answered for a score."),
        ),
        ("sessions", ("site", "client", "session")),
    ),
    TableDescription(
        "scoring_ledger",
        "Account of the scoring",
        "How many forms were complete, prorated or refused: forms = complete + prorated + refused.",
        "score_measures",
        ("site", "measure", "subscale"),
        (
            _SITE,
            _MEASURE,
            _SUBSCALE,
            Column("forms", "Forms with any valid answer.", "count", minimum=0),
            Column("complete", "Forms with all items of the score.", "count", minimum=0),
            Column("prorated", "Forms with some items filled in.", "count", minimum=0),
            Column("refused", "Forms with too few items.", "count", minimum=0),
        ),
    ),
    TableDescription(
        "events",
        "Sudden gains and losses, ruptures and repairs",
        "One row an event in the course of a measure, by one rule, with when it is known.",
        "find_events",
        ("site", "client", "session", "measure", "kind", "rule"),
        (
            _SITE,
            _CLIENT,
            Column("session", "First session after a sudden change; of onset; of repair.",
                   "session number", minimum=1),
            _MEASURE,
            Column("kind", "What happened.", values=("gain", "loss", "rupture", "repair")),
            Column("rule", "By which rule it was found."),
            Column("points", "Size of the change, depth of the rupture, or what was regained.",
                   "points", minimum=0),
            Column("units", "The same in the rule's unit.", "units of the rule", minimum=0),
            Column("outcome", "Whether a change was kept, a rupture repaired.",
                   values=("kept", "reversed", "repaired", "unrepaired", "course ended")),
            Column("end_session", "Session of repair, or by which it should have come; missing "
                   "for sudden changes, repairs, and where the course ended before.",
                   "session number", False, minimum=1),
            Column("speed", "Points regained a session from the lowest score to repair.",
                   "points per session", False),
            Column("known_session", "Session by which the event is certain; missing where only "
                   "the whole course tells.", "session number", False, minimum=1),
        ),
        ("clients", ("site", "client")),
    ),
    TableDescription(
        "panel",
        "The analysis table",
        "One row an attended session of a client: scores, their parts within and between clients, "
        "lags, and ends of treatment. Every model reads this table.",
        "build_panel",
        ("site", "client", "session"),
        (
            _SITE,
            _CLIENT,
            _SESSION,
            _WEEKS,
            _THERAPIST,
            _END,
            _PLANNED,
            Column("log_weeks", "log(1 + weeks since intake); below 0 weeks counts as 0.",
                   "log weeks", False, minimum=0),
            Column("last_session", "Whether this is the client's last attended session."),
            Column("dropout_event", "1: the client dropped out after this session; 0: went on; "
                   "missing: left for another reason, at risk no more.", "0 or 1", False,
                   minimum=0, maximum=1),
            Column("end_cause", "How treatment ended by the definition of dropout in use: dropout, "
                   "completed, transferred, ongoing, other (ended, but not by dropout as defined); "
                   "missing: not known."),
            Column("dropout_by_discharge_status", "Whether the client dropped out by discharge "
                   "status; missing: not known or still in treatment. A column of this form stands "
                   "for each further definition in the configuration.", "0 or 1", False,
                   minimum=0, maximum=1),
        ),
        ("clients", ("site", "client")),
    ),
    TableDescription(
        "quarantine",
        "Problems of the files",
        "One row a problem that the intake found: its place, never a client's value.",
        "pool_sites",
        (),
        _PROBLEM,
    ),
    TableDescription(
        "implausible",
        "Possible, but not likely",
        "One row a pattern that is possible but not likely, with the evidence under “expected”.",
        "check_plausibility",
        (),
        _PROBLEM,
    ),
    TableDescription(
        "ledger",
        "Account of the intake",
        "What was read and what became of it: read = kept + all other reasons, in every account.",
        "pool_sites",
        ("site", "file", "sheet", "table", "unit", "reason"),
        (
            _SITE,
            *_PLACE,
            Column("table", "Canonical table.", values=("clients", "sessions", "responses")),
            Column("unit", "What is counted.", values=("rows", "answers")),
            Column("reason", "read, kept, blank, not-selected, or a rule's name."),
            Column("count", "How many.", "count", minimum=0),
        ),
    ),
)  # fmt: skip

# Parts of a score in the panel: suffix, meaning, and whether it looks at later sessions.
PARTS: tuple[tuple[str, str], ...] = (
    ("client_mean", "mean over all the client's sessions (looks ahead)"),
    ("within", "this session's score minus the client's mean (looks ahead)"),
    ("between", "the client's mean minus the mean of clients' means (looks ahead)"),
    ("known", "the last known score: of this session, or of the last before it with the form"),
    ("running_mean", "mean of the client's scores before the last known one; at the first, itself"),
    ("running_between", "that running mean minus the mean of all scores"),
    ("running_within", "the last known score minus that running mean"),
    ("previous", "the score at the session before; missing if that session or form is missing"),
    ("next", "the score at the session after (looks ahead); missing if that is missing"),
)

# Events of a measure in the panel, where the config asks for them; none looks ahead.
EVENT_PARTS: tuple[tuple[str, str], ...] = (
    ("gain", "1 where a sudden gain becomes known at this session"),
    ("loss", "1 where a sudden loss becomes known at this session"),
    ("gain_so_far", "1 once there has been a sudden gain"),
    ("loss_so_far", "1 once there has been a sudden loss"),
    ("rupture", "1 where a rupture begins at this session; missing if the form is missing"),
    ("repair", "1 where a rupture is repaired at this session; missing if the form is missing"),
    ("in_rupture", "1 from the onset of a rupture until repair, or until the rule's time is over"),
    ("rupture_so_far", "1 once there has been a rupture"),
)


BY_DEFINITION = "dropout_by_"


def score_columns(measures: Mapping[str, str], keys: Mapping[str, Instrument]) -> Iterator[Column]:
    """Yield the panel's columns of every measure: scores, and their centred parts and lags.

    Parameters
    ----------
    measures
        Labels by name.
    keys
        Scoring key by name.
    """
    for name, label in measures.items():
        for score in keys[name].scores or ():
            column = name if score.name == "total" else f"{name}_{score.name}"
            part = "" if score.name == "total" else f", subscale {score.name}"
            limits = keys[name].definition["scores"][score.name].get("range", (None, None))
            words = f"{label} ({keys[name].abbreviation}){part}"
            yield Column(column, f"{words}: the score.", "points", False, (), limits[0], limits[1])
            for suffix, meaning in PARTS:
                yield Column(f"{column}_{suffix}", f"{words}: {meaning}.", "points", False)
        for suffix, meaning in EVENT_PARTS:
            told = f"{label}: {meaning}."
            yield Column(f"{name}_{suffix}", told, "0 or 1", False, minimum=0, maximum=1)
        if all(score.name != "total" for score in keys[name].scores):
            yield Column(name, f"{label}: no total, the key has subscales only.", "points", False)
            for suffix, _ in PARTS:
                yield Column(f"{name}_{suffix}", f"{label}: no total.", "points", False)


def described(
    table: TableDescription, names: Sequence[str], further: Sequence[Column]
) -> dict[str, Column | None]:
    """Return the description of each column that is there; None for one that nobody described.

    Each definition of dropout in the configuration has a column of its own in the panel.
    """
    known = {column.name: column for column in (*further, *table.columns)}
    by_status = known.get(f"{BY_DEFINITION}discharge_status")
    if by_status is not None:
        known |= {
            name: replace(by_status, name=name)
            for name in names
            if name.startswith(BY_DEFINITION) and name not in known
        }
    return {name: known.get(name) for name in names}
