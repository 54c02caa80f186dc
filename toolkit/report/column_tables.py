"""The tables of columns in report.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.figures import number, share, value_text
from toolkit.report.text_table import cut, text_table

MOST_COLUMNS = 500
"""Columns that the tables list; report.json has all of them."""

_NUMERIC = ("int", "float", "duration", "decimal")
_COMMON_VALUES = 3
_COMMON_WIDTH = 27
_COMMON_SHARE = 0.005
"""A column is listed with its commonest values when the first has at least this share."""


def column_tables(columns: Sequence[Mapping[str, Any]], rows: int) -> list[str]:
    """Describe all columns; then the numeric ones; then what repeats.

    Parameters
    ----------
    columns : sequence of mapping
        As in report.json.
    rows : int
        Rows of the table.

    Returns
    -------
    list of str
        Blocks of Markdown, each line at most 120 character cells wide where nothing has to be escaped.
    """
    shown = columns[:MOST_COLUMNS]
    out = [f"## Columns ({number(len(columns))})"]
    if len(shown) < len(columns):
        out.append(f"The first {number(len(shown))} are listed; report.json has all of them.")
    out.append(_overview(shown, rows))
    measured = [c for c in shown if c["kind"] in _NUMERIC and c["mean"] is not None]
    if measured:
        out += ["### Numbers", _measures(measured)]
    repeated = [c for c in shown if c["top"] and c["count"] and c["top"][0]["count"] >= _COMMON_SHARE * c["count"]]
    if repeated:
        body = [[c["name"], *_common(c["top"], c["count"])] for c in repeated]
        header = ["column", "commonest value", "2nd", "3rd"]
        widest = [22] + [_COMMON_WIDTH] * _COMMON_VALUES
        out += ["### Commonest values", text_table(header, body, right=[], widest=widest)]
    return out


def _overview(columns: Sequence[Mapping[str, Any]], rows: int) -> str:
    body = []
    for c in columns:
        ends = (value_text(v) for v in (c["min"], c["quantiles"].get("0.5"), c["max"]))
        body.append([c["name"], c["kind"], c.get("role") or "", _missing(c["missing"], rows), _distinct(c), *ends])
    header = ["column", "kind", "role", "missing", "distinct", "min", "median", "max"]
    return text_table(header, body, right=[3, 4, 5, 6, 7], widest=[18, 9, 13, 18, 11, 9, 9, 9])


def _measures(columns: Sequence[Mapping[str, Any]]) -> str:
    fields = ("mean", "std", "skewness", "kurtosis", "zeros", "negatives")
    body = [[c["name"], *(number(c.get(f)) for f in fields)] for c in columns]
    header = ["column", "mean", "std", "skewness", "exc. kurtosis", "zeros", "negative"]
    return text_table(header, body, right=[1, 2, 3, 4, 5, 6], widest=[22, 12, 12, 12, 13, 11, 11])


def _missing(count: int | None, rows: int) -> str:
    return f"{number(count)} ({share(count, rows)})" if count else number(count)


def _distinct(column: Mapping[str, Any]) -> str:
    if column["distinct"] is None:
        return ""
    return ("" if column["distinct_exact"] else "≈ ") + number(column["distinct"])


def _common(top: Sequence[Mapping[str, Any]], present: int) -> list[str]:
    said = []
    for entry in top[:_COMMON_VALUES]:
        part = f" ({share(entry['count'], present)})"
        said.append(cut(value_text(entry["value"]), _COMMON_WIDTH - len(part)) + part)
    return said + [""] * (_COMMON_VALUES - len(said))
