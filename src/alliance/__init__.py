"""Therapeutic alliance across sites: from session exports to multilevel models."""

__version__ = "0.1.0"
