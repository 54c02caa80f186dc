"""Tables that transforms derive from others: their declaration, and the form in which their rows are staged.

A transform's process stages what it makes in a folder of its own, as part files and word files. A part file holds up
to `PART_ROWS` rows: a tree of `toolkit.core.encoding` with the number of ``rows`` and, for every column that is made,
a few arrays. Of numbers and times: ``values`` and ``valid``. Of text: ``lengths`` (bytes of each value), ``data`` (the
bytes) and ``valid``; or, where a column has few distinct values, ``codes`` (-1 where missing) and the number of the
word file that they point into, which has ``lengths`` and ``data``. ``valid`` is None where nothing is missing. Nothing
in a folder is trusted when it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from toolkit.core.errors import BadInputError
from toolkit.core.schema import KINDS, TEXT_KINDS, Schema

Rows = Literal["same", "reordered", "new"]

SOURCE_ROW = "source_row"
"""Column of a reordered table that says of which row of its parent each of its rows is made."""
PART_ROWS = 262_144
LARGEST_PART = 1 << 28
"""Bytes of a part file or word file, at most."""
LONGEST_CHUNK = 8 * PART_ROWS
"""Rows of a chunk that is cut by a transform, at most."""
MOST_PARTS = 1_000_000
TIMES = {"timestamp": ("s", "ms", "us", "ns"), "time": ("s", "ms", "us", "ns"), "duration": ("s", "ms", "us", "ns")}
_MOST_COLUMNS = 20_000
_LONGEST = 4096
_MOST_CHUNK_ROWS = 1 << 26


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """A column of a derived table; made by `keep` and `make`.

    Attributes
    ----------
    name : str
        Its name.
    kind : str
        Its logical kind; empty for a column that is kept as it is.
    of : tuple of str
        Columns of the parent from which it is made.
    how : str
        What was done, in a few words.
    unit, timezone : str
        Of times; see `toolkit.core.schema.ColumnSpec`.
    """

    name: str
    kind: str = ""
    of: tuple[str, ...] = ()
    how: str = ""
    unit: str = ""
    timezone: str = ""

    @property
    def kept(self) -> bool:
        """Whether it is the parent's own column."""
        return not self.kind

    @property
    def is_text(self) -> bool:
        """Whether its values are staged as bytes."""
        return self.kind in TEXT_KINDS


def keep(name: str) -> DerivedColumn:
    """A column that is taken over from the parent, value by value; its rows need not be staged."""
    return DerivedColumn(name, of=(name,), how="kept")


def make(
    name: str, kind: str, of: Sequence[str] = (), how: str = "", unit: str = "", timezone: str = ""
) -> DerivedColumn:
    """A column whose values the transform stages.

    Parameters
    ----------
    name, kind : str
        Its name and logical kind, such as ``"float"``.
    of : sequence of str
        Columns of the parent from which it is made.
    how : str
        What was done, in a few words; stands in the lineage.
    unit : str
        Of timestamps, times and durations: ``s``, ``ms``, ``us`` or ``ns``; microseconds when empty.
    timezone : str
        ``"UTC"`` for instants.
    """
    return DerivedColumn(name, kind, tuple(of), how, unit or ("us" if kind in TIMES else ""), timezone)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a transform says of the table that it derives.

    Attributes
    ----------
    columns : tuple of DerivedColumn
        In the order of the table.
    rows : str
        ``same``: row i is made of the parent's row i; ``reordered``: each row is made of one row of the parent, and
        the column ``source_row`` says of which; ``new``: rows stand for something else.
    chunk_rows : int
        Rows of a chunk; 0 for those of the parent where rows are the same, else the default.
    parts, words, total : int
        Part files, word files and rows that were staged.
    cuts : tuple of int
        Rows at which chunks begin, besides row 0, for plugins that run on the table; empty for chunks of one length.
        Of the store itself they are no part.
    """

    columns: tuple[DerivedColumn, ...]
    rows: Rows = "same"
    chunk_rows: int = 0
    parts: int = 0
    words: int = 0
    total: int = 0
    cuts: tuple[int, ...] = ()

    @property
    def made(self) -> list[DerivedColumn]:
        """The columns whose values are staged."""
        return [c for c in self.columns if not c.kept]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        columns = [{**asdict(c), "of": list(c.of)} for c in self.columns]
        return {**asdict(self), "columns": columns, "cuts": list(self.cuts)}

    def check(self, parent: Schema) -> None:
        """Check that it can be a table derived from a parent.

        Raises
        ------
        BadInputError
            Says what is wrong.
        """
        if self.rows not in get_args(Rows):
            raise BadInputError(f"rows can't be {self.rows!r}", f"known: {', '.join(get_args(Rows))}")
        if not 1 <= len(self.columns) <= _MOST_COLUMNS:
            raise BadInputError(f"a derived table has 1 to {_MOST_COLUMNS:,} columns, not {len(self.columns):,}")
        if not 0 <= self.chunk_rows <= _MOST_CHUNK_ROWS:
            raise BadInputError(f"chunk_rows is {self.chunk_rows}; at most {_MOST_CHUNK_ROWS:,} are possible")
        names = [c.name for c in self.columns]
        if len(set(names)) < len(names):
            repeated = next(name for name, count in Counter(names).items() if count > 1)
            raise BadInputError(f"two columns of the derived table have the name {repeated!r}")
        for column in self.columns:
            _check_column(column, parent, self.rows)
        self.check_cuts()
        if self.rows == "reordered" and (SOURCE_ROW not in names or self.column(SOURCE_ROW).kind != "int"):
            raise BadInputError(f"a reordered table has a column {SOURCE_ROW!r} of kind int")

    def check_cuts(self) -> None:
        """Check that a table may be cut, and that no chunk would be too long to hold.

        Raises
        ------
        BadInputError
            When it has the rows of its parent, and so its chunks; or when a chunk is too long.
        """
        if self.cuts and self.rows == "same":
            raise BadInputError("a table with the same rows has the chunks of its parent", "leave cut() out")
        longest = max((b - a for a, b in pairwise((0, *self.cuts, self.total))), default=0)
        if self.cuts and longest > LONGEST_CHUNK:
            raise BadInputError(
                f"a chunk of the derived table has {longest:,} rows; at most {LONGEST_CHUNK:,} are possible",
                "cut it more often, or raise Skip and say which rows belong together",
            )

    def column(self, name: str) -> DerivedColumn:
        """The column of a name."""
        return next(c for c in self.columns if c.name == name)


def _check_column(column: DerivedColumn, parent: Schema, rows: str) -> None:
    named = f"column {column.name!r} of the derived table"
    if not column.name or len(column.name) > _LONGEST or len(column.how) > _LONGEST or not _is_text(column.name):
        raise BadInputError(f"{named} has a name or a description that is empty or too long")
    for name in column.of:
        if name not in parent:
            raise BadInputError(f"{named} is made of {name!r}, which its parent does not have")
    if column.kept:
        if column.of != (column.name,) or rows != "same":
            raise BadInputError(
                f"{named} can't be kept", "only a table with the same rows keeps columns, by their names"
            )
    elif column.kind not in KINDS or column.kind == "null":
        raise BadInputError(
            f"{named} has the kind {column.kind!r}", f"known: {', '.join(k for k in KINDS if k != 'null')}"
        )
    units = TIMES.get(column.kind, ("",))
    if column.unit not in units or column.timezone not in (("", "UTC") if column.kind == "timestamp" else ("",)):
        raise BadInputError(f"{named} can't have the unit {column.unit!r} and the time zone {column.timezone!r}")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_declaration(value: Any) -> Declaration:
    """Read what `Declaration.to_json` wrote, which is not trusted.

    Raises
    ------
    BadInputError
        When it is none.
    """
    try:
        columns = tuple(_read_column(c) for c in value["columns"])
        cuts = tuple(value["cuts"])
        counts = {name: value[name] for name in ("chunk_rows", "parts", "words", "total")}
        sound = all(type(n) is int and 0 <= n < 1 << 62 for n in counts.values()) and isinstance(value["rows"], str)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"a derived table's declaration can't be read: {error}") from error
    ends = (*cuts, counts["total"])
    sound = sound and all(type(c) is int and 0 < c < end for c, end in zip(cuts, ends[1:], strict=True))
    if not sound or counts["parts"] > MOST_PARTS or counts["words"] > MOST_PARTS:
        raise BadInputError("a derived table's declaration has numbers that can't be right")
    return Declaration(columns, value["rows"], **counts, cuts=cuts)


def _read_column(value: Mapping[str, Any]) -> DerivedColumn:
    texts = {name: value[name] for name in ("name", "kind", "how", "unit", "timezone")}
    of = tuple(value["of"])
    if not all(isinstance(t, str) for t in (*texts.values(), *of)):
        raise TypeError("a column's description holds something that is no text")
    return DerivedColumn(of=of, **texts)


def part_name(number: int) -> str:
    """Name of a part file."""
    return f"part-{number:06d}.tks"


def words_name(number: int) -> str:
    """Name of a word file."""
    return f"words-{number:06d}.tks"
