"""Two runs into one folder: the second is refused; a killed run leaves nothing to unlock."""

import os
import signal
import subprocess
import sys
import time

import pytest

from alliance.errors import AllianceError
from alliance.running.one_run import one_run_at_a_time

HOLD = """
import sys, time
from alliance.running.one_run import one_run_at_a_time
with one_run_at_a_time(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_run(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_second_run_is_refused_by_the_name_of_the_first(tmp_path, other_run):
    with pytest.raises(AllianceError, match=str(other_run.pid)), one_run_at_a_time(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a Unix signal")
def test_killed_run_needs_no_unlocking(tmp_path, other_run):
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    time.sleep(0.05)
    with one_run_at_a_time(tmp_path) as lock:
        assert (tmp_path / ".run").read_text().startswith(f"{os.getpid()} ")
        assert lock.stopped_before
    assert (tmp_path / ".run").read_text() == ""
    with one_run_at_a_time(tmp_path) as lock:
        assert not lock.stopped_before


def test_a_damaged_lock_is_a_lock(tmp_path):
    (tmp_path / ".run").write_bytes(b"\xff\x00\xfe")
    with one_run_at_a_time(tmp_path) as lock:
        assert lock.stopped_before
