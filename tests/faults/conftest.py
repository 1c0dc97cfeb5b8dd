"""Sites and made exports, as the tests of the intake have them."""

import importlib.util
from pathlib import Path

_PATH = Path(__file__).parents[1] / "ingest" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("ingest_conftest", _PATH)
_INGEST = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_INGEST)
site, made, make_keys, make_instrument = (
    _INGEST.site, _INGEST.made, _INGEST.make_keys, _INGEST.make_instrument,
)  # fmt: skip
