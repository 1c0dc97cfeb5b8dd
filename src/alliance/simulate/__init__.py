"""Cohorts with known truth."""

from alliance.simulate.cohort import Cohort, simulate_courses
from alliance.simulate.parameters import Parameters
from alliance.simulate.write import write_cohort, write_demo

__all__ = ["Cohort", "Parameters", "simulate_courses", "write_cohort", "write_demo"]
