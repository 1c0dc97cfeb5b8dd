"""Binary outcomes with nested random intercepts.

Made of: `links` and `kernels` (rows), `tree` (groups), `laplace` and `quadrature` (the criterion
with its derivatives), `optimise`, `separation` and `checks`, `result` and what reads it.
"""
