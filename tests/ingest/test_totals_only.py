"""Totals without items, as archives and registries have them: read, ranged and scored as such."""

from pathlib import Path

import pytest

from alliance.config.cohort import PROJECT, load_cohort
from alliance.config.measure_keys import keys_of
from alliance.config.site import load_site
from alliance.errors import ConfigError
from alliance.ingest import pseudonyms
from alliance.ingest.site import read_site
from alliance.measures.scoring import scores_of

KEYS = PROJECT / "config" / "instruments"
CONFIG = "cohort: lab\ntitle: Lab\nsites: [one]\nmeasures:\n  symptoms: {instrument: %s%s}\n"
WIDE = "rows: client\n    client: id\n    measures: {symptoms: %s}\n"
LONG = "rows: session\n    client: id\n    session: visit\n    measures: {symptoms: %s}\n"


def write(folder, table, text, items=", items: none", instrument="bdi-ii"):
    raw = folder / "data" / "raw" / "lab" / "one"
    raw.mkdir(parents=True)
    (raw / "a.csv").write_text(text, encoding="utf-8")
    mapping = folder / "config" / "sites" / "lab" / "one.yaml"
    mapping.parent.mkdir(parents=True)
    mapping.write_text(f"site: one\ntables:\n  - file: a.csv\n    {table}", encoding="utf-8")
    config = folder / "config" / "lab.yaml"
    config.write_text(CONFIG % (instrument, items), encoding="utf-8")
    return config


def read(config: Path):
    cohort = load_cohort(config)
    keys = keys_of(cohort["measures"], [KEYS / "bdi-ii.yaml"])
    raw = config.parents[1] / "data" / "raw" / "lab"
    tables, _ = read_site(
        site="one", mapping=load_site(config.parent / "sites" / "lab" / "one.yaml"),
        raw_folder=raw / "one", keys=keys, key=pseudonyms.key_of(raw, simulated=True),
    )  # fmt: skip
    scores, _ = scores_of(tables.responses, keys)
    return tables, scores


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (WIDE % "{total: 'bdi.{session}m'}", "id,bdi.1m,bdi.2m\na,30,12.5\nb,63,0\n"),
        (WIDE % "{total: {1: before, 2: after}}", "id,before,after\na,30,12.5\nb,63,0\n"),
        (LONG % "{total: bdi}", "id,visit,bdi\na,1,30\na,2,12.5\nb,1,63\nb,2,0\n"),
    ],
)
def test_a_total_is_a_score(tmp_path, table, text):
    """Totals of an archive may be prorated: no whole numbers."""
    tables, scores = read(write(tmp_path, table, text))
    assert tables.quarantine.empty, tables.quarantine
    assert sorted(scores["score"]) == [0, 12.5, 30, 63]
    assert set(scores["subscale"]) == {"total"} and not scores["prorated"].any()


def test_a_total_beyond_the_range_of_the_key_is_set_aside(tmp_path):
    config = write(tmp_path, LONG % "{total: bdi}", "id,visit,bdi\na,1,64\na,2,12\nb,1,\nb,2,0\n")
    tables, scores = read(config)
    (problem,) = tables.quarantine.to_dict("records")
    assert (problem["rule"], problem["column"]) == ("out-of-range", "bdi")
    assert problem["expected"] == "a number from 0 to 63"
    assert sorted(scores["score"].dropna()) == [0, 12]


@pytest.mark.parametrize(
    ("table", "items", "instrument", "told"),
    [
        (LONG % "{total: bdi}", "", "bdi-ii", "give symptoms `items: none` in the config"),
        (LONG % "'bdi_{item}'", ", items: none", "bdi-ii", "give `total`, the column"),
        (LONG % "{total: bdi, codes: {a: 1}}", ", items: none", "bdi-ii", "does not go with total"),
        (LONG % "{total: 'b{session}'}", ", items: none", "bdi-ii", "must hold no {...}"),
        (WIDE % "{total: bdi}", ", items: none", "bdi-ii", "must hold {session}"),
        (WIDE % "{total: {first: bdi}}", ", items: none", "bdi-ii", "must be a session number"),
        (LONG % "{total: dass}", ", items: none", "dass-21", "has no total score"),
    ],
)
def test_what_cannot_be_a_total_is_told(tmp_path, table, items, instrument, told):
    config = write(tmp_path, table, "id,visit,bdi\na,1,30\n", items, instrument)
    with pytest.raises(ConfigError) as stopped:
        load_cohort(config)
    assert told in str(stopped.value)


def test_the_key_of_totals_says_so():
    keys = keys_of(
        {"bdi": {"instrument": "bdi-ii", "items": "none"}, "all": {"instrument": "bdi-ii"}},
        [KEYS / "bdi-ii.yaml"],
    )
    assert (keys["bdi"].n_items, keys["bdi"].maximum, keys["bdi"].step) == (1, 63, 0)
    assert (keys["all"].n_items, keys["all"].maximum, keys["all"].step) == (21, 3, 1)
