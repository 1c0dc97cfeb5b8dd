"""Normal laws whose covariance may be singular, or not quite possible where it was put together."""

from __future__ import annotations

import numpy as np


def possible(covariance: np.ndarray) -> np.ndarray:
    """Return the matrix itself, or the like of it that has no negative eigenvalue."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray((vectors * values.clip(min=0.0)) @ vectors.T)


def draw_normal(covariance: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n draws from N(0, covariance), shape (n, k)."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * np.sqrt(values.clip(min=0.0))
    return np.asarray(rng.standard_normal((n, len(covariance))) @ root.T)
