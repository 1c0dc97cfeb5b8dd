"""Names of the curves, which the fit writes and the figure asks for."""

EACH, EACH_OF_FEW = "caterpillar", "caterpillar_few_clients"
PAIRS, PAIRS_OF_FEW = "caterpillar_pairs", "caterpillar_pairs_few_clients"
RELIABILITY = "reliability"
"""Names of the curves: bars for each therapist alone and for pairs, therapists with few clients
apart; and reliability by number of clients."""
