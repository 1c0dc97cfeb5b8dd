"""Answers leave the intake as they were ticked, however the site's export stores them."""

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import StoredForm, load_instruments
from alliance.config.site_mapping import completed_measure
from alliance.errors import ConfigError
from alliance.ingest.stored import how_stored

KEYS = load_instruments()


def ticked(key, texts, item, decimal=".", **given):
    instrument = KEYS[key] if isinstance(key, str) else key
    stored = how_stored(completed_measure({"items": "x{item}", **given}), instrument, decimal)
    return stored.answers(pd.Series(texts, dtype="str"), item).tolist()


def same(found, expected):
    np.testing.assert_array_equal(found, expected)


def test_the_seven_options_of_sleep_and_appetite():
    options = ["0", "1a", "1b", "2a", "2B", "3a", "3b ", None, "4", "c"]
    answers = [0, 1, 1, 2, 2, 3, 3, np.nan, 4, np.nan]
    same(ticked("bdi-ii", options, 16), answers)
    same(ticked("bdi-ii", options, np.full(10, 18)), answers)
    assert np.isnan(ticked("bdi-ii", ["1a"], 15)).all()  # the form has them at two items only
    numbered = {"codes_by_item": {"16": {str(i): (i + 1) // 2 for i in range(7)}}}
    same(ticked("bdi-ii", list("0123456"), 16, **numbered), [0, 1, 1, 2, 2, 3, 3])
    same(ticked("bdi-ii", ["3", "3"], np.array([16, 1]), **numbered), [2, 3])


def test_forms_that_count_from_another_number():
    same(ticked("phq-9", ["1", "4", "0", "5", "-99", "9"], 1, stored_as=[1, 4]),
         [0, 3, -1, 5, -99, 9])  # fmt: skip
    same(ticked("wai-sr-c", ["0", "4"], 1, stored_as=[0, 4]), [1, 5])
    same(ticked("wai-sr-c", ["5", "1", "2"], 1, stored_as=[5, 1]), [1, 5, 4])
    same(ticked("phq-9", ["1,0", "2"], np.array([1, 2]), decimal=",", stored_as=[1, 4]), [0, 1])


def test_items_that_are_reversed_already():
    key = KEYS["wai-s-c"]
    reverse, plain = key.reverse[0], next(i for i in range(1, 13) if i not in key.reverse)
    low, high = key.range_of(reverse)
    same(ticked(key, [f"{low:g}", "99"], reverse, already_reversed=True), [high, 99])
    same(ticked(key, [f"{low:g}"], plain, already_reversed=True), [low])
    same(ticked(key, [f"{low:g}"], key.reverse[1], already_reversed=[reverse]), [low])
    both = ticked(key, ["0"], reverse, already_reversed=True, stored_as=[low - 1, high - 1])
    same(both, [high])


def test_a_key_may_say_it_and_a_mapping_overrules_it():
    from dataclasses import replace

    key = replace(KEYS["wai-s-c"], stored=StoredForm(stored_as=(0, 6), already_reversed=True))
    item = key.reverse[0]
    same(ticked(key, ["0"], item), [7])
    same(ticked(key, ["1"], item, stored_as=[1, 7], already_reversed=False), [1])


def config_error(site, measure, **table):
    own = {"alliance": {"items": "wai{item}", **measure}}
    with pytest.raises(ConfigError) as error:
        site.read({**TABLE, "measures": own, **table})
    return str(error.value)


def test_codes_and_a_shift_contradict_each_other(site):
    assert "codes or stored_as" in config_error(site, {"codes": {"a": 1}, "stored_as": [0, 4]})


def rows(answers, n=30):
    return "id,nr,wai1,wai2,wai3\n" + "".join(f"P{i},{s},{answers(i, s)}\n" for i in range(n)
                                               for s in (1, 2))  # fmt: skip


TABLE = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr"}


@pytest.mark.parametrize(("by", "ends"), [(1, "[2, 6]"), (-1, "[0, 4]")])
def test_a_shifted_form_is_told_with_the_line_that_mends_it(site, by, ends):
    site.csv(
        "toy.csv", rows(lambda i, s: ",".join(str(1 + (i + s * k) % 5 + by) for k in range(3)))
    )
    measure = {"items": "wai{item}"}
    told = site.read({**TABLE, "measures": {"alliance": measure}}).quarantine.set_index("rule")
    assert f"`stored_as: {ends}`" in told.loc["scale-shifted", "remedy"]
    measure["stored_as"] = [1 + by, 5 + by]
    read = site.read({**TABLE, "measures": {"alliance": measure}})
    assert read.quarantine.empty and read.responses["value"].between(1, 5).all()


def test_one_item_on_another_scale_is_told(site):
    site.csv("toy.csv", rows(lambda i, s: f"{1 + i % 5},{1 + s},{i % 7 + 1}"))
    told = site.read({**TABLE, "measures": {"alliance": "wai{item}"}}).quarantine
    assert "item 3" in told.set_index("rule").loc["item-on-another-scale", "expected"]
    codes = {"3": {str(n): min(n, 5) for n in range(1, 8)}}
    measure = {"items": "wai{item}", "codes_by_item": codes}
    assert site.read({**TABLE, "measures": {"alliance": measure}}).quarantine.empty


def test_numbered_options_of_a_printed_form_are_told_with_their_codes(site):
    key = {"symptoms": KEYS["bdi-ii"]}
    names = [f"b{i}" for i in range(1, 22)]
    lines = [",".join(["id", "nr", *names])]
    for i in range(12):
        answers = [str((i + k) % 4) for k in range(21)]
        answers[15], answers[17] = str(i % 7), str((i + 3) % 7)
        lines += [",".join([f"P{i}", str(s), *answers]) for s in (1, 2)]
    site.csv("toy.csv", "\n".join(lines) + "\n")
    table = {**TABLE, "measures": {"symptoms": "b{item}"}}
    told = site.read(table, keys=key).quarantine.set_index("rule")
    options = "{0: 0, 1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3}"
    remedy = f"`codes_by_item: {{16: {options}, 18: {options}}}`"
    assert remedy in told.loc["item-on-another-scale", "remedy"]
    codes = {str(n): (n + 1) // 2 for n in range(7)}
    table["measures"] = {
        "symptoms": {"items": "b{item}", "codes_by_item": {"16": codes, "18": codes}}
    }
    assert site.read(table, keys=key).quarantine.empty


@pytest.mark.parametrize("share", [0.1, 0.7])
def test_undeclared_codes_for_missing_are_told_with_the_line_that_mends_them(site, share):
    def answers(i, s):
        is_missing = (i * 7 + s * 3) % 10 < 10 * share
        code = "-99" if i % 2 else "-77"
        return ",".join([code if is_missing else str(1 + (i + k) % 5) for k in range(3)])

    site.csv("toy.csv", rows(answers))
    told = site.read({**TABLE, "measures": {"alliance": "wai{item}"}}).quarantine
    told = told[told["rule"].isin(["missing-code", "column-unreadable"])]
    assert len(told) == (1 if share < 0.5 else 2)
    assert told["remedy"].str.contains("`missing: [-99, -77]`", regex=False).all()
    read = site.read({**TABLE, "missing": [-99, -77], "measures": {"alliance": "wai{item}"}})
    assert read.quarantine.empty


def test_undeclared_codes_for_missing_facts_are_told(site):
    lines = ["id,th,arm,age,plan"]
    for i in range(30):
        words = [f"P{i}", ["A", "B", "-99"][i % 3], "-99" if i % 5 == 0 else "x"]
        lines.append(",".join([*words, str(20 + i if i % 4 else -99), str(i if i % 7 else -77)]))
    site.csv("toy.csv", "\n".join(lines) + "\n")
    facts = {"therapist": "th", "arm": "arm", "age_years": {"column": "age", "type": "number"},
             "sessions_planned": "plan"}  # fmt: skip
    table = {"file": "toy.csv", "rows": "client", "client": "id", "client_facts": facts}
    told = site.read(table).quarantine
    columns = set(told.loc[told["rule"] == "missing-code", "column"])
    assert columns == {"th", "arm", "age", "plan"}
    told = site.read({**table, "missing": [-99, -77]}).quarantine
    assert not set(told["rule"]) & {"missing-code", "implausible-number", "not-a-number"}
