"""Whatever goes wrong ends in one sentence; a defect has a code and tells nothing of the data."""

import errno
import os
import re
import subprocess
import sys

import pytest

from alliance.__main__ import COMMANDS, main
from alliance.errors import DataError
from alliance.running.endings import defect_code, plain_reason
from alliance.running.step import step


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EACCES, "may not read or write results/x.json"),
        (errno.EROFS, "only be read"),
        (errno.ENOTDIR, "a file stands where a folder has to be"),
        (errno.EISDIR, "a file stands where a folder has to be"),
        (errno.ENAMETOOLONG, "longer than the disk allows"),
        (errno.ENOENT, "is gone"),
        (errno.EIO, "Look after the disk"),
        (errno.EMFILE, "no more open files"),
    ],
)
def test_what_the_machine_refuses_is_one_sentence_with_what_to_do(number, told):
    sentence = plain_reason(OSError(number, "words of the system", "results/x.json"))
    assert told in sentence
    assert "run the same command again" in sentence
    assert "words of the system" not in sentence


def test_memory_and_interruption():
    assert "memory is used up" in plain_reason(MemoryError())
    assert "goes on where this run stopped" in plain_reason(KeyboardInterrupt())
    assert plain_reason(DataError("as it is")) == "as it is"


def broken(options=None):
    raise ValueError(f"client {47 * 100 + 11} answered 3")


def test_a_defect_of_a_step_tells_code_and_log_and_no_value(tmp_path, capsys):
    log = tmp_path / "logs" / "fit.log"
    with pytest.raises(SystemExit) as ended, step(log):
        broken()
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert "a defect of the program" in told
    assert str(log) in told
    code = re.search(r"D-[0-9A-F]{6}", told).group()
    assert code in log.read_text()
    assert "broken" in log.read_text()
    assert "4711" not in told + log.read_text()


def test_a_defect_of_a_command_tells_code_and_log(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(COMMANDS, "check", broken)
    assert main(["check"]) == 1
    told = capsys.readouterr().err
    assert "a defect of the program" in told
    assert "4711" not in told + (tmp_path / "results" / "defect.log").read_text()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.ENAMETOOLONG])
def test_a_command_that_the_machine_refuses_ends_in_a_sentence(number, monkeypatch, capsys):
    def refused(options):
        raise OSError(number, "", "results/demo")

    monkeypatch.setitem(COMMANDS, "run", refused)
    assert main(["run"]) == 1
    told = capsys.readouterr().err.strip()
    assert "\n" not in told
    assert "defect" not in told


def test_the_same_place_has_the_same_code_whatever_the_data():
    codes = set()
    for value in ("a", "b"):
        try:
            int(value)
        except ValueError as error:
            codes.add(defect_code(error))
    assert len(codes) == 1


@pytest.mark.parametrize("to_both", [False, True])
def test_a_reader_that_closes_is_no_defect(to_both):
    """As after `| head`: the command ends, and Python does not complain either."""
    code = (
        "import sys, alliance.__main__ as m\n"
        "m.COMMANDS['clean'] = lambda options: print('x' * 1_000_000) or 0\n"
        "sys.exit(m.main(['clean']))\n"
    )
    read_end, write_end = os.pipe()
    os.close(read_end)
    errors = write_end if to_both else subprocess.PIPE
    ended = subprocess.run(
        [sys.executable, "-c", code], stdout=write_end, stderr=errors, text=True, check=False
    )
    os.close(write_end)
    assert ended.returncode == 141
    if not to_both:
        assert "Nobody reads any more what this command says" in ended.stderr
        assert len(ended.stderr.strip().splitlines()) == 1
        assert "defect" not in ended.stderr and "Exception" not in ended.stderr
