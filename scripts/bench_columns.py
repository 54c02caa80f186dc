"""Wide tables: the columns of a narrow one again and again, each time with other rows beside each other."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_STEP = 7919
"""Rows by which columns are moved from one repetition to the next, so that none are equal."""


def widen(narrow: Path, width: int, out: Path) -> Path:
    """Write a table of so many columns.

    Parameters
    ----------
    narrow : Path
        A Parquet file.
    width : int
        Columns.
    out : Path
        The Parquet file to write.
    """
    table = pq.read_table(narrow)
    fields, columns = [], []
    for number in range(width):
        turn, place = divmod(number, table.num_columns)
        name, column = table.column_names[place], table.column(place)
        cut = _STEP * turn % max(len(column), 1)
        fields.append(name if not turn else f"{name}_{turn}")
        columns.append(pa.chunked_array([*column.slice(cut).chunks, *column.slice(0, cut).chunks]))
    pq.write_table(pa.table(columns, names=fields), out, compression="zstd")
    return out
