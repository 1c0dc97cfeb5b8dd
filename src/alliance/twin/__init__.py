"""A synthetic twin of a cohort: raw files with the same habits, and nobody's data.

A run's fits and coarse margins of its tables make a model (`model`); people are drawn from it
(`draw`) and written as the sites would have written them (`write`). No row of the cohort is
sampled, shuffled or perturbed: what is not in the model is not in the twin (docs/twin.md).
"""
