"""A messy toy export of two sites, as such files come; made up throughout.

`ambulanz`: a German CSV (semicolons, cp1252, decimal commas), a row of group titles above the
names, remarks with line breaks and quotation marks, -9 for no answer, a total beside its items.
`praxis`: a workbook with a sheet of notes, answers as words, and the ends of treatment on a sheet
of their own.
"""

import csv
import io
import random

import openpyxl

WORDS = ["selten", "manchmal", "häufig", "sehr häufig", "immer"]
ENDS = ["regulär beendet", "Abbruch durch Patient", "laufend", "regulär beendet"]
REMARKS = [
    "",
    "",
    "wirkte müde",
    'sagte: "besser"',
    "Termin\nverschoben",
    "Preis; Kosten besprochen",
]


def write_toy(folder):
    """Write the raw files below `folder`; return what a right reading finds, by site."""
    return {"ambulanz": _ambulanz(folder / "ambulanz"), "praxis": _praxis(folder / "praxis")}


def _courses(rng, clients, sessions):
    """Yield client number, session, 12 alliance answers 1-5 and 9 symptom answers 0-3."""
    for client in range(clients):
        for session in range(1, rng.randint(3, sessions) + 1):
            alliance = [min(5, max(1, 3 + session // 3 + rng.randint(-1, 1))) for _ in range(12)]
            symptoms = [min(3, max(0, 2 - session // 3 + rng.randint(-1, 1))) for _ in range(9)]
            yield client, session, alliance, symptoms


def _ambulanz(folder):
    rng = random.Random(7)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    groups = [
        "Stammdaten",
        "",
        "",
        "",
        "Sitzung",
        "",
        *["WAI-SR", *[""] * 11],
        *["PHQ-9", *[""] * 9],
    ]
    names = ["Pat-Nr", "Therapeut/in", "Alter", "Geschlecht", "Sitzung Nr.", "Datum"]
    names += [f"WAI {i}" for i in range(1, 13)] + [f"PHQ {i}" for i in range(1, 10)]
    writer.writerow([*groups, "", ""])
    writer.writerow([*names, "PHQ Summe", "Belastung", "Bemerkung"])
    answers = 0
    for client, session, alliance, symptoms in _courses(rng, 14, 8):
        shown = [str(value) for value in alliance]
        if rng.random() < 0.1:
            shown[rng.randrange(12)] = "-9"
        answers += sum(text != "-9" for text in shown) + 9
        person = [f"{client + 101:05}", f"T{client % 3 + 1}", 20 + 3 * client, "wm"[client % 2]]
        date = f"{(client * 7 + session) % 28 + 1:02}.{(session - 1) % 12 + 1:02}.2024"
        burden = f"{rng.randint(10, 90) / 10:.1f}".replace(".", ",")
        last = [sum(symptoms), burden, rng.choice(REMARKS)]
        writer.writerow([*person, session, date, *shown, *symptoms, *last])
    folder.mkdir(parents=True)
    (folder / "verlauf_export.csv").write_bytes(out.getvalue().encode("cp1252"))
    return {"clients": 14, "answers": answers}


def _praxis(folder):
    rng = random.Random(8)
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "Hinweise"
    notes.append(["Bitte nur das Blatt Daten ausfüllen."])
    data = book.create_sheet("Daten")
    wai = [f"wai_{i:02}" for i in range(1, 13)]
    phq = [f"phq_{i}" for i in range(1, 10)]
    data.append(["Code", "Sitzung", *wai, *phq])
    answers = 0
    for client, session, alliance, symptoms in _courses(rng, 12, 6):
        words = [WORDS[value - 1] for value in alliance]
        data.append([f"K{client:03}", session, *words, *symptoms])
        answers += 21
    ends = book.create_sheet("Abschluss")
    ends.append(["Code", "Behandler", "Therapieende"])
    for client in range(12):
        ends.append([f"K{client:03}", "AB" if client % 2 else "CD", ENDS[client % 4]])
    folder.mkdir(parents=True)
    book.save(folder / "Bogen.xlsx")
    return {"clients": 12, "answers": answers}
