"""What can be asked of a fit: contrasts, intervals, comparisons, bootstrap, R2, robust errors."""
