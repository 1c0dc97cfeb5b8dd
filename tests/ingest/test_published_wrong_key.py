"""A published script's wrong key, configured as a lab would: it is flagged, by name and item.

The public data set lee2024_simulated comes with a script that scores the WAI-SR by a goal, task and
bond of its own (see the data's README); `tests/plausibility/keys/wai-sr-published.yaml` is its key.
"""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.cohort import PROJECT, instrument_path, load_cohort, site_mapping_path
from alliance.ingest.plausible import check_plausibility
from alliance.ingest.site import ingest_site

SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
RAW = SHARED / "lee2024_simulated"
WRONG = PROJECT / "tests" / "plausibility" / "keys" / "wai-sr-published.yaml"
COHORT = PROJECT / "tests" / "cohorts" / "lee2024"


def implausible(folder, key):
    """Read and check the cohort with this key of the alliance; return what was flagged."""
    if not RAW.is_dir():
        pytest.skip(f"the public data set lee2024_simulated is not here ({RAW.name})")
    shutil.copytree(COHORT, folder / "cohort")
    config = folder / "cohort" / "config.yaml"
    config.write_text(config.read_text().replace("instrument: wai-sr-c", f"instrument: {key}"))
    own = folder / "cohort" / "instruments"
    own.mkdir(exist_ok=True)
    shutil.copy(WRONG, own)
    cohort = load_cohort(config)
    keys = [instrument_path(config, m["instrument"]) for m in cohort["measures"].values()]
    site = folder / "sites" / "lee2024"
    ingest_site(
        cohort="lee2024", site="lee2024", mapping=site_mapping_path(config, "lee2024", "lee2024"),
        raw_folder=RAW, measures=cohort["measures"], instruments=keys,
        private_folder=folder / "private", simulated=True, out_folder=site,
    )  # fmt: skip
    check_plausibility(
        site_folders=[site], measures=cohort["measures"], instruments=keys,
        implausible=folder / "implausible.parquet", private_folder=folder / "private",
    )  # fmt: skip
    return pd.read_parquet(folder / "implausible.parquet")


def test_the_published_wrong_key_is_flagged(tmp_path):
    found = implausible(tmp_path, WRONG.stem)
    flagged = found[found["rule"] == "key-differs"]
    assert len(flagged) == 1
    words = " ".join(flagged.iloc[0][["expected", "remedy"]].astype(str))
    words += " ".join(str(value) for value in flagged.iloc[0])
    assert "wai-sr-c" in words
    assert "4, 5, 10 and 11" in words or "4, 5, 10, 11" in words


def test_the_right_key_is_not_flagged(tmp_path):
    found = implausible(tmp_path, "wai-sr-c")
    assert "key-differs" not in set(found["rule"])
