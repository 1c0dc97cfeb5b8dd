"""Resample clients: whoever gave many forms is drawn, or left out, with all of them."""

from __future__ import annotations

import numpy as np

CONFIDENCE = 0.95
MOST_BLOCKS = 1000
"""More clients than this are put into so many blocks of whole clients, which are then drawn."""
FEWEST_DRAWS = 0.9
"""Share of the draws that must give a number for an interval to be printed."""


def blocks_of(client: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return the block of each form, shape of `client`, and the number of blocks.

    Parameters
    ----------
    client
        Number of each form's client, from 0; shape (n_forms,).

    Notes
    -----
    Clients are independent, so blocks of clients are too: with very many clients the sums of blocks
    vary over resamples as those of clients do, at a fraction of the cost.
    """
    n_clients = int(client.max()) + 1 if len(client) else 0
    if n_clients <= MOST_BLOCKS:
        return client, n_clients
    block = rng.permutation(n_clients) % MOST_BLOCKS
    return block[client], MOST_BLOCKS


def draw_weights(n_blocks: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each block is drawn, with replacement; shape (draws, n_blocks)."""
    return rng.multinomial(n_blocks, np.full(n_blocks, 1.0 / n_blocks), size=draws).astype(float)


def percentile_interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """Return the central 95 % of resampled values, or None twice where too few exist."""
    known = values[np.isfinite(values)]
    if len(known) < max(2, FEWEST_DRAWS * len(values)):
        return None, None
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return float(low), float(high)
