"""The whole mutation study: broken variants of every export, judged by an oracle.

    python tests/faults/full_mutants.py --variants 10000 --out FILE.csv

Plain pandas reads the same variants beside it: how often it ends in a traceback, and how often it
gives another table without a word.
"""

import argparse
import importlib.util
import io
import sys
import tempfile
import warnings
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

import mutants

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


def study(n_variants, folder):
    """Return a row for each variant."""
    made = _module_of(Path(__file__).parents[1] / "ingest" / "made.py")
    folder_of_keys = PROJECT / "config" / "instruments"
    keys = {m: load_instrument(folder_of_keys / f"{key}.yaml") for m, key in KEYS.items()}
    oracle = mutants.Oracle(made, folder, keys)
    names, rows = sorted(oracle.exports), []
    for seed in range(n_variants):
        export = oracle.exports[names[seed % len(names)]]
        found = mutants.mutant(export, seed, made, folder)
        verdict = oracle.judge(found)
        done = "+".join(found.done)
        rows.append((export.name, seed, done, verdict.kind, verdict.detail, by_pandas(found)))
        if seed % 500 == 499:
            print(f"{seed + 1} variants", flush=True)
    columns = ["export", "seed", "mutations", "kind", "detail", "pandas"]
    return pd.DataFrame(rows, columns=columns)


def _module_of(path):
    spec = importlib.util.spec_from_file_location("ingest_made", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--variants", type=int, default=10_000)
    asked.add_argument("--out", type=Path)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        table = study(options.variants, Path(scratch))
    if options.out:
        table.to_csv(options.out, index=False)
    print(table["kind"].value_counts().to_string())
    print(table.loc[table["pandas"] != "", "pandas"].value_counts().to_string())
    unseen = table[table["kind"] == "unseen"]
    print(unseen.groupby(["export", "detail"]).size().to_string())
    wrong = table[table["kind"].isin(mutants.WRONG)]
    print(wrong.to_string() if len(wrong) else "nothing wrong")
    sys.exit(len(wrong) > 0)
