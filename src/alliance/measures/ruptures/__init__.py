"""Ruptures and repairs: a small rule language, named rules, a null model, agreement."""

from alliance.measures.ruptures.detect import Ruptures, Scale, detect, scale_of
from alliance.measures.ruptures.null_model import NullModel, false_alarms, null_model
from alliance.measures.ruptures.rules import PRESETS, Repair, Rule, rule_from

__all__ = [
    "PRESETS",
    "NullModel",
    "Repair",
    "Rule",
    "Ruptures",
    "Scale",
    "detect",
    "false_alarms",
    "null_model",
    "rule_from",
    "scale_of",
]
