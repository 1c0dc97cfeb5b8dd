"""Where the search begins: centroid loadings, half the variance as residual, means as observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alliance.sem.description import Covariance, Entry, Mean, Path
from alliance.sem.structure import Structure


def start_values(
    structures: Sequence[Structure], moments: Sequence[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return starting values; where a parameter stands in several places, their mean.

    Parameters
    ----------
    structures
        The blocks.
    moments
        Means and covariances of the data to begin from, per block.
    """
    n_theta = structures[0].n_theta
    total, times = np.zeros(n_theta), np.zeros(n_theta)
    for structure, (mean, cov) in zip(structures, moments, strict=True):
        guess = _Guess(structure, mean, cov)
        for entry, index in zip(structure.free, structure.theta, strict=True):
            total[index] += entry.start if entry.start is not None else guess.of(entry)
            times[index] += 1
    return total / np.maximum(times, 1)


class _Guess:
    def __init__(self, structure: Structure, mean: np.ndarray, cov: np.ndarray) -> None:
        model = structure.model
        self.place = {name: i for i, name in enumerate(model.observed)}
        self.mean, self.cov = mean, cov
        self.incoming = {e.target for e in model.entries if isinstance(e, Path)}
        self.loading: dict[tuple[str, str], float] = {}
        self.variance: dict[str, float] = {}
        fixed_variance = {
            e.first: e.fixed
            for e in model.entries
            if isinstance(e, Covariance) and e.first == e.second and e.fixed is not None
        }
        for factor in model.latent:
            paths = [
                e
                for e in model.entries
                if isinstance(e, Path) and e.source == factor and e.target in self.place
            ]
            self._factor(factor, paths, fixed_variance.get(factor))

    def _factor(self, factor: str, paths: list[Path], fixed_variance: float | None) -> None:
        columns = [self.place[e.target] for e in paths]
        own = self.cov[np.ix_(columns, columns)]
        centroid = _centroid(own)
        markers = [(e.fixed, size) for e, size in zip(paths, centroid, strict=True) if e.fixed]
        if markers:
            # A factor in the markers' unit: the centroid divided by what the fixed loadings ask.
            scale = float(np.mean([size / fixed for fixed, size in markers]))
            scale = scale if abs(scale) > 1e-6 else 1.0
        else:
            scale = 1.0 / np.sqrt(fixed_variance) if fixed_variance else 1.0
        # A factor that explains nothing at the start would leave its loadings without a slope.
        least = 0.05 * float(np.mean(np.diag(own))) if columns else 0.05
        weights = [e.fixed if e.fixed is not None else 1.0 for e in paths]
        size = max(float(np.mean(np.square(weights))), 1e-12) if weights else 1.0
        self.variance[factor] = max(scale**2, least / size)
        for entry, value in zip(paths, centroid, strict=True):
            self.loading[factor, entry.target] = value / scale

    def of(self, entry: Entry) -> float:
        """Return the guess for a free entry."""
        if isinstance(entry, Path):
            return self.loading.get((entry.source, entry.target), 0.0)
        if isinstance(entry, Mean):
            place = self.place.get(entry.variable)
            return 0.0 if place is None else float(self.mean[place])
        if entry.first != entry.second:
            return 0.0
        place = self.place.get(entry.first)
        if place is None:
            return self.variance.get(entry.first, 0.05)
        share = 0.5 if entry.first in self.incoming else 1.0
        return share * float(self.cov[place, place])


def _centroid(cov: np.ndarray) -> np.ndarray:
    """Loadings of the first centroid factor of variance 1 (Thurstone), signs as in the data."""
    n = len(cov)
    variance = np.diag(cov)
    if n == 0:
        return np.zeros(0)
    if n == 1:
        return np.sqrt(0.5 * variance)
    correlation = cov / np.sqrt(np.outer(variance, variance))
    np.fill_diagonal(correlation, 0.0)
    # Signs along the leading eigenvector, so that a reversed item does not cancel the others.
    leading = np.linalg.eigh(correlation + 0.5 * np.eye(n))[1][:, -1]
    sign = np.where(leading < 0, -1.0, 1.0)
    sign = sign if sign.sum() >= 0 else -sign
    turned = correlation * np.outer(sign, sign)
    total = float(turned.sum())
    if total <= 1e-8:
        return sign * np.sqrt(0.25 * variance)
    share = np.clip(turned.sum(axis=1) / np.sqrt(total), 0.2, 0.9)
    return np.asarray(sign * share * np.sqrt(variance))
