"""Dropout: who leaves, and when; session by session (`hazard`)."""

from alliance.families.hazard.model import dropout_fit, fit_dropout

__all__ = ["dropout_fit", "fit_dropout"]
