"""Made-up diagnostics that belong to a made-up fit."""

from __future__ import annotations

import math
from typing import Any

from alliance.families import registry

NORMAL = {"normal_beyond_2": 0.0455, "normal_beyond_3": 0.0027}
GRID = [(-2.3 + 0.115 * k) for k in range(41)]


def pairs(bend: float = 0.03) -> dict[str, Any]:
    """Return a quantile-quantile plot that bends a little."""
    return {"expected": GRID, "observed": [x + bend * x**2 for x in GRID]}


def binned(label: str, low: float, high: float) -> dict[str, Any]:
    """Return residuals in fifteen bins."""
    x = [low + (high - low) * k / 14 for k in range(15)]
    mean = [0.06 * math.sin(k) for k in range(15)]
    return {"label": label, "x": x, "rows": [330] * 15, "mean": mean,
            "mean_low": [m - 0.1 for m in mean], "mean_high": [m + 0.1 for m in mean],
            "sd": [1 + 0.03 * math.cos(k) for k in range(15)]}  # fmt: skip


def residuals(outcome: str = "alliance", low: float = 31.0, high: float = 52.0) -> dict[str, Any]:
    """Return the residuals of one outcome."""
    return {
        "outcome": outcome, "rows": 4950, "clients": 497, "mean": 0.0, "sd": 3.36,
        "share_of_sigma": 0.93, "skewness": -0.08, "excess_kurtosis": 0.21, "beyond_2": 0.047,
        "beyond_3": 0.0031, **NORMAL, "autocorrelation": 0.14, "pairs": 4211, "normal": pairs(),
        "by_fixed_part": binned("Fitted value, fixed part", low + 5, high - 5),
        "by_fitted": binned("Fitted value", low, high),
        "by_time": binned("Weeks since intake", 0.0, 20.0), "message": "",
    }  # fmt: skip


def random_effect(level: str, term: str, groups: int, **more: Any) -> dict[str, Any]:
    """Return a random effect; `message` for one that is not shown."""
    shown = {"sd": 1.4, "reliability": 0.62, "skewness": -0.3, "beyond_2": 0.04, "normal": pairs(0)}
    if more.get("message"):
        shown = dict.fromkeys(shown)
    return {"level": level, "term": term, "groups": groups, **shown,
            "normal_beyond_2": 0.0455, "message": ""} | more  # fmt: skip


def level(left_out: str, groups: int, message: str = "") -> dict[str, Any]:
    """Return the refits of a level."""
    cook: dict[str, Any] = {"largest_cooks_distance": 0.18, "cooks_limit": 4 / groups,
                            "cooks_flagged": 2}  # fmt: skip
    if message or left_out == "site":
        cook = dict.fromkeys(cook)
    return {"left_out": left_out, "groups": groups, "refits": 0 if message else groups - 1,
            "failed": 0 if message else 1, "in_full": 0 if message else 7, **cook,
            "message": message}  # fmt: skip


def effect(main: dict[str, Any], left_out: str, groups: int, changes: int) -> dict[str, Any]:
    """Return what a main effect is without one group."""
    half = 0.4 * (main["se"] or 0.05)
    return {
        "term": main["term"], "label": main["label"], "unit": main["unit"], "left_out": left_out,
        "groups": groups, "refits": groups - 1, "failed": 1, "lowest": main["estimate"] - half,
        "highest": main["estimate"] + half, "largest_dfbetas": -0.42, "limit": 2 / groups**0.5,
        "flagged": 2, "sign_changes": 0,
        "conclusion_changes": None if main["ci_low"] is None else changes,
    }  # fmt: skip


def calibration() -> dict[str, Any]:
    """Return predicted and observed shares."""
    risk = [0.006 + 0.006 * k for k in range(10)]
    return {"predicted": risk, "observed": [r * 1.05 for r in risk],
            "low": [r * 0.6 for r in risk], "high": [r * 1.5 for r in risk], "rows": [390] * 10,
            "deviance": [0.1] * 10, "expected_deviance": [0.11] * 10, "inside": 10, "bins": 10,
            "message": ""}  # fmt: skip


def block(fit: dict[str, Any]) -> dict[str, Any]:
    """Return the diagnostics of a fit by its family."""
    mains = [e for e in fit["estimates"] if e["role"] == "main"]
    counts = {"therapist": 41, "site": 4, "client": 497}
    hazard = fit["family"] == "hazard"
    two = fit["family"] == "parallel_growth"
    outcomes = [residuals("alliance"), residuals("symptoms", 4.0, 20.0)] if two else [residuals()]
    silent = "Clients are not left out one by one." if two else ""
    used = [name for name in counts if not (name == "client" and (hazard or silent))]
    return {
        "message": "",
        "residuals": [] if hazard else outcomes,
        "random_effects": [
            random_effect("therapist", "1", 41),
            *([] if hazard else [random_effect("client", "1", 497),
                                 random_effect("client", "log_weeks", 497)]),
        ],
        "calibration": calibration() if hazard else None,
        "influence": {
            "levels": [
                level(name, n, silent if name not in used else "")
                for name, n in counts.items() if not (hazard and name == "client")
            ],
            "effects": [effect(main, name, counts[name], k)
                        for main in mains for k, name in enumerate(used)],
        },
    }  # fmt: skip


def none_of(reason: str) -> dict[str, Any]:
    """Return the block of a family without diagnostics."""
    return {"message": reason, "residuals": [], "random_effects": [], "calibration": None,
            "influence": {"levels": [], "effects": []}}  # fmt: skip


def diagnosed(fit: dict[str, Any]) -> dict[str, Any]:
    """Return the fit with its diagnostics, or with the reason why its family has none."""
    has_some = fit["family"] in registry.that_are("diagnosed")
    found = block(fit) if has_some else none_of("This family has none.")
    return fit | {"diagnostics": found}
