"""The columns of JSON objects: which keys there are at which depth, and what their values are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.core.errors import BadInputError
from toolkit.readers.base import MAX_COLUMNS, check_column_count
from toolkit.readers.mixed_values import EXACT_IN_DOUBLE, ISO_TIME, ColumnType, Mixture

if TYPE_CHECKING:
    import pyarrow as pa

_DEEPEST = 64
"""Objects at this depth are not taken apart."""


class Node:
    """All values of one key of one depth.

    Attributes
    ----------
    values : Mixture
        Those that are no objects; arrays count as ``json``.
    children : dict of str to Node
        Keys of those that are objects, in the order in which they first occur.
    objects : int
        Objects among the values.
    """

    __slots__ = ("children", "objects", "values")

    def __init__(self) -> None:
        self.values = Mixture()
        self.children: dict[str, Node] = {}
        self.objects = 0

    @property
    def nested(self) -> bool:
        """Whether it is taken apart: every value is an object, and a key was seen in one of them."""
        return bool(self.children) and not self.values.counts


@dataclass(frozen=True, slots=True)
class Leaf:
    """One column.

    Attributes
    ----------
    path : tuple of str
        Keys that lead to it.
    type : ColumnType
        Of its values.
    """

    path: tuple[str, ...]
    type: ColumnType

    @property
    def name(self) -> str:
        """The keys, joined with points."""
        return ".".join(self.path)


class Shape:
    """Grows with every block of objects that is added.

    Parameters
    ----------
    path : Path
        The file, for errors.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root = Node()
        self._nodes = 0
        self._schema: pa.Schema | None = None

    @property
    def width(self) -> int:
        """Keys so far, at all depths."""
        return self._nodes

    def add_object(self, record: dict[str, Any]) -> None:
        """Take note of an object, key by key."""
        self._schema = None
        self._add(self._root, record, 1)

    def _add(self, node: Node, record: dict[str, Any], depth: int) -> None:
        children = node.children
        node.objects += 1
        for key, value in record.items():
            child = children.get(key)
            if child is None:
                child = children[key] = Node()
                self._nodes += 1
                if self._nodes > MAX_COLUMNS:
                    # an object with ever new keys is a map, not a row
                    check_column_count(self._path, self._nodes)
            if type(value) is dict and depth < _DEEPEST:
                self._add(child, value, depth + 1)
            else:
                child.values.add(value)

    def schema(self) -> pa.Schema | None:
        """The types so far, for Arrow's parser; None where it has no type for a column."""
        if self._schema is None:
            fields = _fields(self._root)
            if fields is None:
                return None
            import pyarrow as pa

            self._schema = pa.schema(fields)
        return self._schema

    def add_table(self, table: pa.Table) -> bool:
        """Take note of objects that Arrow's parser has read by `schema`.

        Returns
        -------
        bool
            False, and nothing is taken note of, where the doubles read may have been integers that are no doubles.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = [(leaf, _column(table, leaf.path)) for leaf in self._root_leaves() if parser_takes(leaf.type)]
        for _, values in columns:
            if pa.types.is_floating(values.type) and _has_large(values):
                return False
        self._schema = None
        for leaf, values in columns:
            present = len(values) - values.null_count
            if not present:
                continue
            mixture = self._node(leaf.path).values
            # integers among doubles count as doubles: none of them is large
            kind = "float" if pa.types.is_floating(values.type) else next(iter(mixture.counts))
            mixture.counts[kind] = mixture.counts.get(kind, 0) + present
            if kind == "int":
                _add_integers(mixture, values)
            elif kind == "string" and mixture.times:
                mixture.times = bool(pc.all(pc.match_substring_regex(values, ISO_TIME)).as_py())
        return True

    def leaves(self) -> list[Leaf]:
        """The columns, in the order in which their keys first occur.

        Raises
        ------
        BadInputError
            When two have one name.
        """
        found = list(self._root_leaves())
        seen: dict[str, tuple[str, ...]] = {}
        for leaf in found:
            other = seen.setdefault(leaf.name, leaf.path)
            if other != leaf.path:
                raise BadInputError(
                    f"{self._path}: the keys {list(other)} and {list(leaf.path)} both lead to a column {leaf.name!r}",
                    "rename one of the keys",
                )
        return found

    def _root_leaves(self) -> Iterator[Leaf]:
        return _leaves(self._root, ())

    def _node(self, path: tuple[str, ...]) -> Node:
        node = self._root
        for key in path:
            node = node.children[key]
        return node


def _leaves(node: Node, path: tuple[str, ...]) -> Iterator[Leaf]:
    for key, child in node.children.items():
        here = (*path, key)
        if child.nested:
            yield from _leaves(child, here)
            continue
        mixture = child.values
        if child.objects:
            # objects beside other values, or objects without a key: kept whole, as text
            whole = Mixture()
            whole.counts = {**mixture.counts, "json": mixture.counts.get("json", 0) + child.objects}
            mixture = whole
        yield Leaf(here, mixture.decide(".".join(here)))


def _fields(node: Node) -> list[pa.Field] | None:
    """Arrow fields of a node's keys; None where one has values that Arrow's parser does not take."""
    import pyarrow as pa

    fields = []
    for key, child in node.children.items():
        if child.nested:
            inner = _fields(child)
            if inner is None:
                return None
            fields.append(pa.field(key, pa.struct(inner)))
            continue
        if child.objects and not child.children and not child.values.counts:
            fields.append(pa.field(key, pa.struct([])))
            continue
        kind = child.values.decide(key)
        if child.objects or not parser_takes(kind):
            return None
        fields.append(pa.field(key, kind.arrow))
    return fields


def parser_takes(kind: ColumnType) -> bool:
    """Whether Arrow's parser can read all values of a column as its type."""
    import pyarrow as pa

    return not pa.types.is_string(kind.arrow) or kind.declared == "string"


def _column(table: pa.Table, path: tuple[str, ...]) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    column = table.column(path[0])
    for key in path[1:]:
        column = pc.struct_field(column, key)
    return column


def _add_integers(mixture: Mixture, values: pa.ChunkedArray) -> None:
    import pyarrow.compute as pc

    bounds = pc.min_max(values)
    low, high = int(bounds["min"].as_py()), int(bounds["max"].as_py())
    if not mixture.exact or max(-low, high) <= EXACT_IN_DOUBLE:
        mixture.add_range(low, high)
        return
    for value in values.unique().to_pylist():
        if value is not None:
            mixture.add_range(int(value), int(value))


def _has_large(values: pa.ChunkedArray) -> bool:
    return any(bool((np.abs(chunk.to_numpy(zero_copy_only=False)) >= EXACT_IN_DOUBLE).any()) for chunk in values.chunks)
