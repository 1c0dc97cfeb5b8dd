"""A mapping that says the wrong thing about a file stops the run, with one problem that names it.

Beside each: a file that is merely bad in places, where nothing may stop.
"""

import datetime

import pandas as pd
import pytest
import yaml

from alliance.config.cohort import PROJECT
from alliance.errors import DataError
from alliance.ingest import mapping_faults
from alliance.ingest.plausible import check_plausibility
from alliance.ingest.pool import pool_sites
from alliance.ingest.rules import RULES
from alliance.ingest.site import ingest_site

MEASURES = {"symptoms": {"instrument": "phq-9"}}
HEADER = "id,nr,day,age,th," + ",".join(f"p{i}" for i in range(1, 10))
START = datetime.date(2023, 1, 9)


def lines(n_clients=15, n_sessions=4, style="%Y-%m-%d", answer=lambda n: (n + n // 5) % 4, **fixed):
    made = []
    for client in range(n_clients):
        for session in range(1, n_sessions + 1):
            day = START + datetime.timedelta(days=7 * (5 * client + session))
            row = {"id": f"k{client}x", "nr": session, "day": day.strftime(style), "age": 30}
            row |= {"th": f"t{client % 3}"}
            row |= {f"p{i}": answer(client * 7 + session * 3 + i * i) for i in range(1, 10)}
            made.append(row | fixed)
    return pd.DataFrame(made, dtype="str")


@pytest.fixture
def ingest(tmp_path):
    """Ingest sites given as a table each; return their problems and the message of a stop."""

    def run(*frames, header="", judged=False, **table):
        folders = []
        for number, frame in enumerate(frames):
            site = f"site{number}"
            raw = tmp_path / "raw" / site
            raw.mkdir(parents=True, exist_ok=True)
            (raw / "a.csv").write_text(header + frame.to_csv(index=False), encoding="utf-8")
            entry = {"file": "a.csv", "rows": "session", "client": "id", "session": "nr",
                     "client_facts": {"therapist": "th",
                                      "age_years": {"column": "age", "type": "number"}},
                     "session_facts": {"date": "day"},
                     "measures": {"symptoms": "p{item}"}, **table}  # fmt: skip
            entry = {key: value for key, value in entry.items() if value is not None}
            mapping = tmp_path / f"{site}.yaml"
            mapping.write_text(yaml.safe_dump({"site": site, "tables": [entry]}), encoding="utf-8")
            ingest_site(
                cohort="toy", site=site, mapping=mapping, raw_folder=raw, measures=MEASURES,
                instruments=[PROJECT / "config" / "instruments" / "phq-9.yaml"],
                private_folder=tmp_path / "private", simulated=True,
                out_folder=tmp_path / "sites" / site,
            )  # fmt: skip
            folders.append(tmp_path / "sites" / site)
        implausible = tmp_path / "implausible.parquet" if judged else None
        if judged:
            check_plausibility(
                site_folders=folders, measures=MEASURES,
                instruments=[PROJECT / "config" / "instruments" / "phq-9.yaml"],
                implausible=implausible, private_folder=tmp_path / "private",
            )  # fmt: skip
        try:
            pool_sites(
                site_folders=folders, out_folder=tmp_path, checks_folder=tmp_path / "checks",
                implausible=implausible,
            )  # fmt: skip
        except DataError as error:
            told = pd.read_csv(tmp_path / "checks" / "blocking_problems.csv")
            return told, str(error)
        return pd.read_csv(tmp_path / "checks" / "problems.csv"), ""

    return run


def stops(told):
    stopped = told[told["action"] == "stopped"]
    return list(stopped[["rule", "column"]].astype(object).itertuples(index=False, name=None))


def test_every_rule_that_can_hit_everything_has_a_remedy_in_the_mapping():
    by_rows = {name for name, rule in RULES.items() if rule.action.endswith("set aside")}
    told_elsewhere = {"exact-duplicate", "file-cut-off", "session-conflict", "no-key", "key-twice"}
    assert set(mapping_faults.REMEDIES) == by_rows - told_elsewhere


def test_a_sound_file_stops_nothing(ingest):
    told, message = ingest(lines())
    assert message == "" and told.empty


def test_an_empty_column_of_ids(ingest):
    told, message = ingest(lines(id=None))
    assert stops(told) == [("nearly-all-set-aside", "id")]
    assert "60 of 60 rows" in message and "`client`" in message
    assert len(told) == 61 and len(message.splitlines()) == 3


def test_most_ids_missing_stops_and_some_do_not(ingest):
    frame = lines()
    frame.loc[frame.index % 3 != 0, "id"] = None
    assert stops(ingest(frame)[0]) == [("nearly-all-set-aside", "id")]
    frame = lines()
    frame.loc[frame.index % 3 == 0, "id"] = None
    told, message = ingest(frame)
    assert message == "" and set(told["rule"]) == {"no-client-id"}


@pytest.mark.parametrize("style", ["%d.%m.%Y", "%d/%m/%Y"])
def test_dates_declared_otherwise_than_written(ingest, style):
    told, message = ingest(lines(style=style), dates="mm/dd/yyyy")
    assert stops(told) == [("column-unreadable", "day")]
    assert "mend `dates`" in message and "filled-in cells" in message


def test_months_and_days_that_change_places_in_a_tenth_of_the_dates(ingest):
    frame = lines()
    frame["day"] = [f"0{1 + n % 9}/0{1 + n % 7}/2024" for n in range(len(frame))]
    frame.loc[frame.index % 10 == 0, "day"] = "13/02/2024"
    told, _ = ingest(frame, dates="mm/dd/yyyy")
    assert stops(told) == [("column-unreadable", "day")]


def test_a_few_bad_dates_stop_nothing(ingest):
    frame = lines()
    frame.loc[frame.index % 3 == 0, "day"] = "soon"
    assert ingest(frame)[1] == ""


def test_answers_as_words_without_codes_are_one_problem_a_measure(ingest):
    told, message = ingest(lines(answer=lambda n: "never"))
    assert stops(told) == [("column-unreadable", "p1")]
    assert "540 of 540" in message and "8 more" in message and "codes" in message


def test_a_fact_with_another_decimal_sign(ingest):
    told, message = ingest(lines(age="30,5"))
    assert stops(told) == [("column-unreadable", "age")]
    assert "decimal" in message


def test_one_bad_cell_in_an_all_but_empty_column_stops_nothing(ingest):
    frame = lines(age=None)
    frame.loc[0, "age"] = "old"
    assert ingest(frame)[1] == ""


def test_copies_of_every_row_stop_nothing(ingest):
    frame = lines()
    told, message = ingest(pd.concat([frame, frame]))
    assert message == "" and set(told["rule"]) == {"exact-duplicate"}


def test_wide_columns_are_judged_over_all_sessions(ingest):
    wide = pd.DataFrame({"id": [f"k{i}" for i in range(30)]})
    for session in range(1, 5):
        wide[f"D{session}"] = "2024-01-0" + str(session)
        for item in range(1, 10):
            wide[f"P{session}_{item}"] = [str((i + item) % 4) for i in range(30)]
    wide.loc[5:, [c for c in wide if c[:2] in ("P4", "D4")]] = None
    wide.loc[:5, "P4_1"] = "x"  # all answers to one item at the last session: five slips
    mapping = {"rows": "client", "session": None, "client_facts": {},
               "session_facts": {"date": "D{session}"},
               "measures": {"symptoms": "P{session}_{item}"}}  # fmt: skip
    told, message = ingest(wide, **mapping)
    assert message == "", told
    wide[[c for c in wide if c.endswith("_1")]] = "x"
    told, _ = ingest(wide, **mapping)
    assert stops(told) == [("column-unreadable", "P1_1")]


@pytest.mark.parametrize(("answer", "words"), [
    (lambda n: n % 4 + 1, "above"), (lambda n: n % 4 - 1, "below"),
])  # fmt: skip
def test_a_form_entered_from_another_number(ingest, answer, words):
    told, message = ingest(lines(answer=answer))
    assert stops(told) == [("scale-shifted", "p1")]
    assert f"one step {words}" in message and "stored_as" in message


def test_a_form_with_slips_one_above_is_no_shifted_form(ingest):
    frame = lines()
    frame.loc[frame.index % 10 == 0, "p3"] = "4"
    assert ingest(frame)[1] == ""


def test_the_same_export_at_two_sites(ingest):
    other = lines(answer=lambda n: (n + n // 7) % 4)
    assert ingest(lines(), other)[1] == ""
    told, message = ingest(lines(), lines().assign(id=lambda f: "z" + f["id"]), judged=True)
    assert told.loc[told["action"] == "stopped", ["site", "rule"]].to_numpy().tolist() == [
        ["site1", "twin-sites"]
    ]
    assert "site site0" in message


def test_a_title_above_the_header_is_told_once(ingest):
    told, message = ingest(lines(), header="Export of the clinic\n")
    assert stops(told) == [("column-missing", pytest.approx(float("nan"), nan_ok=True))]
    assert "`header_row`" in message and "`delimiter`" in message
    told, message = ingest(lines(), header="Export,of,the,clinic,x,1,2,3,4,5,6,7,8,9\n")
    assert len(stops(told)) == 1 and "`header_row`" in message


def test_where_a_missing_file_belongs_is_said(ingest, tmp_path):
    _, message = ingest(lines(), file="b.csv")
    assert f"put the file into {(tmp_path / 'raw' / 'site0').as_posix()}/" in message


def test_a_wrong_header_row_tells_no_answer(ingest):
    frame = lines(answer=lambda n: n % 4)
    frame["p1"] = "4711"
    told, message = ingest(frame, measures={"symptoms": {"items_at": ["F-N"]}}, header_row=2)
    assert message and "4711" not in message and "4711" not in set(told["column"])
    told, _ = ingest(frame, measures={"symptoms": {"items_at": ["F-N"]}})
    assert stops(told) == [("column-unreadable", "(F)")]
