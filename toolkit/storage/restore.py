"""A store's columns in the Arrow types that their source declared, as far as every value fits them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.core.tables import arrow_type
from toolkit.storage.dataset import Dataset
from toolkit.storage.declared_types import DeclaredType

_KINDS = {
    "bool": pa.types.is_boolean,
    "int": pa.types.is_integer,
    "float": pa.types.is_floating,
    "decimal": pa.types.is_decimal,
    "timestamp": pa.types.is_timestamp,
    "date": pa.types.is_date,
    "time": pa.types.is_time,
    "duration": pa.types.is_duration,
}


class ExportColumn:
    """How one column is exported.

    Parameters
    ----------
    dataset : Dataset
        The store; it is scanned where only the values tell whether they fit.
    spec : ColumnSpec
        The column.
    declared : DeclaredType, optional
        What its source said of it.

    Attributes
    ----------
    field : pyarrow.Field
        Name, type and nullability.
    restored : bool
        Whether the type is the declared one.
    """

    def __init__(self, dataset: Dataset, spec: ColumnSpec, declared: DeclaredType | None) -> None:
        self._labels: pa.Array | None = None
        self.restored = declared is not None and self._fits(dataset, spec, declared)
        if declared is not None and self.restored:
            self.field = pa.field(spec.name, declared.type, declared.nullable)
        else:
            self._labels = None
            self.field = pa.field(spec.name, _stored_type(dataset, spec), spec.nullable)

    def cast(self, array: pa.Array) -> pa.Array:
        """A chunk of the column in the exported type.

        Raises
        ------
        pyarrow.ArrowInvalid
            When a value does not fit.
        """
        target = self.field.type
        if not pa.types.is_dictionary(target):
            return _cast(array, target)
        assert self._labels is not None
        plain = array.dictionary if pa.types.is_dictionary(array.type) else array
        # Arrow can't look up views of text
        sought = pa.string() if _is_of_kind(target.value_type, "string") else target.value_type
        places = pc.index_in(_cast(plain, sought), value_set=self._labels.cast(sought))
        if pa.types.is_dictionary(array.type):
            places = places.take(array.indices)
        if places.null_count != array.null_count:
            raise pa.ArrowInvalid("a value is not among the labels that the source declared")
        return pa.DictionaryArray.from_arrays(places.cast(target.index_type), self._labels, ordered=target.ordered)

    def _fits(self, dataset: Dataset, spec: ColumnSpec, declared: DeclaredType) -> bool:
        target = declared.type
        plain = target.value_type if pa.types.is_dictionary(target) else target
        if not _is_of_kind(plain, spec.kind) or (spec.nullable and not declared.nullable):
            return False
        if spec.kind == "float" and plain.bit_width < 8 * np.dtype(spec.dtype).itemsize and not _is_half(plain):
            return False
        self._labels = declared.labels
        self.field = pa.field(spec.name, target)
        if _always_fits(spec, target):
            return True
        try:
            for chunk in dataset.chunks([spec.name]):
                if _is_half(plain) and not _same(chunk.arrow().column(0), self.cast(chunk.arrow().column(0))):
                    return False
                self.cast(chunk.arrow().column(0))
        except (pa.ArrowException, NotImplementedError):
            return False
        return True


def export_columns(
    dataset: Dataset, names: Sequence[str] | None, declared: dict[str, DeclaredType]
) -> list[ExportColumn]:
    """How each column is exported."""
    return [ExportColumn(dataset, spec, declared.get(spec.name)) for spec in dataset.schema.select(names)]


def export_batches(dataset: Dataset, columns: Sequence[ExportColumn]) -> Iterator[pa.RecordBatch]:
    """The table chunk by chunk."""
    schema = pa.schema([c.field for c in columns])
    for chunk in dataset.chunks([c.field.name for c in columns]):
        yield _batch(chunk, columns, schema)


def _batch(chunk: Chunk, columns: Sequence[ExportColumn], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [c.cast(a) for c, a in zip(columns, chunk.arrow().columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(array: pa.Array, target: pa.DataType) -> pa.Array:
    if array.type == target:
        return array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), target)
    return array.cast(target)


def _is_of_kind(target: pa.DataType, kind: str) -> bool:
    if kind == "null":
        return True
    if kind == "string":
        return pa.types.is_string(target) or pa.types.is_large_string(target) or pa.types.is_string_view(target)
    if kind == "binary":
        return "binary" in str(target)
    return bool(_KINDS[kind](target))


def _always_fits(spec: ColumnSpec, target: pa.DataType) -> bool:
    """Whether a type holds all values of a column, whatever they are."""
    if spec.kind in ("int", "float") and not pa.types.is_dictionary(target):
        return np.can_cast(np.dtype(spec.dtype), np.dtype(target.to_pandas_dtype()), "safe")
    return spec.kind == "bool" and not pa.types.is_dictionary(target)


def _is_half(target: pa.DataType) -> bool:
    return bool(pa.types.is_float16(target))


def _same(wide: pa.Array, half: pa.Array) -> bool:
    """Whether 16-bit floats are what they were made of."""
    back = half.cast(wide.type).to_numpy(zero_copy_only=False)
    return bool(np.array_equal(back, wide.to_numpy(zero_copy_only=False), equal_nan=True))


def _stored_type(dataset: Dataset, spec: ColumnSpec) -> pa.DataType:
    """The type of the store's own values: dictionaries are taken apart, as few tools agree on them.

    Decimals, which the store keeps as text, become decimals again where their digits fit.
    """
    kind = arrow_type(spec)
    if spec.kind != "decimal":
        return kind.value_type if pa.types.is_dictionary(kind) else kind
    digits = 0
    for chunk in dataset.chunks([spec.name]):
        texts = [v for v in chunk[spec.name] if v]
        digits = max([digits, *(len(v.lstrip("-").replace(".", "")) for v in texts)])
    digits = max(digits, spec.scale, 1)
    if digits > 76:
        return pa.string()
    return pa.decimal128(digits, spec.scale) if digits <= 38 else pa.decimal256(digits, spec.scale)
