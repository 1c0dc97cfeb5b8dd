"""Which files a step rests on."""

from pathlib import Path

from alliance.running.provenance import library


def names(*modules):
    return {Path(path).name for path in library(*modules)}


def test_follows_imports_through_packages():
    behind = names("families.growth.model")
    assert {"model.py", "multilevel.py", "fit.py", "errors.py", "files.py"} <= behind
    folders = {Path(path).parent.name for path in library("families.growth.model")}
    assert not folders & {"hazard", "coupling"}


def test_scoring_does_not_rest_on_models_or_panel():
    behind = names("measures.scoring")
    assert {"scoring.py", "instruments.py"} <= behind
    assert not behind & {"build.py", "model.py", "site.py"}


def test_arrows_point_one_way():
    """ingest -> measures -> panel -> models -> figures, tables -> report; engines stand alone."""
    stages = ["ingest", "measures", "panel.build", "families", "figures", "report"]
    for position, stage in enumerate(stages):
        behind = {Path(path).as_posix() for path in library(stage)}
        for later in stages[position + 1 :]:
            reached = [
                p for p in behind if f"/alliance/{later}/" in p or f"/alliance/{later}.py" in p
            ]
            assert not reached, f"{stage} imports {reached}"
    root = Path(library("errors")[0]).parent
    for engine in ("mixed", "sem", "survival"):
        behind = {Path(path).relative_to(root) for path in library(engine)}
        outside = {p.as_posix() for p in behind if p.parts[0] != engine}
        assert outside <= {"__init__.py", "confidence.py", "errors.py"}


def test_nothing_rests_on_the_data_page_the_codebook_or_the_first_guesses():
    for stage in (
        "ingest.site",
        "ingest.pool",
        "measures.scoring",
        "panel.build",
        "families.growth.model",
    ):
        parts = {part for path in library(stage) for part in Path(path).parts}
        assert not parts & {"intake_page", "codebook", "newcohort"}, stage
    page = {Path(path).parent.name for path in library("intake_page", "intake_page.describe")}
    assert not page & {"measures", "models", "mixed", "report"}  # it reads the intake, no more
