"""Three hundred mistakes in a cohort's configuration: each is told with file, line and remedy."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from alliance.config.cohort import load_cohort
from alliance.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parent))
import wrong_configs as wrong

N = 300


def test_the_sound_configuration_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_cohort(wrong.write({k: v.encode() for k, v in wrong.FILES.items()}, Path()))


def test_every_kind_of_mistake_occurs():
    kinds = Counter(wrong.broken(seed).kind for seed in range(N))
    assert len(kinds) >= 25 and min(kinds.values()) >= 8


@pytest.mark.parametrize("seed", range(N))
def test_each_mistake_is_told_with_file_line_and_remedy(tmp_path, monkeypatch, seed):
    monkeypatch.chdir(tmp_path)
    mistake = wrong.broken(seed)
    path = wrong.write(mistake.files, Path())
    with pytest.raises(ConfigError) as error:
        load_cohort(path)
    message = str(error.value)
    assert mistake.file in message
    told = {int(line) for line in re.findall(r"line (\d+)", message)}
    assert not mistake.lines or told & mistake.lines, message
    for word in mistake.words:
        assert word.lower() in message.lower(), message
    assert not wrong.JARGON.search(message), message
