"""The one form of every fit: its parts, how it is checked against its schema, how it is published.

A fit answers a reviewer: from which rows, by which model, did it converge, what was left out. A
family computes first and builds its `Fit` once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml

from alliance import files
from alliance.config.instruments import SCHEMAS
from alliance.families.cohort import Cohort
from alliance.families.facts import Fact, Reason, Tested

Status = Literal["converged", "singular", "failed", "refused"]
Role = Literal["main", "adjustment"]
USABLE: tuple[Status, ...] = ("converged", "singular")
Numbers = Sequence[float] | np.ndarray | pd.Series
USED = ""
NUMBERS = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is predicted; `measure`: in words, where it is a measure's value at another session."""

    column: str
    label: str
    unit: str
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """What computed the fit; `df_method` is the kind of degrees of freedom or standard error."""

    name: str
    version: str
    estimator: Fact
    df_method: Fact


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a fit before anything is computed.

    Attributes
    ----------
    model, family
        Name and family in the config.
    title
        A heading.
    question
        What the model asks, in a sentence for a clinician.
    outcome
        What is predicted.
    about
        The model whose question this one asks otherwise; empty where it asks its own.
    """

    model: str
    family: str
    title: str
    question: str
    outcome: Outcome
    about: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of the panel that a model left out for one reason."""

    reason: Fact
    rows: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Which rows of the panel a model uses.

    Attributes
    ----------
    why
        For each row of the panel the code of the first reason that leaves it out; empty where it is
        used.
    left_out
        The reasons, and how many rows each leaves out.
    """

    why: pd.Series
    left_out: tuple[LeftOut, ...]

    @property
    def used(self) -> pd.Series:
        """A mask over the panel."""
        return self.why == USED


@dataclass(frozen=True, slots=True)
class Group:
    """Number of groups of a level that a model uses."""

    level: str
    n: int


@dataclass(frozen=True, slots=True)
class Data:
    """From which rows: the panel's are those used and those left out; `why` stays off the JSON."""

    panel_sha256: str
    rows_in_panel: int
    rows_used: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Group, ...]
    why: pd.Series


@dataclass(frozen=True, slots=True)
class Estimate:
    """One effect; see the schema for each field."""

    term: str
    label: str
    role: Role
    level: str
    estimator: Fact
    estimate: float | None
    se: float | None
    df: float | None
    statistic: float | None
    p: float | None
    ci_low: float | None
    ci_high: float | None
    unit: str
    group: str = ""
    standardised: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    assumes: Fact | None = None
    standardised_low: float | None = None
    standardised_high: float | None = None
    link: str = ""
    minimal_important_difference: float | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """A test beside the estimates: of what the model assumes, or of several estimates at once."""

    code: Tested
    name: str
    statistic: float | None
    df: float | None
    p: float | None
    kind: Literal["F", "chi2", "mixture", "t", "z"] = "chi2"
    df2: float | None = None
    term: str = ""
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A variance (`name_1` = `name_2`) or covariance of random effects, or of the residual."""

    level: str
    name_1: str
    name_2: str
    variance_or_covariance: float
    sd_or_correlation: float | None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """Its standard deviation; `phi`: correlation of two that lie one unit of `time` apart."""

    sigma: float | None = None
    phi: float | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Convergence:
    """How the search ended."""

    converged: bool = False
    optimiser: str = ""
    evaluations: int | None = None
    gradient_norm: float | None = None
    is_singular: bool = False
    singular_components: tuple[str, ...] = ()
    second_start_difference: float | None = None

    @property
    def status(self) -> Status:
        """The status of a fit that ended so."""
        return "failed" if not self.converged else "singular" if self.is_singular else "converged"


@dataclass(frozen=True, slots=True)
class SecondEngine:
    """The same model in other software."""

    name: str
    version: str
    converged: bool
    message: str
    log_likelihood_difference: float | None = None
    largest_difference_in_se: float | None = None
    agrees: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One model of a ladder; see the schema for each field."""

    name: str
    label: str
    terms: str
    status: Status
    chosen: bool
    n_parameters: int | None = None
    log_likelihood: float | None = None
    aic: float | None = None
    bic_rows: float | None = None
    bic_clients: float | None = None
    against: str = ""
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    p_kind: str = ""
    r2_marginal: float | None = None
    r2_conditional: float | None = None
    knot: float | None = None
    phi: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a figure with its band; `name` says of which figure, `group` which line it is."""

    name: str
    group: str
    x_label: str
    y_label: str
    x: Numbers
    estimate: Numbers
    ci_low: Numbers
    ci_high: Numbers


@dataclass(frozen=True, slots=True)
class Fit:
    """What a model returns, whatever the model; the content of `fit.schema.yaml`."""

    asked: Asked
    engine: Engine
    data: Data
    status: Status
    message: str = ""
    equation: str = ""
    estimates: Sequence[Estimate] = ()
    companions: Sequence[Estimate] = ()
    marginal_effects: Sequence[Estimate] = ()
    tests: Sequence[Test] = ()
    variance_components: Sequence[Component] = ()
    residual: Residual = Residual()
    fit_statistics: Mapping[str, float | None] = field(default_factory=dict)
    convergence: Convergence = Convergence()
    second_engine: SecondEngine | None = None
    steps: Sequence[Step] = ()
    curves: Sequence[Curve] = ()
    diagnostics: Mapping[str, Any] | None = None
    warnings: Sequence[Fact] = ()
    assumptions: Sequence[Fact] = ()

    @property
    def usable(self) -> bool:
        """Whether its numbers are results."""
        return self.status in USABLE

    @property
    def main(self) -> list[Estimate]:
        """What the model was fitted for."""
        return [entry for entry in self.estimates if entry.role == "main"]

    def as_json(self) -> dict[str, Any]:
        """Return the fit as plain values, checked against the schema and its own bookkeeping.

        A fit without a result has no diagnostics either.
        """
        content = _plain(self)
        asked = content.pop("asked")
        del content["data"]["why"]
        if not self.usable:
            content["diagnostics"] = None
        fit: dict[str, Any] = files.plain({"schema": "alliance-fit-2"} | asked | content)
        _validator().validate(fit)
        data = self.data
        if data.rows_used + sum(entry.rows for entry in data.left_out) != data.rows_in_panel:
            msg = f"{self.asked.model}: rows used and left out do not add up to the panel's rows"
            raise AssertionError(msg)
        return fit


def _plain(part: Any) -> Any:
    """Return a part of a fit with its dataclasses as dicts; tables and arrays as they are."""
    if is_dataclass(part):
        return {one.name: _plain(getattr(part, one.name)) for one in fields(part)}
    if isinstance(part, Mapping):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_plain(value) for value in part]
    return part


def estimate(term: str, *, label: str, role: Role, level: str, estimator: Fact, unit: str,
             numbers: Mapping[str, Any], standardised: float | None = None,
             as_ratio: bool = False, assumes: Fact | None = None) -> Estimate:  # fmt: skip
    """Return an effect; `numbers`: estimate, se, df, statistic, p, ci_low, ci_high."""
    found = Estimate(
        term,
        label,
        role,
        level,
        estimator,
        **{name: numbers[name] for name in NUMBERS},
        unit=unit,
        standardised=standardised,
        assumes=assumes,
    )
    if not as_ratio:
        return found
    ratio, low, high = (float(np.exp(numbers[key])) for key in ("estimate", "ci_low", "ci_high"))
    return replace(found, ratio=ratio, ratio_low=low, ratio_high=high)


def numbers_of(entry: Estimate) -> dict[str, Any]:
    """Return the numbers of an effect by name."""
    return {name: getattr(entry, name) for name in NUMBERS}


def kept_rows(panel: pd.DataFrame, reasons: Mapping[Fact, pd.Series]) -> Kept:
    """Return which rows are used; each other one is counted under the first reason that holds.

    `reasons` maps a reason to the rows (boolean, aligned with the panel) that it leaves out.
    """
    why = pd.Series(USED, index=panel.index, dtype=object)
    left_out = []
    for reason, rows in reasons.items():
        now = (why == USED) & rows.astype(bool)
        if now.any():
            left_out.append(LeftOut(reason, int(now.sum())))
        why[now] = str(reason.code)
    return Kept(why, tuple(left_out))


def data_of(cohort: Cohort, kept: Kept, levels: Sequence[str]) -> Data:
    """Return the rows of a fit, and how many groups of these levels they are of."""
    rows = cohort.panel[kept.used]
    groups = [Group(level, int(rows[level].nunique())) for level in levels]
    found = (*groups, Group("session", len(rows)))
    return Data(cohort.panel_sha256, len(cohort.panel), len(rows), kept.left_out, found, kept.why)


def refused(
    asked: Asked, engine: Engine, cohort: Cohort, message: str, *,
    assumptions: Sequence[Fact] = (), warnings: Sequence[Fact] = (),
) -> Fit:  # fmt: skip
    """Return a refused fit: the reason in plain words and no number."""
    reason = Fact(Reason.MODEL_NOT_FITTED, "the model was not fitted")
    none = kept_rows(cohort.panel, {reason: pd.Series(True, index=cohort.panel.index)})
    return Fit(
        asked,
        engine,
        Data(cohort.panel_sha256, len(cohort.panel), 0, none.left_out, (), none.why),
        status="refused",
        message=message,
        assumptions=assumptions,
        warnings=warnings,
    )


@cache
def _validator() -> Any:
    import jsonschema

    schema = yaml.safe_load((SCHEMAS / "fit.schema.yaml").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)
