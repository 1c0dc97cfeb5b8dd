"""Who takes part, and on which days: therapists, clients, covariates, calendar."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.simulate.parameters import Parameters

FIRST_INTAKE = dt.date(2023, 1, 9)  # a Monday
# How the sites number their clients: with leading zeros, a letter, a number, a letter and a dash.
CLIENT_PREFIX = {"north": "0", "east": "E", "south": "2", "west": "W-"}
GENDERS = ("female", "male", "diverse")
GENDER_SHARES = (0.65, 0.33, 0.02)  # chosen: as in outpatient samples


@dataclass(frozen=True, slots=True)
class Attendance:
    """Clients and their calendar, as if everybody stayed to the last session.

    Attributes
    ----------
    clients
        One row a client: site, client, therapist, age_years, gender, sessions_planned.
    site_number, therapist_number
        (n_clients,) positions, therapists counted over the whole cohort.
    days
        (n_clients, most_sessions) days since `FIRST_INTAKE`.
    """

    clients: pd.DataFrame
    site_number: np.ndarray
    therapist_number: np.ndarray
    days: np.ndarray

    @property
    def weeks(self) -> np.ndarray:
        """(n_clients, most_sessions) weeks since the client's first session."""
        return np.asarray((self.days - self.days[:, :1]) / 7.0)


def plan_attendance(parameters: Parameters, rng: np.random.Generator) -> Attendance:
    """Draw therapists, clients and the calendar of their sessions."""
    site_number, therapist_number, therapist_names = _caseloads(parameters, rng)
    n_clients = len(site_number)
    sites = np.array(parameters.sites)[site_number]
    clients = pd.DataFrame(
        {
            "site": sites,
            "client": _client_ids(sites, rng),
            "therapist": np.array(therapist_names)[therapist_number],
            # ASSUME ages are normal (38 +- 12 years) and cut off at 18 and 75.
            "age_years": np.round(np.clip(rng.normal(38.0, 12.0, n_clients), 18.0, 75.0), 1),
            "gender": np.array(GENDERS)[rng.choice(3, n_clients, p=GENDER_SHARES)],
            "sessions_planned": rng.choice(parameters.planned_sessions, n_clients),
        }
    )
    clients["sessions_planned"] = np.minimum(clients["sessions_planned"], parameters.most_sessions)
    days = _calendar(parameters, n_clients, rng)
    return Attendance(clients, site_number, therapist_number, days)


def _caseloads(
    parameters: Parameters, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return site and therapist number of every client, and the therapists' names."""
    lowest, highest = parameters.therapists_per_site
    fewest, most = parameters.clients_per_therapist
    site_numbers: list[int] = []
    therapist_numbers: list[int] = []
    names: list[str] = []
    for number, site in enumerate(parameters.sites):
        for therapist in range(int(rng.integers(lowest, highest + 1))):
            caseload = int(rng.integers(fewest, most + 1))
            site_numbers += [number] * caseload
            therapist_numbers += [len(names)] * caseload
            names.append(f"{site[:1].upper()}{number + 1}T{therapist + 1:02d}")
    return np.array(site_numbers), np.array(therapist_numbers), names


def _client_ids(sites: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Return ids unique over the cohort, in an order that tells nothing of the therapist."""
    ids = np.empty(len(sites), dtype=object)
    for site in dict.fromkeys(sites):
        here = np.flatnonzero(sites == site)
        numbers = rng.permutation(len(here)) + 1
        prefix = CLIENT_PREFIX.get(site, f"{site}-")
        ids[here] = [f"{prefix}{number:04d}" for number in numbers]
    return list(ids)


def _calendar(parameters: Parameters, n_clients: int, rng: np.random.Generator) -> np.ndarray:
    """Return days since `FIRST_INTAKE`: gaps of whole weeks, now and then on another weekday.

    Monday to Friday only, and strictly increasing, since the weeks themselves increase.
    """
    shape = (n_clients, parameters.most_sessions)
    gaps = rng.choice(
        np.arange(1, len(parameters.gap_weeks) + 1), size=shape, p=parameters.gap_weeks
    )
    gaps[:, 0] = rng.integers(0, parameters.recruitment_weeks, n_clients)
    usual_weekday = rng.integers(0, 5, (n_clients, 1))
    moved = rng.random(shape) < parameters.other_weekday
    weekday = np.where(moved, rng.integers(0, 5, shape), usual_weekday)
    return 7 * np.cumsum(gaps, axis=1) + weekday
