"""Panel estimators: the same question without a distribution of clients."""
