"""Therapeutic alliance across sites: from session exports to multilevel models."""

import os

__version__ = "0.1.0"

# openpyxl writes other bytes where lxml is installed; the same input gives the same bytes.
os.environ.setdefault("OPENPYXL_LXML", "False")
