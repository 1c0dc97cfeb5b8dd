"""By site: every site alone, and all put together."""
