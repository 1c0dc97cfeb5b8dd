"""Twins of public data sets of other shapes (`ALLIANCE_SHARED_DATA`, else ../shared/data)."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from alliance.twin.write import write_twin

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the public data sets are not here"),
]
_SPEC = importlib.util.spec_from_file_location(
    "twin_test", Path(__file__).with_name("test_twin.py")
)
of_tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(of_tiny)
FORMS = ("participants_register_form", "therapeutic_relationship", "mental_health_survey")
RAW = {
    "implement": ("trial", ["implement/implement_sessions.csv"]),
    "claus2020": ("claus2020", ["claus2020/claus_2020_items_wide.csv"]),
    "lee2024": ("lee2024", [f"lee2024_simulated/{name}.xlsx" for name in FORMS]),
}


@pytest.mark.parametrize("cohort", RAW)
def test_it_reads_like_the_real_one_and_nobody_is_in_it(cohort, tmp_path):
    site, names = RAW[cohort]
    raw = tmp_path / "data" / "raw" / cohort / site
    raw.mkdir(parents=True)
    for name in names:
        shutil.copy(SHARED / name, raw)
    shutil.copytree(ROOT / "tests" / "cohorts" / cohort, tmp_path / "config")
    config = (tmp_path / "config" / "config.yaml").rename(tmp_path / "config" / f"{cohort}.yaml")
    real = of_tiny.made.as_if_run(tmp_path, config)
    assert write_twin(config, tmp_path) == []
    twin = tmp_path / "data" / "raw" / f"{cohort}_twin"
    _, tables = of_tiny.made.read_cohort(config.with_stem(f"{cohort}_twin"), twin)
    assert set(tables["quarantine"]["rule"]) <= set(real["quarantine"]["rule"])
    assert abs(len(tables["clients"]) - len(real["clients"])) <= 3
    assert len(tables["responses"]) > 0.7 * len(real["responses"])
    of_tiny.assert_nobody_is_copied(tables["responses"], real["responses"])
