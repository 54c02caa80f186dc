"""JSON lines, plain or compressed: one object a line, its keys the columns.

A first pass over the file finds the keys and the kinds of their values. Arrow's parser makes it with the types known so
far; only blocks with something new, or something that this parser can't tell exactly, are looked at value by value.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, ReadOptions, Rejected, SourceColumn, check_column_count
from toolkit.readers.json_blocks import Block, read_blocks
from toolkit.readers.json_shape import Leaf, Shape, parser_takes
from toolkit.readers.mixed_values import to_arrow
from toolkit.readers.options import ENCODING, ReaderOption
from toolkit.readers.utf8_stream import Utf8Stream

if TYPE_CHECKING:
    import pyarrow as pa

_LOOKED_AT = 1 << 20
"""Bytes of a block of the first pass: what is new in one costs a slow look at no more than this."""

_BOM = codecs.BOM_UTF8


class JsonLinesReader:
    """JSON lines, and arrays of objects."""

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json", ".jsonlines")
    takes: ClassVar[tuple[ReaderOption, ...]] = (ENCODING,)

    def sniff(self, head: bytes) -> bool:
        """Whether the first line is a JSON object with a key."""
        line, _, _ = head.removeprefix(_BOM).lstrip().partition(b"\n")
        if not line.startswith(b"{"):
            return False
        try:
            first = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return isinstance(first, dict) and bool(first)

    def open(self, path: Path, options: ReadOptions) -> JsonLinesSource:
        """Open a file; see `toolkit.readers.base.Reader`."""
        return JsonLinesSource(path, options)


class JsonLinesSource:
    """One open file of JSON objects.

    Keys of nested objects become ``outer.inner``; arrays are kept as JSON text; a key that an object lacks is a missing
    value, as null is. A text column all of whose values are dates or times in ISO 8601 is given to the converter to
    be typed; other text stays text, whatever it looks like.
    """

    sparse: ClassVar[bool] = True
    """Of several files of one table, some may lack a column."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._encoding = options.encoding
        self._part_bytes = options.part_bytes
        self._quarantine = options.quarantine
        self._some_bad = False
        self._stream: Utf8Stream | None = None
        self._fingerprint = ""
        shape = Shape(path)
        records = 0
        for block in self._blocks(_LOOKED_AT, shape):
            records += self._look_at(block, shape)
        if not records:
            raise BadInputError(f"{path} has no records", "a table needs at least one JSON object on a line")
        self._leaves = shape.leaves()
        check_column_count(path, len(self._leaves))
        if not self._leaves:
            raise BadInputError(f"{path}: its objects have no keys", "a table needs at least one column")
        self.columns: Sequence[SourceColumn] = [
            SourceColumn(leaf.name, leaf.type.declared, leaf.type.infer) for leaf in self._leaves
        ]
        self.options: dict[str, Any] = {"encoding": self._found_encoding, "records": records}
        self.notes = [leaf.type.note for leaf in self._leaves if leaf.type.note]

    def parts(self) -> Iterator[Part]:
        """Blocks of whole lines."""
        for index, block in enumerate(self._blocks(self._part_bytes, None)):
            mark = f"{self._fingerprint}:{block.offset}:{len(block.data)}"
            yield Part(index, block, block.line, block.offset, mark)

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a block; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        block: Block = part.payload
        wanted = [self._leaves[i] for i in columns]
        names = [str(i) for i in columns]
        # where records are left out, columns that are not wanted decide, too, whether one is bad
        judged = self._leaves if self._some_bad else wanted
        if all(parser_takes(leaf.type) for leaf in judged):
            table = _read_fast(block.data, _schema_of(judged), others="error" if self._some_bad else "ignore")
            if table is not None and table.num_rows == block.lines:
                return pa.table([_column_of(table, leaf.path) for leaf in wanted], names)
        values: list[list[Any]] = [[] for _ in wanted]
        rejected: list[Rejected] = []
        for record in self._records(block, rejected):
            for out, leaf in zip(values, wanted, strict=True):
                out.append(_at(record, leaf.path))
        part.rejected = rejected
        return pa.table([to_arrow(v, leaf.type) for v, leaf in zip(values, wanted, strict=True)], names)

    def fingerprint(self) -> str:
        """SHA-256 of the file, after all parts were read."""
        return self._fingerprint

    def progress(self) -> tuple[int, int]:
        """Bytes read, bytes in all."""
        return (self._stream.source.consumed, self._stream.source.size) if self._stream else (1, 1)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _blocks(self, size: int, shape: Shape | None) -> Iterator[Block]:
        self.close()
        self._stream = stream = Utf8Stream(self._path, self._encoding)
        self._found_encoding = stream.encoding
        yield from read_blocks(self._path, stream, size, lambda: shape.width if shape else len(self._leaves))
        self._fingerprint = stream.source.sha256()
        self.close()

    def _look_at(self, block: Block, shape: Shape) -> int:
        """Add a block to what is known of the columns; how many records it has."""
        schema = shape.schema()
        if schema is not None:
            table = _read_fast(block.data, schema, others="error")
            if table is not None and table.num_rows == block.lines and shape.add_table(table):
                return block.lines
        count = 0
        rejected: list[Rejected] = []
        for record in self._records(block, rejected):
            shape.add_object(record)
            count += 1
        self._some_bad = self._some_bad or bool(rejected)
        return count

    def _records(self, block: Block, rejected: list[Rejected]) -> Iterator[dict[str, Any]]:
        """The objects of a block; bad records are added to ``rejected`` where a quarantine is asked for.

        Raises
        ------
        BadInputError
            At the first record that is not one whole JSON object, where none is.
        """
        halves = b"\\ud" in block.data or b"\\uD" in block.data
        for number, line in block.records():
            try:
                record = _DECODER.decode(line)
                if halves:
                    json.dumps(record, ensure_ascii=False).encode()
                if isinstance(record, dict):
                    yield record
                    continue
                problem, remedy = _no_object(record)
            except (ValueError, RecursionError) as error:
                problem, remedy = _explain(error)
            if not self._quarantine:
                raise BadInputError(f"{self._path}: {block.unit} {number:,}{problem}", remedy)
            rejected.append(Rejected(number, problem.lstrip(",: "), line.encode()))


def _no_object(value: Any) -> tuple[str, str]:
    name = _JSON_NAMES.get(type(value), "value")
    return f": a JSON {name} where an object is needed", 'every record must be an object such as {"name": 1}'


def _explain(error: ValueError | RecursionError) -> tuple[str, str]:
    """What is wrong with a record, and what to do about it."""
    if isinstance(error, json.JSONDecodeError):
        return (
            f", character {error.pos + 1:,}: {error.msg}",
            "each line must hold one whole JSON object: mend it, or write it again with: jq -c .",
        )
    if isinstance(error, UnicodeEncodeError):
        return ": half a surrogate pair, which is no character", "mend the escape"
    if isinstance(error, RecursionError):
        return ": nested too deeply", "flatten it before"
    if "digits" in str(error):
        return ": an integer of more than 4,300 digits", "write it as a string"
    return f": {error}", "mend that record"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} occurs twice in one object, and only one of its values could be kept")
    return record


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large for a double")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_double)
_JSON_NAMES: dict[type, str] = {
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "true or false",
    type(None): "null",
}


def _read_fast(data: bytes, schema: pa.Schema, *, others: str) -> pa.Table | None:
    """Arrow's parser; None where it does not take the block with these types."""
    import pyarrow as pa
    import pyarrow.json as pj

    if not len(schema):
        return None
    try:
        return pj.read_json(
            pa.BufferReader(data),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=others),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _schema_of(leaves: Sequence[Leaf]) -> pa.Schema:
    """A nested schema with just these columns."""
    import pyarrow as pa

    tree: dict[str, Any] = {}
    for leaf in leaves:
        branch = tree
        for key in leaf.path[:-1]:
            branch = branch.setdefault(key, {})
        branch[leaf.path[-1]] = leaf.type.arrow

    def fields(branch: dict[str, Any]) -> list[pa.Field]:
        return [pa.field(k, pa.struct(fields(v)) if isinstance(v, dict) else v) for k, v in branch.items()]

    return pa.schema(fields(tree))


def _column_of(table: pa.Table, path: tuple[str, ...]) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    column = table.column(path[0])
    for key in path[1:]:
        column = pc.struct_field(column, key)
    return column


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if type(record) is not dict:
            return None
        record = record.get(key)
    return record


PROVIDES = JsonLinesReader()
