"""Scores and leaving in one model: shared parameters, therapist effects in both parts."""

from alliance.mixed.joint.data import Courses, Risk
from alliance.mixed.joint.fit import JointFit, fit_joint
from alliance.mixed.joint.parameters import Parameters

__all__ = ["Courses", "JointFit", "Parameters", "Risk", "fit_joint"]
