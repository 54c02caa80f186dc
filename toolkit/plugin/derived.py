"""What a transform writes its table with: checks the values and stages them, part by part, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import ColumnData
from toolkit.core.derived import LARGEST_PART, PART_ROWS, SOURCE_ROW, Declaration, DerivedColumn, part_name, words_name
from toolkit.core.encoding import encode
from toolkit.core.errors import UsageError
from toolkit.core.strings import StringBlock

_ENOUGH = 16 << 20
"""Bytes that are gathered before a part is written."""
_ABSENT = -1

Staged = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Coded:
    """Text as codes into its distinct values.

    Attributes
    ----------
    codes : ndarray of int, shape (rows,)
        Positions in ``words``; -1 where the value is missing.
    words : sequence of str or bytes
        The distinct values, in any order. Hand over the same object again and it is staged once.
    """

    codes: npt.NDArray[Any]
    words: Sequence[Any]


class DerivedTable:
    """A table that is being derived; see `toolkit.plugin.Context.derive`.

    Attributes
    ----------
    declaration : Declaration
        The columns, and what is staged so far.
    complete : bool
        Whether it was closed without an error.
    """

    def __init__(self, declaration: Declaration, scratch: Path, source_rows: int) -> None:
        self.declaration = declaration
        self.complete = False
        self._scratch = scratch
        self._source_rows = source_rows
        self._held: list[tuple[int, dict[str, Staged]]] = []
        self._held_bytes = 0
        self._words: dict[str, tuple[Any, int]] = {}

    def __enter__(self) -> DerivedTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        self._flush()
        if self.declaration.cuts and self.declaration.cuts[-1] == self.declaration.total:
            self.declaration = replace(self.declaration, cuts=self.declaration.cuts[:-1])
        self.declaration.check_cuts()
        if self.declaration.rows == "same" and self.declaration.made and self.declaration.total != self._source_rows:
            raise UsageError(
                f"the derived table has {self.declaration.total:,} rows, its parent {self._source_rows:,}",
                'a table with rows="same" has a row for every row of its parent',
            )
        if not self.declaration.total and self.declaration.made:
            raise UsageError("the derived table has no rows", "raise Skip where there is nothing to derive")
        self.complete = True

    def append(self, columns: Mapping[str, Any]) -> None:
        """Add rows.

        Parameters
        ----------
        columns : mapping
            For every column that is made, values of equally many rows. Numbers, booleans and times: an array, a masked
            array, or an array and one that says which values are present. Text: a list with None where missing,
            `Coded`, or a `StringBlock` with the array of presence. `chunk.data(name)` fits a column of the same kind.

        Raises
        ------
        UsageError
            When a column is absent, too many, of another length or of another kind.
        """
        made = {c.name: c for c in self.declaration.made}
        wrong = sorted(set(made) ^ set(columns))
        if wrong:
            problem = "is absent" if wrong[0] in made else "is none that the table makes"
            raise UsageError(
                f"column {wrong[0]!r} {problem}", f"append takes {', '.join(map(repr, made)) or 'nothing'}"
            )
        staged = {name: _staged(column, columns[name]) for name, column in made.items()}
        lengths = {name: _rows(s) for name, s in staged.items()}
        rows = next(iter(lengths.values()), 0)
        for name, length in lengths.items():
            if length != rows:
                raise UsageError(f"column {name!r} has {length:,} rows, {next(iter(lengths))!r} has {rows:,}")
        if rows:
            self._hold(rows, staged)

    def cut(self) -> None:
        """End a chunk here: plugins that run on the table get the rows that were appended since the last cut at once.

        For tables whose rows belong together in runs, such as events sorted by case. A chunk should hold about as many
        rows as a chunk of the parent, as every plugin has to hold one.
        """
        rows = self.declaration.total + sum(n for n, _ in self._held)
        if rows and rows != (self.declaration.cuts or (0,))[-1]:
            self.declaration = replace(self.declaration, cuts=(*self.declaration.cuts, rows))

    def _hold(self, rows: int, staged: dict[str, Staged]) -> None:
        for start in range(0, rows, PART_ROWS):
            piece = {name: _cut(s, start, min(start + PART_ROWS, rows)) for name, s in staged.items()}
            count = min(start + PART_ROWS, rows) - start
            if self._held and sum(n for n, _ in self._held) + count > PART_ROWS:
                self._flush()
            self._held.append((count, piece))
            self._held_bytes += sum(_size(s) for s in piece.values())
            if self._held_bytes >= _ENOUGH:
                self._flush()

    def _flush(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if held:
            names = [c.name for c in self.declaration.made]
            self._write(sum(n for n, _ in held), {n: self._joined(n, [piece[n] for _, piece in held]) for n in names})

    def _joined(self, name: str, pieces: list[Staged]) -> Staged:
        """Several pieces as one; coded ones that have different words become plain text."""
        words = [p.get("words") for p in pieces]
        if any(w is not words[0] for w in words):
            pieces = [_decoded(p) if p.get("words") is not None else p for p in pieces]
        keys = [k for k in pieces[0] if k not in ("valid", "words")]
        out: Staged = {k: np.concatenate([p[k] for p in pieces]) if len(pieces) > 1 else pieces[0][k] for k in keys}
        out["valid"] = _joined_valid(pieces)
        if "codes" in out:
            out["words"] = self._word_file(name, pieces[0]["words"])
        return out

    def _word_file(self, name: str, words: Any) -> int:
        known = self._words.get(name)
        if known is None or known[0] is not words:
            number = self.declaration.words
            self._store(words_name(number), encode(_text(list(words))))
            self.declaration = replace(self.declaration, words=number + 1)
            known = self._words[name] = (words, number)
        return known[1]

    def _write(self, rows: int, columns: dict[str, Staged]) -> None:
        body = encode({"rows": rows, "columns": [columns[c.name] for c in self.declaration.made]})
        if len(body) > LARGEST_PART:
            if rows == 1:
                raise UsageError(f"a row of the derived table has more than {LARGEST_PART:,} bytes, the limit")
            for start, stop in ((0, rows // 2), (rows // 2, rows)):
                self._write(stop - start, {name: _cut(s, start, stop) for name, s in columns.items()})
            return
        number = self.declaration.parts
        self._store(part_name(number), body)
        self.declaration = replace(self.declaration, parts=number + 1, total=self.declaration.total + rows)

    def _store(self, name: str, body: bytes) -> None:
        self._scratch.joinpath(name).write_bytes(body)


def _staged(column: DerivedColumn, given: Any) -> Staged:
    """Values in the form in which they are staged."""
    if isinstance(given, ColumnData):
        given = (given.values, given.valid)
    try:
        return _text_column(column, given) if column.is_text else _plain_column(column, given)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UsageError(f"column {column.name!r} can't hold what was appended: {error}", _FORMS) from error


_FORMS = f"see DerivedTable.append; {SOURCE_ROW!r} takes whole numbers"


def _plain_column(column: DerivedColumn, given: Any) -> Staged:
    values, valid = _parted(given)
    array = np.asarray(values)
    wanted = {"bool": "b", "int": "iu", "float": "iuf", "timestamp": "Mi", "date": "Mi", "time": "mi", "duration": "mi"}
    if array.ndim != 1 or array.dtype.kind not in wanted[column.kind]:
        raise TypeError(f"a {column.kind} column takes one dimension of another dtype than {array.dtype}")
    if array.dtype.kind in "mM":
        unit = "D" if column.kind == "date" else column.unit
        absent = np.isnat(array)
        exact = array.astype(f"{array.dtype.kind}8[{unit}]")
        if not np.array_equal(exact[~absent], array[~absent]):
            raise ValueError(f"the times have more places than the unit {unit} holds")
        if absent.any():
            valid = ~absent if valid is None else valid & ~absent
        array = exact.view(np.int64)
    if column.kind == "float" and array.dtype != np.float32:
        array = array.astype(np.float64)
    if column.kind in ("timestamp", "date", "time", "duration"):
        array = array.astype(np.int64)
    return {"values": array, "valid": _presence(valid, array.size)}


def _text_column(column: DerivedColumn, given: Any) -> Staged:
    if isinstance(given, Coded):
        codes = np.asarray(given.codes)
        if codes.dtype.kind not in "iu" or codes.ndim != 1:
            raise TypeError("codes are whole numbers")
        if codes.size and not (codes.min() >= _ABSENT and codes.max() < len(given.words)):
            raise ValueError(f"a code lies outside the {len(given.words):,} words")
        absent = codes == _ABSENT
        return {"codes": codes.astype(np.int32), "valid": ~absent if absent.any() else None, "words": given.words}
    values, valid = _parted(given)
    if isinstance(values, StringBlock):
        offsets, data = values.contiguous()
        lengths = np.diff(offsets).astype(np.uint32)
        return {"lengths": lengths, "data": data, "valid": _presence(valid, lengths.size)}
    out = _text(list(values))
    present = np.array([v is not None for v in values], bool)
    if valid is not None:
        present &= np.asarray(valid, bool)
    return {**out, "valid": None if present.all() else present}


def _parted(given: Any) -> tuple[Any, Any]:
    if isinstance(given, np.ma.MaskedArray):
        return given.data, ~np.ma.getmaskarray(given)
    return given if isinstance(given, tuple) else (given, None)


def _presence(valid: Any, rows: int) -> npt.NDArray[np.bool_] | None:
    if valid is None:
        return None
    found = np.asarray(valid)
    if found.dtype != bool or found.shape != (rows,):
        raise TypeError("which values are present is said by an array of bool, one for each value")
    return None if found.all() else found


def _text(values: list[Any]) -> Staged:
    octets = [b"" if v is None else v if isinstance(v, bytes) else v.encode() for v in values]
    lengths = np.fromiter(map(len, octets), np.int64, len(octets))
    if lengths.size and lengths.max() > LARGEST_PART:
        raise ValueError(f"a value has more than {LARGEST_PART:,} bytes")
    return {"lengths": lengths.astype(np.uint32), "data": np.frombuffer(b"".join(octets), np.uint8)}


def _rows(staged: Staged) -> int:
    return int(next(staged[k] for k in ("values", "codes", "lengths") if k in staged).size)


def _size(staged: Staged) -> int:
    return sum(v.nbytes for v in staged.values() if isinstance(v, np.ndarray))


def _cut(staged: Staged, start: int, stop: int) -> Staged:
    """Some rows of a column; text takes its bytes along."""
    out = dict(staged)
    for key in ("values", "codes", "lengths", "valid"):
        if staged.get(key) is not None:
            out[key] = staged[key][start:stop]
    if "data" in staged and (start or stop < staged["lengths"].size):
        first = int(staged["lengths"][:start].sum(dtype=np.int64))
        out["data"] = staged["data"][first : first + int(out["lengths"].sum(dtype=np.int64))]
    return out


def _decoded(staged: Staged) -> Staged:
    words = [*staged["words"], None]
    return {**_text([words[c] for c in staged["codes"].tolist()]), "valid": staged["valid"]}


def _joined_valid(pieces: list[Staged]) -> npt.NDArray[np.bool_] | None:
    if all(p["valid"] is None for p in pieces):
        return None
    return np.concatenate([np.ones(_rows(p), bool) if p["valid"] is None else p["valid"] for p in pieces])
