"""One truth: the same concept is the same number wherever it is printed, or says why not.

- `register`: which concepts there are (`register.yaml`), and to which a field belongs.
- `claims`: what the files of a cohort say of each concept, with its scope.
- `relations`: what follows from other numbers: sums, shares, intervals, bounds.
- `check`: where two numbers contradict, and where they differ for a reason.
"""
