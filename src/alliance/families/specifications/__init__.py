"""Alternative specifications of a coupling model: other means, trends and lags."""
