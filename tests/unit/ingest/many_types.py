"""A table with every kind of column, with missing values and without."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

ROWS = 700
PLAIN = ["int", "big", "unsigned", "float", "flag", "word", "text", "when", "instant", "day", "clock", "nothing"]
"""Columns that a CSV can hold as well."""


def holes(values: Sequence[Any]) -> list[Any]:
    """Every seventh value missing."""
    return [None if i % 7 == 3 else v for i, v in enumerate(values)]


def many_types() -> pa.Table:
    """`ROWS` rows; every value is different from its neighbours."""
    n = range(ROWS)
    start = dt.datetime(2020, 1, 1)  # noqa: DTZ001  a local time is meant
    arrays = {
        "int": pa.array(holes([i % 100 for i in n]), pa.int32()),
        "big": pa.array([i * 10**12 - 5 for i in n], pa.int64()),
        "unsigned": pa.array([2**64 - 1 - i for i in n], pa.uint64()),
        "float": pa.array(holes([i / 7 for i in n]), pa.float64()),
        "flag": pa.array(holes([i % 3 == 0 for i in n]), pa.bool_()),
        "word": pa.array(holes([f"wörd {i % 5}" for i in n])),
        "text": pa.array(holes([f"tëxt {i} " * (1 + i % 4) for i in n])),
        "when": pa.array(holes([start + dt.timedelta(seconds=i) for i in n]), pa.timestamp("us")),
        "instant": pa.array([1577836800_000 + i for i in n], pa.timestamp("ms", "UTC")),
        "day": pa.array(holes([dt.date(1850, 1, 1) + dt.timedelta(days=i) for i in n]), pa.date32()),
        "clock": pa.array(holes([dt.time(1, 2, i % 60, i) for i in n]), pa.time64("us")),
        "nothing": pa.nulls(ROWS),
        "single": pa.array([i / 8 for i in n], pa.float32()),
        "nan": pa.array([float("nan") if i % 5 == 0 else float(i) for i in n], pa.float64()),
        "bytes": pa.array(holes([bytes([i % 7, 0, 255]) for i in n]), pa.binary()),
        "long bytes": pa.array([b"%d\xff" % i for i in n], pa.binary()),
        "fine": pa.array([1577836800 * 10**9 + i for i in n], pa.timestamp("ns")),
        "span": pa.array(holes([dt.timedelta(seconds=i) for i in n]), pa.duration("ms")),
        "money": pa.array(holes([Decimal(i) / 100 for i in n]), pa.decimal128(20, 2)),
        "../up": pa.array(n),
        "INT": pa.array(n),
    }  # fmt: skip
    return pa.table(arrays)
