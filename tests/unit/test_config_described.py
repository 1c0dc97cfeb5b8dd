"""config/README.md and the schemas say the same of every key, and the examples are right."""

import re
from pathlib import Path

import pytest
import yaml

from alliance.config import closed_schema
from alliance.config.site import load_site

ROOT = Path(__file__).resolve().parents[2]


def keys_of(part, schema, prefix=""):
    """Return every key path of a schema as config/README.md writes it."""
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]] | {
            k: v for k, v in part.items() if k != "$ref"
        }
    found = set()
    for branch in part.get("oneOf", []):
        found |= keys_of(branch, schema, prefix)
    for name, inner in part.get("properties", {}).items():
        found.add(prefix + name)
        found |= keys_of(inner, schema, f"{prefix}{name}.")
    inner = part.get("additionalProperties")
    if isinstance(inner, dict) and "propertyNames" in part:
        found |= keys_of(inner, schema, f"{prefix}<name>.")
    if isinstance(part.get("items"), dict) and part.get("type") == "array":
        found |= keys_of(part["items"], schema, f"{prefix.removesuffix('.')}[].")
    return found


def rows_of_readme(start, end):
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    section = text[text.index(start) : text.index(end) if end else None]
    return re.findall(r"^\| `([^`]+)` \|[^|]*\| (.+) \|$", section, re.M)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [("config", "## The cohort's config", "## A site's mapping"),
     ("site", "## A site's mapping", None)],
)  # fmt: skip
def test_readme_explains_every_key_and_none_else(name, start, end):
    schema = closed_schema.schema(name)
    rows = rows_of_readme(start, end)
    assert {key for key, _ in rows} == keys_of(schema, schema)
    assert all(len(text) >= 8 for _, text in rows)


@pytest.mark.parametrize("name", ["config", "site"])
def test_schema_is_closed_and_described(name):
    schema = closed_schema.schema(name)

    def walk(part, path):
        if isinstance(part, dict):
            if part.get("type") == "object":
                closed = part.get("additionalProperties")
                assert closed is False or isinstance(closed, dict), path
            for key, inner in part.get("properties", {}).items():
                assert "description" in inner or "$ref" in inner, (*path, key)
            for key, inner in part.items():
                walk(inner, (*path, key))
        elif isinstance(part, list):
            for i, inner in enumerate(part):
                walk(inner, (*path, i))

    walk(schema, ())
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema)


def test_readme_examples_of_mappings_are_right(tmp_path):
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```yaml\n(.+?)^```$", text, re.M | re.S)
    assert len(examples) >= 5
    for example in examples:
        (tmp_path / "a.yaml").write_text(f"site: a\n{example}", encoding="utf-8")
        assert load_site(tmp_path / "a.yaml")["tables"]


def test_readme_examples_of_the_demo_are_yaml():
    for file in (ROOT / "config" / "sites" / "demo").glob("*.yaml"):
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["site"] == file.stem
