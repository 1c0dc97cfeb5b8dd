"""Attack the shared tables of simulated small cohorts.

    python benchmarks/share_attack.py [first seed] [number of cohorts]

Is any hidden count bounded too closely?

For each cohort the tables are written as `make share` writes them, and attacked from the files
alone. The true count must lie within every bound (or the attacker reckons wrongly), and no bound
may be closer than stated. The same attacker then takes exact counts of which only the small ones
are blanked, as a report without disclosure control may do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from alliance import files
from alliance.sharing.attacker import attack, too_close
from alliance.sharing.counts import Counts, Place, Rule
from alliance.sharing.gather import gather_counts
from alliance.sharing.pages import report_page
from alliance.sharing.release import write_tables
from alliance.sharing.suppress import hidden_counts
from alliance.sharing.tables import count_tables
from alliance.simulate.small_cohorts import small_cohort


def attacked(about: dict[str, Any], counts: Counts, hidden: set[str], rule: Rule) -> dict[str, int]:
    """Write tables and attack them; count hidden places, close bounds, and wrong ones."""
    with tempfile.TemporaryDirectory() as folder:
        facts = write_tables(about, count_tables(counts, hidden, rule), Path(folder), rule)
        files.write_text(report_page(facts), Path(folder) / "report.html")
        bounds = attack(folder)
    wrong = [
        cell
        for cell, (low, high) in bounds.items()
        if not low - 1e-6 <= counts.values[counts.printed[Place(*cell)]] <= high + 1e-6
    ]
    return {
        "hidden": len(bounds),
        "too_close": len(too_close(bounds, rule.width)),
        "wrong": len(wrong),
    }


def try_cohort(seed: int) -> tuple[dict[str, int], dict[str, int]]:
    """Return the outcome of the attack on the shared and on the plain tables of one cohort."""
    cohort = small_cohort(seed)
    counts = gather_counts(*(cohort[key] for key in ("about", "leaving", "changed", "models")))
    rule, exact = Rule(), Rule(base=1)
    shared = attacked(cohort["about"], counts, hidden_counts(counts, rule), rule)
    blanked = counts.small(exact) & set(counts.printed.values())
    return shared, attacked(cohort["about"], counts, blanked, exact)


def main(first: int, number: int) -> None:
    """Print the sums over all cohorts."""
    sums = [dict.fromkeys(("hidden", "too_close", "wrong"), 0) for _ in range(2)]
    cohorts_hit = [0, 0]
    for seed in range(first, first + number):
        for place, outcome in enumerate(try_cohort(seed)):
            sums[place] = {key: sums[place][key] + outcome[key] for key in outcome}
            cohorts_hit[place] += outcome["too_close"] > 0
        if (seed - first + 1) % 50 == 0:
            print(f"{seed - first + 1} cohorts", *sums, cohorts_hit, flush=True)
    for name, total, hit in zip(("shared", "plain"), sums, cohorts_hit, strict=True):
        print(f"{name}: {number} cohorts, {total}, cohorts with a bound too close: {hit}")


if __name__ == "__main__":
    main(*(int(text) for text in [*sys.argv[1:], "0", "1000"][:2]))
