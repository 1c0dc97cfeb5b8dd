"""Continuous time: when clients leave."""
