"""Results that no finished step vouches for are removed, so that they are made again."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from alliance import files
from alliance.running.outputs import RECORD, Dropped, drop_unvouched
from alliance.running.step import step

RESULTS = Path("results/mylab")
MADE = [
    RESULTS / "figures/a.svg",
    RESULTS / "fits/b.json",
    Path("data/processed/mylab/c.parquet"),
    Path("private/mylab/d.csv"),
]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Four files that a finished step has made."""
    monkeypatch.chdir(tmp_path)
    with step(RESULTS / "logs" / "draw.log"):
        for path in MADE:
            files.write_text("made by the run", path)


def test_what_is_as_it_was_made_stays(made):
    assert drop_unvouched(MADE, RESULTS) == Dropped([], [])
    assert all(path.is_file() for path in MADE)


@pytest.mark.parametrize("path", MADE, ids=str)
@pytest.mark.parametrize("content", ["", "made by the ru", "Made by the run"])
def test_what_was_changed_is_removed(made, path, content):
    path.write_text(content)
    assert drop_unvouched(MADE, RESULTS) == Dropped([path], [])
    assert [other.exists() for other in MADE] == [other != path for other in MADE]


@pytest.mark.parametrize("content", [b"", b'{"results/a.csv": "12', b"[1]", b"\xff\xfe\x00", None])
def test_without_a_whole_record_nothing_is_taken_for_done(made, content):
    (RESULTS / RECORD).unlink()
    if content is not None:
        (RESULTS / RECORD).write_bytes(content)
    assert drop_unvouched(MADE, RESULTS) == Dropped([], sorted(MADE[:3]))
    with step(RESULTS / "logs" / "draw.log"):
        files.write_text("made again", MADE[0])
    assert drop_unvouched(MADE[:1], RESULTS) == Dropped([], [])


def test_a_failed_step_vouches_for_nothing(made, capsys):
    with pytest.raises(SystemExit), step(RESULTS / "logs" / "draw.log"):
        files.write_text("half of the figures", MADE[0])
        raise OSError(28, "No space left on device", "results/mylab/figures/b.svg")
    assert "disk is full" in capsys.readouterr().err
    assert drop_unvouched(MADE, RESULTS) == Dropped([MADE[0]], [])


def test_notes_of_the_user_are_left_alone_and_leavings_are_not(made):
    notes = RESULTS / "notes.txt"
    notes.write_text("my own")
    left = RESULTS / "figures" / files.HALF_WRITTEN.replace("*", "0123")
    left.write_text("half wri")
    assert drop_unvouched(MADE, RESULTS) == Dropped([], [])
    assert notes.read_text() == "my own"
    assert not left.exists()


def test_private_files_are_recorded_apart(made):
    assert "private" not in (RESULTS / RECORD).read_text()
    assert (Path("private/mylab/outputs.json").stat().st_mode & 0o777) == 0o600


JOB = SimpleNamespace(rule="draw", wildcards=(), input=(), params={})


@pytest.mark.parametrize("how", ["as it was", "gone", "damaged"])
def test_a_step_without_its_record_runs_again(tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    record, figure = RESULTS / "audit/steps/draw.json", MADE[0]
    with step(RESULTS / "logs" / "draw.log", JOB):
        files.write_text("made by the run", figure)
    if how == "gone":
        record.unlink()
    elif how == "damaged":
        record.write_text(record.read_text().replace("draw", "drew"))
    dropped = drop_unvouched([figure], RESULTS, {record.as_posix(): figure.as_posix()})
    changed = [record] if how == "damaged" else []
    assert dropped == Dropped(changed, [] if how == "as it was" else [figure])
    assert figure.exists() == record.exists() == (how == "as it was")
