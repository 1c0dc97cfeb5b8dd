"""Scores of every measure in a cohort from its item answers."""

from alliance.measures.scoring import score_form, score_measures

__all__ = ["score_form", "score_measures"]
