"""Which category the others are compared with, where the config says so."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alliance.errors import ConfigError


def with_references(panel: pd.DataFrame, references: Mapping[str, str]) -> pd.DataFrame:
    """Return the panel with the named category of each column first.

    Parameters
    ----------
    panel
        The analysis table.
    references
        Column to the category that is compared with. Every other column's is the first by alphabet.

    Raises
    ------
    ConfigError
        A column is no column of categories, or has no such category in these data.
    """
    columns = {}
    for name, reference in references.items():
        if name not in panel or pd.api.types.is_numeric_dtype(panel[name]):
            msg = f"reference: “{name}” is no column of categories in this cohort."
            raise ConfigError(msg)
        there = sorted(str(value) for value in panel[name].dropna().unique())
        if reference not in there:
            msg = (
                f"reference: {name} has no category “{reference}” in these data; there are: "
                f"{', '.join(there)}."
            )
            raise ConfigError(msg)
        order = [reference, *(value for value in there if value != reference)]
        columns[name] = pd.Categorical(panel[name], categories=order, ordered=True)
    return panel.assign(**columns)


def others_than_reference(column: pd.Series) -> list[str]:
    """Return the categories of a column that are compared with its reference, in order."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        used = column.cat.remove_unused_categories().cat.categories
        return [str(value) for value in used][1:]
    return sorted(column.astype(str).unique())[1:]
