"""Without refits, what is printed is what refits without every group would have given.

The cohorts are not drawn from the model that is fitted: effects of therapists have heavy tails,
those of clients are skewed, residuals remember, groups are of very different sizes.
"""

import json

import numpy as np
import pandas as pd
import pytest

from alliance.families.diagnostics.influence import LEVELS, effect_rows, leave_out, summary
from alliance.families.diagnostics.reading import plain_terms
from alliance.families.diagnostics.screening import Screen
from alliance.families.fit import Estimate
from alliance.mixed import fit_mixed
from alliance.mixed.leaving_out import LeavingOut
from alliance.mixed.nearby import nearby

TERMS = ("week", "x")


def cohort(seed):
    """Return sessions of a cohort of random size, with `y` on `week` and `x`."""
    rng = np.random.default_rng(seed)
    therapists = int(rng.integers(8, 25))
    sizes = 1 + rng.poisson(rng.uniform(2, 6), therapists)
    therapist = np.repeat(np.arange(therapists), sizes)
    sessions = 2 + rng.poisson(rng.uniform(3, 8), len(therapist))
    client = np.repeat(np.arange(len(therapist)), sessions)
    week = np.concatenate([np.arange(n) for n in sessions]) * 1.0
    x = rng.normal(size=len(client)) + 0.5 * rng.normal(size=len(therapist))[client]
    e = rng.standard_t(4, len(client))
    e[1:] += 0.3 * e[:-1] * (client[1:] == client[:-1])
    strength = rng.uniform(0.0, 2.0, 3)
    start = strength[0] * rng.standard_t(3, therapists)[therapist]
    start += strength[1] * rng.exponential(2.0, len(therapist))
    slope = 0.3 * strength[2] * rng.normal(size=len(therapist))
    rows = pd.DataFrame({"week": week, "x": x})
    rows["y"] = 20 + start[client] + (slope[client] - 0.2) * week + 0.1 * x + e
    rows["client"] = [f"c{k:04d}" for k in client]
    rows["therapist"] = [f"t{k:03d}" for k in therapist[client]]
    rows["site"] = np.where(therapist[client] % 3 == 0, "north", "south")
    return rows


def compared(seed):
    """Return the fit, and per level what is printed with and without refits for every group."""
    rows = cohort(seed)
    memory = {"residual": "ar1", "residual_time": "week"} if seed % 5 == 0 else {}
    random = {"therapist": ["1"], "client": ["1", "week"] if seed % 2 else ["1"]}
    fit = fit_mixed(rows, "y", ["1", *TERMS, "site"], random, **memory)
    table = fit.coefficients.set_index("term").loc[list(TERMS)].to_dict("index")
    mains = [Estimate(term, "", "main", "", "wald", unit="", **own) for term, own in table.items()]
    refit, reader = LeavingOut(fit), plain_terms(TERMS)
    places = pd.Index(refit.clients)

    def screen(groups):
        near = nearby(fit, [np.sort(places.get_indexer(own)) for own in groups])
        return Screen.of(fit, near, reader)

    def without(clients):
        return refit(np.isin(refit.clients, clients))

    for level in LEVELS:
        found = leave_out(rows, level, without, reader, fit, screen, mains)
        every = leave_out(rows, level, without, reader, fit)
        yield level, mains, found, every


def differences(found, every):
    """Return the largest difference of an estimate, in standard errors, and the share refitted."""
    off = [
        abs(one[term].estimate - other[term].estimate) / other[term].se
        for one, other in zip(found.effects, every.effects, strict=True)
        for term in other
    ]
    return max(off, default=0.0), found.in_full / found.groups


def printed(found, mains):
    own = summary(found) | {"in_full": None}
    return json.loads(json.dumps([own, effect_rows(found, mains)]))


@pytest.mark.parametrize("seed", [1, 5])
def test_printed_numbers_are_those_of_full_refits(seed):
    for level, mains, found, every in compared(seed):
        assert printed(found, mains) == printed(every, mains), level
        off, share = differences(found, every)
        assert off < 0.02, level
        assert share < 0.5 or level == "site", level


def test_printed_numbers_of_fifty_cohorts_are_those_of_full_refits():
    """The numbers of `docs/diagnostics.md`: the largest difference of an estimate not refitted."""
    off = {level: 0.0 for level in LEVELS}
    share = {level: [] for level in LEVELS}
    for seed in range(50):
        for level, mains, found, every in compared(seed):
            assert printed(found, mains) == printed(every, mains), (seed, level)
            largest, own = differences(found, every)
            off[level] = max(off[level], largest)
            share[level].append(own)
    print(off, {level: np.mean(own) for level, own in share.items()})
    assert max(off.values()) < 0.022
