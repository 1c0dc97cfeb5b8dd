"""Reliability of a scale within and between clients, from two-level factor models.

A form of client j at session i is a row, a client a cluster. With loadings l, factor variance psi
and residual variances theta within (w) and between (b) clients, and n the harmonic mean number of
forms per client:

- Geldhof, Preacher & Zyphur (2014), of scores that nobody sees (latent within and between parts):
  omega_w = (sum l_w)^2 psi_w / ((sum l_w)^2 psi_w + sum theta_w), the same with b.
- Lai (2021), of scores that are used, loadings equal at both levels ("configural"):
  omega_2l, of one form's raw score; omega_b, of a client's mean, in whose variance the within part
  stands divided by n; omega_w, of a form's deviation from the client's mean.
- Lai (2021), omega_b of a construct that belongs to the client alone ("shared"): within saturated.

The printed default for a client's mean is Lai's configural omega_b.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from alliance.errors import FitError
from alliance.sem import (
    Clusters,
    Covariance,
    IncompleteClusters,
    Model,
    Path,
    SemFit,
    clustered,
    clustered_incomplete,
    fit_two_level,
    saturated_model,
)
from alliance.sem.description import Entry, intercepts

Values = Mapping[str, complex]

GIVE_UP_AFTER = 40
"""Steps of a search that usually takes ten: beyond, a residual variance runs off below zero."""


@dataclass(frozen=True, slots=True)
class Omega:
    """A reliability with its uncertainty.

    Attributes
    ----------
    estimate, se : float
        se by the delta method, from observed information.
    ci_low, ci_high : float
        95 % interval, on the logit scale; NaN if the estimate is not between 0 and 1.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, slots=True)
class MultilevelOmega:
    """Reliabilities of a scale's mean or sum within and between clients.

    Attributes
    ----------
    n_forms, n_left_out, n_clients : int
        Forms used, forms left out because they have no answer, clients.
    forms_per_client : float
        Harmonic mean.
    why_not : str or None
        Why nothing could be estimated.
    within, between_latent : Omega or None
        Geldhof et al. (2014). Where their model has no stable solution (clients hardly differ),
        `within` is from one that leaves the level between clients free, and a warning says so.
    single_form, between, within_equal : Omega or None
        Lai (2021), configural: omega_2l, omega_b (the printed one) and omega_w.
    between_shared : Omega or None
        Lai (2021), shared construct.
    fixed_at_zero : tuple of str
        Residual variances between clients that would have been negative and were set to zero.
    warnings : tuple of str
        Models without a stable solution, whose numbers are missing.
    """

    n_forms: int
    n_left_out: int
    n_clients: int
    forms_per_client: float
    why_not: str | None
    within: Omega | None = None
    between_latent: Omega | None = None
    single_form: Omega | None = None
    between: Omega | None = None
    within_equal: Omega | None = None
    between_shared: Omega | None = None
    fixed_at_zero: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """Return plain lists and dicts."""
        return asdict(self)


def multilevel_omega(
    answers: np.ndarray,
    clients: Sequence[object] | np.ndarray,
    *,
    items: Sequence[str] | None = None,
) -> MultilevelOmega:
    """Estimate the reliability of a one-factor scale within and between clients.

    ASSUME one factor at each level, items in the direction of the score (reversed already), and
    answers missing at random. Every form with an answer counts.

    Parameters
    ----------
    answers
        Shape (n_forms, n_items), NaN where unanswered.
    clients
        Client of each form.
    items
        Names of the columns; item_1, item_2, ... otherwise.

    Returns
    -------
    MultilevelOmega
        With `why_not` instead of numbers where the data do not allow them.
    """
    table = np.asarray(answers, dtype=float)
    names = [f"item_{k + 1}" for k in range(table.shape[1])] if items is None else list(items)
    if np.isnan(table).any():
        return multilevel_omega_of(clustered_incomplete(table, clients, names))
    return multilevel_omega_of(clustered(table, clients, names))


def multilevel_omega_of(data: Clusters | IncompleteClusters) -> MultilevelOmega:
    """Estimate the same from data that are clustered already."""
    names = data.names
    size = data.harmonic_mean_size if data.n_clusters else 0.0
    counts = (data.n_rows, data.n_left_out, data.n_clusters, size)
    if len(names) < 3:
        return MultilevelOmega(*counts, why_not="A one-factor model needs at least three items.")
    zero: list[str] = []
    warnings: list[str] = []
    try:
        free = _fit("free loadings", data, equal=False, zero=zero, warnings=warnings)
        inside = free if free is not None else _within_alone(data, warnings)
        equal = _fit("equal loadings", data, equal=True, zero=zero, warnings=warnings)
        shared = _fit(
            "saturated within", data, equal=False, zero=zero, warnings=warnings, saturated=True
        )
    except FitError as error:
        return MultilevelOmega(*counts, why_not=str(error))
    own = _Formulas(names, size)
    return MultilevelOmega(
        *counts,
        why_not=None,
        within=_omega(inside, own.within),
        between_latent=_omega(free, own.between_latent),
        single_form=_omega(equal, own.single_form),
        between=_omega(equal, own.between),
        within_equal=_omega(equal, own.within),
        between_shared=_omega(shared, own.between_shared),
        fixed_at_zero=tuple(zero),
        warnings=tuple(warnings),
    )


def _fit(
    name: str,
    data: Clusters | IncompleteClusters,
    *,
    equal: bool,
    zero: list[str],
    warnings: list[str],
    saturated: bool = False,
) -> SemFit | None:
    """Fit one of the three models; negative residual variances between clients become zero."""
    at_zero: set[str] = set()
    while True:
        within, between = _models(data.names, equal=equal, at_zero=at_zero, saturated=saturated)
        fit = fit_two_level(
            within,
            between,
            data,
            robust=False,
            fit_measures=False,
            max_iterations=GIVE_UP_AFTER,
        )
        negative = {
            item
            for item in data.names
            if item not in at_zero and np.real(fit.value(f"theta_b {item}")) < 0
        }
        # ASSUME a residual variance between clients that is estimated below zero is zero. A search
        # without an end runs off to the one that is most below zero.
        if negative and not fit.convergence.converged:
            negative = {min(negative, key=lambda item: fit.value(f"theta_b {item}"))}
        if not negative:
            break
        at_zero |= negative
    if not fit.convergence.converged:
        warnings.append(f"The model with {name} has no stable solution.")
        return None
    zero.extend(f"{item} ({name})" for item in data.names if item in at_zero)
    return fit


def _within_alone(data: Clusters | IncompleteClusters, warnings: list[str]) -> SemFit | None:
    """Fit the factor within clients with all covariances between clients free (Lai 2021)."""
    within, _ = _models(data.names, equal=False, at_zero=set(), saturated=False)
    fit = fit_two_level(within, saturated_model(data.names), data, robust=False, fit_measures=False)
    if not fit.convergence.converged:
        warnings.append("The model with a saturated level between clients has no stable solution.")
        return None
    warnings.append("omega within clients is from a model that leaves the level between them free.")
    return fit


def _models(
    names: Sequence[str], *, equal: bool, at_zero: set[str], saturated: bool
) -> tuple[Model, Model]:
    """Return both levels: loadings l_w and l_b (l_w twice if equal), residuals theta_w, theta_b."""
    inside: list[Entry] = []
    if saturated:
        inside += [Covariance(i, i, label=f"cov_w {i} {i}") for i in names]
        inside += [Covariance(i, j, label=f"cov_w {i} {j}") for i, j in combinations(names, 2)]
    else:
        inside += [Path("within", i, label=f"l_w {i}") for i in names]
        inside += [Covariance("within", "within", fixed=1.0)]
        inside += [Covariance(i, i, label=f"theta_w {i}") for i in names]
    across: list[Entry] = [
        Path("between", i, label=f"l_{'w' if equal else 'b'} {i}") for i in names
    ]
    across += [
        Covariance(
            "between", "between", fixed=None if equal else 1.0, label="psi_b" if equal else None
        )
    ]
    across += [
        Covariance(i, i, fixed=0.0) if i in at_zero else Covariance(i, i, label=f"theta_b {i}")
        for i in names
    ]
    across += intercepts(names)
    columns = tuple(names)
    return (
        Model(columns, () if saturated else ("within",), tuple(inside)),
        Model(columns, ("between",), tuple(across)),
    )


@dataclass(frozen=True, slots=True)
class _Formulas:
    names: tuple[str, ...]
    size: float

    def _sum(self, v: Values, what: str) -> complex:
        return sum((v.get(f"{what} {i}", 0.0) for i in self.names), 0.0 + 0.0j)

    def _true_between(self, v: Values) -> complex:
        loadings = self._sum(v, "l_w" if "psi_b" in v else "l_b")
        return loadings**2 * v.get("psi_b", 1.0)

    def within(self, v: Values) -> complex:
        true = self._sum(v, "l_w") ** 2
        return true / (true + self._sum(v, "theta_w"))

    def between_latent(self, v: Values) -> complex:
        true = self._true_between(v)
        return true / (true + self._sum(v, "theta_b"))

    def single_form(self, v: Values) -> complex:
        true = self._sum(v, "l_w") ** 2 + self._true_between(v)
        return true / (true + self._sum(v, "theta_w") + self._sum(v, "theta_b"))

    def between(self, v: Values) -> complex:
        true = self._true_between(v)
        inside = self._sum(v, "l_w") ** 2 + self._sum(v, "theta_w")
        return true / (true + self._sum(v, "theta_b") + inside / self.size)

    def between_shared(self, v: Values) -> complex:
        true = self._true_between(v)
        inside = sum((v[f"cov_w {i} {i}"] for i in self.names), 0.0 + 0.0j)
        inside += sum((2.0 * v[f"cov_w {i} {j}"] for i, j in combinations(self.names, 2)), 0.0)
        return true / (true + self._sum(v, "theta_b") + inside / self.size)


def _omega(fit: SemFit | None, formula: Callable[[Values], complex]) -> Omega | None:
    if fit is None:
        return None
    estimate, se = fit.defined(formula)
    if not 0.0 < estimate < 1.0:
        return Omega(estimate, se, float("nan"), float("nan"))
    logit, width = np.log(estimate / (1.0 - estimate)), se / (estimate * (1.0 - estimate))
    reach = stats.norm.ppf(0.975) * width
    low, high = 1.0 / (1.0 + np.exp(-(logit - reach))), 1.0 / (1.0 + np.exp(-(logit + reach)))
    return Omega(estimate, se, float(low), float(high))
