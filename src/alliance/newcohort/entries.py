"""A sheet's entry in the site mapping: a comment at every guess, a gap at every question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alliance.newcohort.families import families
from alliance.newcohort.forms import Form
from alliance.newcohort.kinds import FEW_CLIENTS, MOST_ARMS, clients_a_text, end_of
from alliance.newcohort.nodes import DECIDE, GUESS, Node, listed, scalar
from alliance.newcohort.profiles import Profile
from alliance.newcohort.stored import stored_nodes
from alliance.newcohort.tables import Table

_FACTS = ("therapist", "end_status", "sessions_planned", "age_years", "gender", "treatment")
_LONGEST_NAME = 32
BY_NAME, BY_TEXTS = "by its name", "by its texts"


def entry(table: Table, told: set[str]) -> list[Node]:
    """Return the table's entry in the site mapping.

    Parameters
    ----------
    table
        The table; its forms have names by now.
    told
        Client facts that an earlier table of the site tells; more are added.
    """
    sheet = table.sheet
    nodes = [Node("file", scalar(sheet.file))]
    for key, value in sheet.source.items():
        why = sheet.why.get(key)
        written = str(value) if isinstance(value, int) else scalar(str(value))
        nodes.append(Node(key, written, comment=GUESS + why if why else ""))
    if not sheet.has_names:
        question = "in which row do the names of the columns stand? No row at the top looks so"
        nodes.append(Node("header_row", comment=DECIDE + question))
        nodes.append(Node("rows", comment=DECIDE + "what is one row: client, session or answer?"))
        nodes.append(Node("client", comment=DECIDE + "which column holds the client's id?"))
        return nodes
    nodes += _dates(table)
    nodes += _missing(table)
    nodes.append(_rows_node(table))
    if table.rows == "client" and table.repeats:
        nodes.append(
            Node("rows_repeat", "true", comment=GUESS + "ids repeat and no session is named")
        )
    nodes.append(_client(table))
    nodes += _site_question(table)
    if table.rows in ("session", "answer"):
        nodes.append(_session(table))
    if table.rows == "answer":
        nodes += [
            Node(role, scalar(column), comment=GUESS + BY_NAME)
            for role in ("form", "item", "answer")
            if (column := table.roles.get(role))
        ]
    facts = _facts(table, told)
    if facts:
        nodes.append(Node("client_facts", below=facts))
    times = _times(table)
    if times:
        nodes.append(Node("session_facts", below=times))
    nodes += _measures(table)
    nodes += _unread(table)
    return nodes


def _dates(table: Table) -> list[Node]:
    """Return the key `dates`: written where all dates can be read in one way, else asked for."""
    texts = [p for p in table.date_columns if p.styles != ("real",)]
    used = [p for p in texts if p.name in _used_dates(table)]
    if not used:
        return []
    common = [s for s in used[0].styles if all(s in p.styles for p in used)]
    names = ", ".join(p.name for p in used[:3])
    if len(common) == 1:
        told = f"the only way in which every date of {names} can be read"
        return (
            []
            if common[0] == "yyyy-mm-dd"
            else [Node("dates", scalar(common[0]), comment=GUESS + told)]
        )
    if not common:
        told = f"how are dates written? The columns {names} cannot be read in one way"
        return [Node("dates", comment=DECIDE + told)]
    ways = " or ".join(_way(style) for style in common)
    return [Node("dates", comment=f"{DECIDE}the dates of {names} can be read as {ways}")]


def _way(style: str) -> str:
    first = {"d": "the day first", "m": "the month first", "y": "the year first"}[style[0]]
    return f"{style} ({first})"


def _used_dates(table: Table) -> set[str]:
    used = {table.roles.get("date"), table.roles.get("intake_date")}
    family = _date_family(table)
    return {name for name in used if name} | (set(family[1]) if family else set())


def _date_family(table: Table) -> tuple[str, list[str]] | None:
    """Return the pattern of date columns named by session, in a table with one row a client."""
    if table.rows != "client":
        return None
    for family in families([p.name for p in table.date_columns]):
        if len(family.items) + len(family.sessions) == len(family.columns):
            return family.pattern.replace("{item}", "{session}"), list(family.columns.values())
    return None


def _missing(table: Table) -> list[Node]:
    columns = {name for form in table.forms for name in form.columns}
    codes = {c for p in table.profiles if p.name in columns for c in p.missing_codes}
    if not codes:
        return []
    told = "far off the other numbers, so they seem to mean “no answer”"
    return [
        Node(
            "missing", listed(int(float(c)) for c in sorted(codes, key=float)), comment=GUESS + told
        )
    ]


def _rows_node(table: Table) -> Node:
    client = table.profile("client")
    counts = f"{len(table.sheet.raw)} rows"
    if client is not None:
        counts += f", {client.n_distinct} different ids"
    why = {
        "client": f"{counts}: each client once",
        "session": f"{counts}: a client stands in several rows",
        "answer": f"{counts}, and columns for item and answer",
    }
    if table.rows == "client" and table.repeats:
        why["client"] = f"{counts}: a log, in which a client may stand in many rows"
    return Node("rows", table.rows, comment=GUESS + why[str(table.rows)])


def _client(table: Table) -> Node:
    column = table.roles.get("client")
    own = table.profile("client")
    many = {p.name for p in table.profiles if own and p.n_distinct >= 0.5 * own.n_distinct}
    rivals = [name for name in table.roles.rivals.get("client", []) if name in many]
    if column is None:
        return Node("client", comment=DECIDE + "which column holds the client's id?")
    told = f"its name says so (others that may be meant: {', '.join(rivals)})" if rivals else ""
    return Node("client", scalar(column), comment=GUESS + (told or BY_NAME))


def _site_question(table: Table) -> list[Node]:
    site = table.profile("site")
    if site is None or site.n_distinct < 2:
        return []
    told = f"are the {site.n_distinct} texts of the column {site.name} sites of one export? Then"
    told += f" write {{column: {scalar(site.name)}, prefix: site-}}, else take the line out"
    return [Node("site", comment=DECIDE + told)]


def _session(table: Table) -> Node:
    """Return the key `session`: a number, an event, an order by date, or a question."""
    profile, date = table.profile("session"), table.roles.get("date")
    if profile is None:
        if table.rows == "session" and date:
            told = "no column names the session, so each client's rows are numbered by date"
            return Node("session", below=[Node("order_by", listed([date]))], comment=GUESS + told)
        return Node("session", comment=DECIDE + "which column holds the session's number?")
    column = scalar(profile.name)
    if profile.is_number and profile.low >= 1:
        return Node("session", column, comment=GUESS + BY_NAME)
    if profile.is_number and profile.texts:
        low = int(profile.low)
        numbers = sorted({int(float(t)) for t in profile.texts if _is_whole(t)})
        codes = "{" + ", ".join(f"{n}: {n - low + 1}" for n in numbers) + "}"
        told = f"sessions count from 1 here, the file counts from {low}"
        below = [Node("column", column), Node("codes", codes)]
        return Node("session", below=below, comment=GUESS + told)
    if not profile.is_number and not profile.texts and (date or table.roles.get("day")):
        moment = date or str(table.roles.get("day"))
        told = f"{profile.name} names sessions in {profile.n_distinct} ways, so each client's rows"
        told += f" are numbered by {moment}. Rows that are no session: see `keep_rows`"
        order = Node("order_by", listed([moment, profile.name]))
        return Node("session", below=[order], comment=GUESS + told)
    if profile.is_number:
        told = f"sessions count from 1 here, the column {profile.name} from {profile.low:g}: which"
        return Node("session", comment=f"{DECIDE}{told} number is which session?")
    return _event(profile)


def _is_whole(text: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]+(\.0+)?", text))


def _event(profile: Profile) -> Node:
    """Return a session that is named by a text: a pattern where the texts have one."""
    below = [Node("column", scalar(profile.name))]
    texts = [*profile.texts]
    found = sorted(families(texts), key=lambda f: -len(f.columns))
    if found:
        pattern = found[0].pattern.replace("{item}", "{session}")
        rest = [text for text in texts if text not in found[0].columns.values()]
        below.append(Node("pattern", scalar(pattern)))
        if rest:
            told = "are these rows about the client and no session? Else take the line out, or name"
            told += " them under ignore"
            below.append(Node("about_client", listed(rest), comment=GUESS + told))
        return Node("session", below=below, comment=GUESS + "the number in its texts")
    question = "which text is which session? Sessions count from 1"
    codes = [Node(text) for text in texts]
    below.append(Node("codes", below=codes, comment=DECIDE + question))
    return Node("session", below=below)


def _facts(table: Table, told: set[str]) -> list[Node]:
    nodes = []
    for role in _FACTS:
        profile = table.profile(role)
        if profile is None or role in told:
            continue
        told.add(role)
        nodes.append(_fact(role, profile, table))
    intake = table.profile("intake_date")
    if intake is not None and table.rows == "client" and "intake_date" not in told:
        told.add("intake_date")
        nodes.append(
            Node("intake_date", scalar(intake.name), comment=GUESS + "weeks count from it")
        )
    return nodes


def _fact(role: str, profile: Profile, table: Table) -> Node:
    column = scalar(profile.name)
    why = GUESS + (BY_TEXTS if role in table.roles.by_content else BY_NAME)
    if role == "age_years":
        return Node(role, below=[Node("column", column), Node("type", "number")], comment=why)
    if role == "end_status":
        return _end_status(profile, why)
    if role in ("gender", "treatment"):
        why += "; its texts as they stand: give `codes` where sites write them differently"
    if role == "therapist":
        why += _few_therapists(profile, table)
    return Node(role, column, comment=why)


def _few_therapists(profile: Profile, table: Table) -> str:
    """Question a few therapists with many clients each: they may be arms or places."""
    client = table.profile("client")
    each = clients_a_text(profile, client.n_distinct) if client else 0.0
    if profile.n_distinct > MOST_ARMS or each < FEW_CLIENTS:
        return ""
    return (
        f". But {profile.n_distinct} texts stand for {each:.0f} clients each: are they people who"
        " treat? If they are arms or places, call the line treatment, or take it out"
    )


def _end_status(profile: Profile, why: str) -> Node:
    """Return how treatments ended, each text with its word: guessed by its letters, else asked."""
    column = Node("column", scalar(profile.name))
    if not profile.texts:
        told = "which text means dropout, completed, transferred or ongoing? If this column is"
        told += " not how treatment ended, take end_status out"
        return Node("end_status", below=[column, Node("codes", comment=DECIDE + told)], comment=why)
    codes = [Node(text, end_of(profile.labels.get(text, text))) for text in profile.texts]
    if any(code.value is None for code in codes):
        comment = DECIDE + "which text means dropout, completed, transferred or ongoing? If this"
        comment += " column is not how treatment ended, take end_status out"
    else:
        comment = GUESS + "by the letters of each text; compare"
    below = [column, Node("codes", below=codes, comment=comment)]
    return Node("end_status", below=below, comment=why)


def _times(table: Table) -> list[Node]:
    """Return when sessions took place."""
    family = _date_family(table)
    if family is not None:
        return [Node("date", scalar(family[0]), comment=GUESS + "dates, one column a session")]
    if table.rows != "session":
        return []
    if date := table.roles.get("date"):
        return [Node("date", scalar(date), comment=GUESS + BY_NAME)]
    if day := table.roles.get("day"):
        return [Node("day", scalar(day), comment=GUESS + "days since intake")]
    session = table.roles.get("session")
    if session and re.search(r"(?i)week|woche|wk", session):
        return [Node("week", scalar(session), comment=GUESS + "weeks since intake, by its name")]
    return []


def _measures(table: Table) -> list[Node]:
    if not table.forms:
        return _loose_measures(table)
    return [Node("measures", below=[_measure(table, form) for form in table.forms])]


def _measure(table: Table, form: Form) -> Node:
    if table.rows == "answer":
        why = GUESS + "its text in the form column"
        own = [] if form.form is None else [Node("form", scalar(form.form), comment=why)]
        below = [*own, *stored_nodes(form)]
        return Node(form.name, below=below) if below else Node(form.name, "{}")
    if form.is_total:
        return Node(form.name, below=[_total(table, form)])
    below = []
    if form.at:
        below.append(_items_by_place(table, form))
    elif form.family is not None:
        below.append(_items(table, form))
    if form.total:
        told = "a total beside the items: sums that differ from it are noted"
        below.append(Node("recorded_total", scalar(form.total), comment=GUESS + told))
    if form.texts:
        question = "which number does the form give to each answer? (A text of one or two cells"
        question += " is not listed; the data page finds it)"
        codes = [Node(text) for text in form.texts]
        below.append(Node("codes", below=codes, comment=DECIDE + question))
    below += stored_nodes(form)
    if len(below) == 1 and below[0].key == "items" and below[0].value:
        return Node(form.name, below[0].value, comment=below[0].comment)
    return Node(form.name, below=below)


def _items_by_place(table: Table, form: Form) -> Node:
    """Return items whose columns are named by wordings: by letter, or by name at one session."""
    told = f"{form.n_items} columns with the same few texts"
    if form.left_out:
        told += f"; {', '.join(form.left_out)} left out: everybody answers alike (a check?)"
    if table.rows == "session":
        return Node("items_at", listed(form.at), comment=GUESS + told)
    told += "; one form a client: the first session's"
    return Node("items", below=[Node("1", listed(form.items))], comment=GUESS + told)


def _total(table: Table, form: Form) -> Node:
    """Return where totals stand: a column, or one for each session."""
    if table.rows == "session":
        return Node("total", scalar(form.columns[0]), comment=GUESS + "a total, without its items")
    by_session = [Node(str(n), scalar(name)) for n, name in enumerate(form.columns, start=1)]
    told = "totals without items, sessions in the order of the file: compare"
    return Node("total", below=by_session, comment=GUESS + told)


def _items(table: Table, form: Form) -> Node:
    assert form.family is not None
    family, pattern = form.family, form.family.pattern
    why = GUESS + f"{form.n_items} columns whose names differ by numbers only"
    if table.rows == "session" or family.sessions:
        return Node("items", scalar(pattern), comment=why)
    told = "one form a client: the first session's"
    return Node("items", below=[Node("1", scalar(pattern))], comment=GUESS + told)


def _loose_measures(table: Table) -> list[Node]:
    """Ask what many numbers are whose columns fit no pattern."""
    if len(table.loose) < 4:
        return []
    question = (
        f"{len(table.loose)} columns of numbers fit no pattern. If they hold one total a session,"
        " sort them by hand as below and give the measure `items: none` in the config"
        " (docs/new-cohort.md, “Names that follow no rule”); if they are no answers, take"
        " `measures` out"
    )
    sketch = ["  <measure>:", "    total:"]
    sketch += [f"      {i}: {scalar(name)}" for i, name in enumerate(table.loose, start=1)]
    return [Node("measures", comment=f"{DECIDE}{question}"), Node("", comment="\n".join(sketch))]


def _unread(table: Table) -> list[Node]:
    """Name every column that nothing reads."""
    named = ("client", "session", "site", "form", "item", "answer", "date", "day", "intake_date")
    used = {column for role in (*named, *_FACTS) if (column := table.roles.get(role))}
    used |= {name for form in table.forms for name in (*form.columns, form.total or "")}
    used |= _used_dates(table)
    if not table.forms and _loose_measures(table):
        used |= set(table.loose)  # asked about
    rest = [p.name for p in table.profiles if p.name not in used]
    if not rest:
        return []
    told = "Not read, since nothing here names them"
    return [Node("", comment=f"{told}: {', '.join(map(_short, rest))}")]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def times_known(tables: Mapping[str, Sequence[Table]]) -> bool:
    """Whether each site tells when its sessions took place."""
    return all(any(_times(table) for table in of_site) for of_site in tables.values())
