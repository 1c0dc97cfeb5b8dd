"""Fit models again from the panel by statsmodels: the recorded equation, the recorded rows.

The only check of a results folder that needs libraries and data: without them it says so. What
statsmodels cannot express is named, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from alliance import files
from alliance.audit.certificate import Check

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = "models fitted again"
NEEDED = ("statsmodels", "pandas", "pyarrow")
FITTED = ("converged", "singular")
KEY = ["site", "client", "session"]
LINEAR = re.compile(
    r"(?P<outcome>\w+) ~ (?P<fixed>[^()|]+?)(?P<random>( \+ \([^()]+\))*); "
    r"(?P<residual>[^;]+); (?P<method>REML|ML)"
)
HAZARD = re.compile(
    r"logit P\((?P<outcome>\w+) = 1\) ~ (?P<fixed>.+?)(?P<random>( \+ \([^()|]+\|[^()]+\))*);.*"
)
RANDOM = re.compile(r"\((?P<terms>[^|]+) \| (?P<level>\w+)\)")
TERM = re.compile(r"((?P<change>log|center)\()?(?P<column>\w+)(?(change)\))(\[(?P<category>.+)\])?")
CENTRED = re.compile(r"center\((\w+)\)")  # named as the column itself among the effects
INDEPENDENT = "independent residuals"


class NotExpressible(ValueError):
    """Statsmodels has no such model; the words say why."""


@dataclass(slots=True)
class _Found:
    agree: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def refitted(results: str | Path) -> Check:
    """Return what came of fitting the models of a results folder again.

    Parameters
    ----------
    results
        `results/<cohort>`; two folders above it lies `data/processed/<cohort>`, where it is there.
    """
    results = Path(results)
    fits = [files.read_json(path) for path in sorted((results / "fits").glob("*.json"))]
    fits = [fit for fit in fits if fit["status"] in FITTED]
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        return Check(NAME, "none", (), [f"{len(fits)} models: it needs {', '.join(absent)}"])
    processed = results.resolve().parents[1] / "data" / "processed" / results.resolve().name
    panel_file = processed / "panel.parquet"
    if not panel_file.is_file():
        return Check(NAME, "none", (), [f"{len(fits)} models: the panel is not here"])
    found, sha256 = _Found(), files.sha256_of(panel_file)
    panel = files.read_parquet(panel_file)
    for fit in sorted(fits, key=lambda fit: (not _is_primary(fit, results), fit["model"])):
        told = f"{fit['model']} (primary)" if _is_primary(fit, results) else fit["model"]
        if fit["data"]["panel_sha256"] != sha256:
            found.wrong.append(f"{told}: the panel is not the one that it was fitted to")
            continue
        try:
            _compare(fit, told, _rows_used(fit, panel, processed), found)
        except NotExpressible as why:
            found.left.append(f"{told}: {why}")
    return Check(NAME, _looked_at(found), found.wrong, found.left)


def _looked_at(found: _Found) -> str:
    from alliance.families.common.second_engine import TOLERANCE_IN_SE

    agree = f": {'; '.join(found.agree)}" if found.agree else ""
    return (
        f"{len(found.agree)} agree with statsmodels within {TOLERANCE_IN_SE:g} standard errors"
        f"{agree}"
    )


def _is_primary(fit: Mapping[str, Any], results: Path) -> bool:
    path = results / "multiplicity.json"
    tests = files.read_json(path)["tests"] if path.is_file() else []
    address = f"fits/{fit['model']}.json#"
    return any(one["group"] == "primary" and one["at"].startswith(address) for one in tests)


def _rows_used(fit: Mapping[str, Any], panel: pd.DataFrame, processed: Path) -> pd.DataFrame:
    from alliance.persons import Persons

    path = processed / "rows" / f"{fit['model']}.parquet"
    if not path.is_file():
        msg = "which rows it used is not recorded here"
        raise NotExpressible(msg)
    rows = files.read_parquet(path)
    used = rows.loc[rows["left_out"].fillna("") == "", KEY]
    return Persons().numbered(used.merge(panel, on=KEY, how="left"))


def _compare(fit: Mapping[str, Any], told: str, rows: pd.DataFrame, found: _Found) -> None:
    """Fit one model again and note how far its effects are from those recorded, in SE."""
    if parts := LINEAR.fullmatch(fit["equation"]):
        fitted = _mixed(fit, parts.groupdict(), rows)
    elif parts := HAZARD.fullmatch(fit["equation"]):
        fitted = _hazard(fit, parts.groupdict(), rows)
    else:
        msg = "statsmodels has no model of this equation"
        raise NotExpressible(msg)
    words = f"{told} {fitted.largest_difference_in_se:.1g} SE" if fitted.converged else ""
    if not fitted.converged:
        found.left.append(f"{told}: {fitted.message}")
    elif fitted.agrees:
        found.agree.append(words)
    else:
        found.wrong.append(f"{told}: {fitted.message}")


def _mixed(fit: Mapping[str, Any], parts: Mapping[str, str], rows: pd.DataFrame) -> Any:
    from alliance.families.common.second_engine import compare_with_statsmodels

    if parts["residual"] != INDEPENDENT:
        msg = "statsmodels cannot express residuals that remember one another"
        raise NotExpressible(msg)
    random = {one["level"]: one["terms"].split(" + ") for one in RANDOM.finditer(parts["random"])}
    terms = parts["fixed"].split(" + ")
    recorded = _recorded(fit, terms)
    found = compare_with_statsmodels(
        rows, parts["outcome"], _design(rows, terms), random, recorded, parts["method"] == "ML"
    )
    if found is None:
        msg = "statsmodels cannot express these random effects"
        raise NotExpressible(msg)
    return found


def _hazard(fit: Mapping[str, Any], parts: Mapping[str, str], rows: pd.DataFrame) -> Any:
    import numpy as np
    import statsmodels.api as sm

    from alliance.families.common.second_engine import compared

    if any(entry["variance_or_covariance"] for entry in fit["variance_components"]):
        msg = "statsmodels has no maximum likelihood for random effects in a hazard"
        raise NotExpressible(msg)
    terms = parts["fixed"].split(" + ")
    recorded = _recorded(fit, terms)
    event, design = rows[parts["outcome"]].to_numpy(float), _design(rows, terms)
    again = sm.GLM(event, design, family=sm.families.Binomial()).fit(tol=1e-12)
    estimates = recorded.coefficients
    differences = np.abs(again.params - estimates["estimate"]) / estimates["se"]
    return compared("GLM", float(again.llf - recorded.log_likelihood), float(differences.max()))


def _recorded(fit: Mapping[str, Any], terms: Sequence[str]) -> Any:
    """Return the recorded effects in the order of the terms, as an engine gives them."""
    import pandas as pd

    by_term = {row["term"]: row for row in fit["estimates"] if not row["group"]}
    terms = [CENTRED.sub(r"\1", term) for term in terms]
    if missing := [term for term in terms if term not in by_term]:
        msg = f"its effect of {missing[0]} is not among the recorded ones"
        raise NotExpressible(msg)
    effects = [{key: by_term[term][key] for key in ("estimate", "se")} for term in terms]
    return SimpleNamespace(
        coefficients=pd.DataFrame(effects), log_likelihood=fit["fit_statistics"]["log_likelihood"]
    )


def _design(rows: pd.DataFrame, terms: Sequence[str]) -> np.ndarray:
    """Return the design of the fixed effects, shape (rows, terms)."""
    import numpy as np

    return np.column_stack([np.asarray(column, float) for column in _columns(rows, terms)])


def _columns(rows: pd.DataFrame, terms: Sequence[str]) -> Iterator[Any]:
    import numpy as np

    for term in terms:
        parts = TERM.fullmatch(term)
        if parts is None or (term != "1" and parts["column"] not in rows):
            msg = f"its term {term} is none that can be made from the panel here"
            raise NotExpressible(msg)
        if term == "1":
            yield np.ones(len(rows))
        elif parts["category"]:
            yield rows[parts["column"]] == parts["category"]
        else:
            values = rows[parts["column"]].to_numpy(float)
            yield CHANGES[parts["change"]](values)


def _as_it_is(values: np.ndarray) -> np.ndarray:
    return values


def _log(values: np.ndarray) -> np.ndarray:
    import numpy as np

    logarithms: np.ndarray = np.log(values)
    return logarithms


def _centred(values: np.ndarray) -> np.ndarray:
    centred: np.ndarray = values - values.mean()
    return centred


CHANGES = {None: _as_it_is, "log": _log, "center": _centred}
