"""Compilation of the numerical kernels, cached on disk where a disk is writable."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

PACKAGE = Path(__file__).parent
STAMP = PACKAGE / "__pycache__" / "kernels.sha256"
KERNELS = re.compile(r"^(import numba$|from alliance\.mixed\.compiling import)", re.MULTILINE)


def kernel_files() -> list[Path]:
    """Sources that hold kernels: they import numba, or `compiled`."""
    sources = sorted(PACKAGE.rglob("*.py"))
    return [path for path in sources if KERNELS.search(path.read_text(encoding="utf-8"))]


@cache
def forget_stale_kernels() -> None:
    """Remove machine code that was made from other kernels than those here.

    numba looks at a kernel's own file only; a kernel also holds a copy of the functions and numbers
    that it uses from other files. So machine code is kept only while no file with kernels has
    changed: they use nothing from files without.
    """
    now = hashlib.sha256(b"".join(path.read_bytes() for path in kernel_files())).hexdigest()
    # A read-only installation has nothing to forget: its sources do not change either.
    with contextlib.suppress(OSError):
        if STAMP.is_file() and STAMP.read_text(encoding="ascii") == now:
            return
        for kernel in PACKAGE.rglob("__pycache__/*.nb[ic]"):
            kernel.unlink(missing_ok=True)
        STAMP.parent.mkdir(exist_ok=True)
        STAMP.write_text(now, encoding="ascii")


ALLOWED = {"reassoc", "contract", "nsz"}
"""What `vectorised` kernels may do to their sums."""


def _kept(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile a kernel with numba, and keep the machine code for the next process.

    In a read-only installation without a writable cache folder numba refuses to cache; the kernel
    is then compiled once per process, which costs time and changes no number.
    """
    forget_stale_kernels()
    options |= {"nogil": True, "error_model": "numpy"}
    kernel: Callable[..., Any]
    try:
        kernel = numba.njit(function, cache=True, **options)
    except RuntimeError:
        kernel = numba.njit(function, **options)
    return kernel


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that adds up as written."""
    return _kept(function)


def vectorised(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel whose sums may be reordered."""
    return _kept(function, fastmath=set(ALLOWED))


def part_of_kernels(function: Callable[..., Any]) -> Callable[..., Any]:
    """Write a function into every kernel that calls it.

    A function that is shared by kernels has a copy beside each, and which copy runs depends on what
    else the process has loaded; copies may add up in different orders.
    """
    kernel: Callable[..., Any] = numba.njit(
        function, inline="always", nogil=True, error_model="numpy", fastmath=set(ALLOWED)
    )
    return kernel
