"""Diagnostics: whether a model's residuals, random effects and groups are what it assumes.

Computed where a model is fitted, from the engine's own fit, and stored in the fit's JSON; figures
and tables only read them. Nothing here shows a single person: what is printed are means of at least
`FEWEST` people, shares, counts, and the lowest and highest of many estimates.
"""

from alliance.families.diagnostics.hazard import diagnose_hazard
from alliance.families.diagnostics.linear import diagnose, none_of
from alliance.families.diagnostics.reading import Contrasts, Correlations

__all__ = ["Contrasts", "Correlations", "diagnose", "diagnose_hazard", "none_of"]
