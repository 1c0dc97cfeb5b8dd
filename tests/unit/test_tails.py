"""Tails of distributions from the standard library agree with SciPy's, which computed the tests."""

import random

import pytest
from scipy import special

from alliance.findings import tails


@pytest.mark.parametrize("seed", range(4))
def test_tails_agree_with_scipy(seed):
    chance = random.Random(seed)
    for _ in range(500):
        df, df2 = (10 ** chance.uniform(-0.3, 5) for _ in range(2))
        z, f, share = (10 ** chance.uniform(*ends) for ends in ((-4, 1.5), (-3, 2), (-1.5, 1)))
        pairs = [
            (tails.of_z(z), 2 * special.ndtr(-z)),
            (tails.of_t(z, df), 2 * special.stdtr(df, -z)),
            (tails.of_f(f, df, df2), special.fdtrc(df, df2, f)),
            (tails.of_chi2(df * share, df), special.chdtrc(df, df * share)),
        ]
        for own, other in pairs:
            # further out the two differ by more; no p is told to more than three digits there
            assert own == pytest.approx(other, rel=1e-10 if other > 1e-60 else 1e-6, abs=1e-250)


@pytest.mark.parametrize("df", [1, 2, 3.7, 10, 1000, 1e6])
def test_quantiles_are_where_the_tail_is(df):
    assert tails.t_of(0.05, df) == pytest.approx(special.stdtrit(df, 0.975), rel=1e-10)
    assert tails.of_t(tails.t_of(0.01, df), df) == pytest.approx(0.01, rel=1e-12)


def test_edges():
    assert tails.z_of(0.05) == pytest.approx(1.959963984540054, rel=1e-15)
    assert (tails.of_chi2(0, 3), tails.of_chi2(2, 0), tails.of_chi2(0, 0)) == (1, 0, 1)
    assert (tails.of_f(0, 2, 5), tails.of_t(0, 4), tails.of_t(float("inf"), 4)) == (1, 1, 0)
