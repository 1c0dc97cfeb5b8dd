"""What a lab can do wrong ends in one plain message: no traceback, nothing half done."""

import pytest


def said(result):
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("measures:", "measurs:", ["config.yaml", "measurs", "measures"]),
        ("instrument: phq-9", "instrument: phq9", ["config.yaml", "phq9", "phq-9"]),
        ("family: growth", "family: grwth", ["config.yaml", "family", "growth"]),
    ],
)
def test_misspelt_config(project, old, new, told):
    project.copy_demo_data()
    config = project.folder / "config" / "config.yaml"
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new, 1))
    result = project.run()
    assert result.returncode != 0
    assert "Traceback" not in said(result)
    assert all(word in said(result) for word in told)
    assert not (project.folder / "data" / "processed").exists()


def test_empty_file_and_removed_column_are_told_together(project):
    project.copy_demo_data()
    raw = project.folder / "data" / "raw" / "demo"
    (raw / "south" / "discharge.csv").write_text("")
    verlauf = (raw / "north" / "verlauf.csv").read_bytes()
    (raw / "north" / "verlauf.csv").write_bytes(verlauf.replace(b"Patient", b"Person", 1))
    result = project.run()
    assert result.returncode != 0
    assert "Traceback" not in said(result)
    for word in ("discharge.csv", "verlauf.csv", "Patient"):
        assert said(result).count(word) >= 1
    assert "file-empty" in said(result) or "empty" in said(result)
    assert not (project.folder / "results" / "demo" / "report.html").exists()


def test_unknown_cohort_is_named(project):
    result = project.run("--cohort", "mylab")
    assert result.returncode != 0
    assert "config/mylab.yaml" in said(result)
    assert "Traceback" not in said(result)
