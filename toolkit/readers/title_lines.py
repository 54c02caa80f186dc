"""Lines above the names of the columns that were taken for them: titles, units, keys and values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from toolkit.core.errors import BadInputError

_NUMBER = re.compile(r"\s*[-+(]?[$€£]?\d[\d.,:/\s-]*(?:[eE][-+]?\d+)?[%)]?\s*\Z")
_FEWEST_ROWS = 2


def check_names(names: Sequence[str], below: Sequence[tuple[int, Sequence[str]]], path: Path, line: int) -> list[str]:
    """Refuse a title in the place of the names, and say so where a line below looks more like names than they do.

    Parameters
    ----------
    names : sequence of str
        Fields of the first record as they are written.
    below : sequence of (int, sequence of str)
        Line and fields of the next few records.
    path : Path
        The file, for an error.
    line : int
        The line of the names.

    Returns
    -------
    list of str
        One note, or none.

    Raises
    ------
    BadInputError
        When, from the first name on, no fewer columns with values are without a name than have one: ``Sales,,`` above
        three columns. Columns before the first name are what other tools write of their row labels.

    Examples
    --------
    >>> check_names(["time", "mass"], [(2, ["s", "kg"]), (3, ["1", "2"]), (4, ["2", "3"])], Path("t.csv"), 1)
    ['line 2 may hold the names of the columns: below it, column 1 has nothing but numbers']
    >>> check_names(["", "mass"], [(2, ["a", "1"]), (3, ["b", "2"]), (4, ["c", "3"])], Path("t.csv"), 1)
    []
    """
    rows = [(number, row) for number, row in below if len(row) == len(names)]
    named = [k for k, name in enumerate(names) if name.strip()]
    unnamed = [k for k, name in enumerate(names) if named and k > named[0] and not name.strip()]
    filled = [k for k in unnamed if any(row[k].strip() for _, row in rows)]
    if filled and len(filled) >= len(named):
        raise BadInputError(
            f"{path}: line {line}: {len(filled)} of {len(names)} columns with values have no name there",
            "is it a title? remove the lines above the names of the columns, or give every column a name",
        )
    for k in range(len(names) if len(names) > 1 else 0):
        other = [i for i, (_, row) in enumerate(rows) if not _NUMBER.match(row[k])]
        if not other or len(rows) - other[-1] <= _FEWEST_ROWS:
            continue
        number, last = rows[other[-1]]
        if all(f.strip() and not _NUMBER.match(f) for f in last) and len(set(last)) == len(last):
            what = f"column {k + 1} has nothing but numbers"
            return [f"line {number} may hold the names of the columns: below it, {what}"]
    return []


def check_width(width: int, below: Sequence[tuple[int, Sequence[str]]], path: Path) -> None:
    """Refuse a first line whose number of fields is not that of most others: setting those aside would lose the table.

    Parameters
    ----------
    width : int
        Fields of the first record.
    below : sequence of (int, sequence of str)
        Line and fields of the next few records.
    path : Path
        The file, for the error.

    Raises
    ------
    BadInputError
        Naming the first line of the other width.
    """
    widths = Counter(len(row) for _, row in below if any(row))
    common, count = widths.most_common(1)[0] if widths else (width, 0)
    if common == width or count < _FEWEST_ROWS or 2 * count <= widths.total():
        return
    line = next(number for number, row in below if len(row) == common)
    raise BadInputError(
        f"{path}: line {line}: this and most of the next records have {common} fields, where the header has {width}",
        "is the first line a title or a comment? the names of the columns belong there",
    )
