"""Growth: how a measure develops over treatment."""
