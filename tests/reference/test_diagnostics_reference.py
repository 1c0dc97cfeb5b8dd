"""Refits without one group against lme4's, residuals without memory against nlme's.

The numbers come from `diagnostics/diagnostics.R`. Estimates and standard errors agree to 1e-5 of a
standard error: lme4's optimiser stops near there.
"""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.families.diagnostics.influence import leave_out, summary
from alliance.families.diagnostics.reading import Coefficients, plain_terms
from alliance.families.diagnostics.residuals import without_memory
from alliance.mixed import fit_mixed, fit_mixed_logit
from alliance.mixed.leaving_out import LeavingOut
from alliance.mixed.logit.nearby import leaves_of, nearby_binary
from alliance.mixed.nearby import nearby

HERE = Path(__file__).parent / "diagnostics"
NUMBERS = json.loads((HERE / "diagnostics.json").read_text(encoding="utf-8"))
IN_SE = 1e-5


def read(path):
    return pd.read_csv(HERE.parent / path)


@pytest.fixture(scope="module")
def sleepstudy():
    data = read("mixed/sleepstudy.csv").assign(Subject=lambda d: d["Subject"].astype(str))
    return data, fit_mixed(data, "Reaction", ["1", "Days"], {"Subject": ["1", "Days"]})


def agree(expected, estimate, se):
    theirs = np.atleast_1d(expected["se"])  # R writes a vector of one as a number
    wanted = np.atleast_1d(expected["estimate"])
    assert estimate == pytest.approx(wanted, abs=IN_SE * theirs.min())
    assert se == pytest.approx(theirs, rel=IN_SE)


def test_refits_without_one_group_are_lme4s(sleepstudy):
    _, fit = sleepstudy
    refit = LeavingOut(fit)
    for expected in NUMBERS["sleepstudy"]["without"]:
        other = refit(refit.clients == expected["group"]).coefficients
        agree(expected, other["estimate"].to_numpy(), other["se"].to_numpy())


def test_fits_near_by_are_lme4s_within_their_error(sleepstudy):
    """One of 18 subjects can hold a fifth of a variance: some of them have no fit near by."""
    _, fit = sleepstudy
    clients = fit.prepared.nesting.labels[-1].to_numpy()
    without = NUMBERS["sleepstudy"]["without"]
    groups = [np.flatnonzero(clients == expected["group"]) for expected in without]
    (ends,) = nearby(fit, groups)
    estimate, se, _ = ends.fine.contrasts(fit, np.eye(2))
    theirs = np.array([expected["estimate"] for expected in without])
    their_se = np.array([expected["se"] for expected in without])
    there = ends.arrived
    assert there.sum() >= 12
    off = np.abs(estimate - theirs) / their_se
    errors = ends.errors(
        lambda points: np.stack(points.contrasts(fit, np.eye(2))[:2], axis=-1) / se[:, :, None]
    )
    assert np.isinf(errors[~there]).all()
    assert (off[there] <= errors[there] + IN_SE).all()
    assert (np.abs(se - their_se) / se <= errors + IN_SE)[there].all()


def test_dfbetas_and_cooks_distance_are_those_of_the_refits(sleepstudy):
    data, fit = sleepstudy
    rows = data.rename(columns={"Subject": "client"}).assign(therapist=data["Subject"])
    refit = LeavingOut(fit)
    found = leave_out(
        rows,
        "therapist",
        lambda clients: refit(np.isin(refit.clients, clients)),
        plain_terms(["1", "Days"]),
        fit,
    )
    theirs = NUMBERS["sleepstudy"]["without"]
    b = fit.coefficients.set_index("term")["estimate"]
    ours = [(b["Days"] - e["Days"].estimate) / e["Days"].se for e in found.effects]
    assert ours == pytest.approx([e["dfbetas"][1] for e in theirs], abs=2e-5)
    assert found.cooks == pytest.approx([e["cook"] for e in theirs], rel=1e-4)
    assert summary(found)["cooks_flagged"] == sum(e["cook"] > 4 / 18 for e in theirs)


def test_a_group_of_the_outer_level_is_left_out_with_all_that_is_in_it():
    """Pastes: casks in batches; the ids of casks are numbered within batches."""
    data = read("mixed/pastes.csv").assign(cask=lambda d: d["batch"] + d["cask"])
    fit = fit_mixed(data, "strength", ["1"], {"batch": ["1"], "cask": ["1"]})
    refit = LeavingOut(fit)
    for expected in NUMBERS["pastes"]["without"]:
        out = np.array([cask[0] == expected["group"] for cask in refit.clients])
        other = refit(out).coefficients
        agree(expected, other["estimate"].to_numpy(), other["se"].to_numpy())


def test_refits_of_a_binary_outcome_from_its_optimum_are_glmers():
    """Standard errors: lme4 takes them from its own numerical Hessian."""
    data = read("mixed_logit/cbpp.csv").assign(herd=lambda d: d["herd"].astype(str))
    question = {"outcome": "sick", "fixed": ["1", "period"], "random": {"herd": ["1"]}}
    whole = fit_mixed_logit(data, **question, quadrature=15)
    terms = tuple(whole.coefficients["term"])
    for expected in NUMBERS["cbpp"]["without"]:
        other = data[data["herd"] != expected["group"]]
        fit = fit_mixed_logit(other, **question, quadrature=15, start=whole)
        found = Coefficients(terms).of(fit)
        theirs = np.array(expected["se"])
        assert [found[t].estimate for t in terms] == pytest.approx(
            expected["estimate"], abs=2e-3 * theirs.min()
        )
        assert [found[t].se for t in terms] == pytest.approx(theirs, rel=5e-3)


def test_binary_fits_near_by_are_glmers_within_their_error():
    data = read("mixed_logit/cbpp.csv").assign(herd=lambda d: d["herd"].astype(str))
    fit = fit_mixed_logit(data, "sick", ["1", "period"], {"herd": ["1"]}, quadrature=15)
    names, codes = np.unique(data["herd"], return_inverse=True)
    leaves = leaves_of(fit, codes)
    assert leaves is not None
    (ends,) = nearby_binary(fit, leaves)
    reader = Coefficients(tuple(fit.coefficients["term"]))
    effects = reader.near(fit, ends.fine)[1]
    errors = ends.errors(lambda points: reader.near(fit, points)[1] / effects[:, :, [1]])
    assert ends.arrived.all()
    places = [int(np.flatnonzero(names == e["group"])[0]) for e in NUMBERS["cbpp"]["without"]]
    theirs = np.array([expected["estimate"] for expected in NUMBERS["cbpp"]["without"]])
    their_se = np.array([expected["se"] for expected in NUMBERS["cbpp"]["without"]])
    off = np.abs(effects[places, :, 0] - theirs) / their_se
    assert (off <= errors[places] + 2e-3).all()
    off_se = np.abs(effects[places, :, 1] / their_se - 1.0)
    assert (off_se <= errors[places] + 5e-3).all()  # refits in full: 5e-3
    assert leaves_of(fit, np.arange(len(data)) % 3) is None  # herds lie in several groups


def test_residuals_without_memory_are_nlmes_normalised_ones():
    data = read("mixed/ovary.csv")
    fit = fit_mixed(
        data, "follicles", ["1", "sine", "cosine"], {"Mare": ["1"]},
        residual="ar1", residual_time="occasion",
    )  # fmt: skip
    assert fit.residual.phi == pytest.approx(NUMBERS["ovary"]["phi"], abs=1e-5)
    residual = data["follicles"].to_numpy() - fit.fitted()
    fresh = without_memory(
        residual, data["Mare"].to_numpy(), data["occasion"].to_numpy(float), fit.residual.phi
    )
    assert fresh / fit.residual.sigma == pytest.approx(NUMBERS["ovary"]["normalised"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed: not rerun")
def test_the_r_script_reproduces_the_committed_numbers(tmp_path):
    subprocess.run(
        ["Rscript", "diagnostics.R", str(tmp_path)], cwd=HERE, check=True, capture_output=True
    )
    again = json.loads((tmp_path / "diagnostics.json").read_text(encoding="utf-8"))
    for name in ("sleepstudy", "pastes", "cbpp"):
        for one, other in zip(again[name]["without"], NUMBERS[name]["without"], strict=True):
            assert one["estimate"] == pytest.approx(other["estimate"], rel=1e-4, abs=1e-6)
