"""Small tables on which plugins are tried, and their stores."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 23
"""Rows of the mixed table: neither a power of two nor a multiple of any chunk that is tried."""
_EPOCH = dt.datetime(2024, 1, 1)  # noqa: DTZ001  a naive time on purpose


def mixed_table(rows: int = ROWS) -> pa.Table:
    """Columns of every kind, with missing values, NaN, infinities, repeated values and extremes; always the same."""
    import pyarrow as pa

    i = np.arange(rows)
    wave = np.sin(i * 0.7) * 10.0 ** (i % 5)
    odd = np.where(i % 11 == 3, np.nan, np.where(i % 11 == 7, np.inf, wave))
    missing = i % 4 == 1
    return pa.table(
        {
            "whole": pa.array((i * 7919) % 31 - 9),
            "real": pa.array(wave, mask=missing),
            "odd": pa.array(odd),
            "flag": pa.array(i % 3 == 0, mask=i % 7 == 2),
            "colour": pa.array([("red", "green", "blå")[k % 3] for k in i], mask=missing),
            "note": pa.array([f"row {k} {'x' * (k % 6)}" for k in i], mask=i % 5 == 0),
            "at": pa.array([_EPOCH + dt.timedelta(minutes=int(k * k)) for k in i], pa.timestamp("us"), mask=missing),
            "day": pa.array([_EPOCH.date() + dt.timedelta(days=int(k)) for k in i]),
            "constant": pa.array(np.full(rows, 5, np.int8)),
            "big": pa.array((i + 2**53).astype(np.int64) * 512),
        }
    )


def missing_table(rows: int = ROWS) -> pa.Table:
    """Columns of several kinds without a single value."""
    import pyarrow as pa

    kinds = {
        "whole": pa.int32(),
        "real": pa.float64(),
        "colour": pa.string(),
        "at": pa.timestamp("us"),
        "flag": pa.bool_(),
    }
    return pa.table({name: pa.nulls(rows, kind) for name, kind in kinds.items()})


def one_row_table() -> pa.Table:
    """A table of one row."""
    return mixed_table(1)


def awkward_tables() -> dict[str, Any]:
    """Tables on which a plugin must end well or be skipped, by what they are."""
    return {"one row": one_row_table(), "nothing but missing values": missing_table(), "two rows": mixed_table(2)}


def as_store(table: Any, folder: Path, chunk_rows: int = 0) -> Dataset:
    """The table as a store below a folder; ``chunk_rows`` 0 for the default."""
    from toolkit.ingest.settings import content_settings
    from toolkit.ingest.table import convert_frame

    settings = content_settings(chunk_rows=chunk_rows)
    return open_location(convert_frame(table, AppData(folder), settings, workers=1))
