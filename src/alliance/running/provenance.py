"""Which code a step rests on, and a record of the run: so that edits rerun what they touch.

Snakemake does not see the modules that a script imports. Each rule therefore lists, as inputs, the
package files that its entry module reaches through imports, found by reading them (not by running).
"""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import alliance
from alliance import files

PACKAGE = Path(alliance.__file__).resolve().parent


def library(*modules: str) -> list[str]:
    """Return the package files that `modules` (e.g. `families.growth`) reach through imports.

    Packages on the way count too: `alliance.families.growth` runs `alliance/families/__init__.py`.
    """
    found: set[Path] = set()
    waiting = {path for module in modules for path in _paths_of(f"alliance.{module}")}
    while waiting:
        found |= waiting
        waiting = {other for path in waiting for other in _imported(path)} - found
    return sorted(map(str, found))


@cache
def _imported(path: Path) -> frozenset[Path]:
    """Return the package files that a file imports anywhere, those of its functions too."""
    return frozenset(other for name in _imports(path) for other in _paths_of(name))


def _imports(path: Path) -> Iterator[str]:
    """Yield the project's modules (and names within them) that a file imports anywhere."""
    package = ("alliance", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == "alliance")


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements; expressions, most of a file, hold no import and are passed over."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.expr):
            yield node
            yield from _statements(node)


@cache
def _paths_of(name: str) -> tuple[Path, ...]:
    """Return the files that importing `name` runs: its packages' `__init__` and the module."""
    parts = name.split(".")[1:]
    paths = [PACKAGE.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    paths += [PACKAGE / "__init__.py", PACKAGE.joinpath(*parts).with_suffix(".py")]
    return tuple(path for path in paths if path.is_file() and path != PACKAGE / ".py")


def record_run(
    *,
    config: str | Path,
    lock: str | Path,
    code: Sequence[str | Path],
    run: str | Path,
    run_config: str | Path,
) -> None:
    """Write `audit/run.json` (versions; hashes of config, lock, code) and the config as it was."""
    from importlib import metadata

    named = ("pandas", "numpy", "scipy", "statsmodels", "linearmodels", "matplotlib", "seaborn",
             "snakemake")  # fmt: skip
    record: dict[str, Any] = {
        "version": alliance.__version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in named},
        "config_sha256": files.sha256_of(config),
        "config_text": Path(config).read_text(encoding="utf-8"),
        "lock_sha256": files.sha256_of(lock),
        "code_sha256": hashlib.sha256(
            "".join(files.sha256_of(path) for path in code).encode()
        ).hexdigest(),
    }
    files.write_json(record, run)
    note = (
        "# The configuration that made the results beside this file; editing it changes nothing.\n"
    )
    files.write_text(note + record["config_text"], run_config)
