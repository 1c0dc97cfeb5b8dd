"""Residual covariance within a client: independent, AR(1) or CAR(1), and variances by group.

The inverse of a (continuous-time) AR(1) correlation matrix touches neighbouring rows only, so the
whitened cross-product of a client is a sum of plain cross-products with scalar weights:

    C' R^-1 C = sum over classes h of w_h(rho) B_h .

For neighbours k-1, k at distance d with x = phi^d (Pinheiro & Bates 2000, section 5.3.1):

    w_A = 1 / (1 - x^2)    on c_k c_k' + c_(k-1) c_(k-1)' ,
    w_X = -x / (1 - x^2)   on c_k c_(k-1)' + c_(k-1) c_k' ,
    1 on c_k c_k' of the first row, and -1 on c_(k-1) c_(k-1)' of every neighbour,
    log|R| = sum over neighbours of log(1 - x^2) .

A variance per group divides the weights by v_a, or by sqrt(v_a v_b) across groups. The weights and
their derivatives are all that changes between evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alliance.mixed.covariance import pair_index

if TYPE_CHECKING:
    from alliance.mixed.crossproducts import Block, Products

LEAST = 1e-12
"""1 - phi^2 is not taken to be less: beyond it neighbouring rows are the same number."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the cross-product classes and log|R|, with derivatives in rho.

    Attributes
    ----------
    value, first, second : numpy.ndarray
        Shapes (H,), (n, H) and (n(n+1)/2, H).
    log_det, log_det_first, log_det_second
        log|R| and its derivatives, shapes (), (n,) and (n(n+1)/2,).
    """

    value: np.ndarray
    first: np.ndarray
    second: np.ndarray
    log_det: float
    log_det_first: np.ndarray
    log_det_second: np.ndarray

    @property
    def stacked(self) -> np.ndarray:
        """Value, first and second derivatives, one below the other."""
        if len(self.first) == 0:
            return self.value[None]
        return np.vstack([self.value[None], self.first, self.second])


INDEPENDENT = Weights(np.ones(1), np.zeros((0, 1)), np.zeros((0, 1)), 0.0, np.zeros(0), np.zeros(0))
"""Independent rows with one variance: one class of weight 1."""


@dataclass(slots=True)
class ResidualStructure:
    """A residual structure and what it needs to know of the data.

    Attributes
    ----------
    kind : {"iid", "ar1", "car1"}
    groups : list
        Values of the grouping column, the reference first; empty for one variance.
    lags : numpy.ndarray
        Distinct distances between neighbouring rows, shape (D,).
    lag_counts : numpy.ndarray
        Number of neighbours at each distance, shape (D,).
    group_counts : numpy.ndarray
        Rows per group, shape (max(G, 1),).
    row_lag : numpy.ndarray
        Index of each row's distance to the row before it; -1 for a client's first row. Empty for
        independent rows with one variance.
    row_group : numpy.ndarray
        Index of each row's group; empty likewise.
    """

    kind: str
    groups: list[Any]
    lags: np.ndarray
    lag_counts: np.ndarray
    group_counts: np.ndarray
    row_lag: np.ndarray = field(repr=False)
    row_group: np.ndarray = field(repr=False)

    @property
    def serial(self) -> bool:
        """Whether neighbouring rows are correlated."""
        return self.kind != "iid"

    @property
    def n_groups(self) -> int:
        """Number of variances."""
        return max(len(self.groups), 1)

    @property
    def n_parameters(self) -> int:
        """Residual parameters beside sigma."""
        return int(self.serial) + self.n_groups - 1

    @property
    def n_classes(self) -> int:
        """Number of cross-product classes H."""
        n_groups, n_lags = self.n_groups, len(self.lags)
        return n_groups + n_lags * n_groups + n_lags * n_groups**2

    @property
    def plain(self) -> bool:
        """Whether the rows are independent with one variance."""
        return self.n_parameters == 0

    def count_entries(self, starts: np.ndarray, pointer: np.ndarray) -> int:
        """Count the classes that occur in each client; fills the pointer."""
        from alliance.mixed import crossproducts

        if self.plain:
            return len(starts) - 1
        return int(
            crossproducts.count_entries(
                starts, self.row_lag, self.row_group, self.n_groups, len(self.lags), pointer
            )
        )

    def accumulate(self, block: Block, into: Products) -> None:
        """Add the cross-products of some clients."""
        from alliance.mixed import crossproducts

        if self.plain:
            crossproducts.accumulate(block, into)
            return
        crossproducts.accumulate_classes(
            block, self.row_lag, self.row_group, self.n_groups, len(self.lags), into
        )

    def restricted(self, rows: np.ndarray) -> ResidualStructure:
        """Restrict the structure to the rows of some clients."""
        if self.plain:
            return self
        row_lag, row_group = self.row_lag[rows], self.row_group[rows]
        return replace(
            self,
            lag_counts=np.bincount(row_lag[row_lag >= 0], minlength=len(self.lags)).astype(float),
            group_counts=np.bincount(row_group, minlength=self.n_groups).astype(float),
            row_lag=row_lag,
            row_group=row_group,
        )

    @property
    def unit(self) -> float:
        """Distance that the working autocorrelation refers to: 1 session, or the shortest time."""
        return float(self.lags.min()) if self.kind == "car1" and len(self.lags) else 1.0

    def phi(self, rho: np.ndarray) -> float | None:
        """AR coefficient (per session, or per unit of time for car1)."""
        if not self.serial:
            return None
        if self.kind == "ar1":
            return float(np.tanh(rho[0]))
        return float((rho[0] ** 2 / (1.0 + rho[0] ** 2)) ** (1.0 / self.unit))

    def working(self, phi: float) -> float:
        """Working parameter rho[0] of an AR coefficient."""
        if self.kind == "ar1":
            return float(np.arctanh(phi))
        x = phi**self.unit
        return float(np.sqrt(x / (1.0 - x)))

    def start(self) -> np.ndarray:
        """Give starting values of rho: phi = 0.3 (0.4 at the mean distance), equal variances."""
        rho = np.zeros(self.n_parameters)
        if self.kind == "ar1":
            rho[0] = self.working(0.3)
        elif self.kind == "car1":
            mean_lag = float(self.lags @ self.lag_counts / max(self.lag_counts.sum(), 1))
            x = 0.4 ** (self.unit / mean_lag)
            rho[0] = np.sqrt(x / (1.0 - x))
        return rho

    def in_range(self, rho: np.ndarray) -> bool:
        """Whether the parameters are where numbers mean something."""
        if self.n_parameters == 0:
            return True
        if self.serial and not abs(rho[0]) < (9.0 if self.kind == "ar1" else 1e5):
            return False
        return bool(np.ptp(self.log_variances(rho)) < 20.0)

    def log_variances(self, rho: np.ndarray) -> np.ndarray:
        """Log of the variance of each group relative to the reference, shape (G,)."""
        return np.concatenate(([0.0], rho[int(self.serial) :]))

    def weights(self, rho: np.ndarray, order: int = 2) -> Weights:
        """Class weights at rho; the derivatives cost little and come along whatever the order."""
        del order
        if self.n_parameters == 0:
            return INDEPENDENT
        n, n_groups = self.n_parameters, self.n_groups
        n_pairs = n * (n + 1) // 2
        log_v = self.log_variances(rho)
        base, base_1, base_2 = self._serial_weights(rho)
        share = self._group_shares()
        scale = np.exp(-share @ log_v)
        value = base * scale
        first = np.zeros((n, len(value)))
        second = np.zeros((n_pairs, len(value)))
        log_det_first = np.zeros(n)
        log_det_second = np.zeros(n_pairs)
        log_det = float(self.group_counts @ log_v)
        offset = int(self.serial)
        if self.serial:
            first[0] = base_1 * scale
            second[0] = base_2 * scale
            value_d, first_d, second_d = self._log_det_serial(rho)
            log_det += value_d
            log_det_first[0] = first_d
            log_det_second[0] = second_d
        for g in range(1, n_groups):
            i = offset + g - 1
            first[i] = -share[:, g] * value
            log_det_first[i] = self.group_counts[g]
            if self.serial:
                second[pair_index(i, 0)] = -share[:, g] * first[0]
            for h in range(1, g + 1):
                second[pair_index(i, offset + h - 1)] = share[:, g] * share[:, h] * value
        return Weights(value, first, second, log_det, log_det_first, log_det_second)

    def linear(self, rho: np.ndarray) -> np.ndarray:
        """Relative variances of the groups beyond the first, in which V is linear."""
        return np.asarray(np.exp(self.log_variances(rho)[1:]))

    def linear_weights(self, rho: np.ndarray) -> Weights:
        """Class weights at rho with derivatives in the relative variances, not their logarithms.

        Independent residuals only: V is not linear in an autocorrelation.
        """
        by_log = self.weights(rho)
        if self.plain:
            return by_log
        ratio = self.linear(rho)
        first, second = by_log.first / ratio[:, None], by_log.second.copy()
        log_det_first, log_det_second = by_log.log_det_first / ratio, by_log.log_det_second.copy()
        for i in range(len(ratio)):
            # d2/dv2 = (d2/dlog2 - d/dlog) / v^2
            second[pair_index(i, i)] -= by_log.first[i]
            log_det_second[pair_index(i, i)] -= by_log.log_det_first[i]
            for j in range(i + 1):
                second[pair_index(i, j)] /= ratio[i] * ratio[j]
                log_det_second[pair_index(i, j)] /= ratio[i] * ratio[j]
        return Weights(by_log.value, first, second, by_log.log_det, log_det_first, log_det_second)

    def noise(self, rng: np.random.Generator, rho: np.ndarray) -> np.ndarray:
        """Draw residuals relative to sigma, shape (n,)."""
        noise = rng.standard_normal(int(self.group_counts.sum()))
        if self.serial:
            from alliance.mixed import crossproducts

            phi = self.phi(rho)
            assert phi is not None
            crossproducts.autoregress(noise, self.row_lag, phi**self.lags)
        if self.n_groups == 1:
            return noise
        return np.asarray(noise * np.exp(0.5 * self.log_variances(rho))[self.row_group])

    def _power(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Powers x = phi^lag with first and second derivative in rho[0], each shape (D,)."""
        d = self.lags / self.unit
        if self.kind == "ar1":
            phi = np.tanh(rho[0])
            step, bend = 1.0 - phi**2, -2.0 * phi * (1.0 - phi**2)
        else:
            # Even in rho, so that phi = 0 is an ordinary minimum where it is one.
            square = 1.0 + rho[0] ** 2
            phi = rho[0] ** 2 / square
            step, bend = 2.0 * rho[0] / square**2, (2.0 - 6.0 * rho[0] ** 2) / square**3
        x = phi**d
        x_1 = np.where(d == 1.0, 1.0, d * phi ** np.where(d == 1.0, 0.0, d - 1.0))
        with np.errstate(divide="ignore"):
            steep = phi ** np.where((d == 1.0) | (d == 2.0), 0.0, d - 2.0)
        # Distances between one and two units bend without bound at phi = 0, where step is 0 too.
        x_2 = np.where(d == 1.0, 0.0, d * (d - 1.0) * np.minimum(steep, 1e100))
        return x, x_1 * step, x_2 * step**2 + x_1 * bend

    def _serial_weights(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n_groups, n_lags = self.n_groups, len(self.lags)
        value = np.ones(self.n_classes)
        first, second = np.zeros_like(value), np.zeros_like(value)
        if n_lags == 0:
            return value, first, second
        x, x_1, x_2 = self._power(rho)
        left = np.maximum(1.0 - x**2, LEAST)
        parts = (
            (1.0 / left, 2 * x / left**2, (2 + 6 * x**2) / left**3, n_groups),
            (-x / left, -(1 + x**2) / left**2, -2 * x * (3 + x**2) / left**3, n_groups**2),
        )
        at = n_groups
        for weight, slope, bend, copies in parts:
            stop = at + n_lags * copies
            value[at:stop] = np.repeat(weight, copies)
            first[at:stop] = np.repeat(slope * x_1, copies)
            second[at:stop] = np.repeat(bend * x_1**2 + slope * x_2, copies)
            at = stop
        return value, first, second

    def _log_det_serial(self, rho: np.ndarray) -> tuple[float, float, float]:
        if len(self.lags) == 0:
            return 0.0, 0.0, 0.0
        x, x_1, x_2 = self._power(rho)
        left = np.maximum(1.0 - x**2, LEAST)
        slope = -2 * x / left
        bend = -2 * (1 + x**2) / left**2
        count = self.lag_counts
        return (
            float(count @ np.log(left)),
            float(count @ (slope * x_1)),
            float(count @ (bend * x_1**2 + slope * x_2)),
        )

    def _group_shares(self) -> np.ndarray:
        """Exponent of each group's variance in each class weight, shape (H, G)."""
        n_groups, n_lags = self.n_groups, len(self.lags)
        own = np.eye(n_groups)
        cross = 0.5 * (own[:, None, :] + own[None, :, :]).reshape(n_groups**2, n_groups)
        return np.vstack([own, np.tile(own, (n_lags, 1)), np.tile(cross, (n_lags, 1))])
