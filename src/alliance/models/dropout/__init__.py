"""Dropout: who leaves, and when; session by session (`hazard`)."""

from alliance.models.dropout.hazard import dropout_fit, fit_dropout

__all__ = ["dropout_fit", "fit_dropout"]
