"""What is proposed for a public cohort is its configuration in tests/cohorts, but for marked edits.

The data lies outside the project (ALLIANCE_SHARED_DATA, else ../shared/data).
"""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from alliance.config.cohort import PROJECT

SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
COHORT = PROJECT / "tests" / "cohorts" / "implement"
EDITED = {"title", "models"}  # a title, and the model of the other direction


@pytest.mark.slow
def test_implement_needs_two_keys_and_two_lines(project):
    file = SHARED / "implement" / "implement_sessions.csv"
    if not file.is_file():
        pytest.skip(f"the public data set implement is not here ({file.parent.as_posix()})")
    raw = project.folder / "data" / "raw" / "implement" / "trial"
    raw.mkdir(parents=True)
    shutil.copy2(file, raw)
    for key in (COHORT / "instruments").iterdir():
        shutil.copy2(key, project.folder / "config" / "instruments")
    result = project._call("-m", "alliance", "new-cohort", "--cohort", "implement")
    assert result.stdout.count("no question to decide") == 2, result.stdout + result.stderr
    made = project.folder / "config"
    proposed = yaml.safe_load((made / "implement.yaml").read_text())
    ours = yaml.safe_load((COHORT / "config.yaml").read_text())
    assert {key for key in ours if ours[key] != proposed[key]} == EDITED
    added = {name for name in ours["models"] if name not in proposed["models"]}
    assert added == {"symptoms_to_alliance"}
    assert all(ours["models"][name] == entry for name, entry in proposed["models"].items())
    site = Path("sites") / "implement" / "trial.yaml"
    assert yaml.safe_load((made / site).read_text()) == yaml.safe_load((COHORT / site).read_text())
