"""docs/architecture.md names what is there: every package, every rule, and nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOLD = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_package_is_named():
    folders = [p.parent.name for p in (ROOT / "src" / "alliance").glob("*/__init__.py")]
    assert [name for name in folders if f"`{name}" not in TOLD] == []


def test_every_rule_is_named_and_no_other():
    text = "\n".join(
        path.read_text("utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk")
    )
    rules = set(re.findall(r"^rule (\w+):", text, flags=re.M)) | {"fit_<family>"}
    table = TOLD[TOLD.index("| rule | reads |") : TOLD.index("## Tables")]
    assert set(re.findall(r"^\| `([\w<>]+)`", table, flags=re.M)) == rules


def test_every_family_has_a_folder():
    from alliance.families.registry import NAMES

    folder = ROOT / "src" / "alliance" / "families"
    assert all((folder / name / "model.py").is_file() for name in NAMES)
