"""The analysis table, and the descriptions that rest on no model."""
