"""Compilation of the numerical kernels, cached on disk where a disk is writable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel with numba, and keep the machine code for the next process.

    In a read-only installation without a writable cache folder numba refuses to cache; the kernel
    is then compiled once per process, which costs time and changes no number.
    """
    try:
        return numba.njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:
        return numba.njit(function, nogil=True, error_model="numpy")
