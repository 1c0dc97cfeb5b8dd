"""Results that were changed since they were made are noticed and made again."""

import pytest

from alliance.running.outputs import RECORD, drop_changed_outputs, remember_outputs


def test_changed_emptied_and_untouched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results, processed = tmp_path / "results", tmp_path / "processed"
    for folder in (results / "figures", results / "logs", processed):
        folder.mkdir(parents=True)
    for name in ("figures/a.svg", "figures/b.svg", "figures/c.svg", "logs/x.log"):
        (results / name).write_text("made by the run")
    remember_outputs(results, processed)
    assert drop_changed_outputs(results, processed) == []
    (results / "figures/a.svg").write_text("")
    (results / "figures/b.svg").write_text("made by the ru")
    (results / "logs/x.log").write_text("logs may change")
    dropped = drop_changed_outputs(results, processed)
    assert [path.name for path in dropped] == ["a.svg", "b.svg"]
    assert not (results / "figures/a.svg").exists()
    assert (results / "figures/c.svg").exists()
    assert (results / "logs/x.log").exists()


def test_first_run_has_nothing_to_compare(tmp_path):
    assert drop_changed_outputs(tmp_path / "results", tmp_path / "processed") == []


@pytest.mark.parametrize(
    "content", [b"", b'{"results/a.csv": "12', b"[1]", b"\xff\xfe\x00", b"null"]
)
def test_a_damaged_record_stops_no_run_and_is_written_anew(tmp_path, content):
    results, processed = tmp_path / "results", tmp_path / "processed"
    (results / "audit").mkdir(parents=True)
    (results / "a.csv").write_text("made by the run")
    (results / RECORD).write_bytes(content)
    assert drop_changed_outputs(results, processed) == []
    remember_outputs(results, processed)
    (results / "a.csv").write_text("")
    assert drop_changed_outputs(results, processed) == [results / "a.csv"]
