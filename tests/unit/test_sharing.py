"""What may leave the lab: no hidden count can be reckoned, and the attacker is a good one."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from alliance.errors import DataError
from alliance.files import read_json, sha256_of, write_json
from alliance.running.former import put_outdated_share_aside
from alliance.sharing import release
from alliance.sharing.attacker import attack, too_close
from alliance.sharing.counts import Counts, Place, Rule
from alliance.sharing.gather import gather_counts
from alliance.sharing.names import TITLES
from alliance.sharing.numbers import gather_effects, gather_means
from alliance.sharing.suppress import hidden_counts
from alliance.sharing.tables import count_tables
from alliance.simulate.small_cohorts import small_cohort

RULE = Rule()
PARTS = ("about", "leaving", "changed", "models")


def parts_of(seed, clients=None):
    cohort = small_cohort(seed, clients)
    return [cohort[part] for part in PARTS]


def attacked(folder, about, counts, hidden, rule):
    """Return the bounds found from the files alone; the true counts must lie within."""
    release.write_tables(about, count_tables(counts, hidden, rule), folder, rule)
    bounds = attack(folder)
    for cell, (low, high) in bounds.items():
        assert low - 1e-6 <= counts.values[counts.printed[Place(*cell)]] <= high + 1e-6, cell
    return bounds


@pytest.mark.parametrize("seed", range(2000, 2006))
def test_no_hidden_count_is_bounded_closely_but_on_plain_tables_they_are(seed, tmp_path):
    """A thousand cohorts: benchmarks/share_attack.py, docs/sharing.md."""
    parts = parts_of(seed)
    counts = gather_counts(*parts)
    hidden = hidden_counts(counts, RULE)
    small = counts.small(RULE) & set(counts.printed.values())
    assert small <= hidden
    bounds = attacked(tmp_path / "shared", parts[0], counts, hidden, RULE)
    assert len(bounds) >= len(small) > 0
    assert too_close(bounds, RULE.width) == []
    exact = replace(RULE, base=1)
    assert too_close(attacked(tmp_path / "plain", parts[0], counts, small, exact), RULE.width)


@pytest.mark.parametrize("clients", [1, 7, 8, 20])
def test_tiny_cohorts_have_a_folder_too(clients, tmp_path):
    release.write_facts(*parts_of(7, clients), tmp_path, RULE)
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == set(TITLES)
    if clients < RULE.fewest:
        printed = (tmp_path / "tables" / "flow.csv").read_text()
        assert not re.search(r"[1-9]", re.sub(r"site\d", "", printed))


def counts_of(values, totals):
    counts = Counts()
    for key, value in values.items():
        counts.show(Place("t", key, "n"), value, key=key)
    for total, parts in totals.items():
        counts.total(total, parts)
    return counts


def test_a_small_count_takes_a_neighbour_with_it_where_the_total_is_exact():
    counts = counts_of({"total": 100, "a": 3, "b": 40, "c": 57}, {"total": "abc"})
    hidden = hidden_counts(counts, replace(RULE, base=1))
    assert "a" in hidden and len(hidden) == 2
    assert "total" not in hidden  # the dearest to a reader


def test_rounding_may_be_protection_enough():
    counts = counts_of({"total": 100, "a": 5, "b": 40, "c": 55}, {"total": "abc"})
    assert hidden_counts(counts, RULE) == {"a"}


def test_the_same_count_in_a_second_table_is_hidden_there_too():
    """b and c protect a in one table; the second table's sum would give b away."""
    counts = counts_of(
        {"total": 60, "a": 3, "b": 20, "c": 37, "second": 45, "d": 25},
        {"total": "abc", "second": "bd"},
    )
    hidden = hidden_counts(counts, replace(RULE, base=1))
    assert "a" in hidden
    assert hidden & {"c", "total"} or hidden >= {"b", "d"} or hidden >= {"b", "second"}


def test_what_lies_between_two_counts_is_a_count_too():
    """Of 100 clients 97 are in the model: the three left out are a small group."""
    counts = counts_of({"all": 100, "fit": 97}, {})
    counts.at_most({"fit": 1}, {"all": 1})
    assert hidden_counts(counts, replace(RULE, base=1))
    counts = counts_of({"all": 100, "fit": 80}, {})
    counts.at_most({"fit": 1}, {"all": 1})
    assert not hidden_counts(counts, replace(RULE, base=1))


def test_a_sum_that_one_client_makes_is_hidden():
    about, *others = parts_of(11, 9)
    for row in about["sample"]:
        if row["characteristic"] == "sessions" and row["site"] == "all":
            row["maximum"] = row["n"] * row["mean"] - 8  # eight clients came once, one always
    counts = gather_counts(about, *others)
    assert counts.printed[Place("flow", "all", "sessions")] in counts.small(RULE)


def a_mean(**changed):
    row = {
        "characteristic": "age", "category": None, "unit": "years", "site": "all", "n": 30,
        "mean": 40.04, "sd": 10.0, "minimum": 18.0, "maximum": 80.0, "count": None,
    }  # fmt: skip
    return {"sample": [row | changed], "flow": [{"site": "all", "sessions": 200}]}


@pytest.mark.parametrize(
    "changed",
    [
        {"n": 7},
        {"mean": 3.0, "minimum": 0.0, "maximum": 80.0},  # one client has nearly all: dominated
        {"minimum": -1.0},  # the rule is one for sums of what is never negative
        {"mean": 0.3, "minimum": 0.0, "maximum": 1.0},  # a percentage of an exact count
        {"mean": 200 / 30},  # with the sum in print, it tells how many clients exactly
    ],
)
def test_a_mean_that_could_give_somebody_away_is_left_out(changed):
    assert gather_means(a_mean(**changed), False, RULE) == ([], ["age"])


def test_means_are_coarse_and_those_of_sites_stay_out_where_a_site_is_hidden():
    about = a_mean()
    about["sample"].append(about["sample"][0] | {"site": "east", "n": 20})
    about["flow"].append({"site": "east", "sessions": 150})
    shown, left_out = gather_means(about, False, RULE)
    assert [row["mean"] for row in shown] == [40.0, 40.0] and not left_out
    shown, left_out = gather_means(about, True, RULE)
    assert [row["site"] for row in shown] == ["all"] and left_out == ["age"]


def test_effects_of_categories_intercepts_and_tiny_models_stay_out():
    def estimate(term, level):
        numbers = dict.fromkeys(("estimate", "se", "ci_low", "ci_high", "p"), 0.123456)
        return {"term": term, "label": term, "level": level, "group": "", "unit": "", **numbers}

    fit = parts_of(3)[3][0]
    fit["data"]["groups"] = [{"level": "client", "n": 60}]
    fit["estimates"] = [
        estimate("1", "intercept"),
        estimate("alliance_within", "within-client"),
        estimate("site[north]", "site"),
    ]
    shown, left_out = gather_effects([fit])
    assert [(row["term"], row["estimate"]) for row in shown] == [("alliance_within", 0.123)]
    assert left_out == []
    fit["data"]["groups"] = [{"level": "client", "n": 12}]
    assert gather_effects([fit]) == ([], [fit["model"]])


def test_the_folder_is_made_of_safe_facts_alone_and_is_the_same_each_time(tmp_path):
    for name in ("one", "two"):
        release.write_facts(*parts_of(5), tmp_path / name, RULE)
    paths = sorted(p for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert {p.name for p in paths} >= {"report.html", "disclosure.html", "facts.json", "flow.csv"}
    for path in paths:
        again = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == again.read_bytes(), path.name
    facts = read_json(tmp_path / "one" / "facts.json")
    page = (tmp_path / "one" / "report.html").read_text("utf-8")
    cells = [str(c) for table in facts["tables"] for row in table["rows"] for c in row[1:]]
    assert re.findall(r"<td[^>]*>(.*?)</td>", page) == cells
    assert "script" not in page and "Content-Security-Policy" in page


def test_names_from_the_data_are_escaped(tmp_path):
    about, *others = parts_of(5)
    for row in about["sample"]:
        if row["category"] == "a":
            row["category"] = "<script>alert(1)</script>"
    release.write_facts(about, *others, tmp_path, RULE)
    assert "<script>" not in (tmp_path / "report.html").read_text("utf-8")


def test_the_page_of_what_was_hidden_does_not_tell_small_counts_from_their_neighbours(tmp_path):
    release.write_facts(*parts_of(5), tmp_path, RULE)
    told = read_json(tmp_path / "disclosure.json")
    assert told["attack"]["hidden"] == sum(table["hidden"] for table in told["tables"]) > 0
    assert all(set(table) == {"name", "title", "counts", "hidden"} for table in told["tables"])


def test_nothing_that_the_attack_opens_is_released(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "hidden_counts", lambda counts, rule: counts.small(rule))
    exact = replace(RULE, base=1)
    with pytest.raises(DataError, match="could be reckoned"):
        release.write_facts(*parts_of(5), tmp_path, exact)
    assert not Path(tmp_path / "report.html").exists()


COLUMNS = ["site", "clients", "dropout", "completed", "transferred", "ongoing", "end_unknown"]
HIDES_DROPOUTS = ["all", 100, "hidden", "hidden", 0, 0, 0]
PAGES = {  # each of 27 dropouts among 100 clients
    "nothing": ("", False),
    "a count": (
        f"<h2>{TITLES['flow']}</h2><table><tr><th>site</th><th>dropout</th></tr>"
        "<tr><th>all</th><td>25</td></tr></table>",
        True,
    ),
    "a percentage beside a total": ("<p>27 % of the clients dropped out.</p>", True),
    "a percentage of rounded counts": (
        "<p>About 25 % of the clients dropped out (of rounded counts).</p>",
        True,
    ),
}


@pytest.mark.parametrize("told", PAGES)
def test_what_the_page_says_of_a_hidden_count_is_seen_by_the_attacker(tmp_path, told):
    page, gives_away = PAGES[told]
    table = {"name": "flow", "columns": COLUMNS, "rows": [HIDES_DROPOUTS]}
    write_json({"rule": {"base": 5, "fewest": 8}, "tables": [table]}, tmp_path / "facts.json")
    lines = [",".join(map(str, line)) for line in (COLUMNS, HIDES_DROPOUTS)]
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "flow.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "report.html").write_text(page)
    low, high = attack(tmp_path)["flow", "all", "dropout"]
    assert low <= 27 <= high
    assert (high - low < RULE.width) == gives_away


@pytest.mark.parametrize("words", ["n = 423", "of 17 clients", "12.5 % improved"])
def test_a_number_that_nobody_has_placed_is_not_released(tmp_path, monkeypatch, words):
    make = release.report_page
    monkeypatch.setattr(
        release, "report_page", lambda facts: make(facts).replace("</h1>", f"</h1><p>{words}</p>")
    )
    with pytest.raises(DataError, match="numbers stand on the shared report"):
        release.write_facts(*parts_of(5), tmp_path, RULE)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("state", ["fresh", "older", "unrecorded"])
def test_a_share_folder_that_is_older_than_the_results_is_put_aside(tmp_path, monkeypatch, state):
    """A run finds it: what it was made from is not what stands in the results now."""
    monkeypatch.chdir(tmp_path)
    results = Path("results/tiny")
    source, page = results / "dropout.json", results / "share" / "report.html"
    record = results / "audit" / "steps" / "write_share.json"
    write_json({"n": 1}, source)
    page.parent.mkdir()
    page.write_text("shared")
    inputs = {source.as_posix(): sha256_of(source)}
    outputs = {page.as_posix(): sha256_of(page)}
    if state != "unrecorded":
        step = {"name": "write_share", "inputs": inputs, "code": {}, "settings": {}}
        write_json(step | {"outputs": outputs}, record)
    listed = {**inputs, **outputs, record.as_posix(): "any"}
    write_json(listed, results / "audit" / "outputs.json")
    if state == "older":
        write_json({"n": 2}, source)
    assert put_outdated_share_aside(results) == (state != "fresh")
    assert page.is_file() == (state == "fresh")
    if state != "fresh":
        assert (results / "former" / "share" / "report.html").is_file() and not record.exists()
    if state == "older":
        assert set(read_json(results / "audit" / "outputs.json")) == {source.as_posix()}
