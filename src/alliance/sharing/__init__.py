"""What may leave the lab: counts that no one can be read out of, and a proof of it.

Nothing is taken from the report: counts, means and effects are gathered anew from the results, made
safe together, and only what is safe is written. What cannot be proven safe stays out.
"""

from __future__ import annotations
