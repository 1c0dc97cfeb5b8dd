"""Matrix products over many rows, always added up in the same order.

The library behind numpy's ``@`` splits long sums among threads, so that the last bits of a result
would depend on their number. These products do not.
"""

from __future__ import annotations

import numpy as np


def row_sums(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sum over the rows of left times right: left' right.

    Parameters
    ----------
    left : array (n,) or (n, k)
    right : array (n,) or (n, m)

    Returns
    -------
    array (k, m), without the axes that were not there
    """
    if left.ndim == 1:
        return np.asarray(np.einsum("n,n...->...", left, right))
    return np.asarray(np.einsum("nk,n...->k...", left, right))


def per_row(matrix: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Linear combination of the columns, one value per row: matrix weights, shape (n,)."""
    return np.asarray(np.einsum("nk,k->n", matrix, weights))
