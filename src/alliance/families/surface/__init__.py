"""Response surface: what agreement of the two views goes with."""
