"""How well do the rules for ruptures find planted ones? Writes the tables of docs/ruptures.md.

Run `make rupture-rules`. Every cell: 4,000 simulated clients, a quarter of whom rupture once
(`alliance.simulate.planted`). Takes about two minutes of one core.
"""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path

import numpy as np

from alliance.measures.ruptures import PRESETS, detect, false_alarms, null_model, scale_of
from alliance.measures.ruptures.detect import REPAIRED, Scale, judged_sessions
from alliance.simulate.cohort import simulate_courses
from alliance.simulate.parameters import Parameters
from alliance.simulate.planted import Planted, Planting, plant

DOCS = Path(__file__).resolve().parents[1] / "docs"
CLIENTS, REPLICATES, SEED = 4000, 4, 20261123
SESSIONS, RELIABILITIES, CARRIED = (8, 12, 20, 30), (0.80, 0.90, 0.95), (0.0, 0.3, 0.6)
DEPTHS = (1.0, 1.5, 2.0, 3.0)
NUMBERS = ("sensitivity", "specificity", "per_100_sessions", "predicted_specificity", "precision")


def judge(planted: Planted, reliability: float) -> list[dict[str, float | str]]:
    """Return how each rule does on these courses."""
    scale: Scale = scale_of(planted.scores, reliability)
    model = null_model(planted.scores, planted.error_of_measurement)
    rules = list(PRESETS.values())
    chance = false_alarms(model, rules, scale, REPLICATES, np.random.default_rng(SEED))
    clean = planted.onset == 0
    rows: list[dict[str, float | str]] = []
    for rule in rules:
        found = detect(planted.scores, rule, scale)
        flagged = np.isin(np.arange(len(clean)), found.row)
        # found in time: at the session of onset or the one after
        on_time = np.abs(found.onset - 0.5 - planted.onset[found.row]) < 1
        hit = np.isin(np.arange(len(clean)), found.row[on_time & ~clean[found.row]])
        sessions = judged_sessions(planted.scores, rule, scale)[clean].sum()
        rows.append(
            {
                "rule": rule.name,
                "sensitivity": float(hit[~clean].mean()),
                "specificity": float(1 - flagged[clean].mean()),
                "per_100_sessions": float(100 * clean[found.row].sum() / sessions),
                "predicted_specificity": float(1 - chance.clients[rule.name].mean() / len(clean)),
                "precision": float((on_time & ~clean[found.row]).sum() / max(len(found.row), 1)),
                "repaired": float((found.outcome == REPAIRED).mean()) if len(found.row) else 0.0,
            }
        )
    return rows


def cells() -> list[Planting]:
    """Return what is crossed: sessions, reliability, autocorrelation; and depth by itself."""
    crossed = itertools.product(SESSIONS, RELIABILITIES, CARRIED)
    plantings = [Planting(sessions=t, reliability=r, autocorrelation=c) for t, r, c in crossed]
    return plantings + [Planting(depth=d) for d in DEPTHS if d != Planting().depth]


def of_the_demo_simulator() -> list[dict[str, float | str]]:
    """Return how each rule does on cohorts of the project's simulator, ten seeds together."""
    total: dict[str, np.ndarray] = {}
    for seed in range(10):
        cohort = simulate_courses(Parameters(), seed=seed, items=False)
        from alliance.measures.courses import courses_of

        scores = cohort.scores[cohort.scores["measure"] == "alliance"]
        courses = courses_of(scores)
        onset = courses.clients.merge(cohort.ruptures, on=["site", "client"], how="left")["onset"]
        planted = onset.fillna(0).to_numpy(int)
        scale = scale_of(courses.scores, 0.92)
        for rule in PRESETS.values():
            found = detect(courses.scores, rule, scale)
            flagged = np.isin(np.arange(len(planted)), found.row)
            on_time = np.abs(found.onset - 0.5 - planted[found.row]) < 1
            hit = np.isin(np.arange(len(planted)), found.row[on_time])
            counts = np.array(
                [hit[planted > 0].sum(), (planted > 0).sum(),
                 (~flagged[planted == 0]).sum(), (planted == 0).sum()]
            )  # fmt: skip
            total[rule.name] = total.get(rule.name, np.zeros(4)) + counts
    return [
        {"rule": name, "sensitivity": c[0] / c[1], "specificity": c[2] / c[3]}
        for name, c in total.items()
    ]


def table(rows: list[dict], key: str, values: tuple, fixed: dict) -> str:
    """Return a Markdown table of sensitivity / specificity by one thing, the others held."""
    heads = " | ".join(f"{value:g}" for value in values)
    lines = [f"| rule | {heads} |", "|---|" + "---|" * len(values)]
    for rule in PRESETS:
        entries = []
        for value in values:
            wanted = fixed | {key: value, "rule": rule}
            row = next(r for r in rows if all(r[k] == v for k, v in wanted.items()))
            entries.append(f"{100 * row['sensitivity']:.0f} / {100 * row['specificity']:.0f}")
        lines.append(f"| `{rule}` | {' | '.join(entries)} |")
    return "\n".join(lines)


def alarms(rows: list[dict], fixed: dict) -> str:
    """Return a Markdown table of false alarms, true and as the null model predicts them."""
    lines = [
        "| rule | false alarms per 100 sessions | clients without rupture flagged, % |"
        " predicted by the null, % | onsets that are real, % |",
        "|---|---|---|---|---|",
    ]
    for rule in PRESETS:
        wanted = fixed | {"rule": rule}
        row = next(r for r in rows if all(r[k] == v for k, v in wanted.items()))
        lines.append(
            f"| `{rule}` | {row['per_100_sessions']:.1f} | {100 * (1 - row['specificity']):.0f} | "
            f"{100 * (1 - row['predicted_specificity']):.0f} | {100 * row['precision']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Simulate, judge, write the CSV and the tables."""
    rows = []
    for k, planting in enumerate(cells()):
        planted = plant(planting, CLIENTS, np.random.default_rng([SEED, k]))
        held = {
            key: getattr(planting, key)
            for key in ("sessions", "reliability", "autocorrelation", "depth")
        }
        rows += [held | row for row in judge(planted, planting.reliability)]
    with (DOCS / "rupture_rules.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )
    middle = {"sessions": 12, "reliability": 0.90, "autocorrelation": 0.3, "depth": 2.0}

    def without(key: str) -> dict:
        return {k: v for k, v in middle.items() if k != key}

    demo = "\n".join(
        ["| rule | sensitivity, % | specificity, % |", "|---|---|---|"]
        + [
            f"| `{r['rule']}` | {100 * r['sensitivity']:.0f} | {100 * r['specificity']:.0f} |"
            for r in of_the_demo_simulator()
        ]
    )
    tables = {
        "sessions": table(rows, "sessions", SESSIONS, without("sessions")),
        "reliability": table(rows, "reliability", RELIABILITIES, without("reliability")),
        "autocorrelation": table(rows, "autocorrelation", CARRIED, without("autocorrelation")),
        "depth": table(rows, "depth", DEPTHS, without("depth")),
        "alarms": alarms(rows, middle),
        "demo": demo,
    }
    page = DOCS / "ruptures.md"
    text = page.read_text(encoding="utf-8")
    for name, content in tables.items():
        pattern = rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)"
        text = re.sub(pattern, rf"\g<1>{content}\g<2>", text, flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
