"""Options of the entries of family agreement in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import CLIENT_VIEW, LEVELS, THERAPIST_VIEW, TIME

OPTIONS = Options(
    description="two views of the same sessions: direction of the difference, congruence over time",
    keys={
        "client": CLIENT_VIEW,
        "therapist": THERAPIST_VIEW,
        "time": TIME,
        "levels": LEVELS,
    },
    required=("client", "therapist", "time"),
    effects=lambda entry: ["client_view_within"],
)
