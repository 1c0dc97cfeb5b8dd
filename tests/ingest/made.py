"""One made cohort of clients and sessions, and the many habits in which a lab may export it."""

import csv
import datetime
import gzip
import io
import json
import random
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import pandas as pd
import pyreadstat

N_WAI, N_PHQ = 12, 9
ENDS = {"1": "dropout", "2": "completed", "4": "ongoing"}
GENDERS = {"1": "female", "2": "male", "3": "diverse"}
WORDS = {"1": "Seldom", "2": "Sometimes", "3": "Fairly often", "4": "Very often", "5": "Always"}
IDS = ["007", "1e5", "NA", "NO", "P-1"]  # ids that a careless reader turns into something else


@dataclass(frozen=True)
class Client:
    id: str
    therapist: str
    end: str
    age: float
    gender: str


@dataclass(frozen=True)
class Session:
    client: Client
    number: int
    date: datetime.date
    wai: tuple
    phq: tuple


def cohort(n_clients=12, seed=1):
    """Return clients and sessions; answers are numbers, None where one is missing."""
    chance = random.Random(seed)
    clients, sessions = [], []
    for i in range(n_clients):
        own = IDS[i] if i < len(IDS) else f"P{i:03}"
        client = Client(own, f"T{i % 3}", chance.choice(list(ENDS)), 20 + i + (i % 2) / 2,
                        chance.choice(list(GENDERS)))  # fmt: skip
        clients.append(client)
        day = datetime.date(2024, 1, 1) + datetime.timedelta(chance.randrange(60))
        # some clients miss a session number in between
        numbers = [n for n in range(1, chance.randint(4, 7)) if n == 1 or chance.random() > 0.15]
        for number in numbers:
            wai = [chance.choice([1, 2, 3, 4, 5, 5, 4, None]) for _ in range(N_WAI)]
            phq = [chance.choice([0, 1, 2, 3, 1, 0, None]) for _ in range(N_PHQ)]
            date = day + datetime.timedelta(7 * number + chance.randrange(3))
            sessions.append(Session(client, number, date, tuple(wai), tuple(phq)))
    return clients, sessions


HEADER = ["id", "nr", "day", *(f"wai{i + 1}" for i in range(N_WAI)),
          *(f"phq{i + 1}" for i in range(N_PHQ)), "th", "end", "age", "sex"]  # fmt: skip
FACTS = {
    "therapist": "th",
    "end_status": {"column": "end", "codes": ENDS},
    "age_years": {"column": "age", "type": "number"},
    "gender": {"column": "sex", "codes": GENDERS},
}
MEASURES = {"alliance": "wai{item}", "symptoms": "phq{item}"}
BY_SESSION = {
    "rows": "session", "client": "id", "session": "nr", "client_facts": FACTS,
    "session_facts": {"date": "day"}, "measures": MEASURES,
}  # fmt: skip


def session_rows(sessions):
    """Return one row a session: dates as dates, answers as numbers, None where missing."""
    return [
        [s.client.id, s.number, s.date, *s.wai, *s.phq, s.client.therapist, int(s.client.end),
         s.client.age, int(s.client.gender)]
        for s in sessions
    ]  # fmt: skip


def csv_text(rows, **style):
    stream = io.StringIO()
    writer = csv.writer(stream, **{"lineterminator": "\n", **style})
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return stream.getvalue()


# --------------------------------------------------------------------------------------------------
# the same table in the formats of many programs


def frame_of(header, rows):
    frame = pd.DataFrame(rows, columns=header)
    for name in header:
        if all(cell is None or isinstance(cell, int | float) for cell in frame[name]):
            frame[name] = frame[name].astype(float)
    return frame


def time_formats(header, rows, date, moment, clock):
    """Return the formats of a program for the columns that hold dates, moments or times."""
    formats = {datetime.date: date, datetime.datetime: moment, datetime.time: clock}
    kinds = {name: type(rows[0][i]) for i, name in enumerate(header)}
    return {name: formats[kind] for name, kind in kinds.items() if kind in formats}


def write(path, header, rows):
    """Write a table in the format that the ending of `path` names."""
    ending = path.suffix
    if ending == ".csv":
        path.write_text(csv_text([header, *rows]), encoding="utf-8")
    elif ending == ".xlsx":
        write_xlsx(path, {"Data": [header, *rows]})
    elif ending == ".ods":
        write_ods(path, {"Data": [header, *rows]})
    elif ending == ".parquet":
        frame_of(header, rows).to_parquet(path)
    elif ending in (".sav", ".zsav"):
        pyreadstat.write_sav(frame_of(header, rows), str(path), compress=ending == ".zsav")
    elif ending == ".dta":
        dates = time_formats(header, rows, "%td", "%tc", "%tcHH:MM:SS")
        pyreadstat.write_dta(frame_of(header, rows), str(path), variable_format=dates)
    elif ending == ".xpt":
        dates = time_formats(header, rows, "DATE9.", "DATETIME20.", "TIME8.")
        pyreadstat.write_xport(frame_of(header, rows), str(path), variable_format=dates)
    elif ending == ".por":
        pyreadstat.write_por(frame_of(header, rows), str(path))
    else:
        raise ValueError(ending)


def write_xlsx(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)


ODS_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
)
ODS_NAMES += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods_cell(cell):
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, Raw):
        return str(cell)
    if isinstance(cell, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
    if isinstance(cell, datetime.date):
        when = cell.isoformat()
        return f'<table:table-cell office:value-type="date" office:date-value="{when}"/>'
    if isinstance(cell, datetime.time):
        when = f"PT{cell.hour}H{cell.minute}M{cell.second}S"
        return f'<table:table-cell office:value-type="time" office:time-value="{when}"/>'
    text = f"<text:p>{escape(cell)}</text:p>"
    return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'


class Raw(str):
    """A cell or a row as XML of its own."""


def write_ods(path, sheets):
    """Write the least that a program takes for an OpenDocument spreadsheet (ISO/IEC 26300)."""
    tables = ""
    for name, rows in sheets.items():
        lines = ""
        for row in rows:
            if isinstance(row, Raw):
                lines += row
            else:
                lines += f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>"
        tables += f"<table:table table:name={quoteattr(name)}>{lines}</table:table>"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODS_NAMES}'
        f' office:version="1.2"><office:body><office:spreadsheet>{tables}</office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest'
        ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", ODS, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)


# --------------------------------------------------------------------------------------------------
# the same cohort in the habits of many labs: each writes its files and returns the mapping's tables


def wide(folder, clients, sessions):
    """One row a client, as a German spreadsheet writes it."""
    last = max(s.number for s in sessions)
    found = {(s.client.id, s.number): s for s in sessions}
    header = ["Nr", "Th", "Ende", "Alter", "Geschlecht"]
    for n in range(1, last + 1):
        header += [f"Datum_S{n:02}", *(f"WAI_S{n:02}_{i + 1}" for i in range(N_WAI))]
        header += [f"PHQ_S{n:02}_{i + 1}" for i in range(N_PHQ)]
    rows = [header]
    for c in clients:
        row = [c.id, c.therapist, c.end, f"{c.age:g}".replace(".", ","), c.gender]
        for n in range(1, last + 1):
            s = found.get((c.id, n))
            row += [f"{s.date:%d.%m.%Y}", *s.wai, *s.phq] if s else [None] * (1 + N_WAI + N_PHQ)
        rows.append(row)
    text = csv_text(rows, delimiter=";", lineterminator="\r\n")
    (folder / "wide.csv").write_bytes(text.encode("cp1252"))
    names = {"th": "Th", "end": "Ende", "age": "Alter", "sex": "Geschlecht"}
    facts = {
        fact: names[told] if isinstance(told, str) else {**told, "column": names[told["column"]]}
        for fact, told in FACTS.items()
    }
    return [
        {"file": "wide.csv", "delimiter": ";", "decimal": ",", "dates": "dd.mm.yyyy",
         "encoding": "cp1252", "rows": "client", "client": "Nr", "client_facts": facts,
         "session_facts": {"date": "Datum_S{session}"},
         "measures": {"alliance": "WAI_S{session}_{item}", "symptoms": "PHQ_S{session}_{item}"}}
    ]  # fmt: skip


def long(folder, clients, sessions):
    """One row a session, zipped."""
    with zipfile.ZipFile(folder / "long.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/long.csv", csv_text([HEADER, *session_rows(sessions)]))
    return [{"file": "long.csv.zip", **BY_SESSION}]


def per_answer(folder, clients, sessions):
    """One row an answer with the id of the visit; who and when stands in a list of visits."""
    people = [["pid", "th", "end", "age", "sex"]]
    people += [[c.id, c.therapist, c.end, c.age, c.gender] for c in clients]
    (folder / "people.tsv").write_text(csv_text(people, delimiter="\t"), encoding="utf-8")
    visits, answers = [["visit_id", "pid", "nr", "day"]], [["visit", "form", "item", "answer"]]
    for v, s in enumerate(sessions):
        visits.append([f"V{v:05}", s.client.id, s.number, s.date])
        for form, given in (("WAI", s.wai), ("PHQ", s.phq)):
            answers += [[f"V{v:05}", form, i + 1, cell] for i, cell in enumerate(given)]
    (folder / "visits.csv").write_text(csv_text(visits), encoding="utf-8")
    (folder / "answers.csv.gz").write_bytes(gzip.compress(csv_text(answers).encode()))
    visits_by_id = {"file": "visits.csv", "by": {"visit": "visit_id"}, "take": ["pid", "nr"]}
    return [
        {"file": "people.tsv", "rows": "client", "client": "pid", "client_facts": FACTS},
        {"file": "visits.csv", "rows": "session", "client": "pid", "session": "nr",
         "session_facts": {"date": "day"}},
        {"file": "answers.csv.gz", "join": [visits_by_id], "rows": "answer", "client": "pid",
         "session": "nr", "form": "form", "item": "item", "answer": "answer",
         "measures": {"alliance": {"form": "WAI"}, "symptoms": {"form": "PHQ"}}},
    ]  # fmt: skip


REDCAP_CHOICES = " | ".join(f"{code}, {word}" for code, word in WORDS.items())
REDCAP_DICTIONARY = ["Variable / Field Name", "Form Name", "Section Header", "Field Type",
                     "Field Label", "Choices, Calculations, OR Slider Labels",
                     "Field Note"]  # fmt: skip


def redcap_dictionary():
    rows = [
        REDCAP_DICTIONARY,
        ["record_id", "intake", "", "text", "Record ID", "", ""],
        ["th", "intake", "", "text", "Therapist", "", ""],
        ["age", "intake", "", "text", "Age <b>in years</b>", "", ""],
        ["sex", "intake", "", "checkbox", "Gender",
         " | ".join(f"{code}, {word.title()}" for code, word in GENDERS.items()), ""],
        ["day", "session", "", "text", "Date", "", ""],
    ]  # fmt: skip
    for i in range(N_WAI):
        rows.append([f"wai{i + 1}", "wai", "", "radio", f"Alliance {i + 1}", REDCAP_CHOICES, ""])
    choices = "0, Not at all | 1, Several days | 2, More than half | 3, Nearly every day"
    for i in range(N_PHQ):
        rows.append([f"phq{i + 1}", "phq", "", "radio", f"Mood {i + 1}", choices, ""])
    return csv_text(rows)


def _redcap(folder, clients, sessions, labels):
    phq_words = ("Not at all", "Several days", "More than half", "Nearly every day")
    header = ["record_id", "redcap_event_name", "th", "age", *(f"sex___{g}" for g in GENDERS),
              "day", *HEADER[3 : 3 + N_WAI + N_PHQ], "session_complete"]  # fmt: skip
    if labels:
        header = ["Record ID", "Event Name", "Therapist", "Age in years",
                  *(f"Gender (choice={word.title()})" for word in GENDERS.values()), "Date",
                  *(f"Alliance {i + 1}" for i in range(N_WAI)),
                  *(f"Mood {i + 1}" for i in range(N_PHQ)), "Complete?"]  # fmt: skip
    boxes = ("Unchecked", "Checked") if labels else ("0", "1")
    rows = [header]
    for c in clients:
        ticked = [boxes[c.gender == g] for g in GENDERS]
        rows.append([c.id, "Intake" if labels else "intake_arm_1", c.therapist, c.age, *ticked])
        for s in sessions:
            if s.client is c:
                event = f"Session {s.number}" if labels else f"session_{s.number}_arm_1"
                wai = [cell and WORDS[str(cell)] for cell in s.wai] if labels else s.wai
                phq = [None if x is None else phq_words[x] for x in s.phq] if labels else s.phq
                # REDCap writes 0 for a box on a form that was never opened.
                rows.append([c.id, event, "", "", *[boxes[0]] * 3, s.date, *wai, *phq, "2"])
    (folder / "dictionary.csv").write_text(redcap_dictionary(), encoding="utf-8")
    (folder / "redcap.csv").write_text(
        csv_text([row + [""] * (len(header) - len(row)) for row in rows]), encoding="utf-8"
    )
    discharge = [["record_id", "end"], *([c.id, c.end] for c in clients)]
    (folder / "discharge.csv").write_text(csv_text(discharge), encoding="utf-8")
    facts = {
        "therapist": "th",
        "age_years": FACTS["age_years"],
        "gender": {"boxes": {f"sex___{code}": word for code, word in GENDERS.items()}},
    }
    event = {"pattern": "Session {session}", "about_client": ["Intake"]}
    if not labels:
        event = {"pattern": "session_{session}_arm_1", "about_client": ["intake_arm_1"]}
    told = {"header": "labels", "cells": "labels"} if labels else {}
    return [
        {**BY_SESSION, "file": "redcap.csv", "format": "redcap", "dictionary": "dictionary.csv",
         **told, "client": "record_id", "client_facts": facts,
         "session": {"column": "redcap_event_name", **event}},
        {"file": "discharge.csv", "rows": "client", "client": "record_id",
         "client_facts": {"end_status": FACTS["end_status"]}},
    ]  # fmt: skip


def redcap(folder, clients, sessions):
    """A longitudinal REDCap project, raw export."""
    return _redcap(folder, clients, sessions, labels=False)


def redcap_labels(folder, clients, sessions):
    """The same project, exported with labels in header and cells."""
    return _redcap(folder, clients, sessions, labels=True)


def redcap_repeating(folder, clients, sessions):
    """A REDCap project with two repeating instruments; each row is one instance of one of them."""
    header = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "th", "end", "age",
              "sex", "day", *HEADER[3 : 3 + N_WAI + N_PHQ]]  # fmt: skip
    rows = [header]
    for c in clients:
        rows.append([c.id, "", "", c.therapist, c.end, c.age, c.gender])
        own = [s for s in sessions if s.client is c]
        rows += [[c.id, "alliance", s.number, *[""] * 4, s.date, *s.wai] for s in own]
        rows += [[c.id, "mood", s.number, *[""] * (5 + N_WAI), *s.phq] for s in own]
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    (folder / "repeating.csv").write_text(csv_text(rows), encoding="utf-8")
    table = {"file": "repeating.csv", "format": "redcap", "client": "record_id"}
    session = {**table, "rows": "session", "session": "redcap_repeat_instance"}
    return [
        {**table, "rows": "client", "keep_rows": {"redcap_repeat_instrument": [""]},
         "client_facts": FACTS},
        {**session, "keep_rows": {"redcap_repeat_instrument": ["alliance"]},
         "session_facts": {"date": "day"}, "measures": {"alliance": "wai{item}"}},
        {**session, "keep_rows": {"redcap_repeat_instrument": ["mood"]},
         "measures": {"symptoms": "phq{item}"}},
    ]  # fmt: skip


def workbook(folder, clients, sessions):
    """A workbook with three sheets."""
    people = [["id", "th", "end", "age", "sex"]]
    people += [[c.id, c.therapist, int(c.end), c.age, int(c.gender)] for c in clients]
    visits, answers = [["id", "nr", "day"]], [["id", "nr", "form", "item", "answer"]]
    for s in sessions:
        visits.append([s.client.id, s.number, s.date])
        for form, given in (("WAI", s.wai), ("PHQ", s.phq)):
            answers += [[s.client.id, s.number, form, i + 1, x] for i, x in enumerate(given)]
    write_xlsx(folder / "book.xlsx", {"People": people, "Visits": visits, "Answers": answers})
    table = {"file": "book.xlsx", "client": "id"}
    return [
        {**table, "sheet": "People", "rows": "client", "client_facts": FACTS},
        {**table, "sheet": "Visits", "rows": "session", "session": "nr",
         "session_facts": {"date": "day"}},
        {**table, "sheet": "Answers", "rows": "answer", "session": "nr", "form": "form",
         "item": "item", "answer": "answer",
         "measures": {"alliance": {"form": "WAI"}, "symptoms": {"form": "PHQ"}}},
    ]  # fmt: skip


def qualtrics(folder, clients, sessions):
    """A Qualtrics survey with choice texts, sent after each session; previews among the rows."""
    phq_words = ("Not at all", "Several days", "More than half", "Nearly every day")
    names = ["StartDate", "Status", "ResponseId", "ExternalReference", "session",
             *(f"Q1_{i + 1}" for i in range(N_WAI)),
             *(f"Q2_{i + 1}" for i in range(N_PHQ))]  # fmt: skip
    texts = ["Start Date", "Response Type", "Response ID", "External Data Reference", "session",
             *(f'How often ...\n"item {i + 1}", in the last session' for i in range(N_WAI)),
             *(f"Over the last 2 weeks, ... - item {i + 1}" for i in range(N_PHQ))]  # fmt: skip
    rows = [names, texts, [json.dumps({"ImportId": f"QID{i}"}) for i in range(len(names))]]
    for i, s in enumerate(sessions):
        wai = [cell and WORDS[str(cell)] for cell in s.wai]
        phq = [None if cell is None else phq_words[cell] for cell in s.phq]
        rows.append(
            [f"{s.date} 19:30:00", "IP Address", f"R_{i}", s.client.id, s.number, *wai, *phq]
        )
        if i % 10 == 0:
            rows.append([f"{s.date} 19:30:00", "Survey Preview", f"R_p{i}", "", "", *wai, *phq])
    (folder / "qualtrics.csv").write_text(csv_text(rows), encoding="utf-8-sig")
    people = [["id", "th", "end", "age", "sex"]]
    people += [[c.id, c.therapist, c.end, c.age, c.gender] for c in clients]
    (folder / "people.csv").write_text(csv_text(people), encoding="utf-8")
    codes = {word: int(code) for code, word in WORDS.items()}
    return [
        {"file": "people.csv", "rows": "client", "client": "id", "client_facts": FACTS},
        {"file": "qualtrics.csv", "format": "qualtrics", "dates": "yyyy-mm-dd HH:MM:SS",
         "rows": "session", "keep_rows": {"Status": ["IP Address"]},
         "client": "ExternalReference", "session": "session",
         "session_facts": {"date": "StartDate"},
         "measures": {
             "alliance": {"items": "Q1_{item}", "codes": codes},
             "symptoms": {"items": "Q2_{item}", "codes": {w: i for i, w in enumerate(phq_words)}}}},
    ]  # fmt: skip


def limesurvey(folder, clients, sessions):
    """A LimeSurvey export with codes and questions in the header, answer codes in the cells."""
    header = ["id. Response ID", "submitdate. Date submitted", "token. Access code", "nr. Session",
              "day. Date of the session",
              *(f"wai[SQ{i + 1:03}]. How often ...? [Item {i + 1}]" for i in range(N_WAI)),
              *(f"phq[SQ{i + 1:03}]. Over the last ... [Item {i + 1}]"
                for i in range(N_PHQ))]  # fmt: skip
    rows = [header]
    for i, s in enumerate(sessions):
        wai = ["N/A" if cell is None else f"A{cell}" for cell in s.wai]
        phq = ["" if cell is None else f"AO{cell + 1:02}" for cell in s.phq]
        rows.append([i + 1, "1980-01-01 00:00:00", s.client.id, s.number, s.date, *wai, *phq])
    text = csv_text(rows, delimiter=";", quoting=csv.QUOTE_ALL)
    (folder / "limesurvey.csv").write_text(text, encoding="utf-8-sig")
    people = [["id", "th", "end", "age", "sex"]]
    people += [[c.id, c.therapist, c.end, c.age, c.gender] for c in clients]
    (folder / "people.csv").write_text(csv_text(people), encoding="utf-8")
    return [
        {"file": "people.csv", "rows": "client", "client": "id", "client_facts": FACTS},
        {"file": "limesurvey.csv", "format": "limesurvey", "header": "names_and_labels",
         "delimiter": ";", "rows": "session", "client": "token", "session": "nr",
         "session_facts": {"date": "day"},
         "measures": {
             "alliance": {"items": "wai[SQ{item}]", "codes": {f"A{n}": n for n in range(1, 6)}},
             "symptoms": {"items": "phq[SQ{item}]",
                          "codes": {f"AO{n + 1:02}": n for n in range(4)}}}},
    ]  # fmt: skip


def events(folder, clients, sessions):
    """Sessions named by words, and a time of day with each date, as an American program writes."""
    rows = [[c, f"Visit no. {n}", f"{day:%m/%d/%Y} 2:30 PM", *rest]
            for c, n, day, *rest in session_rows(sessions)]  # fmt: skip
    text = csv_text([HEADER, *rows], delimiter="\t")
    (folder / "events.tsv").write_bytes(gzip.compress(text.encode("utf-16")))
    (folder / "events.tsv").rename(folder / "events.tsv.gz")
    last = max(s.number for s in sessions)
    codes = {f"Visit no. {n}": n for n in range(1, last + 1)}
    return [{**BY_SESSION, "file": "events.tsv.gz", "encoding": "utf-16",
             "dates": "mm/dd/yyyy HH:MM AM",
             "session": {"column": "nr", "codes": codes}}]  # fmt: skip


def counted_otherwise(folder, clients, sessions):
    """A workbook whose answers count from 1 and run the other way; -99 where none was given."""
    rows = []
    for s, (own, n, day, *rest) in zip(sessions, session_rows(sessions), strict=True):
        wai = [-99 if x is None else 6 - x for x in s.wai]
        phq = [-99 if x is None else 1 + x for x in s.phq]
        rows.append([own, n, day, *wai, *phq, *rest[N_WAI + N_PHQ :]])
    write_xlsx(folder / "counted.xlsx", {"Data": [HEADER, *rows]})
    measures = {"alliance": {"items": "wai{item}", "stored_as": [5, 1]},
                "symptoms": {"items": "phq{item}", "stored_as": [1, 4]}}  # fmt: skip
    return [{**BY_SESSION, "file": "counted.xlsx", "missing": [-99], "measures": measures}]


def look_alike(folder, clients, sessions):
    """Capital names with a sign that nobody sees, blanks that do not break: told, read the same."""
    header = [f"{name.upper()}\u200b" for name in HEADER]
    rows = []
    for row in session_rows(sessions):
        odd = ["\u200b" if x is None else f"{x}\u00a0" for x in row]  # ids stay as they are
        ids = ("id", "th")
        rows.append([x if name in ids else o for name, x, o in zip(HEADER, row, odd, strict=True)])
    text = csv_text([header, *rows], delimiter=";")
    (folder / "LOOK\u2013ALIKE.csv").write_text(text, encoding="utf-8")
    return [{**BY_SESSION, "file": "look-alike.csv", "delimiter": ";"}]


HABITS = {
    habit.__name__: habit
    for habit in (wide, long, per_answer, redcap, redcap_labels, redcap_repeating, workbook,
                  qualtrics, limesurvey, events, counted_otherwise, look_alike)
}  # fmt: skip
