"""For whom an effect holds: moderators that are true or false."""

import numpy as np
import pandas as pd
import pytest

from alliance.families.common.moderation import effect_by_moderator, moderation_terms
from alliance.mixed import fit_mixed


@pytest.mark.parametrize("kind", [bool, "boolean"])
def test_a_moderator_of_true_and_false_has_an_effect_each(kind):
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"client": np.repeat(np.arange(30), 6), "x": rng.normal(size=180)})
    rows["medication"] = (rows["client"] % 3 == 0).astype(kind)
    is_true = rows["medication"].to_numpy(bool)
    rows["y"] = np.where(is_true, 2.0, 0.5) * rows["x"] + rng.normal(0, 0.1, 180)
    terms = moderation_terms(rows, "x", "medication")
    fit = fit_mixed(rows, "y", ["1", "x", *terms], {"client": ["x"]})
    curves, borders = effect_by_moderator(fit, rows, "x", "medication", "effect")
    assert [curve.group for curve in curves] == ["False", "True"]
    effects = [curve.estimate[0] for curve in curves]
    assert effects == pytest.approx([0.5, 2.0], abs=0.1)
    assert borders == {}
