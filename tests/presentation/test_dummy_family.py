"""A family that is one folder and one line of the registry is everywhere where families are."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import alliance.families
from alliance import files
from alliance.config import closed_schema
from alliance.config.cohort import PROJECT, load_cohort
from alliance.errors import ConfigError
from alliance.families import registry
from alliance.families.family import load
from alliance.families.fitting import fit_family
from alliance.figures import painters, style
from alliance.findings.results import read_results
from alliance.tables import table_names

FOLDER = Path(__file__).resolve().parents[1] / "dummy_family"
INJECTED = f"""
import sys
import alliance.families
from alliance.families import registry
alliance.families.__path__.append({str(FOLDER)!r})
registry.NAMES = (*registry.NAMES, "mean_score")
from snakemake.cli import main
main(sys.argv[1:])
"""


def forget():
    registry.families.cache_clear()
    for cached in (closed_schema.schema, closed_schema._validator, closed_schema._homes):
        cached.cache_clear()
    for name in [name for name in sys.modules if name.startswith("alliance.families.mean_score")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def registered():
    """The dummy family, registered: its folder and its line."""
    with pytest.MonkeyPatch.context() as patch:
        path = [*alliance.families.__path__, str(FOLDER)]
        patch.setattr(alliance.families, "__path__", path)
        patch.setattr(registry, "NAMES", (*registry.NAMES, "mean_score"))
        forget()
        yield
    forget()


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The demo's config with a model of the family."""
    folder = tmp_path_factory.mktemp("config")
    shutil.copytree(PROJECT / "config" / "sites", folder / "sites")
    text = (PROJECT / "config" / "config.yaml").read_text(encoding="utf-8")
    entry = "  alliance_mean: {family: mean_score, outcome: alliance}\n"
    (folder / "config.yaml").write_text(text.rstrip() + "\n" + entry, encoding="utf-8")
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def fit(registered, tmp_path_factory):
    """The fit of one model, made as the rule makes it."""
    folder = tmp_path_factory.mktemp("fit")
    panel = pd.DataFrame(
        {"site": "north", "therapist": "t", "client": [f"c{k // 3}" for k in range(30)],
         "session": [1 + k % 3 for k in range(30)],
         "alliance": [30.0 + k % 7 for k in range(30)]}
    )  # fmt: skip
    panel.to_parquet(folder / "panel.parquet")
    fit_family(
        load(registry.families()["mean_score"].fit),
        panel=folder / "panel.parquet",
        measures={"alliance": {"instrument": "wai-sr-c", "label": "Alliance"}},
        instruments=[PROJECT / "config" / "instruments" / "wai-sr-c.yaml"],
        models={"alliance_mean": {"outcome": "alliance", "sessions": "first"}},
        fits=[folder / "alliance_mean.json"],
        rows=[folder / "alliance_mean.parquet"],
    )
    return files.read_json(folder / "alliance_mean.json")


@pytest.fixture(scope="module")
def results(fit, mock, results_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dummy")
    return results_of(folder, fits=[*mock.fits()[:1], fit], truth=False).publish(figures=False)


def test_its_entry_is_checked_and_completed(registered, config, tmp_path):
    entry = load_cohort(config)["models"]["alliance_mean"]
    assert entry == {"family": "mean_score", "outcome": "alliance", "sessions": "first"}
    shutil.copytree(config.parent / "sites", tmp_path / "sites")
    text = config.read_text(encoding="utf-8").replace("outcome: alliance}\n", "outcom: alliance}\n")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="nearest valid key: outcome"):
        load_cohort(tmp_path / "config.yaml")


def test_it_has_a_rule(config):
    command = [
        sys.executable,
        "-c",
        INJECTED,
        "--list-rules",
        "--config",
        f"cohort_config={config}",
    ]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "fit_mean_score" in run.stdout.split(), run.stderr


def test_it_has_a_figure_and_a_table(registered, fit, results):
    assert "mean_score" in painters()
    assert "mean_score" in table_names()
    shown = read_results(results.inputs["fits"], results.inputs["description"])
    with style.in_house_style():
        drawn = load(painters()["mean_score"])(shown)
    assert len(drawn.axes) == 1
    table = pd.read_csv(results.folder / "tables" / "mean_score.csv")
    assert table["estimate"].tolist() == [fit["estimates"][0]["estimate"]]


def test_it_has_its_part_of_the_page_and_of_the_methods_text(results):
    page = results.html()
    change = page[page.index('<section id="change">') : page.index('<section id="coupling">')]
    for place in ('<h3 id="mean_score">', 'id="figure-mean_score"', 'id="table-mean_score"'):
        assert place in change
    methods = page[page.index('<section id="methods">') :]
    assert "Average scores count every client once." in methods
    assert results.differences() == []
