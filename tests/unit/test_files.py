"""Atomic, byte-stable writing."""

import os

import numpy as np
import pandas as pd
import pytest

from alliance import files


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    files.write_text("old", path)
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        files.write_text("new", path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_parquet_has_the_same_bytes_each_time(tmp_path):
    frame = pd.DataFrame({"site": ["a", None], "score": [1.5, np.nan]})
    for name in ("one", "two"):
        files.write_parquet(frame, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_csv_text_is_inert_and_numbers_stay_numbers(tmp_path):
    frame = pd.DataFrame({"note": ["=1+1", "@x", "plain", "-1"], "score": [-1.5, 2.0, 3.0, 4.0]})
    files.write_csv(frame, tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["note,score", "'=1+1,-1.5", "'@x,2.0", "plain,3.0", "'-1,4.0"]


def test_a_carriage_return_begins_no_row_of_a_csv(tmp_path):
    """Bare, it would: what follows it would be the first cell of a row, and perhaps a formula."""
    frame = pd.DataFrame({"note": ["a\r=1+1", "\r\n=1+1", "a\r\nb"]})
    files.write_csv(frame, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_bytes().decode()
    assert text == 'note\n"a\n=1+1"\n"\'\n=1+1"\n"a\nb"\n'


def test_json_knows_no_nan(tmp_path):
    files.write_json({"a": np.float64("nan"), "b": np.arange(2), "c": pd.NA}, tmp_path / "x.json")
    assert files.read_json(tmp_path / "x.json") == {"a": None, "b": [0, 1], "c": None}


@pytest.mark.skipif(os.name == "nt", reason="Unix permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_follow_the_umask_and_private_ones_are_the_owners_alone(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        files.write_text("x", tmp_path / "shared.txt")
        files.write_private_bytes(b"x", tmp_path / "private" / "list.csv")
        files.make_personal_folder(tmp_path / "processed" / "mylab")
    finally:
        os.umask(before)
    modes = {
        name: (tmp_path / name).stat().st_mode & 0o777
        for name in ("shared.txt", "private/list.csv", "private", "processed/mylab")
    }
    assert modes == {
        "shared.txt": mode, "private/list.csv": 0o600, "private": 0o700, "processed/mylab": 0o700
    }  # fmt: skip
