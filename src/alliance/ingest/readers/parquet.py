"""Read Parquet files by pyarrow: typed columns as text, categories by their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from alliance.ingest.raw import RawTable, UnreadableError, with_blanks_missing
from alliance.ingest.readers.cells import moment_text, number_text, texts_by_unique, time_text
from alliance.ingest.readers.opened import FREE_BYTES, MAX_BYTES, MAX_EXPANSION, RawFile


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a Parquet file; see `alliance.ingest.readers`. Rows are counted from 1."""
    try:
        with file.stream() as stream:
            parquet = pq.ParquetFile(stream)
            _refuse_bomb(parquet.metadata, file.size)
            columns = parquet.read()
            columns.validate(full=True)
            return _table(columns, source["decimal"])
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        told = "this is no Parquet file, or a damaged one"
        raise UnreadableError("file-unreadable", told) from None


def _table(columns: pa.Table, decimal: str) -> RawTable:
    if not columns.num_columns:
        raise UnreadableError("file-empty", "the file has no columns")
    header = [name.strip() for name in columns.column_names]
    rows = np.arange(1, columns.num_rows + 1, dtype=np.int64)
    table = RawTable(header=header, columns=[], rows=rows)
    for name, column in zip(header, columns.columns, strict=True):
        texts, is_date = _texts(name, column, decimal)
        table.columns.append(with_blanks_missing(texts))
        if is_date:
            table.dates.setdefault(name, texts.notna())
    is_blank = np.logical_and.reduce([column.isna().to_numpy() for column in table.columns])
    table.blank_rows = int(is_blank.sum())
    return table.kept(~is_blank) if is_blank.any() else table


def _refuse_bomb(metadata: Any, n_bytes: int) -> None:
    """Refuse what unpacks beyond all measure; a column of one value shrinks to nearly nothing."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    size = max(sum(group.total_byte_size for group in groups), 8 * metadata.num_rows)
    if size > min(MAX_BYTES, max(10 * FREE_BYTES, MAX_EXPANSION * n_bytes)):
        raise UnreadableError("file-unreadable", "the file grows beyond all measure")


def _texts(name: str, column: pa.ChunkedArray, decimal: str) -> tuple[pd.Series, bool]:
    """Return a column as text, and whether it holds real dates."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        local = column if pa.types.is_date(kind) or kind.tz is None else pc.local_timestamp(column)
        return _from_ms(local.cast(pa.timestamp("ms"), safe=False), moment_text), True
    if pa.types.is_time(kind):
        return _from_ms(
            column.cast(pa.time64("us"), safe=False), lambda us: time_text(us // 1000)
        ), False
    if pa.types.is_boolean(kind):
        return _series(pc.if_else(column, "TRUE", "FALSE")), False
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _series(column.cast(pa.large_string())), False
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _numbers(column.cast(pa.float64(), safe=False).to_pandas(), decimal), False
    if pa.types.is_null(kind):
        return pd.Series(pd.NA, index=range(len(column)), dtype="str"), False
    if pa.types.is_string_view(kind) or pa.types.is_binary(kind):
        return _series(column.cast(pa.large_string())), False
    told = f"the column {name} holds lists or records, not one value a row"
    raise UnreadableError("file-unreadable", told, remedy="save it with plain columns")


def _series(column: pa.ChunkedArray) -> pd.Series:
    return pd.Series(pd.array(column.cast(pa.large_string()), dtype="str"))


def _numbers(values: pd.Series, decimal: str) -> pd.Series:
    return texts_by_unique(values, lambda value: number_text(value, decimal))


def _from_ms(column: pa.ChunkedArray, text: Callable[[int], str]) -> pd.Series:
    numbers = column.cast(pa.int64()).to_pandas().astype(float)
    return texts_by_unique(numbers, lambda value: text(int(value)))
