"""From a site's raw files to the canonical tables: readers, layouts, checks, ledger, pseudonyms.

Nothing is imported here: the workflow asks `ingest.pseudonyms` before it starts, and should not
wait for pandas.
"""
