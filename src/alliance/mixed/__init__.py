"""Linear mixed models for strictly nested levels: exact, fast, and open about how they ended.

>>> from alliance.mixed import fit_mixed
>>> fit = fit_mixed(data, outcome="y", fixed=["1", "t"], random={"client": ["1", "t"]})
>>> fit.coefficients
"""

from alliance.mixed.dynamics import dynamics
from alliance.mixed.fit import fit_mixed
from alliance.mixed.inference.bootstrap import bootstrap_comparison, parametric_bootstrap
from alliance.mixed.inference.comparison import compare
from alliance.mixed.inference.derived import derived, wald_test
from alliance.mixed.inference.identification import identification
from alliance.mixed.inference.robust import RobustEstimate, least_squares_cr2, sandwich_cr2
from alliance.mixed.logit.fit import fit_mixed_logit
from alliance.mixed.logit.result import LogitFit
from alliance.mixed.result import MixedFit

__all__ = [
    "LogitFit",
    "MixedFit",
    "RobustEstimate",
    "bootstrap_comparison",
    "compare",
    "derived",
    "dynamics",
    "fit_mixed",
    "fit_mixed_logit",
    "identification",
    "least_squares_cr2",
    "parametric_bootstrap",
    "sandwich_cr2",
    "wald_test",
]
