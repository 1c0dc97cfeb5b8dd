"""The comparison of two results folders tells every number, text and place that differs."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import compare_findings


def finding(**changes):
    return {"id": "f1", "document": "report.html", "place": "change, table steps",
            "printed": "0.52", "value": 0.517, "format": "decimals:2",
            "source": "fits/old_arms.json", "pointer": "/steps/0/p",
            "also": []} | changes  # fmt: skip


def folder(path, *findings):
    (path / "audit").mkdir(parents=True)
    text = json.dumps({"schema": "x", "run": {}, "findings": list(findings)})
    (path / "audit" / "findings.json").write_text(text)
    return path


def compared(tmp_path, before, after, renamed=None):
    one, other = folder(tmp_path / "before", *before), folder(tmp_path / "after", *after)
    return compare_findings.compare(one, other, renamed)


def test_renamed_places_are_the_same_and_fields_keep_their_names(tmp_path):
    now = finding(place="change, table growth_shape", source="fits/new_arms.json", id="f7")
    names = {"steps": "growth_shape", "old_arms": "new_arms", "arms": "wrong"}
    assert compared(tmp_path / "names", [finding()], [now], {"names": names}) == (1, [])
    moved = finding(pointer="/steps/0/p/value")
    pointers = {"/p$": "/p/value"}
    assert compared(tmp_path / "fields", [finding()], [moved], {"pointers": pointers}) == (1, [])


def test_a_value_a_text_a_place_and_a_count_that_differ_are_told(tmp_path):
    changes = [{"value": 0.5171}, {"printed": "0.51"}, {"pointer": "/steps/1/p"}]
    for k, change in enumerate(changes):
        _, found = compared(tmp_path / str(k), [finding()], [finding(**change)])
        assert found, change
    same, found = compared(tmp_path / "twice", [finding(), finding()], [finding()])
    assert same == 1
    assert [len(d.before) for d in found] == [1]


def test_as_a_script_it_ends_with_one_where_anything_differs(tmp_path, capsys):
    one, other = folder(tmp_path / "a", finding()), folder(tmp_path / "b", finding(value=1))
    assert compare_findings.main([str(one), str(one)]) == 0
    assert compare_findings.main([str(one), str(other)]) == 1
    assert "1 places differ" in capsys.readouterr().out
