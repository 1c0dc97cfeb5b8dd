"""From forty numbers drawn at random to the steps, files and raw rows behind them."""

import random
import re

import pandas as pd
import pytest

from alliance import files
from alliance.audit.explain import explain
from alliance.audit.printed import Asked, find, findings_of
from alliance.audit.rows import FITS, USED, panel_rows, raw_rows

DRAWN, SEED = 40, 20261129
ONLY_THESE = '''

_all_rows = read_table


def read_table(raw_folder, source):
    """Read only the rows that the test has listed."""
    import pandas as pd

    table = _all_rows(raw_folder, source)
    listed = pd.read_csv("listed.csv", dtype={"sheet": "str"})
    of_file = (listed["folder"] == Path(raw_folder).name) & (listed["file"] == source["file"])
    return table.kept(np.isin(table.rows, listed.loc[of_file, "row"]))
'''


@pytest.mark.parametrize(
    ("pointer", "roles"),
    [
        ("/estimates/0/estimate", ["used", "left out: no_score", "left out: time_not_known"]),
        ("/data/rows_used", ["used", "left out: no_score", "left out: time_not_known"]),
        ("/data/left_out/1/rows", ["context", "context", "used"]),
        ("/data/rows_in_panel", ["used", "used", "used"]),
    ],
)
def test_a_number_rests_on_the_rows_that_it_counts(tmp_path, pointer, roles):
    codes = ["no_score", "time_not_known"]
    table = pd.DataFrame({"site": "a", "client": ["c", "d", "e"], "session": 1})
    path = tmp_path / "data" / "processed" / "tiny" / "rows" / "growth.parquet"
    files.write_parquet(table.assign(left_out=["", *codes]), path)
    left_out = [{"reason": {"code": code}, "rows": 1} for code in codes]
    fit = {"family": "growth", "data": {"left_out": left_out}}
    found = panel_rows("fits/growth.json", pointer, fit, tmp_path, "tiny")
    assert found["role"].tolist() == roles


@pytest.fixture(scope="module")
def drawn(finished_demo):
    """Forty findings of the demo, each with its explanation."""
    results = finished_demo.folder / "results" / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished_demo.folder)
        found = random.Random(SEED).sample(findings_of(results), DRAWN)
        asked = [Asked(id=one.id, document=one.document) for one in found]
        return [explain(*find(one, results), results) for one in asked]


def raw_list(project, one):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        return raw_rows(one.steps, one.panel, one.scope, project.folder)


def test_every_number_knows_the_step_the_files_and_the_modules_behind_it(drawn):
    for one in drawn:
        parts = {part.heading: part.entries for part in one.parts}
        assert one.finding.address in dict(parts["The field it comes from"]).values()
        if not one.finding.source.startswith("../"):
            assert one.steps[-1].outputs and parts["Code that made it"]
            assert parts["Files it was made from"]


@pytest.fixture(scope="module")
def only_these_rows(tmp_path_factory, project_copy):
    """Return what runs the demo up to some files from listed raw rows alone."""

    def run(listed, targets):
        project = project_copy(tmp_path_factory.mktemp("rows") / "project")
        project.copy_demo_data()
        listed.assign(folder=listed["site"]).to_csv(project.folder / "listed.csv", index=False)
        config = project.folder / "config" / "config.yaml"
        sites = f"sites: [{', '.join(sorted(set(listed['site'])))}]"
        config.write_text(re.sub(r"sites: \[.*?\]", sites, config.read_text()))
        readers = project.folder / "src/alliance/ingest/readers/__init__.py"
        readers.write_text(readers.read_text() + ONLY_THESE)
        result = project._call(
            "-m", "snakemake", *targets, "--nolock", "--profile", "profiles/default",
            "--config", "cohort_config=config/config.yaml", "--cores", "2",
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        return project.folder

    return run


@pytest.mark.exhaustive
def test_the_panel_comes_back_from_the_raw_rows(finished_demo, drawn, only_these_rows):
    """What is listed for a number of a fit, without what is set aside, makes the same panel."""
    one = next(one for one in drawn if one.finding.source.startswith(FITS))
    listed = raw_list(finished_demo, one)
    assert set(listed["role"]) >= {USED}
    folder = only_these_rows(
        listed[listed["role"] != "set aside"], ["data/processed/demo/panel.parquet"]
    )
    again = files.read_parquet(folder / "data/processed/demo/panel.parquet")
    before = files.read_parquet(finished_demo.folder / "data/processed/demo/panel.parquet")
    pd.testing.assert_frame_equal(again, before, check_exact=True)
