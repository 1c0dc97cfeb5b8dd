"""Options of the entries of family actor_partner in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import CLIENT_VIEW, THERAPIST_VIEW

OPTIONS = Options(
    description="whose view follows whose, from one joint rating to the next",
    keys={"client": CLIENT_VIEW, "therapist": THERAPIST_VIEW},
    required=("client", "therapist"),
    effects=lambda entry: [
        f"{whose}_next: {view}_view_within"
        for whose in ("client", "therapist")
        for view in ("client", "therapist")
    ],
)
