"""Every key scores its test vectors: hand calculations and other people's published code.

`instruments/<id>.csv` holds one form a row (i1, i2, ...; blank = unanswered), where the expected
scores came from (`source`) and the scores; blank = the form must be refused, `skip` = not stated.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.measures import score_form

VECTORS = sorted((Path(__file__).parent / "instruments").glob("*.csv"))
KEYS = load_instruments()


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_key_scores_its_vectors(path):
    key = KEYS[path.stem]
    vectors = pd.read_csv(path, dtype=str, keep_default_na=False)
    answers = vectors[[f"i{item}" for item in range(1, key.n_items + 1)]]
    answers = answers.replace("", np.nan).astype(float).to_numpy()
    scores = score_form(answers, key)
    for column in [c for c in vectors if c.startswith("score_")]:
        stated = vectors[column] != "skip"
        expected = vectors.loc[stated, column].replace("", np.nan).astype(float)
        # the vectors are printed with four decimals
        np.testing.assert_allclose(
            scores[column.removeprefix("score_")].value[stated], expected, rtol=0, atol=5e-4
        )


def test_every_key_has_a_vector():
    assert {path.stem for path in VECTORS} == set(KEYS)
