"""Does the dropout hazard find the truth? Bias and coverage over simulated cohorts.

    make dropout-recovery        (python benchmarks/dropout_recovery.py --cohorts 300)

Cohorts of 40 therapists with 12 clients each are drawn from the hazard that the workflow fits,

    logit h_itj = a + 0.15 log t - 0.08 (x_it - m_it) - 0.12 (m_it - 45) + u_j,  u_j ~ N(0, 0.5^2)

with m_it the running mean of x up to session t. x is an alliance that differs between therapists
(SD 1.5) and clients (SD 4), rises with log(session) and carries over from session to session
(autoregression .35). Clients also complete, the more likely the later. Each cohort is fitted four
ways: as the workflow does; averaged over therapists (no random intercept, standard errors clustered
by therapist); by Laplace instead of quadrature; and with the client's mean over *all* sessions in
place of the running mean, which looks ahead. The table goes into docs/dropout.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from alliance.families.hazard.model import QUADRATURE_POINTS
from alliance.mixed import fit_mixed_logit
from alliance.panel.build import panel_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "dropout.md"
MARKERS = ("<!-- recovery: begin -->", "<!-- recovery: end -->")
FIRST_SEED = 7_000_000
THERAPISTS, CLIENTS, SESSIONS = 40, 12, 20
WITHIN, BETWEEN, THERAPIST_SD = -0.08, -0.12, 0.5
WAYS = {
    "as the workflow": ("running", QUADRATURE_POINTS),
    "by Laplace": ("running", 1),
    "averaged over therapists": ("running", 0),
    "looking ahead": ("ahead", QUADRATURE_POINTS),
}
COLUMNS = {
    "running": ("alliance_running_within", "alliance_running_between"),
    "ahead": ("alliance_within", "alliance_between"),
}


def cohort(seed: int) -> pd.DataFrame:
    """Return the panel of one simulated cohort."""
    rng = np.random.default_rng(seed)
    n = THERAPISTS * CLIENTS
    therapist = np.repeat(np.arange(THERAPISTS), CLIENTS)
    session = np.arange(1, SESSIONS + 1)
    level = 45 + 1.5 * rng.standard_normal(THERAPISTS)[therapist] + 4 * rng.standard_normal(n)
    deviation = np.zeros((n, SESSIONS))
    deviation[:, 0] = rng.standard_normal(n) * 3.4 / np.sqrt(1 - 0.35**2)
    for t in range(1, SESSIONS):
        deviation[:, t] = 0.35 * deviation[:, t - 1] + 3.4 * rng.standard_normal(n)
    alliance = level[:, None] + 1.5 * np.log(session) - 1.5 + deviation
    running = alliance.cumsum(axis=1) / session
    effect = THERAPIST_SD * rng.standard_normal(THERAPISTS)[therapist]
    log_odds = -3.7 + 0.15 * np.log(session) + effect[:, None]
    log_odds = log_odds + WITHIN * (alliance - running) + BETWEEN * (running - 45)
    # The other ways out are drawn first, so that the odds of dropout against going on are exact.
    completed = rng.random((n, SESSIONS)) < np.where(session >= 8, 0.06 + 0.02 * (session - 8), 0)
    completed[:, -1] = True
    dropped = rng.random((n, SESSIONS)) < 1 / (1 + np.exp(-log_odds))
    gone = completed | dropped
    last = gone.argmax(axis=1)
    status = np.where(completed[np.arange(n), last], "completed", "dropout")
    names = np.array([f"c{i:04d}" for i in range(n)])
    clients = pd.DataFrame(
        {"site": "s", "client": names, "end_status": status}
        | {"therapist": np.array([f"t{j:02d}" for j in therapist])}
    )
    person = np.repeat(np.arange(n), last + 1)
    number = np.concatenate([np.arange(stop + 1) for stop in last])
    key = pd.DataFrame({"site": "s", "client": names[person], "session": number + 1})
    sessions = key.assign(weeks_since_intake=number.astype(float), attended=True)
    scores = key.assign(measure="alliance", subscale="total", score=alliance[person, number])
    return panel_of(clients, sessions, scores, ["alliance"])


def estimates(panel: pd.DataFrame, way: str) -> dict[tuple[str, str, str], float]:
    """Return estimates and standard errors of one way to fit, by (way, quantity, what)."""
    parts, points = COLUMNS[WAYS[way][0]], WAYS[way][1]
    rows = panel[panel["dropout_event"].notna()]
    found: dict[tuple[str, str, str], float] = {}
    if points == 0:
        x = sm.add_constant(rows[list(parts)].assign(log_session=np.log(rows["session"])))
        groups = pd.factorize(rows["therapist"])[0]
        glm = sm.GLM(rows["dropout_event"], x, family=sm.families.Binomial())
        fit = glm.fit(cov_type="cluster", cov_kwds={"groups": groups})
        table = pd.DataFrame({"estimate": fit.params, "se": fit.bse})
    else:
        mixed = fit_mixed_logit(
            rows[["dropout_event", "session", "therapist", *parts]],
            outcome="dropout_event",
            fixed=["1", "log(session)", *parts],
            random={"therapist": ["1"]},
            quadrature=points,
        )
        table = mixed.coefficients.set_index("term")[["estimate", "se"]]
        found[way, "therapist_sd", "estimate"] = float(mixed.standard_deviations[0])
    for quantity, column in zip(("within", "between"), parts, strict=True):
        found[way, quantity, "estimate"] = float(table.loc[column, "estimate"])
        found[way, quantity, "se"] = float(table.loc[column, "se"])
    return found


def replicate(seeds: range, ways: tuple[str, ...] = tuple(WAYS)) -> pd.DataFrame:
    """Return one row a cohort, columns (way, quantity, what)."""
    rows = []
    for seed in seeds:
        panel = cohort(seed)
        found = {("cohort", "dropouts", "share"): float((panel["dropout_event"] == 1).sum() / 480)}
        for way in ways:
            found |= estimates(panel, way)
        rows.append(found)
    return pd.DataFrame(rows)


def summary(found: pd.DataFrame, way: str, quantity: str, truth: float) -> dict[str, float]:
    """Return mean, bias, its Monte Carlo standard error, spread, mean standard error, coverage."""
    estimate = found[way, quantity, "estimate"]
    told = {
        "mean": estimate.mean(),
        "bias": estimate.mean() - truth,
        "bias_se": estimate.sem(),
        "sd": estimate.std(),
    }
    if (way, quantity, "se") in found:
        se = found[way, quantity, "se"]
        inside = (estimate - truth).abs() <= 1.959963984540054 * se
        told |= {"mean_se": se.mean(), "coverage": inside.mean()}
    return {key: float(value) for key, value in told.items()}


def page(found: pd.DataFrame) -> str:
    """Return the table as Markdown."""
    lines = [
        f"{len(found)} cohorts of {THERAPISTS * CLIENTS} clients, "
        f"{found['cohort', 'dropouts', 'share'].mean():.0%} of whom drop out.",
        "",
        "| fitted | effect | truth | mean | bias (Monte Carlo SE) | SD | mean SE | coverage |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    truths = {"within": WITHIN, "between": BETWEEN, "therapist_sd": THERAPIST_SD}
    words = {
        "within": "within client",
        "between": "between clients",
        "therapist_sd": "therapist SD",
    }
    for way in WAYS:
        for quantity, truth in truths.items():
            if (way, quantity, "estimate") not in found:
                continue
            s = summary(found, way, quantity, truth)
            more = f"{s['mean_se']:.4f} | {s['coverage']:.1%}" if "coverage" in s else "| "
            lines.append(
                f"| {way} | {words[quantity]} | {truth:.2f} | {s['mean']:.4f} | "
                f"{s['bias']:+.4f} ({s['bias_se']:.4f}) | {s['sd']:.4f} | {more} |"
            )
    return "\n".join(lines).replace("-", "−").replace("|−−−", "|---").replace("−−:", "--:")


def main() -> None:
    """Simulate, fit, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cohorts", type=int, default=300)
    arguments = parser.parse_args()
    table = page(replicate(range(FIRST_SEED, FIRST_SEED + arguments.cohorts)))
    print(table)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKERS[0])
    after = rest.partition(MARKERS[1])[2]
    PAGE.write_text(f"{before}{MARKERS[0]}\n{table}\n{MARKERS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
