"""Every row of a raw file is listed with what it is about, as a spreadsheet counts rows."""

import csv

from alliance.config.cohort import PROJECT
from alliance.config.instruments import load_instrument
from alliance.config.site import load_site
from alliance.ingest.pseudonyms import SIMULATED_KEY
from alliance.ingest.site import read_site

from .conftest import tiny

KEYS = {"alliance": "wai-sr-c", "symptoms": "phq-9"}


def sources_of(folder):
    keys = {m: load_instrument(PROJECT / f"config/instruments/{k}.yaml") for m, k in KEYS.items()}
    tables, lookup = read_site(
        site="clinic",
        mapping=load_site(folder / "config/sites/tiny/clinic.yaml"),
        raw_folder=folder / "data/raw/tiny/clinic",
        keys=keys,
        key=SIMULATED_KEY,
        with_sources=True,
    )
    return tables, {name: id_ for (_, id_), name in lookup["client"].items()}


def test_the_rows_of_each_session_and_form_are_those_of_the_file(tmp_path):
    tiny.write(tmp_path)
    tables, ids = sources_of(tmp_path)
    found = tables.sources
    with (tmp_path / "data/raw/tiny/clinic/sessions.csv").open(encoding="utf-8") as stream:
        numbered = enumerate(csv.reader(stream), 1)
        rows = {(row[0], int(row[1])): at for at, row in numbered if row[1].isdecimal()}
    for about in ("session", "alliance", "symptoms"):
        part = found[found["about"] == about]
        listed = {(ids[r.client], int(r.session)): r.row for r in part.itertuples()}
        assert listed == rows
    assert set(found["file"]) == {"sessions.csv"}


def test_rows_that_are_set_aside_are_listed_with_their_rule(tmp_path):
    tiny.write(tmp_path)
    path = tmp_path / "data/raw/tiny/clinic/sessions.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    nobody = "," + lines[3].partition(",")[2]
    path.write_text("\n".join([*lines, lines[5], nobody]) + "\n", encoding="utf-8")
    tables, _ = sources_of(tmp_path)
    lost = tables.sources[tables.sources["about"].str.startswith("set aside: ")]
    assert {len(lines) + 1, len(lines) + 2} <= set(lost["row"])
    assert lost.set_index("row").loc[len(lines) + 2, "client"] == ""
