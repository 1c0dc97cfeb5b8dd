"""The rule language: what counts as a rupture, in seven words, and the rules that have a name.

A rule says against what a score is held (`baseline`), in what unit the drop is counted (`unit`),
how many units make a rupture (`threshold`), how far back the baseline looks (`window`), how many
scores must have gone before (`history`), whether runs count too (`runs`), and when the rupture is
repaired (`repair`). Everything is data: a lab writes its own rule in its config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from alliance.measures.reliable_change import TWO_SIDED

Baseline = Literal["previous", "running_mean", "window_max", "own_line", "own_mean"]
Unit = Literal[
    "raw",
    "own_sd",
    "own_sd_so_far",
    "pooled_sd",
    "sample_sd",
    "larger_sd",
    "reliable_change",
    "moving_range",
]
Target = Literal["level_before", "own_mean", "own_line", "half_of_drop"]

WHOLE_COURSE = {"own_line", "own_mean", "own_sd", "larger_sd", "moving_range"}
"""Baselines, units and targets that can be known only once the course has ended."""

BASELINE_WORDS = {
    "previous": "the score before",
    "running_mean": "the mean of all scores before",
    "window_max": "the best of the scores before",
    "own_line": "the client's own regression line",
    "own_mean": "the client's own mean",
}
UNIT_WORDS = {
    "raw": ("point", ""),
    "own_sd": ("SD", " of the client's own scores"),
    "own_sd_so_far": ("SD", " of the client's own scores so far"),
    "pooled_sd": ("SD", " within clients (pooled)"),
    "sample_sd": ("SD", " of all scores"),
    "larger_sd": ("SD", " (the larger of the client's own and that of all scores)"),
    "reliable_change": ("standard error", " of a difference"),
    "moving_range": ("sigma", " of the client's own control chart"),
}


@dataclass(frozen=True, slots=True)
class Repair:
    """When a rupture counts as repaired.

    Attributes
    ----------
    target
        `level_before` (the baseline at onset), `own_mean`, `own_line`, or `half_of_drop` (half of
        what was lost).
    tolerance
        So many units below the target are enough.
    within
        Sessions after onset; None: as long as the course lasts.
    """

    target: Target = "level_before"
    tolerance: float = 0.0
    within: int | None = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for ruptures; see the module's docstring.

    Attributes
    ----------
    name
        Identifier, also in events and results.
    threshold
        A drop of at least this many units below the baseline is a rupture.
    window
        Sessions that `previous` and `window_max` look back; others ignore it.
    history
        Scores that must have gone before (of the whole course for `own_line` and `own_mean`).
    runs
        Also count runs below the centre line: two of three beyond two sigmas, four of five beyond
        one, eight below. For control charts.
    source
        What the rule leans on, for print; empty for a lab's own.
    """

    name: str
    baseline: Baseline
    unit: Unit
    threshold: float
    window: int = 1
    history: int = 1
    runs: bool = False
    repair: Repair = field(default_factory=Repair)
    source: str = ""

    @property
    def looks_ahead(self) -> bool:
        """Say whether a rupture is known only once the course has ended."""
        return bool({self.baseline, self.unit, self.repair.target} & WHOLE_COURSE)

    @property
    def title(self) -> str:
        """Return the rule in words."""
        one, of = UNIT_WORDS[self.unit]
        units = f"{self.threshold:g} {one}{'' if self.threshold == 1 else 's'}{of}"
        drop = f"{units} below {BASELINE_WORDS[self.baseline]}"
        if self.baseline in ("previous", "window_max") and self.window > 1:
            drop += f" ({self.window} sessions back at most)"
        return drop + (", or a run below the centre" if self.runs else "")

    @property
    def repair_words(self) -> str:
        """Return in words when a rupture is repaired."""
        target = {
            "level_before": "the level before",
            "own_mean": "the client's own mean",
            "own_line": "the client's own line",
            "half_of_drop": "half of what was lost",
        }[self.repair.target]
        near = f"at most {self.repair.tolerance:g} of these units below "
        limit = f" within {self.repair.within} sessions" if self.repair.within else " at any time"
        return f"{near if self.repair.tolerance else 'back to '}{target}{limit}"


# Thresholds of one SD and of two SDs have been used by Strauss et al. (2006) and Stiles et al.
# (2004), and Gumz et al. (2012) propose the larger of the SD within and between clients: read in
# Gumz et al. (2012). The rest of those definitions (baseline, repair) could not be checked against
# a source, so no rule here is called by their names.
_GUMZ = "The larger of two SDs is the proposal of Gumz et al. (2012); the other parts are ours."
PRESETS: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("drop_of_1_sd_from_previous", "previous", "pooled_sd", 1.0),
        Rule("drop_of_2_sd_from_previous", "previous", "pooled_sd", 2.0),
        Rule("reliable_drop_from_previous", "previous", "reliable_change", TWO_SIDED),
        Rule(
            "reliable_drop_from_recent_best", "window_max", "reliable_change", TWO_SIDED, window=3
        ),
        Rule("drop_of_2_sd_below_mean_so_far", "running_mean", "pooled_sd", 2.0, history=2),
        Rule(
            "drop_of_1_larger_sd_from_previous",
            "previous",
            "larger_sd",
            1.0,
            history=1,
            source=_GUMZ,
        ),
        Rule(
            "drop_of_2_sd_below_own_line",
            "own_line",
            "own_sd",
            2.0,
            history=5,
            repair=Repair("own_line", 1.0, 5),
        ),
        Rule(
            "own_control_chart",
            "own_mean",
            "moving_range",
            3.0,
            history=6,
            repair=Repair("own_mean", 1.0, 5),
            source="Shewhart's chart of individual values: limits 2.66 mean moving ranges from "
            "the client's mean.",
        ),
        Rule(
            "own_control_chart_with_runs",
            "own_mean",
            "moving_range",
            3.0,
            history=6,
            runs=True,
            repair=Repair("own_mean", 1.0, 5),
            source="The same chart with the Western Electric rules for runs.",
        ),
    )
}


def rule_from(entry: str | Mapping[str, Any]) -> Rule:
    """Return the rule that a config entry names or spells out.

    Raises
    ------
    KeyError
        There is no preset of that name.
    """
    if isinstance(entry, str):
        return PRESETS[entry]
    repair = Repair(**entry.get("repair", {}))
    return Rule(**{key: value for key, value in entry.items() if key != "repair"}, repair=repair)


def first_known_in_time(rules: list[Rule]) -> Rule | None:
    """Return the first rule that needs no later session: the one that may predict."""
    return next((rule for rule in rules if not rule.looks_ahead), None)
