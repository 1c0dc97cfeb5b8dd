"""How sure the intervals are: 95 %, two-sided."""

UPPER = 0.975
"""Where such an interval ends above, of a t distribution where there are degrees of freedom."""

NORMAL_975 = 1.959963984540054
"""The standard normal's 97.5 % point: an interval of a normal estimate is -+ this times its SE."""
