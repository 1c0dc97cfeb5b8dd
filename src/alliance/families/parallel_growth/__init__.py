"""Parallel growth: whether two measures develop together."""
