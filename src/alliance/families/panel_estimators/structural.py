"""Panels as structural models in wide form: one variable a measure and session.

Dynamic panel model (Allison, Williams & Moral-Benito, 2017): the outcome on itself and on the
predictor one session before, with a latent constant of each client that may go with everything;
the predictor may answer to earlier shocks. Random-intercept cross-lagged panel model (Hamaker,
Kuiper & Grasman, 2015): both measures as a constant of the client plus a deviation, deviations act
on the next ones. Both are descriptions for `alliance.sem`, which fits them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement, pairwise

from alliance.sem import Covariance, Mean, Model, Path

CONSTANT = "client constant"
CARRIED = "outcome on itself"


def dynamic_panel_model(
    outcome: Sequence[str],
    predetermined: Mapping[str, Sequence[str]],
    *,
    exogenous: Mapping[str, Sequence[str]] | None = None,
    constant: Sequence[str] = (),
    same_session: bool = True,
) -> Model:
    """Return the dynamic panel model; effects carry the names of their predictors as labels.

    Parameters
    ----------
    outcome
        Columns of the outcome, one a session.
    predetermined
        Label of a predictor to its columns, one a session but the last; a session's predictor acts
        on the next outcome and may answer to the outcome's shocks of earlier sessions.
    exogenous
        The same for predictors that answer to no shock.
    constant
        Columns of what does not change within a client; it does not go with the client's constant.
    same_session
        Whether a predictor may also go with the outcome's shock of its own session.
    """
    exogenous = exogenous or {}
    moving = {**predetermined, **exogenous}
    entries: list[Path | Covariance | Mean] = [Covariance(CONSTANT, CONSTANT)]
    for t in range(1, len(outcome)):
        y = outcome[t]
        entries += [
            Path(CONSTANT, y, fixed=1.0),
            Path(outcome[t - 1], y, label=CARRIED),
            *(Path(columns[t - 1], y, label=name) for name, columns in moving.items()),
            *(Path(name, y, label=name) for name in constant),
            Covariance(y, y, label="shocks"),
            Mean(y),
        ]
        for columns in predetermined.values():
            entries += [Covariance(y, x) for x in columns[t if same_session else t + 1 :]]
    first = [outcome[0], *(x for columns in moving.values() for x in columns)]
    known = [*first, *constant]
    entries += [Covariance(CONSTANT, name) for name in first]
    entries += [Covariance(a, b) for a, b in combinations_with_replacement(known, 2)]
    entries += [Mean(name) for name in known]
    return Model((*outcome, *known[1:]), (CONSTANT,), tuple(entries))


def random_intercepts_model(
    measures: Mapping[str, Sequence[str]], *, constant_effects: bool = True
) -> Model:
    """Return the random-intercept cross-lagged panel model of two measures.

    Parameters
    ----------
    measures
        Name of a measure to its columns, one a session.
    constant_effects
        Whether effects are the same from each session to the next; they are labelled
        `of -> on`.
    """
    entries: list[Path | Covariance | Mean] = []
    latent = [f"{name} constant" for name in measures]
    entries += [Covariance(a, b) for a, b in combinations_with_replacement(latent, 2)]
    waves = [dict(zip(measures, row, strict=True)) for row in zip(*measures.values(), strict=True)]
    own = [{name: f"{column} deviation" for name, column in wave.items()} for wave in waves]
    for wave, deviation in zip(waves, own, strict=True):
        for name, column in wave.items():
            entries += [
                Path(f"{name} constant", column, fixed=1.0),
                Path(deviation[name], column, fixed=1.0),
                Mean(column),
            ]
        parts = list(deviation.values())
        entries += [Covariance(a, b) for a, b in combinations_with_replacement(parts, 2)]
    for before, after in pairwise(own):
        entries += [
            Path(before[of], after[on], label=f"{of} -> {on}" if constant_effects else None)
            for of in measures
            for on in measures
        ]
    observed = tuple(column for columns in measures.values() for column in columns)
    deviations = tuple(name for deviation in own for name in deviation.values())
    return Model(observed, (*latent, *deviations), tuple(entries))
