"""How sure the intervals are: 95 %, two-sided."""

NORMAL_975 = 1.959963984540054
"""The standard normal's 97.5 % point: an interval of a normal estimate is -+ this times its SE."""
