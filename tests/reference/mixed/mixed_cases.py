"""The committed cases of this folder: reading them, fitting them, reading a fit back as arrays."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mixed_dense import DenseModel, square_root

HERE = Path(__file__).parent
TOPICS = ("sleepstudy", "classical", "fourlevel", "crossing")


@cache
def read_topic(topic: str) -> dict[str, Any]:
    """The JSON that `<topic>.R` wrote."""
    return json.loads((HERE / f"{topic}.json").read_text())


def all_cases() -> list[dict[str, Any]]:
    """Every case of every topic."""
    return [case for topic in TOPICS for case in read_topic(topic)["cases"]]


def case_named(name: str) -> dict[str, Any]:
    """The one case of this name."""
    return next(case for case in all_cases() if case["case"] == name)


@cache
def read_data(name: str) -> pd.DataFrame:
    """A CSV fixture; callers must not write into it."""
    return pd.read_csv(HERE / name)


def arguments_of(case: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `fit_mixed` for this case."""
    return {
        "outcome": case["outcome"],
        "fixed": list(case["fixed"]),
        "random": {entry["level"]: list(entry["terms"]) for entry in case["random"]},
        "residual": case["residual"],
        "residual_time": case["residual_time"],
        "residual_by": case["residual_by"],
        "method": case["method"],
    }


def covariances_of(fit: Any) -> dict[str, np.ndarray]:
    """Covariance matrix of the random effects per level, read from `fit.variance_components`."""
    table = fit.variance_components
    matrices = {}
    for level, rows in table[table["level"] != "residual"].groupby("level", sort=False):
        names = list(dict.fromkeys(rows["name_1"]))
        matrix = np.full((len(names), len(names)), np.nan)
        for row in rows.itertuples():
            i = names.index(row.name_1)
            j = i if pd.isna(row.name_2) or row.name_2 == "" else names.index(row.name_2)
            matrix[i, j] = matrix[j, i] = row.variance_or_covariance
        matrices[level] = matrix
    return matrices


def expected_covariances(case: dict[str, Any]) -> dict[str, np.ndarray]:
    """Covariance matrix of the random effects per level, as R found it."""
    matrices = {e["level"]: np.zeros((len(e["terms"]),) * 2) for e in case["random"]}
    for entry in case["covariances"]:
        matrix = matrices[entry["level"]]
        i, j = entry["row"] - 1, entry["column"] - 1
        matrix[i, j] = matrix[j, i] = entry["value"]
    return matrices


def dense_of(frame: pd.DataFrame, arguments: dict[str, Any]) -> DenseModel:
    """The dense model of the same question."""
    return DenseModel.build(
        frame, **{key: value for key, value in arguments.items() if key not in ("data", "df")}
    )


def dense_log_likelihood_at(fit: Any, model: DenseModel) -> float:
    """The dense log-likelihood at the variance parameters that the engine reports."""
    found = covariances_of(fit)
    factors = [square_root(found[level]) for level in model.names]
    if model.by is None:
        residual_sd = np.full(len(model.y), fit.residual.sigma)
    else:
        variances = [fit.residual.variances[value] for value in model.by_values]
        residual_sd = np.sqrt(np.array(variances))[model.by]
    phi = fit.residual.phi if model.lag is not None else 0.0
    return model.log_likelihood_of(model.covariance(factors, residual_sd, phi))


def rerun(topic: str, folder: Path) -> None:
    """Run `<topic>.R` again in an empty folder and hold it to what is committed."""
    for file in [*HERE.glob("*.R"), *HERE.glob("several_*.csv")]:
        shutil.copy(file, folder)
    run = subprocess.run(
        ["Rscript", f"{topic}.R", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    if "there is no package called" in run.stderr:
        pytest.skip("R lacks a package that this script needs: " + run.stderr.splitlines()[0])
    assert run.returncode == 0, run.stderr
    for fixture in folder.glob("*.csv*"):
        pd.testing.assert_frame_equal(pd.read_csv(fixture), pd.read_csv(HERE / fixture.name))
    again = json.loads((folder / f"{topic}.json").read_text())
    # 1e-6: other versions of R's optimisers end in the same optimum, not on the same bits
    assert_close(again["cases"], read_topic(topic)["cases"], topic)


def assert_close(found: Any, expected: Any, path: str) -> None:
    """Compare nested results number by number."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), path
        for key in expected:
            if key != "engine" and not key.startswith("lme4_"):  # ends of single optimisers
                assert_close(found[key], expected[key], f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for k, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_close(one, other, f"{path}[{k}]")
    elif isinstance(expected, (int, float)) and not isinstance(expected, bool):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9), path
    else:
        assert found == expected, path
