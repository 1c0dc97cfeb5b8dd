"""How a run is made: one step at a time, one run a folder, its outputs and its provenance."""
