"""Whether what was taken for the names of the columns looks like one more row."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.ingest.buffers import strings
from toolkit.ingest.text_types import infer

_ALIKE = {
    "bool": ("bool",),
    "int": ("int",),
    "decimal": ("int", "decimal"),
    "float": ("int", "float"),
    "date": ("date",),
    "timestamp": ("date", "timestamp"),
    "time": ("time",),
}


def doubts_of_header(columns: Sequence[tuple[str, str]]) -> list[str]:
    """Say so when the name of every column that is not text is a value of the column's own type.

    Parameters
    ----------
    columns : sequence of (str, str)
        Name and kind of each column whose type was inferred.

    Returns
    -------
    list of str
        One note, or none.

    Examples
    --------
    >>> doubts_of_header([("2020-01-01", "date"), ("Ann", "string"), ("7", "int")])
    ['the first line was taken for names of columns, but looks like a row (if so: --no-header): 2020-01-01, Ann, 7']
    >>> doubts_of_header([("id", "int"), ("2020", "int")])
    []
    """
    typed = [(name, _ALIKE[kind]) for name, kind in columns if kind in _ALIKE]
    if not typed or not all(infer(strings([name])).kind in alike for name, alike in typed):
        return []
    shown = ", ".join(name for name, _ in columns[:8])
    return [f"the first line was taken for names of columns, but looks like a row (if so: --no-header): {shown}"]
