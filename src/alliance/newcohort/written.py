"""The two kinds of configuration files, with a comment at every guess and every question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alliance.config.measure_keys import NO_ITEMS
from alliance.config.score_columns import TOTAL
from alliance.newcohort.entries import entry, times_known
from alliance.newcohort.forms import Form, range_words
from alliance.newcohort.nodes import DECIDE, GUESS, Node, lines, listed, scalar
from alliance.newcohort.scales import MOST_TOLD
from alliance.newcohort.tables import Table

SYMPTOMS = "symptoms"
GENERAL = ("gsi",)  # scores over all items of keys that do not call them a total
MOST_SCORES = 3
NO_MEASURE = (
    "No questionnaire was found in any file, so that this cohort has no measure. If some columns"
    " hold answers or totals, name them here and in the site's mapping (docs/new-cohort.md); else"
    " the report tells of sessions and ends of treatment only."
)
PRIMARY = (
    "Name your hypotheses before you look at results: these effects are primary, all others are"
    " called exploratory and have no stars (docs/many-tests.md). As an example:\n"
)

_HEAD = """\
# yaml-language-server: $schema={schema}
# {what}
# Written by `make new-cohort` from the files in {place}: a first guess, to be read line by line.
#   # GUESS    what looked likely, and why: compare it with what you know
#   # DECIDE   a question that only you can answer; a key without a value stops every run until
#              it is filled in
# Every key is explained in config/README.md; docs/new-cohort.md leads through an example.
"""


def cohort_text(cohort: str, tables: Mapping[str, Sequence[Table]]) -> str:
    """Return `config/<cohort>.yaml`, and give the forms their names on the way."""
    forms = _named([table.forms for of_site in tables.values() for table in of_site])
    every = [table for of_site in tables.values() for table in of_site]
    nodes = [
        Node("cohort", scalar(cohort)),
        Node("title", scalar(cohort), comment=GUESS + "the heading of the report, for people"),
        Node("sites", listed(tables)),
    ]
    if not forms:
        nodes.append(Node("", comment=NO_MEASURE))
    if forms:
        nodes.append(
            Node("measures", below=[_measure(name, form, forms) for name, form in forms.items()])
        )
    nodes += _models(forms, every, "log_weeks" if times_known(tables) else "session")
    head = _HEAD.format(
        schema="../workflow/schemas/config.schema.yaml",
        what=f"Cohort {cohort}.",
        place=f"data/raw/{cohort}/",
    )
    return head + "\n".join(lines(nodes)) + "\n"


def site_text(site: str, tables: Sequence[Table], unread: Sequence[tuple[str, str]]) -> str:
    """Return `config/sites/<cohort>/<site>.yaml`."""
    head = _HEAD.format(
        schema="../../../workflow/schemas/site.schema.yaml",
        what=f"Site {site}: where its answers stand.",
        place=f"its folder {site}/",
    )
    top = list(lines([Node("site", scalar(site)), Node("title", scalar(site))]))
    top += lines([Node("", comment=f"Could not be read: {file} ({why})") for file, why in unread])
    if not tables:
        return head + "\n".join([*top, "tables:  # DECIDE: no file could be read"]) + "\n"
    told: set[str] = set()
    blocks = ["\n".join(lines(entry(table, told), indent=2, first="- ")) for table in tables]
    return head + "\n".join(top) + "\ntables:\n" + "\n\n".join(blocks) + "\n"


def _named(tables: Sequence[Sequence[Form]]) -> dict[str, Form]:
    """Name the forms: those of one scoring key, or of one stem, get one name over all sites."""
    found: dict[str, Form] = {}
    _name_symptoms([form for forms in tables for form in forms])
    for forms in tables:
        here: set[str] = set()
        for form in forms:
            name = _own_name(form, found)
            if name in here:
                name = _word(form.columns[0] if form.columns else f"{name}_{len(here) + 1}")
            form.name = name
            here.add(form.name)
            found.setdefault(form.name, form)
    return found


def _own_name(form: Form, found: Mapping[str, Form]) -> str:
    """Return a name that no other questionnaire has."""
    name, key = form.name or _name(form), form.key
    other = found.get(name)
    if other is None or _alike(other, form):
        return name
    return _word(key.instrument.id if key else f"{name}_{form.n_items}")


def _alike(one: Form, other: Form) -> bool:
    keys = [form.key.instrument.id if form.key else None for form in (one, other)]
    return keys[0] == keys[1] and one.n_items == other.n_items


def _name_symptoms(forms: Sequence[Form]) -> None:
    """Call the one questionnaire of symptoms `symptoms`; several keep their instruments' names."""
    keys = [form.key.instrument for form in forms if form.key]
    symptoms = {key.id for key in keys if key.construct == SYMPTOMS}
    for form in forms:
        if form.key and form.key.instrument.id in symptoms:
            word = _word(form.key.instrument.id)
            form.name = SYMPTOMS if len(symptoms) == 1 else f"{SYMPTOMS}_{word}"


def _name(form: Form) -> str:
    if form.key is None:
        return _word(form.stem) if form.stem != "form" else f"form_{form.n_items}"
    instrument = form.key.instrument
    if instrument.construct == "alliance":
        return "alliance" if instrument.rater == "client" else f"alliance_{instrument.rater}"
    return _word(instrument.id)


def _word(text: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:36]
    return word if re.match(r"[a-z]", word) else f"form_{word}".rstrip("_")


def _measure(name: str, form: Form, forms: Mapping[str, Form]) -> Node:
    seen, key = range_words(form), form.key
    others = [c for c in form.listed if c is not key][:MOST_TOLD]
    told = [f"{c.instrument.id} ({c.reason})" for c in others]
    totals = [Node("items", NO_ITEMS, comment=GUESS + "totals only")] if form.is_total else []
    if key is None:
        question = f"which questionnaire is this? Seen: {seen}."
        if form.is_total:
            question += " If these columns are no totals of a questionnaire, take the entry out"
            question += " here and in the site's mapping."
        if told:
            question += f" It may be {'; '.join(told)}"
        else:
            question += " No key of the project fits; docs/new-cohort.md says how to add one"
        alike = [n for n, f in forms.items() if f.n_items == form.n_items > 1 and n != name]
        if alike:
            question += f". If it is the questionnaire that is called {' or '.join(alike)} here,"
            question += " take this entry out and use that name in the site's mapping, too"
        return Node(name, below=[Node("instrument", comment=DECIDE + question), *totals])
    why = f"{key.reason}; seen: {seen}"
    if told:
        why += f". Less likely: {'; '.join(told)}"
    below = [Node("instrument", scalar(key.instrument.id), comment=GUESS + why)]
    label = key.instrument.abbreviation
    label += " (therapist)" if key.instrument.rater == "therapist" else ""
    below += [Node("label", scalar(label)), *totals]
    if key.instrument.status == "check":
        question = "this key is known from the literature only. Compare config/instruments/"
        question += f"{key.instrument.id}.yaml with your form; then write\n"
        below.append(Node("", comment=f"{DECIDE}{question}accept_unverified_key: true"))
    return Node(name, below=below)


def _models(forms: Mapping[str, Form], tables: Sequence[Table], time: str) -> list[Node]:
    """Return models to begin with: how each measure develops, and what goes with what."""
    columns = {name: _columns_of(name, form) for name, form in forms.items()}
    by_treatment = ""
    if any(table.roles.get("treatment") for table in tables):
        by_treatment = f'to compare treatments: fixed: ["{time}*treatment"]'
    models = [
        Node(
            f"{column}_growth",
            f"{{family: growth, outcome: {column}, time: {time}}}",
            comment=by_treatment,
        )
        for own in columns.values()
        for column in own
    ]
    alliance = next((columns[n][0] for n in forms if n == "alliance"), None)
    symptoms = next((columns[n][0] for n in forms if n.startswith(SYMPTOMS)), None)
    if alliance and symptoms:
        both = f"outcomes: [{alliance}, {symptoms}], times: [{time}, {time}]"
        models.append(Node(f"alliance_and_{symptoms}", f"{{family: joint_courses, {both}}}"))
        pair = f"predictor: {alliance}, outcome: {symptoms}, time: {time}"
        models.append(Node(f"alliance_to_{symptoms}", f"{{family: coupling, {pair}}}"))
    if any(table.roles.get("end_status") for table in tables):
        predictors = listed([n for n in (alliance, symptoms) if n])
        models.append(Node("leaving", f"{{family: hazard, predictors: {predictors}}}"))
    if not models:
        return []
    nodes = [
        Node("models", below=models, comment=GUESS + "analyses to begin with; add or take out")
    ]
    if alliance and symptoms:
        example = f"  primary: {{alliance_and_{symptoms}: [{alliance} -> {symptoms}]}}"
        nodes.append(Node("", comment=f"{PRIMARY}{example}"))
    return nodes


def _columns_of(name: str, form: Form) -> list[str]:
    """Return the scores to look at: the total, or where the key has none its first scores."""
    scores = [score.name for score in form.key.instrument.scores] if form.key else [TOTAL]
    if TOTAL in scores or form.is_total:
        return [name]
    chosen = [score for score in scores if score in GENERAL] or scores[:MOST_SCORES]
    return [f"{name}_{score}" for score in chosen]
