"""The site of the intake's tests: raw files and a mapping in, canonical tables out."""

from tests.ingest.conftest import made, make_keys, new_site, site

__all__ = ["made", "make_keys", "new_site", "site"]
