"""Small cohorts as labs send them, and faults that leave every single cell plausible.

A `Lab` is one to four sites of a simulated cohort, each an export with one row a session; `sound`
draws one, and each function of `FAULTS` spoils one as labs do. `problems_of` reads the exports as
the project does and returns the rules that were broken.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from alliance.config.cohort import PROJECT
from alliance.config.instruments import Instrument, load_instrument
from alliance.config.site_mapping import completed_mapping
from alliance.ingest.plausible import implausible_in
from alliance.ingest.pseudonyms import SIMULATED_KEY
from alliance.ingest.site import read_site
from alliance.simulate import Parameters, simulate_courses
from alliance.simulate.items import WAI_S_T, Form, draw_items

SITES = ("north", "east", "south", "west")
LETTER = {"alliance": "w", "symptoms": "p", "alliance_therapist": "t"}
MEASURES = {"alliance": "wai-sr-c", "symptoms": "phq-9", "alliance_therapist": "wai-s-t"}
ITEMS = {"alliance": 12, "symptoms": 9, "alliance_therapist": 12}
_KEYS: dict[str, Instrument] = {}


def key_of(instrument: str) -> Instrument:
    """Return a scoring key of the project's own, or of tests/plausibility/keys."""
    if instrument not in _KEYS:
        folders = (PROJECT / "config" / "instruments", Path(__file__).parent / "keys")
        path = next(
            f / f"{instrument}.yaml" for f in folders if (f / f"{instrument}.yaml").exists()
        )
        _KEYS[instrument] = load_instrument(path)
    return _KEYS[instrument]


@dataclass
class Lab:
    """A cohort's exports (all cells text, "" for an empty one), mappings and instruments."""

    sites: dict[str, pd.DataFrame]
    tables: dict[str, dict]
    measures: dict[str, str] = field(default_factory=lambda: dict(MEASURES))

    def columns(self, measure: str) -> list[str]:
        """Return the item columns of a measure, in the order of the form."""
        return [f"{LETTER[measure]}{i}" for i in range(1, ITEMS[measure] + 1)]

    def a_site(self, rng: np.random.Generator) -> str:
        """Return one of the sites."""
        return str(rng.choice(list(self.sites)))


def sound(rng: np.random.Generator, n_sites: int, client_form: Form | None = None) -> Lab:
    """Return a lab without fault, of a size that labs have.

    `client_form` draws the client's alliance on another form than the WAI-SR (with its key).
    """
    parameters = Parameters(
        sites=SITES[:n_sites],
        alliance_site=tuple(rng.normal(0, 1.0, n_sites)),
        symptoms_site=tuple(rng.normal(0, 1.0, n_sites)),
        therapists_per_site=(2, 6),
        clients_per_therapist=(8, 12),
        most_sessions=int(rng.choice([8, 12, 16])),
        planned_sessions=(8, 12, 16),
        missing_items=float(rng.choice([0.0, 0.01, 0.03])),
        missing_forms=float(rng.choice([0.0, 0.05, 0.1])),
    )
    cohort = simulate_courses(parameters, int(rng.integers(2**31)))
    responses = cohort.responses
    measures = dict(MEASURES)
    if client_form is not None:
        responses = _redrawn(cohort, client_form, rng)
        measures["alliance"] = client_form.instrument
    wide = responses.assign(
        column=responses["measure"].map(LETTER) + responses["item"].astype(str)
    ).pivot(index=["site", "client", "session"], columns="column", values="value")
    columns = [f"{LETTER[m]}{i}" for m in ITEMS for i in range(1, ITEMS[m] + 1)]
    wide = wide.reindex(columns=columns).astype("Int64").astype("string").fillna("")
    calendar = cohort.calendar.merge(cohort.sessions, on=["site", "client", "session"])
    facts = cohort.clients[["site", "client", "therapist", "age_years"]]
    frame = calendar.merge(facts, on=["site", "client"]).join(
        wide, on=["site", "client", "session"]
    )
    frame[columns] = frame[columns].fillna("")
    table = pd.DataFrame(
        {
            "id": frame["client"],
            "therapist": frame["therapist"],
            "age": frame["age_years"].round().astype(int).astype(str),
            "nr": frame["session"].astype(str),
            "date": pd.to_datetime(frame["date"]).dt.strftime("%d.%m.%Y"),
            "week": frame["weeks_since_intake"].map("{:g}".format),
            **{column: frame[column] for column in columns},
        }
    ).astype(object)
    exports = {
        site: table[(frame["site"] == site).to_numpy()].reset_index(drop=True)
        for site in parameters.sites
    }
    mapping = {
        "file": "sessions.csv",
        "rows": "session",
        "client": "id",
        "session": "nr",
        "dates": "dd.mm.yyyy",
        "client_facts": {
            "therapist": "therapist",
            "age_years": {"column": "age", "type": "number"},
        },
        "session_facts": {"date": "date"},
        "measures": {
            m: {"items": [f"{LETTER[m]}{i}" for i in range(1, ITEMS[m] + 1)]} for m in ITEMS
        },
    }
    return Lab(exports, {site: copy.deepcopy(mapping) for site in exports}, measures)


def _redrawn(cohort, form: Form, rng: np.random.Generator) -> pd.DataFrame:
    """Return the responses with the client's alliance drawn anew on another form."""
    wide = cohort.courses
    per_point = (form.maximum - form.minimum) / 4
    totals = np.rint(form.n_items * form.minimum + per_point * (wide["alliance"] - 12)).astype(int)
    person = pd.factorize(wide["site"] + wide["client"])[0]
    raw = draw_items(form, totals.to_numpy(), person, cohort.parameters, rng)
    long = pd.DataFrame(raw, columns=range(1, form.n_items + 1)).stack()
    at = long.index.get_level_values(0)
    drawn = wide[["site", "client", "session"]].iloc[at].reset_index(drop=True)
    drawn["measure"], drawn["item"] = "alliance", long.index.get_level_values(1).to_numpy()
    drawn["value"] = long.to_numpy(dtype=float)
    kept = cohort.responses[cohort.responses["measure"] != "alliance"]
    return pd.concat([kept, drawn], ignore_index=True)


WAI_S = Form(
    instrument="wai-s-c",
    measure="alliance",
    minimum=1,
    maximum=7,
    subscales=WAI_S_T.subscales,
    reverse=WAI_S_T.reverse,
    easiness=(0.3, 0.1, -0.3, 0.2, -0.1, 0.2, -0.2, 0.3, -0.3, 0.2, 0.1, -0.2),
)


def problems_of(lab: Lab, folder: Path) -> pd.DataFrame:
    """Return the problems of a lab's exports, read and pooled as the project does."""
    parts: dict[str, list[pd.DataFrame]] = {}
    keys = {measure: key_of(instrument) for measure, instrument in lab.measures.items()}
    for site, frame in lab.sites.items():
        raw = folder / site
        raw.mkdir(parents=True, exist_ok=True)
        lines = [",".join(frame.columns), *map(",".join, frame.to_numpy(dtype=object).tolist())]
        (raw / "sessions.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        mapping = completed_mapping({"site": site, "tables": [lab.tables[site]]})
        tables, _ = read_site(
            site=site, mapping=mapping, raw_folder=raw, keys=keys, key=SIMULATED_KEY
        )
        for name in ("sessions", "responses", "quarantine", "places"):
            parts.setdefault(name, []).append(getattr(tables, name))
    tables = {name: pd.concat(listed, ignore_index=True) for name, listed in parts.items()}
    known = {name: key_of(name) for name in ("wai-sr-c", "wai-s-c", "wai-s-t", "phq-9", "stts-r")}
    found = implausible_in(tables, tables["places"], keys, known)
    return pd.concat([t for t in (tables["quarantine"], found) if len(t)] or [found])


# --------------------------------------------------------------------------------------------------
# Faults. Each function spoils a lab in place and returns nothing; `Fault` says at how many sites it
# can be seen at all, and by which rules.


@dataclass(frozen=True)
class Fault:
    """A kind of fault: how it is made, the rules that name it rightly, the fewest sites for it."""

    make: Callable[[Lab, np.random.Generator], None]
    rules: frozenset[str]
    least_sites: int = 1
    client_form: Form | None = None


FAULTS: dict[str, Fault] = {}


def fault(*rules: str, least_sites: int = 1, client_form: Form | None = None):
    """Register a kind of fault under its function's name."""

    def register(make):
        name = make.__name__
        FAULTS[name] = Fault(make, frozenset(rules), least_sites, client_form)
        return make

    return register


def turned(cells: pd.Series, lowest: int, highest: int) -> pd.Series:
    """Return answers the other way round, empty cells empty."""
    return cells.map(lambda cell: cell and str(lowest + highest - int(cell)))


def scale_of(lab: Lab, measure: str) -> tuple[int, int]:
    """Return the lowest and highest answer of a measure."""
    key = key_of(lab.measures[measure])
    return int(key.minimum), int(key.maximum)


@fault("item-turned-round")
def item_coded_backwards(lab, rng):
    """One or two items, entered the other way round (or reversed before the export)."""
    frame = lab.sites[lab.a_site(rng)]
    measure = str(rng.choice(["alliance", "symptoms"]))
    for column in rng.choice(lab.columns(measure), int(rng.integers(1, 3)), replace=False):
        frame[column] = turned(frame[column], *scale_of(lab, measure))


@fault("item-turned-round", client_form=WAI_S)
def negative_items_reversed_before_export(lab, rng):
    """The site has already reversed the items that the key reverses."""
    frame = lab.sites[lab.a_site(rng)]
    for column in ("w4", "w10"):
        frame[column] = turned(frame[column], 1, 7)


@fault("scale-turned-round", least_sites=2)
def whole_form_backwards(lab, rng):
    """1 stands for the best answer at one site and for the worst at the others."""
    frame = lab.sites[lab.a_site(rng)]
    for column in lab.columns("alliance"):
        frame[column] = turned(frame[column], *scale_of(lab, "alliance"))


@fault("scale-turned-round")
def alliance_backwards_at_the_only_site(lab, rng):
    """As above, and nothing to compare with but what alliances are like."""
    for frame in lab.sites.values():
        for column in lab.columns("alliance"):
            frame[column] = turned(frame[column], *scale_of(lab, "alliance"))


@fault("scale-shifted", "scale-end-unused", "column-unreadable")
def counted_from_another_number(lab, rng):
    """1-5 entered as 0-4, 1-7 as 0-6, 0-3 as 1-4."""
    frame = lab.sites[lab.a_site(rng)]
    measure = str(rng.choice(["alliance", "symptoms"]))
    step = -1 if measure == "alliance" else 1
    for column in lab.columns(measure):
        frame[column] = frame[column].map(lambda cell: cell and str(int(cell) + step))


@fault("scale-shifted", "scale-end-unused", client_form=WAI_S)
def seven_steps_counted_from_zero(lab, rng):
    """A 1-7 form entered as 0-6: hardly anything is out of range."""
    frame = lab.sites[lab.a_site(rng)]
    for column in lab.columns("alliance"):
        frame[column] = frame[column].map(lambda cell: cell and str(int(cell) - 1))


@fault("items-exchanged", "item-turned-round", "key-of-another-form", least_sites=2)
def two_columns_exchanged(lab, rng):
    """Two items of different subscales have changed places."""
    frame = lab.sites[lab.a_site(rng)]
    groups = [[4, 6, 8, 11], [1, 2, 10, 12], [3, 5, 7, 9]]
    a, b = rng.choice(3, 2, replace=False)
    one, other = (f"w{rng.choice(groups[g])}" for g in (a, b))
    frame[[one, other]] = frame[[other, one]].to_numpy()


@fault("items-exchanged", "items-in-other-order", least_sites=2)
def columns_in_alphabetical_order(lab, rng):
    """w1, w10, w11, w12, w2 ... read as items 1, 2, 3, 4, 5."""
    site = lab.a_site(rng)
    lab.tables[site]["measures"]["alliance"] = {"items": sorted(lab.columns("alliance"))}


@fault("items-exchanged", "items-in-other-order", least_sites=2)
def columns_moved_by_one(lab, rng):
    """Every item read from the column beside its own; the last one from the first."""
    site = lab.a_site(rng)
    columns = lab.columns("alliance")
    lab.tables[site]["measures"]["alliance"] = {"items": [*columns[1:], columns[0]]}


@fault("key-of-another-form", "item-turned-round")
def key_of_the_wai_s_for_the_wai_sr(lab, rng):
    """The config names the WAI-S; the forms are the WAI-SR."""
    lab.measures["alliance"] = "wai-s-c"


@fault("key-differs")
def goal_and_task_exchanged_in_the_key(lab, rng):
    """A key of one's own in which goal and task have changed names."""
    lab.measures["alliance"] = "wai-sr-goal-task"


@fault("key-differs")
def key_of_a_published_script(lab, rng):
    """The key of a published script, with items of goal, task and bond mixed up."""
    lab.measures["alliance"] = "wai-sr-published"


@fault("scale-of-another-length", "column-unreadable")
def longer_scale(lab, rng):
    """The WAI-SR was given with seven answers, the key has five."""
    frame = lab.sites[lab.a_site(rng)]
    for column in lab.columns("alliance"):
        up = rng.integers(0, 2, len(frame))
        frame[column] = [
            cell and str(min(7, max(1, round(1 + (int(cell) - 1) * 1.5 + more * 0.5))))
            for cell, more in zip(frame[column], up, strict=True)
        ]


@fault("scale-end-unused", client_form=WAI_S)
def shorter_scale(lab, rng):
    """The form was given with five answers, the key has seven."""
    frame = lab.sites[lab.a_site(rng)]
    for column in lab.columns("alliance"):
        frame[column] = frame[column].map(lambda cell: cell and str(round(int(cell) * 5 / 7 + 0.1)))


@fault("scale-of-another-length", "column-unreadable", "raters-exchanged", "scale-end-unused")
def client_and_therapist_exchanged(lab, rng):
    """The therapist's columns stand where the client's should be (1-7 for 1-5)."""
    measures = lab.tables[lab.a_site(rng)]["measures"]
    measures["alliance"], measures["alliance_therapist"] = (
        measures["alliance_therapist"],
        measures["alliance"],
    )


@fault("raters-exchanged", least_sites=2, client_form=WAI_S)
def raters_of_one_form_exchanged(lab, rng):
    """As above, and both fill in the same form."""
    client_and_therapist_exchanged(lab, rng)


@fault("twin-sites", least_sites=2)
def the_same_export_twice(lab, rng):
    """One site's file lies in another's folder, under other ids."""
    here, there = rng.choice(list(lab.sites), 2, replace=False)
    copied = lab.sites[str(there)].copy()
    copied["id"] = "X" + copied["id"]
    lab.sites[str(here)] = copied


@fault("shared-clients", "twin-sites", least_sites=2)
def some_clients_at_two_sites(lab, rng):
    """A part of one site's clients stands at another site too, under other ids."""
    here, there = rng.choice(list(lab.sites), 2, replace=False)
    frame = lab.sites[str(there)]
    long = frame.groupby("id")["nr"].transform("size") >= 5
    clients = frame.loc[long, "id"].unique()
    n = min(len(clients), int(rng.integers(3, 12)))
    chosen = rng.choice(clients, n, replace=False)
    copied = frame[frame["id"].isin(chosen)].copy()
    copied["id"] = "X" + copied["id"]
    lab.sites[str(here)] = pd.concat([lab.sites[str(here)], copied], ignore_index=True)


@fault("client-twice")
def clients_entered_twice(lab, rng):
    """A part of a site's clients stands there a second time, under other ids."""
    site = lab.a_site(rng)
    frame = lab.sites[site]
    long = frame.groupby("id")["nr"].transform("size") >= 5
    clients = frame.loc[long, "id"].unique()
    chosen = rng.choice(clients, min(len(clients), int(rng.integers(2, 8))), replace=False)
    copied = frame[frame["id"].isin(chosen)].copy()
    copied["id"] = "X" + copied["id"]
    lab.sites[site] = pd.concat([frame, copied], ignore_index=True)


def _clients(frame: pd.DataFrame, share: float, rng: np.random.Generator) -> list[str]:
    ids = frame["id"].unique()
    return list(rng.choice(ids, int(np.ceil(share * len(ids))), replace=False))


@fault("straight-lining")
def straight_lines(lab, rng):
    """A third to a half of the clients tick one and the same answer throughout."""
    frame = lab.sites[lab.a_site(rng)]
    columns = lab.columns("alliance")
    chosen = frame["id"].isin(_clients(frame, rng.uniform(0.33, 0.5), rng)).to_numpy()
    answers = rng.choice(["2", "3", "4"], len(frame))
    for column in columns:
        hit = chosen & (frame[column] != "").to_numpy()
        frame.loc[hit, column] = answers[hit]


@fault("carried-forward")
def answers_carried_forward(lab, rng):
    """For a third to a half of the clients the software repeats the first form."""
    frame = lab.sites[lab.a_site(rng)]
    measure = str(rng.choice(["alliance", "symptoms"]))
    columns = lab.columns(measure)
    for client in _clients(frame, rng.uniform(0.33, 0.5), rng):
        rows = frame.index[(frame["id"] == client) & (frame[columns] != "").any(axis=1)]
        if len(rows):
            frame.loc[rows, columns] = frame.loc[rows[0], columns].to_numpy()


@fault("item-unrelated", "item-turned-round")
def one_column_sorted_alone(lab, rng):
    """One item's column was sorted, or pasted, apart from the others."""
    frame = lab.sites[lab.a_site(rng)]
    measure = str(rng.choice(["alliance", "symptoms"]))
    column = str(rng.choice(lab.columns(measure)))
    filled = frame.index[frame[column] != ""]
    values = frame.loc[filled, column].to_numpy()
    frame.loc[filled, column] = np.sort(values) if rng.random() < 0.5 else rng.permutation(values)


@fault("rows-mixed-up")
def ids_sorted_apart_from_answers(lab, rng):
    """The answers of every session belong to somebody else."""
    frame = lab.sites[lab.a_site(rng)]
    columns = [c for m in ITEMS for c in lab.columns(m)]
    frame[columns] = frame[columns].to_numpy()[rng.permutation(len(frame))]


@fault("month-and-day")
def month_and_day_turned_round(lab, rng):
    """A spreadsheet of another country has read 03.04. as 4 March; days over 12 it left alone."""
    frame = lab.sites[lab.a_site(rng)]

    def read(text: str) -> str:
        day, month, year = text.split(".")
        return f"{month}.{day}.{year}" if int(day) <= 12 else text

    frame["date"] = frame["date"].map(read)


@fault("one-date-for-all")
def date_of_the_export(lab, rng):
    """The date is the day on which the client's forms were entered."""
    frame = lab.sites[lab.a_site(rng)]
    frame["date"] = frame.groupby("id")["date"].transform("last")


@fault("dates-against-sessions")
def sessions_numbered_backwards(lab, rng):
    """The last session has number 1."""
    frame = lab.sites[lab.a_site(rng)]
    numbers = frame["nr"].astype(int)
    last = numbers.groupby(frame["id"]).transform("max")
    frame["nr"] = (last + 1 - numbers).astype(str)


@fault("week-unit")
def weeks_that_are_days(lab, rng):
    """`week` holds days."""
    for table in lab.tables.values():
        table["session_facts"] = {"week": "week"}
    frame = lab.sites[lab.a_site(rng)]
    frame["week"] = frame["week"].map(lambda cell: f"{round(float(cell)) * 7}")


@fault("week-unit", least_sites=2)
def days_that_are_weeks(lab, rng):
    """`day` holds weeks."""
    for site, table in lab.tables.items():
        table["session_facts"] = {"day": "week"}
        lab.sites[site]["week"] = lab.sites[site]["week"].map(
            lambda cell: f"{round(float(cell) * 7)}"
        )
    frame = lab.sites[lab.a_site(rng)]
    frame["week"] = frame["week"].map(lambda cell: f"{round(float(cell) / 7)}")


@fault("sessions-from-zero")
def sessions_counted_from_zero(lab, rng):
    """The first session has number 0."""
    frame = lab.sites[lab.a_site(rng)]
    frame["nr"] = (frame["nr"].astype(int) - 1).astype(str)


@fault("missing-code")
def code_for_missing_age(lab, rng):
    """99, 999 or -9 stands for an unknown age."""
    frame = lab.sites[lab.a_site(rng)]
    code = str(rng.choice(["99", "999", "-9", "-99", "-1"]))
    chosen = _clients(frame, rng.uniform(0.15, 0.4), rng)
    frame.loc[frame["id"].isin(chosen), "age"] = code


@fault("missing-code", "column-unreadable")
def code_for_missing_answer(lab, rng):
    """99, -9 or 9 stands for an unanswered item."""
    frame = lab.sites[lab.a_site(rng)]
    code = str(rng.choice(["99", "-9", "999", "9", "-99", "88"]))
    columns = lab.columns(str(rng.choice(["alliance", "symptoms"])))
    holes = rng.random((len(frame), len(columns))) < rng.uniform(0.01, 0.08)
    cells = frame[columns].to_numpy(dtype=object)
    frame[columns] = np.where(holes & (cells != ""), code, cells)


@fault("implausible-number")
def year_of_birth_for_age(lab, rng):
    """`age` holds the year of birth."""
    frame = lab.sites[lab.a_site(rng)]
    frame["age"] = frame["age"].map(lambda cell: str(2023 - int(cell)))


@fault("implausible-number")
def age_in_months(lab, rng):
    """`age` holds months."""
    frame = lab.sites[lab.a_site(rng)]
    frame["age"] = frame["age"].map(lambda cell: str(12 * int(cell)))


@fault("implausible-number")
def a_negative_age(lab, rng):
    """A few ages have lost themselves below zero."""
    frame = lab.sites[lab.a_site(rng)]
    chosen = _clients(frame, 0.03, rng)
    frame.loc[frame["id"].isin(chosen), "age"] = "-" + frame["age"]


@fault("totals-for-items")
def mean_in_place_of_answers(lab, rng):
    """Every item column holds the form's rounded mean."""
    frame = lab.sites[lab.a_site(rng)]
    columns = lab.columns("alliance")
    for row in frame.index:
        answers = [int(cell) for cell in frame.loc[row, columns] if cell]
        if answers:
            frame.loc[row, columns] = str(round(float(np.mean(answers))))


@fault(
    "column-unreadable", "scale-of-another-length", "nearly-all-set-aside", "item-never-answered"
)
def a_total_in_an_item_column(lab, rng):
    """One item's column holds the total of the form."""
    frame = lab.sites[lab.a_site(rng)]
    columns = lab.columns("alliance")
    totals = [
        str(sum(int(cell) for cell in row if cell)) if any(row) else ""
        for row in frame[columns].to_numpy(dtype=object)
    ]
    frame[str(rng.choice(columns))] = totals


@fault("item-constant")
def a_column_filled_by_default(lab, rng):
    """One item has the same answer throughout."""
    frame = lab.sites[lab.a_site(rng)]
    measure = str(rng.choice(["alliance", "symptoms"]))
    column = str(rng.choice(lab.columns(measure)))
    value = str(rng.integers(1, 4))
    frame[column] = frame[column].map(lambda cell: cell and value)


@fault("item-never-answered")
def an_item_that_the_form_lacks(lab, rng):
    """The site's version of the form lacks one item; its column is empty."""
    frame = lab.sites[lab.a_site(rng)]
    measure = str(rng.choice(["alliance", "symptoms"]))
    frame[str(rng.choice(lab.columns(measure)))] = ""


@fault("zeros-for-blanks")
def zero_for_a_form_not_given(lab, rng):
    """Where the PHQ-9 was not given the export has nine zeros."""
    frame = lab.sites[lab.a_site(rng)]
    columns = lab.columns("symptoms")
    lost = rng.random(len(frame)) < 0.2
    frame.loc[lost, columns] = "0"


@fault("look-alike-id")
def ids_typed_by_hand(lab, rng):
    """Some clients' ids change case, lose a zero or gain a blank from session to session."""
    frame = lab.sites[lab.a_site(rng)]
    for client in _clients(frame, 0.1, rng):
        rows = frame.index[frame["id"] == client][1::2]
        how = int(rng.integers(3))
        other = [f"{client} ", client.replace("0", "O", 1), client.lower()][how]
        frame.loc[rows, "id"] = other if other != client else f"{client} "


@fault("bad-date", "column-unreadable")
def impossible_dates(lab, rng):
    """30 February, the 45th, the year 1200."""
    frame = lab.sites[lab.a_site(rng)]
    for row in rng.choice(frame.index, 5, replace=False):
        frame.loc[row, "date"] = str(
            rng.choice(["30.02.2024", "45.05.2023", "01.13.2024", "03.04.1203"])
        )


# --------------------------------------------------------------------------------------------------
# Draws: number n is the same lab on every machine.

# What sound data has too.
ORDINARY = {"client-with-one-session"}


@dataclass(frozen=True)
class Draw:
    """What became of one lab: its kind (None: sound), sites, clients, and the rules it broke."""

    kind: str | None
    sites: int
    clients: int
    rules: frozenset[str]

    @property
    def named_rightly(self) -> bool:
        """Whether a rule names the fault."""
        return self.kind is not None and bool(self.rules & FAULTS[self.kind].rules)


def draw(number: int, folder: Path, *, wrong: bool) -> Draw:
    """Draw a lab, spoil it if `wrong` (the kinds by turns), read it."""
    rng = np.random.default_rng([20261123, int(wrong), number])
    kind, form, n_sites = None, WAI_S if number % 5 == 4 else None, int(rng.integers(1, 5))
    if wrong:
        kind = list(FAULTS)[number % len(FAULTS)]
        form = FAULTS[kind].client_form
        n_sites = max(n_sites, FAULTS[kind].least_sites)
    lab = sound(rng, n_sites, form)
    if kind is not None:
        FAULTS[kind].make(lab, rng)
    found = problems_of(lab, folder / f"{int(wrong)}_{number}")
    clients = sum(frame["id"].nunique() for frame in lab.sites.values())
    return Draw(kind, n_sites, clients, frozenset(found["rule"]) - ORDINARY)
