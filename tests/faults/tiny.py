"""A cohort so small that its whole run takes seconds: one site, 30 clients, three models."""

import csv
import datetime
import random
from pathlib import Path

N_CLIENTS, N_WAI, N_PHQ = 30, 12, 9
CONFIG = """\
cohort: {cohort}
title: A tiny cohort
simulated: {simulated}
sites: [clinic]
measures:
  alliance: {{instrument: wai-sr-c, label: Alliance}}
  symptoms: {{instrument: phq-9, label: Symptoms}}
models:
  alliance_growth: {{family: growth, outcome: alliance, time: log_weeks}}
  symptom_growth: {{family: growth, outcome: symptoms, time: weeks_since_intake}}
  dropout_hazard: {{family: hazard, predictors: [alliance], levels: []}}
"""
MAPPING = """\
site: clinic
title: A clinic
tables:
  - file: sessions.csv
    rows: session
    client: id
    session: nr
    session_facts: {date: day}
    client_facts:
      therapist: th
      age_years: {column: age, type: number}
      gender: sex
      end_status: {column: end, codes: {1: dropout, 2: completed}}
    measures: {alliance: "wai{item}", symptoms: "phq{item}"}
"""


def rows(seed=1, n_clients=N_CLIENTS):
    """Return header and rows of the cohort's only file, as text."""
    chance = random.Random(seed)
    header = ["id", "nr", "day", "th", "age", "sex", "end"]
    header += [f"wai{i + 1}" for i in range(N_WAI)] + [f"phq{i + 1}" for i in range(N_PHQ)]
    found = [header]
    for i in range(n_clients):
        bond, ill = chance.gauss(3.2, 0.6), chance.gauss(1.6, 0.5)
        day = datetime.date(2023, 1, 2) + datetime.timedelta(chance.randrange(200))
        facts = [f"T{i % 3}", str(chance.randrange(20, 60)), chance.choice(["female", "male"])]
        last = chance.randint(3, 9)
        end = "1" if last < 6 and chance.random() < 0.6 else "2"
        for nr in range(1, last + 1):
            wai = [_answer(chance.gauss(bond + 0.05 * nr, 0.7), 1, 5) for _ in range(N_WAI)]
            phq = [_answer(chance.gauss(ill - 0.1 * nr, 0.7), 0, 3) for _ in range(N_PHQ)]
            date = str(day + datetime.timedelta(7 * nr + chance.randrange(2)))
            found.append([f"case-{i + 101}-Zq", str(nr), date, *facts, end, *wai, *phq])
    return found


def raw_values(seed=1):
    """Return what must not leave the private folder: ids and dates, as the file has them."""
    return sorted({cell for row in rows(seed)[1:] for cell in (row[0], row[2])})


def _answer(value, low, high):
    return str(min(max(round(value), low), high))


def write(folder, cohort="tiny", simulated="true", seed=1):
    """Write raw file, config and mapping into a project's folder."""
    folder = Path(folder)
    raw, sites = folder / "data" / "raw" / cohort / "clinic", folder / "config" / "sites" / cohort
    for made in (raw, sites):
        made.mkdir(parents=True, exist_ok=True)
    with (raw / "sessions.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows(seed))
    config = folder / "config" / f"{cohort}.yaml"
    config.write_text(CONFIG.format(cohort=cohort, simulated=simulated), encoding="utf-8")
    (sites / "clinic.yaml").write_text(MAPPING, encoding="utf-8")
