"""What pandera and frictionless say of a broken table: run by an environment of their own.

    PYTHON tests/faults/peers.py SOUND.csv

reads the path of a broken variant from each line of its input and answers with one line of JSON:
for each tool `traceback`, `told` (it found something), `silent` (accepted, and the table is another
one) or `same`. Both get a schema as strict as the table allows: names, types, ranges, categories,
the key. That environment is no part of the project's lock:

    python -m venv .faults/peers
    .faults/peers/bin/python -m pip install pandera==0.35.0 frictionless==5.21.0 pandas==3.1.1
"""

import json
import sys
import warnings

import frictionless
import pandas as pd
import pandera.pandas as pandera

N_WAI, N_PHQ = 12, 9
# name: type, lowest, highest, whether it may be missing
COLUMNS = {
    "id": (str, None, None, False), "nr": (int, 1, 100, False), "day": (str, None, None, False),
    **{f"wai{i + 1}": (float, 1, 5, True) for i in range(N_WAI)},
    **{f"phq{i + 1}": (float, 0, 3, True) for i in range(N_PHQ)},
    "th": (str, None, None, False), "end": (int, 1, 4, False), "age": (float, 10, 100, False),
    "sex": (int, 1, 3, False),
}  # fmt: skip


def pandera_schema():
    return pandera.DataFrameSchema(
        {
            name: pandera.Column(
                kind, nullable=missing, coerce=True,
                checks=[] if low is None else pandera.Check.in_range(low, high),
            )
            for name, (kind, low, high, missing) in COLUMNS.items()
        },
        strict=True, unique=["id", "nr"],
    )  # fmt: skip


def frictionless_schema():
    kinds = {str: "string", int: "integer", float: "number"}
    fields = []
    for name, (kind, low, high, missing) in COLUMNS.items():
        limits = {} if low is None else {"minimum": low, "maximum": high}
        limits |= {} if missing else {"required": True}
        kind = "date" if name == "day" else kinds[kind]
        fields.append({"name": name, "type": kind, "constraints": limits})
    return {"fields": fields, "primaryKey": ["id", "nr"]}


def by_pandera(path, sound):
    try:
        table = pandera_schema().validate(pd.read_csv(path), lazy=True)
    except pandera.errors.SchemaErrors:
        return "told"
    except Exception:  # whatever it is: the user sees a traceback
        return "traceback"
    return "same" if table.equals(sound) else "silent"


def by_frictionless(path, sound):
    try:
        resource = frictionless.Resource.from_descriptor(
            {"name": "toy", "path": path, "schema": frictionless_schema()}
        )
        if not resource.validate().valid:
            return "told"
        rows = [list(row.values()) for row in resource.read_rows()]
    except Exception:  # whatever it is: the user sees a traceback
        return "traceback"
    return "same" if rows == sound else "silent"


def main():
    frictionless.system.trusted = True  # absolute paths
    warnings.simplefilter("ignore")
    table = pandera_schema().validate(pd.read_csv(sys.argv[1]))
    sound = frictionless.Resource.from_descriptor(
        {"name": "toy", "path": sys.argv[1], "schema": frictionless_schema()}
    )
    rows = [list(row.values()) for row in sound.read_rows()]
    for line in sys.stdin:
        path = line.rstrip("\n")
        found = {"pandera": by_pandera(path, table), "frictionless": by_frictionless(path, rows)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
