"""The cases of `sem.json`: data, and models rebuilt from lavaan's parameter table."""

from __future__ import annotations

import json
from pathlib import Path as File

import numpy as np
import pandas as pd

from alliance.sem import Clusters, Covariance, Mean, Model, Path, sample, sample_of_patterns

HERE = File(__file__).parent
REFERENCE = json.loads((HERE / "sem.json").read_text(encoding="utf-8"))


def entry_of(row: dict):
    """One row of lavaan's table as an entry; equal labels there are equal labels here."""
    how = {"fixed": row.get("fixed"), "label": row.get("label")}
    if row["op"] == "=~":
        return Path(row["lhs"], row["rhs"], **how)
    if row["op"] == "~":
        return Path(row["rhs"], row["lhs"], **how)
    if row["op"] == "~~":
        return Covariance(row["lhs"], row["rhs"], **how)
    return Mean(row["lhs"], **how)


def models_of(case: dict) -> dict[str, Model]:
    """A model per group."""
    groups = case["groups"] or [""]
    return {
        group: Model(
            tuple(case["observed"]),
            tuple(case["latent"]),
            tuple(entry_of(row) for row in case["entries"] if row["group"] == number),
        )
        for number, group in enumerate(groups, start=1)
    }


def data_of(case: dict) -> dict:
    """A sample per group."""
    names = case["observed"]
    if case.get("patterns"):
        parts = [(p["columns"], p["n"], p["mean"], p["cov"]) for p in case["patterns"]]
        return {"": sample_of_patterns(parts, names)}
    frame = pd.read_csv(HERE / case["data"])
    ids = frame[case["clusters"]].to_numpy() if case.get("clusters") else None
    if not case["groups"]:
        return {"": sample(frame[names].to_numpy(), names, ids)}
    return {
        group: sample(frame.loc[frame["school"] == group, names].to_numpy(), names)
        for group in case["groups"]
    }


def levels_of(case: dict) -> tuple[Model, Model]:
    """The models within and between clusters; a variable's mean within is zero by definition."""
    parts = {1: [], 2: []}
    for row in case["entries"]:
        if row["level"] == 1 and row["op"] == "~1":
            continue
        if row["level"] == 2 and row["op"] == "~1" and "label" not in row:
            continue
        parts[row["level"]].append(entry_of(row))
    models = []
    for level in (1, 2):
        used = {e.source for e in parts[level] if isinstance(e, Path)}
        latent = tuple(name for name in case["latent"] if name in used)
        models.append(Model(tuple(case["observed"]), latent, tuple(parts[level])))
    return models[0], models[1]


def clusters() -> Clusters:
    """lavaan's Demo.twolevel (y1, y2, y3) as moments per cluster."""
    parts = REFERENCE["two_level"]["clusters"]
    size = np.array([part["size"] for part in parts])
    p = len(parts[0]["mean"])
    return Clusters(
        ("y1", "y2", "y3"),
        int(size.sum()),
        0,
        size,
        np.array([part["mean"] for part in parts]),
        np.array([part["scatter"] for part in parts]).reshape(-1, p, p),
    )
