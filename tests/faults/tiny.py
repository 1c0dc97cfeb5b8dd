"""A cohort so small that its whole run takes seconds: 30 clients, three models, one site or two."""

import csv
import datetime
import hashlib
import random
from pathlib import Path

MARK = "kanarie"  # in every text that must stay where it is
N_CLIENTS, N_WAI, N_PHQ = 30, 12, 9
KEY = hashlib.sha256(b"tiny").hexdigest()  # of the pseudonyms: the same in every copy
CONFIG = """\
cohort: {cohort}
title: A tiny cohort
simulated: {simulated}
sites: [{sites}]
measures:
  alliance: {{instrument: wai-sr-c, label: Alliance}}
  symptoms: {{instrument: phq-9, label: Symptoms}}
models:
  alliance_growth: {{family: growth, outcome: alliance, time: log_weeks}}
  symptom_growth: {{family: growth, outcome: symptoms, time: weeks_since_intake}}
  dropout_hazard: {{family: hazard, predictors: [alliance], levels: []}}
"""
MAPPING = """\
site: {site}
title: Site {site}
tables:
  - file: sessions.csv
    rows: session
    client: id
    session: nr
    session_facts: {{date: day}}
    client_facts:
      therapist: th
      age_years: {{column: age, type: number}}
      gender: {{column: sex, codes: {{female: female, male: male}}}}
      end_status: {{column: end, codes: {{1: dropout, 2: completed}}}}
    measures: {{alliance: "wai{{item}}", symptoms: "phq{{item}}"}}
"""


def rows(seed=1, n_clients=N_CLIENTS, broken=True):
    """Return header and rows of the cohort, as text; broken: some cells hold what they must not."""
    chance = random.Random(seed)
    header = ["id", "nr", "day", "th", "age", "sex", "end", "note"]
    header += [f"wai{i + 1}" for i in range(N_WAI)] + [f"phq{i + 1}" for i in range(N_PHQ)]
    found = [header]
    for i in range(n_clients):
        bond, ill = chance.gauss(3.2, 0.6), chance.gauss(1.6, 0.5)
        day = datetime.date(2023, 1, 2) + datetime.timedelta(chance.randrange(200))
        facts = [f"{MARK}-th{i % 3}", str(chance.randrange(20, 60))]
        facts.append(chance.choice(["female", "male"]))
        last = chance.randint(3, 9)
        end = "1" if last < 6 and chance.random() < 0.6 else "2"
        for nr in range(1, last + 1):
            wai = [_answer(chance.gauss(bond + 0.05 * nr, 0.7), 1, 5) for _ in range(N_WAI)]
            phq = [_answer(chance.gauss(ill - 0.1 * nr, 0.7), 0, 3) for _ in range(N_PHQ)]
            date = str(day + datetime.timedelta(7 * nr + chance.randrange(2)))
            note = f"{MARK} of {i + 101}, {nr}"
            found.append([f"case-{i + 101}-Zq", str(nr), date, *facts, end, note, *wai, *phq])
    if broken:
        for at, column in enumerate(["day", "age", "sex", "end", "wai3", "phq2", "nr"], start=40):
            found[at][header.index(column)] = f"{MARK} in {column}"
    return found


def raw_values(seed=1):
    """Return what must not leave the private folder, as the file has it: ids, dates, all texts."""
    own = {cell for row in rows(seed)[1:] for cell in (row[0], row[2])}
    return sorted(own | {cell for row in rows(seed)[1:] for cell in row if MARK in cell})


def _answer(value, low, high):
    return str(min(max(round(value), low), high))


def write(folder, cohort="tiny", simulated="true", seed=1, sites=("clinic",), chance=None):
    """Write raw files, config and mappings into a project's folder.

    With more than one site the clients are dealt out; with `chance` rows, sites and the order in
    which files are written are shuffled, and no cell is broken: problems are told by row. Return
    the order of the sites.
    """
    folder = Path(folder)
    header, *found = rows(seed, broken=chance is None)
    by_site = {site: [] for site in sites}
    for row in found:
        by_site[sites[int(row[0].split("-")[1]) % len(sites)]].append(row)
    order = list(sites)
    if chance:
        chance.shuffle(order)
        for own in by_site.values():
            chance.shuffle(own)
    for site in order:
        raw = folder / "data" / "raw" / cohort / site / "sessions.csv"
        mapping = folder / "config" / "sites" / cohort / f"{site}.yaml"
        for path in (raw, mapping):
            path.parent.mkdir(parents=True, exist_ok=True)
        with raw.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows([header, *by_site[site]])
        mapping.write_text(MAPPING.format(site=site), encoding="utf-8")
    config = folder / "config" / f"{cohort}.yaml"
    text = CONFIG.format(cohort=cohort, simulated=simulated, sites=", ".join(order))
    config.write_text(text, encoding="utf-8")
    key = folder / "private" / cohort / "pseudonym.key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_text(KEY)
    key.chmod(0o600)
    return order
