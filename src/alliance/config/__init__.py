"""Configuration: strict YAML, closed schemas, cohorts, site mappings, scoring keys."""
