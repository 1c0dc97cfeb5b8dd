"""Are reliability coefficients what they should be? Simulated cohorts with known truth.

Run `python benchmarks/reliability_recovery.py` (under two minutes): it writes
benchmarks/reliability_recovery.json and the table of docs/reliability-of-measures.md between its
two marks. With `--draws 20` it is a quick look. The seed is fixed: the same numbers again.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alliance import files
from alliance.measures.generalizability import (
    crossed_components,
    harmonic_mean_sessions,
    nested_components,
    nested_draws,
)
from alliance.measures.reliability import consistency
from alliance.measures.resampling import draw_weights, percentile_interval

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "reliability-of-measures.md"
MARKS = "<!-- recovery: begin -->", "<!-- recovery: end -->"
SEED = 20261123
COHORTS = 120
BOOTSTRAP = 300
ITEMS = 12
# Variances of client, session of everybody, session of a client, client x item, session x item,
# error; and of the item means, near those of the demo cohort's alliance.
CLIENT, SESSION, OWN_SESSION, CLIENT_ITEM, SESSION_ITEM, ERROR, ITEM = (
    0.15, 0.02, 0.08, 0.07, 0.002, 0.20, 0.03,
)  # fmt: skip
LOADINGS = np.linspace(0.4, 0.9, ITEMS)


@dataclass(frozen=True)
class Condition:
    """How large a cohort is, and how many sessions its clients have."""

    clients: int
    sessions: tuple[int, int]

    @property
    def words(self) -> str:
        """Say it in words."""
        low, high = self.sessions
        each = f"{low}" if low == high else f"{low} to {high}"
        return f"{self.clients} clients, {each} sessions"


CONDITIONS = (Condition(40, (4, 4)), Condition(40, (2, 10)), Condition(200, (2, 10)))


def answers(condition: Condition, rng: np.random.Generator, crossed: bool):
    """Return complete keyed answers, client and session codes of one cohort."""
    low, high = condition.sessions
    counts = rng.integers(low, high + 1, condition.clients)
    client = np.repeat(np.arange(condition.clients), counts)
    session = np.concatenate([np.arange(n) for n in counts])
    normal = rng.standard_normal
    easiness = np.linspace(-1, 1, ITEMS)
    y = np.sqrt(ITEM) * easiness / easiness.std(ddof=1)
    y = y + np.sqrt(CLIENT) * normal(condition.clients)[client, None]
    y = y + np.sqrt(CLIENT_ITEM) * normal((condition.clients, ITEMS))[client]
    y = y + np.sqrt(OWN_SESSION) * normal(len(client))[:, None]
    y = y + np.sqrt(ERROR) * normal((len(client), ITEMS))
    if crossed:
        y = y + np.sqrt(SESSION) * normal(high)[session, None]
        y = y + np.sqrt(SESSION_ITEM) * normal((high, ITEMS))[session]
    return y, client, session


def nested_truth(sessions: float) -> dict[str, float]:
    """Return the coefficients that an infinite cohort of the nested simulation would have."""
    person = CLIENT + CLIENT_ITEM / ITEMS
    within = OWN_SESSION + ERROR / ITEMS
    published = OWN_SESSION - (ITEM + CLIENT_ITEM) / ITEMS
    return {
        "R_1RN": person / (person + within),
        "R_KRN": person / (person + within / sessions),
        "R_CN": published / within,
        "R_CN, items crossed": OWN_SESSION / within,
    }


def crossed_truth(sessions: float) -> dict[str, float]:
    """Return the same for the crossed simulation."""
    person = CLIENT + CLIENT_ITEM / ITEMS
    error = ERROR / ITEMS
    noise = SESSION + OWN_SESSION + error
    return {
        "R_KF": person / (person + error / sessions),
        "R_1R": person / (person + noise),
        "R_KR": person / (person + noise / sessions),
        "R_C": OWN_SESSION / (OWN_SESSION + error),
    }


def one_cohort(condition: Condition, rng: np.random.Generator) -> dict[str, tuple]:
    """Return (estimate, truth, low, high) by coefficient; no interval for the crossed design."""
    found: dict[str, tuple] = {}
    y, client, _ = answers(condition, rng, crossed=False)
    k = harmonic_mean_sessions(client)
    nested, truth = nested_components(y, client), nested_truth(k)
    weights = draw_weights(condition.clients, BOOTSTRAP, rng)
    draws = nested_draws(y, client, client, weights)
    for name, value, drawn in (
        ("R_1RN", nested.person_reliability(1), draws.person_reliability(1)),
        ("R_KRN", nested.person_reliability(k), draws.person_reliability(k)),
        ("R_CN", nested.change_reliability, draws.change_reliability),
        (
            "R_CN, items crossed",
            nested.change_reliability_items_crossed,
            draws.change_reliability_items_crossed,
        ),
    ):
        found[name] = (value, truth[name], *percentile_interval(drawn))
    y, client, session = answers(condition, rng, crossed=True)
    k = harmonic_mean_sessions(client)
    crossed, truth = crossed_components(y, client, session), crossed_truth(k)
    for name, value in (
        ("R_KF", crossed.fixed_mean(k)),
        ("R_1R", crossed.random_mean(1)),
        ("R_KR", crossed.random_mean(k)),
        ("R_C", crossed.change),
    ):
        found[name] = (value, truth[name], None, None)
    found |= factor_cohort(condition, rng)
    return found


def factor_cohort(condition: Condition, rng: np.random.Generator) -> dict[str, tuple]:
    """Return alpha and omega of one-factor forms, several a client, two per cent unanswered."""
    low, high = condition.sessions
    client = np.repeat(np.arange(condition.clients), rng.integers(low, high + 1, condition.clients))
    n = len(client)
    # Half of the factor is the client's: forms of one client are alike, as in a cohort.
    factor = np.sqrt(0.5) * (
        rng.standard_normal(condition.clients)[client] + rng.standard_normal(n)
    )
    psi = 1 - LOADINGS**2
    y = factor[:, None] * LOADINGS + np.sqrt(psi) * rng.standard_normal((n, ITEMS))
    y[rng.random(y.shape) < 0.02] = np.nan
    result = consistency(y, client, rng, draws=BOOTSTRAP)
    common = LOADINGS.sum() ** 2
    omega = common / (common + psi.sum())
    alpha = ITEMS / (ITEMS - 1) * (1 - ITEMS / (common + psi.sum()))
    return {
        "alpha": (result.alpha.value, alpha, result.alpha.low, result.alpha.high),
        "omega": (result.omega.value, omega, result.omega.low, result.omega.high),
    }


def study(cohorts: int) -> list[dict]:
    """Return bias and coverage by condition and coefficient."""
    rows = []
    for at, condition in enumerate(CONDITIONS):
        rng = np.random.default_rng([SEED, at])
        runs = [one_cohort(condition, rng) for _ in range(cohorts)]
        for name in runs[0]:
            estimates, truths, lows, highs = zip(*(run[name] for run in runs), strict=True)
            error = np.array(estimates) - np.array(truths)
            row = {
                "condition": condition.words,
                "coefficient": name,
                "cohorts": cohorts,
                "truth": float(np.mean(truths)),
                "bias": float(error.mean()),
                "bias_se": float(error.std(ddof=1) / np.sqrt(cohorts)),
                "sd": float(np.std(estimates, ddof=1)),
                "coverage": None,
            }
            if lows[0] is not None:
                inside = [lo <= t <= hi for lo, t, hi in zip(lows, truths, highs, strict=True)]
                row["coverage"] = float(np.mean(inside))
            rows.append(row)
    return rows


def as_table(rows: list[dict]) -> str:
    """Return the rows as a table of the documentation."""
    lines = [
        "| cohort | coefficient | truth | bias (its standard error) | SD over cohorts | coverage |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        coverage = "–" if row["coverage"] is None else f"{100 * row['coverage']:.1f} %"
        lines.append(
            f"| {row['condition']} | {row['coefficient']} | {row['truth']:.3f} | "
            f"{row['bias']:+.4f} ({row['bias_se']:.4f}) | {row['sd']:.3f} | {coverage} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the study; write the JSON, and the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=COHORTS, help="cohorts per condition")
    cohorts = parser.parse_args().draws
    rows = study(cohorts)
    print(as_table(rows))
    if cohorts != COHORTS:
        return
    files.write_json(rows, HERE / "reliability_recovery.json")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    page = f"{before}{MARKS[0]}\n{as_table(rows)}\n{MARKS[1]}{after}"
    files.write_text(page, PAGE)


if __name__ == "__main__":
    main()
