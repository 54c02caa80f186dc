"""A line for each column of two stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.report.figures import number, share, value_text

COLUMN_HEADS = ("column", "kind", "missing 1st", "missing 2nd", "median, values 1st", "median, values 2nd", "index")


def column_lines(columns: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Name, kind, missing values, median or number of categories in either store, and the stability index."""
    for column in columns:
        sides = [column["first"], column["second"]]
        kind = " → ".join(column["kinds"])
        if column["in"] != "both":
            kind += f", {column['in']} alone"
        missing = ["" if side is None else share(side["missing"], side["rows"]) for side in sides]
        middle = ["" if side is None else _middle(side) for side in sides]
        index = column["stability_index"]
        yield [column["name"], kind, *missing, *middle, "" if index is None else f"{index:.3g}"]


def store_line(store: Mapping[str, Any]) -> str:
    """How large a store is."""
    return f"{number(store['rows'])} rows, {number(store['columns'])} columns"


def _middle(side: Mapping[str, Any]) -> str:
    if "median" in side:
        return value_text(side["median"])
    return f"{number(side['categories'])} values" if "categories" in side else ""
