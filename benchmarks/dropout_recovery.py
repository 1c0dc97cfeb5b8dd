"""Does the dropout hazard find the truth? Bias and coverage over simulated cohorts.

    make dropout-recovery        (python benchmarks/dropout_recovery.py --cohorts 100)

Cohorts of 40 therapists with 12 clients each. x is an alliance that differs between therapists (SD
1.5) and clients (SD 4), rises with log(session) and carries over from session to session
(autoregression .35). Clients also complete, the more likely the later, and leave one form in ten
out. Two truths make them drop out:

- *earlier scores*: log odds -0.08 per point above the mean of the earlier sessions' scores and
  -0.12 per point of that mean, which is what the fitted terms are called;
- *own course*: log odds -0.08 per point above the client's own course, which nobody sees, and -0.12
  per point of its level. No term of the model: what the fitted ones make of it.

u_j ~ N(0, 0.5^2) for therapists in both; log odds rise by 0.15 log t. Dropout is drawn among all
who came, completion among those who do not drop out. Each cohort is fitted as the workflow does
(all who came, last known score), and otherwise: averaged over therapists; without those who
completed at their last session; without the sessions whose form is missing; with the score in its
own mean; and with the client's mean over *all* sessions, which looks ahead. The table goes into
docs/dropout.md.
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
MISSING_FORMS = 0.10
WITHIN, BETWEEN, THERAPIST_SD = -0.08, -0.12, 0.5
TRUTHS = ("earlier scores", "own course")
WAYS = (
    "as the workflow",
    "averaged over therapists",
    "completers not at risk",
    "sessions with a form only",
    "score in its own mean",
    "looking ahead",
)
OWN_MEAN = ("own_mean_within", "own_mean_between")


def cohort(seed: int, truth: str) -> pd.DataFrame:
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
    course = level[:, None] + 1.5 * np.log(session) - 1.5
    if truth == "earlier scores":
        earlier = np.cumsum(alliance, axis=1)[:, :-1] / session[:-1]
        expected = np.column_stack([alliance[:, 0], earlier])  # the first has none before it
        centre = expected
    else:
        expected, centre = course, np.broadcast_to(level[:, None], course.shape)
    effect = THERAPIST_SD * rng.standard_normal(THERAPISTS)[therapist]
    log_odds = -3.7 + 0.15 * np.log(session) + effect[:, None]
    log_odds = log_odds + WITHIN * (alliance - expected) + BETWEEN * (centre - 45)
    dropped = rng.random((n, SESSIONS)) < 1 / (1 + np.exp(-log_odds))
    completed = rng.random((n, SESSIONS)) < np.where(session >= 8, 0.06 + 0.02 * (session - 8), 0)
    completed[:, -1] = True
    gone = completed | dropped
    last = gone.argmax(axis=1)
    status = np.where(dropped[np.arange(n), last], "dropout", "completed")
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
    answered = (rng.random(len(scores)) >= MISSING_FORMS) | (number == 0)
    return panel_of(clients, sessions, scores[answered], ["alliance"])


def rows_of(panel: pd.DataFrame, way: str) -> tuple[pd.DataFrame, tuple[str, str]]:
    """Return the rows of one way to ask and the names of its two parts."""
    rows = panel[panel["dropout_event"].notna()]
    parts = ("alliance_running_within", "alliance_running_between")
    if way == "completers not at risk":
        rows = rows[~rows["last_session"] | (rows["dropout_event"] == 1)]
    if way in ("sessions with a form only", "score in its own mean", "looking ahead"):
        rows = rows[rows["alliance"].notna()]
    if way == "score in its own mean":
        scores = panel["alliance"]
        mean = scores.groupby(panel["client"]).transform(lambda v: v.expanding().mean())
        rows = rows.assign(own_mean_within=scores - mean, own_mean_between=mean - scores.mean())
        parts = OWN_MEAN
    if way == "looking ahead":
        parts = ("alliance_within", "alliance_between")
    return rows, parts


def estimates(panel: pd.DataFrame, way: str) -> dict[tuple[str, str, str], float]:
    """Return estimates and standard errors of one way to fit, by (way, quantity, what)."""
    rows, parts = rows_of(panel, way)
    found: dict[tuple[str, str, str], float] = {}
    if way == "averaged over therapists":
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
            quadrature=QUADRATURE_POINTS,
        )
        table = mixed.coefficients.set_index("term")[["estimate", "se"]]
        found[way, "therapist_sd", "estimate"] = float(mixed.standard_deviations[0])
    for quantity, column in zip(("within", "between"), parts, strict=True):
        found[way, quantity, "estimate"] = float(table.loc[column, "estimate"])
        found[way, quantity, "se"] = float(table.loc[column, "se"])
    return found


def replicate(seeds: range, truth: str, ways: tuple[str, ...] = WAYS) -> pd.DataFrame:
    """Return one row a cohort, columns (way, quantity, what)."""
    rows = []
    for seed in seeds:
        panel = cohort(seed, truth)
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


def page(found: dict[str, pd.DataFrame]) -> str:
    """Return the table as Markdown."""
    first = found[TRUTHS[0]]
    lines = [
        f"{len(first)} cohorts of {THERAPISTS * CLIENTS} clients a truth, "
        f"{first['cohort', 'dropouts', 'share'].mean():.0%} of whom drop out.",
        "",
        "| what makes them leave | fitted | effect | truth | bias (Monte Carlo SE) | SD "
        "| mean SE | coverage |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    quantities = {"within": ("within client", WITHIN), "between": ("between clients", BETWEEN),
                  "therapist_sd": ("therapist SD", THERAPIST_SD)}  # fmt: skip
    for truth, table in found.items():
        for way in WAYS:
            for quantity, (words, value) in quantities.items():
                if (way, quantity, "estimate") not in table:
                    continue
                s = summary(table, way, quantity, value)
                more = f"{s['mean_se']:.4f} | {s['coverage']:.1%}" if "coverage" in s else "| "
                lines.append(
                    f"| {truth} | {way} | {words} | {value:.2f} | "
                    f"{s['bias']:+.4f} ({s['bias_se']:.4f}) | {s['sd']:.4f} | {more} |"
                )
    return "\n".join(lines).replace("-", "−").replace("|−−−", "|---").replace("−−:", "--:")


def main() -> None:
    """Simulate, fit, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cohorts", type=int, default=100)
    arguments = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.cohorts)
    table = page({truth: replicate(seeds, truth) for truth in TRUTHS})
    print(table)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKERS[0])
    after = rest.partition(MARKERS[1])[2]
    PAGE.write_text(f"{before}{MARKERS[0]}\n{table}\n{MARKERS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
