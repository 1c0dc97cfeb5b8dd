"""The whole mutation study: broken variants of every export, judged by an oracle.

    python tests/faults/full_mutants.py --variants 10000 --folder FOLDER

FOLDER keeps the verdict on each (`mutants.jsonl`): the same command goes on where it stopped. Plain
pandas reads the same variants beside it: how often it ends in a traceback, and how often it gives
another table without a word. Pandera and frictionless judge those of one CSV table, where
FOLDER/peers is an environment that has them (how to make it: `peers.py`).
"""

import argparse
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

import mutants
from journal import Journal

from alliance.config.cohort import PROJECT
from alliance.config.instruments import load_instrument

KEYS = {"alliance": "wai-sr-c", "symptoms": "phq-9"}
READERS = {".csv": pd.read_csv, ".xlsx": pd.read_excel, ".parquet": pd.read_parquet}


def by_pandas(found):
    """Return what plain pandas makes of a variant (traceback, silent, same; "" if no table)."""
    export, ending = found.export, Path(found.changed).suffix
    if export.cells is None or ending not in READERS:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sound = READERS[ending](io.BytesIO(export.files[found.changed]))
        try:
            read = READERS[ending](io.BytesIO(found.files[found.changed]))
        except Exception:  # whatever it is: the user sees a traceback
            return "traceback"
    return "same" if read.equals(sound) else "silent"


class Peers:
    """Pandera and frictionless, running in an environment of their own; or nobody."""

    def __init__(self, python, sound, scratch):
        self.path, self.worker = scratch / "peers.csv", None
        if python.exists():
            (scratch / "sound.csv").write_bytes(sound)
            script = Path(__file__).parent / "peers.py"
            self.worker = subprocess.Popen(
                [python, script, scratch / "sound.csv"], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip

    def judge(self, found):
        """Return what each makes of a variant of the CSV table; nothing of any other."""
        if self.worker is None or found.changed != "data.csv":
            return {}
        self.path.write_bytes(found.files[found.changed])
        self.worker.stdin.write(f"{self.path}\n")
        self.worker.stdin.flush()
        return json.loads(self.worker.stdout.readline())


def study(n_variants, folder, scratch):
    """Judge the variants that are left; return all verdicts as a table."""
    journal = Journal(folder / "mutants.jsonl", n_variants)
    made = _module_of(Path(__file__).parents[1] / "ingest" / "made.py")
    folder_of_keys = PROJECT / "config" / "instruments"
    keys = {m: load_instrument(folder_of_keys / f"{key}.yaml") for m, key in KEYS.items()}
    oracle = mutants.Oracle(made, scratch, keys)
    names = sorted(oracle.exports)
    peers = Peers(
        folder / "peers" / "bin" / "python", oracle.exports["csv"].files["data.csv"], scratch
    )
    for seed in range(n_variants):
        if seed in journal.done:
            continue
        export = oracle.exports[names[seed % len(names)]]
        found = mutants.mutant(export, seed, made, scratch)
        verdict = oracle.judge(found)
        journal.add(
            seed, export=export.name, mutations="+".join(found.done), kind=verdict.kind,
            detail=verdict.detail, pandas=by_pandas(found), peers=peers.judge(found),
        )  # fmt: skip
        if seed % 100 == 99:
            print(f"mutants: {journal.progress()}", flush=True)
    return pd.DataFrame(journal.done.values())


def _module_of(path):
    spec = importlib.util.spec_from_file_location("ingest_made", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--variants", type=int, default=10_000)
    asked.add_argument("--folder", type=Path, required=True)
    options = asked.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        table = study(options.variants, options.folder, Path(scratch))
    wrong = table[table["kind"].isin(mutants.WRONG)]
    print(wrong.to_string() if len(wrong) else "mutants: nothing wrong")
    sys.exit(len(wrong) > 0)
