"""With another key of the pseudonyms every number is the same: estimates, resamples, folds.

Figures, tables and the page are made from descriptions and fits alone: these are compared.
"""

import json

import pandas as pd
import pytest

from alliance import files
from alliance.config.cohort import instrument_path, load_cohort, site_mapping_path
from alliance.families.family import load
from alliance.families.fitting import fit_family
from alliance.families.registry import families
from alliance.ingest.plausible import check_plausibility
from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site
from alliance.measures.describe import describe_measures
from alliance.measures.describe_change import describe_change
from alliance.measures.events import find_events
from alliance.measures.scoring import score_measures
from alliance.panel.build import build_panel
from alliance.panel.describe_cohort import Processed, describe_cohort
from alliance.panel.describe_dropout import describe_dropout
from alliance.persons import Persons
from tests.faults import tiny

MORE = """\
  joint:     {family: joint_courses, outcomes: [alliance, symptoms], times: [session, session]}
  coupled:   {family: coupling, predictor: alliance, outcome: symptoms, time: log_weeks}
  parallel:  {family: parallel_growth, outcomes: [alliance, symptoms], times: [session, session]}
  views:     {family: agreement, client: alliance, therapist: symptoms, time: session}
  following: {family: actor_partner, client: alliance, therapist: symptoms}
  therapist: {family: therapists, outcome: symptoms, alliance: alliance, time: log_weeks}
  estimated: {family: panel_estimators, model: coupled}
  otherwise: {family: specifications, model: coupled}
  ends:      {family: continuous_time, method: cox, predictors: [alliance]}
  hazard_re: {family: hazard, predictors: [alliance, symptoms]}
change:
  symptoms: {reliability: 0.84}
  alliance: {reliability: 0.92}
ruptures:
  alliance: [drop_of_2_sd_below_mean_so_far, own_control_chart]
"""
# Two who are alike but for whom they see: a single session, no form.
ALIKE = ["case-{}-Zq", "1", "2023-03-06", "kanarie-alone-{}", "40", "male", "2", ""]


def written(folder):
    """Write the tiny cohort of two sites with more models and two clients who are alike."""
    tiny.write(folder, simulated="false", sites=("clinic", "practice"))
    config = folder / "config" / "tiny.yaml"
    config.write_text(config.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    raw = folder / "data" / "raw" / "tiny" / "clinic" / "sessions.csv"
    with raw.open("a", encoding="utf-8") as stream:
        for number in (7, 8):
            empty = [""] * (tiny.N_WAI + tiny.N_PHQ)
            stream.write(",".join([*(cell.format(number) for cell in ALIKE), *empty]) + "\n")
    return load_cohort(config), config


def made(folder, key):
    """Read, describe and fit the cohort under a key; return descriptions and fits by name."""
    cohort, config = written(folder)
    (folder / "private" / "tiny" / "pseudonym.key").write_text(key, encoding="utf-8")
    used = {
        "measures": cohort["measures"],
        "instruments": [
            instrument_path(config, name)
            for name in {m["instrument"]: 0 for m in cohort["measures"].values()}
        ],
    }
    sites = [folder / "sites" / site for site in cohort["sites"]]
    private = folder / "private" / "tiny"
    for site, out in zip(cohort["sites"], sites, strict=True):
        ingest_site(
            cohort="tiny", site=site, mapping=site_mapping_path(config, "tiny", site),
            raw_folder=folder / "data/raw/tiny" / site, private_folder=private,
            simulated=False, out_folder=out, **used,
        )  # fmt: skip
    at = {
        name: folder / f"{name}.parquet"
        for name in ("clients", "sessions", "responses", "scores", "ledger", "quarantine",
                     "scoring_ledger", "events", "panel", "implausible")
    }  # fmt: skip
    odd = {"site_folders": sites, "implausible": at["implausible"]}
    check_plausibility(private_folder=private, **odd, **used)
    pool_sites(out_folder=folder, checks_folder=folder, **odd)
    score_measures(
        responses=at["responses"], scores=at["scores"], ledger=at["scoring_ledger"], **used
    )
    events = {"change": cohort["change"], "ruptures": cohort["ruptures"]}
    find_events(scores=at["scores"], events=at["events"], **events, **used)
    build_panel(
        **{name: at[name] for name in ("clients", "sessions", "scores", "events", "panel")},
        measures=cohort["measures"], dropout=cohort["dropout"], subscales=[], **events,
    )  # fmt: skip
    _describe(folder, at, cohort, used, events)
    for name, family in families().items():
        models = {k: m for k, m in cohort["models"].items() if m["family"] == name}
        if models:
            fit_family(
                load(family.fit), panel=at["panel"], models=models, **used,
                fits=[folder / "made" / f"{model}.json" for model in models],
                rows=[folder / "rows" / f"{model}.parquet" for model in models],
            )  # fmt: skip
    return {path.stem: json.loads(path.read_text()) for path in (folder / "made").iterdir()}


def _describe(folder, at, cohort, used, events):
    describe_measures(
        **{name: at[name] for name in ("clients", "sessions", "responses", "scores")},
        seed=1, measurement=folder / "made" / "measurement.json", **used,
    )  # fmt: skip
    describe_change(
        panel=at["panel"], events=at["events"], observers=cohort["observers"], seed=1,
        described=folder / "made" / "change.json",
        private=folder / "private" / "tiny" / "change.csv", **events, **used,
    )  # fmt: skip
    describe_dropout(
        panel=at["panel"], dropout=cohort["dropout"],
        description=folder / "made" / "dropout.json", **used,
    )  # fmt: skip
    describe_cohort(
        cohort="tiny", title="", simulated=False, dropout=cohort["dropout"],
        processed=Processed(**{name: at[name] for name in Processed._fields}),
        description=folder / "made" / "description.json", **used,
    )  # fmt: skip


@pytest.mark.slow
def test_every_number_is_the_same_under_another_key(tmp_path):
    (one, other) = (made(tmp_path / name, name * 32) for name in ("0a", "f3"))
    names = [pd.read_parquet(tmp_path / name / "panel.parquet")["client"] for name in ("0a", "f3")]
    assert not set(names[0]) & set(names[1])
    assert names[0].rank(method="dense").tolist() != names[1].rank(method="dense").tolist()
    for fit in (*one.values(), *other.values()):
        fit.get("data", {}).pop("panel_sha256", None)  # of a file that holds pseudonyms
    assert one.keys() == other.keys() and len(one) > 16
    assert [name for name in one if files.plain(one[name]) != files.plain(other[name])] == []
    named = [pd.read_parquet(tmp_path / name / "implausible.parquet") for name in ("0a", "f3")]
    pd.testing.assert_frame_equal(*named)


def test_places_sort_as_the_rows_do_and_become_names_again():
    first = pd.DataFrame({"client": ["cff", "c00", "cff"], "therapist": ["tz", None, "tz"]})
    second = pd.DataFrame({"client": ["c00", "c11"], "score": [1.0, 2.0]}, index=[5, 3])
    persons = Persons()
    one, two = persons.numbered(first), persons.numbered(second)
    assert one["client"].tolist() == ["c000000000", "c000000001", "c000000000"]
    assert two["client"].to_dict() == {5: "c000000001", 3: "c000000002"}
    pd.testing.assert_frame_equal(persons.named(one), first)
    pd.testing.assert_frame_equal(persons.named(two), second)
    assert persons.named(two.iloc[:0]).empty
