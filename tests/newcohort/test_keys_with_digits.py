"""Measures are named after their keys, and names of keys hold digits: `phq_9`, `gad_7`."""

import re

import pytest

from alliance.config.cohort import load_cohort
from alliance.config.measure_keys import keys_of
from alliance.config.site import load_site
from alliance.ingest import pseudonyms
from alliance.ingest.site import read_site
from alliance.measures.scoring import scores_of
from alliance.newcohort import propose
from alliance.newcohort.scales import known_keys
from tests.conftest import ROOT, Project

KEYS = ROOT / "config" / "instruments"
WITH_DIGIT = sorted(name for name in known_keys() if re.search(r"\d", name))
CLIENTS, SESSIONS = 40, 6


def answers(key, client, session):
    """Return whole answers of somebody who stands high or low: reversed items go against it."""
    stands = (7 * client + 3 * session) % 20 / 20
    for item in range(1, key.n_items + 1):
        low, high = key.range_of(item)
        step = min(stands + (client * item % 3) / 30, 0.999) * (int(high - low) + 1)
        yield f"{high - int(step) if item in key.reverse else low + int(step):g}"


def write_raw(folder, names):
    """Write one site's file: a session a row, the items of every key beside one another."""
    keys = [known_keys()[name] for name in names]
    head = ["client", "session", "ende"]
    head += [f"{key.id}_{i}" for key in keys for i in range(1, key.n_items + 1)]
    rows = [
        [f"p{c}", str(s), ("completed", "dropout")[c % 2]]
        + [a for key in keys for a in answers(key, c, s)]
        for c in range(CLIENTS)
        for s in range(1, SESSIONS + 1 - c % 3)
    ]
    folder.mkdir(parents=True)
    text = "\n".join(",".join(row) for row in [head, *rows]) + "\n"
    (folder / "a.csv").write_text(text, encoding="utf-8")


def proposed(folder, names):
    """Propose; answer the one question that only a person can: is this the form you used?"""
    raw = folder / "data" / "raw" / "lab_2"
    write_raw(raw / "site_1", names)
    made = propose(cohort="lab_2", raw_folder=raw, config_folder=folder / "config")
    config, mapping = made.written
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("# accept_unverified_key", "accept_unverified_key"), "utf-8")
    return config, mapping


@pytest.mark.parametrize("name", WITH_DIGIT)
def test_what_is_proposed_for_a_key_with_a_digit_is_read_and_scored(tmp_path, name):
    config, mapping = proposed(tmp_path, [name])
    text = config.read_text(encoding="utf-8")
    if "instrument:\n" in text:  # several keys fit: asked, and answered here
        config.write_text(text.replace("instrument:\n", f"instrument: {name}\n"), encoding="utf-8")
    cohort = load_cohort(config)
    (measure,) = cohort["measures"]
    assert cohort["measures"][measure]["instrument"] == name
    keys = keys_of(cohort["measures"], [KEYS / f"{name}.yaml"])
    raw = tmp_path / "data" / "raw" / "lab_2"
    tables, _ = read_site(
        site="site_1", mapping=load_site(mapping), raw_folder=raw / "site_1", keys=keys,
        key=pseudonyms.key_of(raw, simulated=True),
    )  # fmt: skip
    assert (tables.quarantine["action"] == "noted").all(), tables.quarantine
    scores, _ = scores_of(tables.responses, keys)
    assert scores["client"].nunique() == CLIENTS
    assert tables.clients["end_status"].notna().all()


@pytest.mark.slow
def test_a_cohort_with_digits_runs_as_it_was_proposed(tmp_path):
    project = Project(tmp_path / "project")
    config, _ = proposed(project.folder, ["phq-9", "gad-7"])
    text = config.read_text(encoding="utf-8")
    assert "symptoms_phq_9_growth:" in text and "symptoms_gad_7_growth:" in text
    result = project.run("--cohort", "lab_2")
    assert result.returncode == 0, result.stdout + result.stderr
    report = project.folder / "results" / "lab_2" / "report.html"
    assert "symptoms_phq_9" in report.read_text(encoding="utf-8")
