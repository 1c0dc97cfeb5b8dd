"""Every number that the simulated cohort rests on, with its unit and where it comes from.

"Anchor" is a published quantity, cited by first author and year; the full list stands in
`docs/methods` under the simulator. A number without an anchor says why it was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

Value = TypeVar("Value")

SITES = ("north", "east", "south", "west")


def stated(value: Value, unit: str, source: str) -> Value:
    """Return a dataclass field with a default and, as metadata, its unit and source."""
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Parameters of `simulate_courses`; see the package docstring for the equations.

    Alliance is in points of the WAI-SR sum (12-60), symptoms in points of the PHQ-9 sum (0-27),
    the therapist's rating in points of the WAI-S sum (12-84).
    """

    # Who takes part
    sites: tuple[str, ...] = stated(SITES, "names", "chosen: one site a habit of exporting")
    therapists_per_site: tuple[int, int] = stated(
        (8, 12), "therapists, lowest and highest", "chosen: a clinic's team"
    )
    clients_per_therapist: tuple[int, int] = stated(
        (8, 16), "clients, lowest and highest", "chosen: caseloads of practice studies"
    )
    most_sessions: int = stated(20, "sessions", "chosen: short-term psychotherapy")
    planned_sessions: tuple[int, ...] = stated(
        (12, 16, 20), "sessions, each equally likely", "chosen: usual grants of insurers"
    )
    gap_weeks: tuple[float, ...] = stated(
        (0.80, 0.15, 0.05),
        "probability of a gap of 1, 2, 3 weeks",
        "chosen: weekly sessions with holidays and illness",
    )
    other_weekday: float = stated(0.15, "probability a session", "chosen: sessions get moved")
    recruitment_weeks: int = stated(78, "weeks", "chosen: one and a half years of intake")
    follow_up_weeks: int = stated(
        90, "weeks from first intake to export", "chosen: leaves 2-3 % still in treatment"
    )

    # Alliance (client): course
    alliance_start: float = stated(
        42.0,
        "points at intake",
        "chosen below the anchor (44.4 = 12 x 3.7), so that few sums meet the ceiling of 60",
    )
    alliance_growth: float = stated(
        2.2,
        "points per unit of log(1 + weeks)",
        "chosen below the anchor (3.0 = 12 x .25), so that few sums meet the ceiling of 60",
    )
    alliance_site: tuple[float, ...] = stated(
        (1.0, -0.9, 0.6, -0.7), "points, fixed, sum 0", "anchor: site share of variance 2 %"
    )
    alliance_therapist_sd: float = stated(
        1.5, "points", "anchor: therapist share of variance 6 % (total SD about 6)"
    )
    alliance_client_sd: float = stated(
        4.3, "points", "anchor: client share of variance 52 % (total SD about 6)"
    )
    alliance_growth_sd: float = stated(
        0.8, "points per unit of log(1 + weeks)", "chosen: 95 % of clients between 0.6 and 3.8"
    )
    # Symptoms: course
    symptoms_start: float = stated(15.0, "points at intake", "anchor: PHQ-9 15 +- 5 at intake")
    symptoms_growth: float = stated(
        -0.30,
        "points per week",
        "chosen smaller than the anchor (-.35 a session), so that few sums meet the floor of 0",
    )
    symptoms_site: tuple[float, ...] = stated(
        (-0.8, 0.6, -0.4, 0.6), "points, fixed, sum 0", "anchor: site share of variance 2 %"
    )
    symptoms_therapist_sd: float = stated(
        1.0, "points", "anchor: therapist share 5 % (Johns 2019; Saxon 2016: 5.8 %)"
    )
    symptoms_client_sd: float = stated(
        3.0, "points", "chosen: client share about 45 % of a total SD of 4.4, for the floor of 0"
    )
    symptoms_growth_sd: float = stated(
        0.12,
        "points per week",
        "chosen smaller than the anchor (.3 a session), so that few sums meet the floor of 0",
    )
    # How the client's four course parameters and the therapist's two go together
    client_correlations: tuple[tuple[float, ...], ...] = stated(
        (
            (1.00, -0.20, -0.10, 0.00),
            (-0.20, 1.00, 0.00, -0.35),
            (-0.10, 0.00, 1.00, -0.20),
            (0.00, -0.35, -0.20, 1.00),
        ),
        "correlations of alliance start, alliance growth, symptoms start, symptoms growth",
        "anchor: slopes -.35; the rest chosen so that a client's mean alliance and last symptoms "
        "correlate at about -.30 (Fluckiger 2018: -.28)",
    )
    therapist_correlation: float = stated(
        -0.30, "correlation of a therapist's two intercepts", "chosen: as between clients"
    )

    # Session to session
    alliance_carry_over: float = stated(0.35, "points per point", "anchor: phi_A = .35")
    symptoms_carry_over: float = stated(0.45, "points per point", "anchor: phi_S = .45")
    alliance_to_symptoms: float = stated(
        -0.10,
        "symptom points at the next session per alliance point",
        "anchor: -.12 in within-client SDs (here -.13)",
    )
    symptoms_to_alliance: float = stated(
        -0.12,
        "alliance points at the next session per symptom point",
        "anchor: -.10 in within-client SDs (here -.09)",
    )
    alliance_innovation_sd: float = stated(
        3.4, "points", "anchor: session and error share 40 % of a total SD of about 6"
    )
    symptoms_innovation_sd: float = stated(
        2.5, "points", "chosen: within-client share of about 40 % of a total SD of 4.4"
    )
    innovation_correlation: float = stated(
        -0.20, "correlation within a session", "chosen: a bad week shows in both forms"
    )

    # Ruptures
    rupture_share: float = stated(
        0.29,
        "probability a client, had everybody 8 sessions",
        "anchor: 25 % of clients (Larsson 2018); a little more, since some leave before",
    )
    rupture_sessions: tuple[int, int] = stated(
        (3, 8), "first and last session of onset", "chosen: early and middle phase"
    )
    rupture_depth: float = stated(
        1.5, "within-client SDs", "anchor: simulator default; Strauss 2006 asks for 1 SD"
    )
    repair_share: float = stated(
        0.58, "probability a rupture", "anchor: Larsson 2016: 14.7 of 25.4 % repaired"
    )
    repair_sessions: int = stated(3, "sessions at most after onset", "anchor: repair within 3")
    repair_push: float = stated(
        0.8,
        "within-client SDs, upwards; a rupture without repair gets a further drop, so large that "
        "the two cancel on average",
        "chosen: what onset and carry-over leave is made good",
    )

    # Therapist's rating
    therapist_rating_every: int = stated(3, "sessions", "chosen: every third session")
    therapist_rating_lower: float = stated(
        0.45, "SDs of the client's total score", "anchor: |d| about .46 (Igra 2020)"
    )
    therapist_agreement: float = stated(
        0.35, "correlation, between and within clients", "anchor: congruence .35"
    )

    # Leaving
    dropout_base: float = stated(
        0.025,
        "probability after a session at alliance and symptoms of `dropout_reference`",
        "chosen below the anchor (.03 a session), so that 20-30 % drop out in all "
        "(Swift & Greenberg 2012: 20 %)",
    )
    dropout_reference: tuple[float, float] = stated(
        (45.0, 13.0), "points of alliance, of symptoms", "chosen: near the grand means"
    )
    dropout_alliance: float = stated(
        -0.07,
        "log odds per point, the same for the mean so far and the deviation from it",
        "anchor: HR .65 per SD of alliance (here SD about 6), which gives d about .5 (Sharf 2010)",
    )
    dropout_symptoms: float = stated(0.03, "log odds per point", "chosen: a little, HR 1.14 per SD")
    completion_from: int = stated(8, "session", "anchor: agreed completion rises after 8")
    completion_log_odds: tuple[float, float] = stated(
        (-3.2, 0.22),
        "log odds at `completion_from`, and per session after it",
        "chosen: 4 % after session 8, 36 % after session 20; everybody at the planned end",
    )
    transfer: float = stated(0.004, "probability a session", "chosen: a few clients move away")

    # Scale
    bounded: bool = stated(
        True,
        "whether scores keep to the form's range",
        "false only to measure what floor and ceiling do; no items can be drawn then",
    )

    # Items
    item_total_weight_spread: float = stated(
        0.15, "SD of item weights around 1", "chosen: loadings differ a little"
    )
    alliance_item_sd: float = stated(
        0.38, "points of an item", "chosen: alpha of the total about .92 (Hatcher 2006: .91-.92)"
    )
    alliance_subscale_sd: float = stated(
        0.22, "points of an item", "chosen: goal, task and bond hang together more closely"
    )
    symptoms_item_sd: float = stated(
        0.36, "points of an item", "chosen: alpha about .89 (Kroenke 2001)"
    )
    therapist_item_sd: float = stated(
        0.55, "points of an item", "chosen: alpha about .93 (Tracey & Kokotovic 1989: .95)"
    )
    therapist_subscale_sd: float = stated(0.30, "points of an item", "chosen: as for the client")
    stable_item_share: float = stated(
        0.5, "share of an item's own variance", "chosen: half of it is the person's way to answer"
    )

    # Missing
    missing_forms: float = stated(0.05, "probability a form", "anchor: simulator default")
    missing_items: float = stated(0.02, "probability an item", "anchor: simulator default")


def as_table(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """Return every parameter with value, unit and source, by name."""
    return {
        entry.name: {
            "value": getattr(parameters, entry.name),
            "unit": entry.metadata["unit"],
            "source": entry.metadata["source"],
        }
        for entry in fields(parameters)
    }
