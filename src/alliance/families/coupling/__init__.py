"""Coupling: whether one measure foretells the other from session to session."""
