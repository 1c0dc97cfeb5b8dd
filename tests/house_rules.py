"""Checks of the house that no public tool makes; run over the files named on the command line.

No raw data but the demo's, no file over 2 MB, no cell output in notebooks, no path of one machine,
no package registry's host. In the package no module over 400 lines, no pickle, `eval`, `exec` or
`DataFrame.query`, and no branch that reads prose: facts are codes with a text, and only what prints
reads the text.
"""

import ast
import json
import re
import sys
from pathlib import Path

MOST_BYTES = 2_000_000
MOST_LINES = 400  # of a module: one concept a file
# each pattern in pieces, so that this file does not match itself
PATHS = re.compile(r"(/" + "root/|/" + r"home/[a-z]+/|C:\\" + r"Users\\)")
HOSTS = re.compile(
    "|".join(
        [r"pyp" + r"i\.org", "python" + "hosted", r"conda\." + "anaconda", "registry.np" + "mjs"]
    )
)
DANGEROUS = re.compile(
    r"\b(ev" + r"al|ex" + r"ec)\(|\bpic" + r"kle\b|\.que" + r"ry\(|day" + "first"
)
BINARY = {".sav", ".xlsx", ".png", ".pdf", ".gz", ".parquet"}


OTHERS = "# words of others"  # on a line that must compare with text that is not ours


def is_prose(node):
    """Whether a node of the syntax is a text of several words."""
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and bool(re.search(r"[A-Za-z,]\S* \S", text.strip(" #")))


def compared_with(node):
    """Return the nodes that a comparison, or a question like `startswith`, holds something to."""
    if isinstance(node, ast.Compare):
        found = [node.left, *node.comparators]
        return found + [
            one for part in found if isinstance(part, ast.Tuple | ast.List | ast.Set)
            for one in part.elts
        ]  # fmt: skip
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        asks = node.func.attr in ("startswith", "endswith", "find", "index", "match", "search")
        return node.args if asks else []
    return []


def branches_on_prose(text):
    """Return the lines on which code is held to a text of several words."""
    lines = text.split("\n")
    return sorted(
        {
            node.lineno
            for node in ast.walk(ast.parse(text))
            if any(map(is_prose, compared_with(node))) and OTHERS not in lines[node.lineno - 1]
        }
    )


def problems_of(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    found = []
    name = path.as_posix()
    if name.startswith("data/raw/") and not name.startswith(("data/raw/demo/", "data/raw/README")):
        found.append("raw data never enters git")
    if path.stat().st_size > MOST_BYTES:
        found.append(f"larger than {MOST_BYTES:,} bytes")
    if path.suffix in BINARY:
        return found
    text = path.read_text(encoding="utf-8", errors="replace")
    if PATHS.search(text):
        found.append("a path of one machine")
    if HOSTS.search(text):
        found.append("a package registry's host")
    if path.suffix == ".py" and name.startswith("src/"):
        if text.count("\n") > MOST_LINES:
            found.append(f"more than {MOST_LINES} lines: more than one concept")
        if DANGEROUS.search(text):
            found.append("runs text as code, reads pickle or guesses dates")
        found += [f"line {line} reads prose; ask for a code" for line in branches_on_prose(text)]
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            found.append("notebook with outputs: strip them before committing")
    return found


if __name__ == "__main__":
    told = [f"{p}: {w}" for p in sys.argv[1:] if Path(p).is_file() for w in problems_of(Path(p))]
    print("\n".join(told))
    sys.exit(bool(told))
