"""The lock, pyproject.toml and environment.yml name the same direct dependencies."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def direct():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {canonical(name): version for name, version in (pin.split("==") for pin in pins)}


def test_environment_yml_has_the_same_pins():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pins = [entry for entry in listed if isinstance(entry, str) and "=" in entry]
    conda = dict(pin.split("=", 1) for pin in pins if ">" not in pin)
    assert {canonical(name): version for name, version in conda.items()} == direct()


def test_lock_has_the_same_pins_hashes_and_no_address():
    lock = (ROOT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", lock, flags=re.MULTILINE))
    locked = {canonical(name): version for name, version in locked.items()}
    assert {name: locked.get(name) for name in direct()} == direct()
    assert "://" not in lock
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    unhashed = [b.split()[0] for b in blocks if "==" in b and "--hash=sha256:" not in b]
    assert unhashed == []
