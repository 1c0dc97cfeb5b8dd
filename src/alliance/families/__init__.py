"""Models: panel in, fit out. One family a module, each model a named entry of the config."""
