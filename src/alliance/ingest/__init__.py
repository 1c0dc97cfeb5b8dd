"""From a site's raw files to the canonical tables: readers, layouts, checks, ledger, pseudonyms."""

from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site

__all__ = ["ingest_site", "pool_sites"]
