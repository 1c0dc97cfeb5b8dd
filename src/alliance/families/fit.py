"""The one form of every fit: build it, check it against its schema, publish it.

A fit answers a reviewer: from which rows, by which model, did it converge, what was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from alliance import files
from alliance.config.instruments import SCHEMAS, Instrument, load_instrument
from alliance.config.score_columns import TOTAL, score_columns
from alliance.errors import FitError


@dataclass(frozen=True, slots=True)
class Cohort:
    """What a model needs to know of its cohort.

    Attributes
    ----------
    panel
        The analysis table.
    panel_sha256
        Hash of its file.
    measures
        Measure name to the config's entry.
    instruments
        Measure name to its key.
    """

    panel: pd.DataFrame
    panel_sha256: str
    measures: Mapping[str, Mapping[str, Any]]
    instruments: Mapping[str, Instrument]

    def score_of(self, column: str) -> tuple[str, str]:
        """Return (measure, score) of a column: `alliance` is a total, `alliance_goal` is not."""
        names = {m: [s.name for s in key.scores] for m, key in self.instruments.items()}
        return score_columns(names).get(column, (column, TOTAL))

    def label(self, column: str) -> str:
        """Return how the score is called in print: the measure's label, or `Alliance: goal`."""
        measure, score = self.score_of(column)
        name = str(self.measures[measure].get("label") or measure)
        return name if score == TOTAL else f"{name}: {score.replace('_', ' ')}"

    def range(self, column: str) -> tuple[float | None, float | None]:
        """Return the lowest and highest possible score, or None twice if the key states none."""
        measure, score = self.score_of(column)
        return score_range(self.instruments[measure], score)

    def unit(self, column: str) -> str:
        """Return the unit of the score, e.g. `points, 12-60`."""
        low, high = self.range(column)
        return "points" if low is None else f"points, {low:g}-{high:g}"


@dataclass(slots=True)
class Draft:
    """A fit in the making; `finish` gives the JSON of `fit.schema.yaml`."""

    model: str
    family: str
    title: str
    question: str
    outcome: dict[str, str]
    engine: dict[str, str]
    status: str = "refused"
    message: str = ""
    equation: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    estimates: list[dict[str, Any]] = field(default_factory=list)
    companions: list[dict[str, Any]] = field(default_factory=list)
    marginal_effects: list[dict[str, Any]] = field(default_factory=list)
    tests: list[dict[str, Any]] = field(default_factory=list)
    variance_components: list[dict[str, Any]] = field(default_factory=list)
    residual: dict[str, Any] = field(default_factory=lambda: {"sigma": None, "phi": None})
    fit_statistics: dict[str, Any] = field(default_factory=dict)
    convergence: dict[str, Any] = field(
        default_factory=lambda: {
            "converged": False,
            "optimiser": "",
            "evaluations": None,
            "gradient_norm": None,
            "is_singular": False,
            "singular_components": [],
            "second_start_difference": None,
        }
    )
    second_engine: dict[str, Any] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    diagnostics: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    def finish(self) -> dict[str, Any]:
        """Return the finished fit, checked against the schema and its own bookkeeping.

        A fit without a result has no diagnostics either.
        """
        if self.status not in ("converged", "singular"):
            self.diagnostics = None
        fit = files.plain(
            {"schema": "alliance-fit-1"} | {name: getattr(self, name) for name in self.__slots__}
        )
        _validator().validate(fit)
        left_out = sum(entry["rows"] for entry in fit["data"]["left_out"])
        if fit["data"]["rows_used"] + left_out != fit["data"]["rows_in_panel"]:
            msg = f"{self.model}: rows used and left out do not add up to the panel's rows"
            raise AssertionError(msg)
        return fit


def score_range(instrument: Instrument, score: str) -> tuple[float | None, float | None]:
    """Return the lowest and highest possible score, or None twice where the key states none."""
    stated = instrument.definition["scores"].get(score, {}).get("range")
    return (stated[0], stated[1]) if stated else (None, None)


def estimate(term: str, *, label: str, role: str, level: str, estimator: str, unit: str,
             numbers: Mapping[str, Any], standardised: float | None = None,
             as_ratio: bool = False) -> dict[str, Any]:  # fmt: skip
    """Return a row of `estimates`; `numbers`: estimate, se, df, statistic, p, ci_low, ci_high."""

    def ratio(key: str) -> float | None:
        return float(np.exp(numbers[key])) if as_ratio else None

    columns = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high")
    return {
        "term": term,
        "label": label,
        "role": role,
        "level": level,
        "estimator": estimator,
        **{column: numbers[column] for column in columns},
        "unit": unit,
        "standardised": standardised,
        "ratio": ratio("estimate"),
        "ratio_low": ratio("ci_low"),
        "ratio_high": ratio("ci_high"),
    }


def test_row(name: str, kind: str, numbers: Mapping[str, Any], note: str = "") -> dict[str, Any]:
    """Return a row of `tests`; `kind`: F, chi2, t or z; `numbers`: statistic, df, df2, p."""
    columns = ("statistic", "df", "df2", "p")
    return {
        "name": name,
        "kind": kind,
        **{column: numbers.get(column) for column in columns},
        "note": note,
    }


def left_out_by_reason(panel: pd.DataFrame, reasons: Mapping[str, pd.Series]) -> dict[str, Any]:
    """Return `used` (a mask) and `left_out`: each row is counted under the first reason that holds.

    `reasons` maps a reason to the rows (boolean, aligned with the panel) that it leaves out.
    """
    used = pd.Series(True, index=panel.index)
    left_out = []
    for reason, rows in reasons.items():
        now = used & rows.astype(bool)
        if now.any():
            left_out.append({"reason": reason, "rows": int(now.sum())})
        used &= ~now
    return {"used": used, "left_out": left_out}


def rows_of(cohort: Cohort, used: pd.Series, left_out: list[dict[str, Any]],
            levels: list[str]) -> dict[str, Any]:  # fmt: skip
    """Return the `data` block of a fit."""
    rows = cohort.panel[used]
    groups = [{"level": level, "n": int(rows[level].nunique())} for level in levels]
    return {
        "panel_sha256": cohort.panel_sha256,
        "rows_in_panel": len(cohort.panel),
        "rows_used": int(used.sum()),
        "left_out": left_out,
        "groups": [*groups, {"level": "session", "n": int(used.sum())}],
    }


def refuse(draft: Draft, cohort: Cohort, message: str) -> dict[str, Any]:
    """Return `draft` as a refused fit: the reason in plain words and no number."""
    draft.status = "refused"
    draft.message = message
    draft.estimates, draft.companions, draft.marginal_effects, draft.tests = [], [], [], []
    draft.variance_components, draft.curves, draft.second_engine = [], [], None
    draft.steps = []
    n = len(cohort.panel)
    draft.data = {
        "panel_sha256": cohort.panel_sha256,
        "rows_in_panel": n,
        "rows_used": 0,
        "left_out": [{"reason": "the model was not fitted", "rows": n}] if n else [],
        "groups": [],
    }
    return draft.finish()


def fit_family(
    fit_one: Callable[[Cohort, str, Mapping[str, Any]], dict[str, Any]],
    *,
    panel: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: list[str | Path],
    models: Mapping[str, Mapping[str, Any]],
    fits: list[str | Path],
) -> None:
    """Fit all models of one family in one process and publish each at its place in `fits`."""
    keys = {key.id: key for key in map(load_instrument, instruments)}
    cohort = Cohort(
        panel=files.read_parquet(panel),
        panel_sha256=files.sha256_of(panel),
        measures=measures,
        instruments={name: keys[entry["instrument"]] for name, entry in measures.items()},
    )
    places = {Path(path).stem: path for path in fits}
    for name, entry in models.items():
        files.write_json(fit_one(cohort, name, entry), places[name])


def require_scores(cohort: Cohort, column: str) -> None:
    """Raise `FitError` if nobody filled in the measure, or if everyone has the same score."""
    measure, wanted = cohort.score_of(column)
    if all(score.name != wanted for score in cohort.instruments[measure].scores):
        msg = (
            f"{cohort.label(column)}: its scoring key has subscales but no total score, so "
            "there is no one number to model; name one of its subscales."
        )
        raise FitError(msg)
    scores = cohort.panel[column].dropna() if column in cohort.panel else pd.Series(dtype=float)
    if scores.empty:
        msg = f"There is no score of {cohort.label(column)} in this cohort."
        raise FitError(msg)
    if scores.nunique() == 1:
        msg = f"Every score of {cohort.label(column)} is the same: there is nothing to explain."
        raise FitError(msg)


@cache
def _validator() -> Any:
    import jsonschema

    schema = yaml.safe_load((SCHEMAS / "fit.schema.yaml").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)
