"""Which arrays a column has in a store, the same for every storage backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.core.schema import ColumnSpec

Part = Literal["values", "valid", "lengths", "categories"]

LENGTHS_DTYPE = "<u4"


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One stored array.

    Attributes
    ----------
    name : str
        Its name in the store.
    part : str
        ``values``; ``valid`` (bool, true where a value is present); ``lengths`` (uint32, bytes of each long text
        value); ``categories`` (the sorted distinct values of coded text, not on the row grid).
    dtype : str
        NumPy dtype, or ``utf8`` or ``bytes``.
    """

    name: str
    part: Part
    dtype: str

    @property
    def is_text(self) -> bool:
        """Whether its chunks are variable-length values."""
        return self.dtype in ("utf8", "bytes")


def arrays_of(spec: ColumnSpec) -> list[ArraySpec]:
    """The arrays of one column: values first."""
    arrays = [ArraySpec(spec.array, "values", spec.dtype)]
    if spec.nullable:
        arrays.append(ArraySpec(f"{spec.array}__valid", "valid", "|b1"))
    if spec.encoding == "long":
        arrays.append(ArraySpec(f"{spec.array}__lengths", "lengths", LENGTHS_DTYPE))
    if spec.encoding == "coded":
        text = "bytes" if spec.kind == "binary" else "utf8"
        arrays.append(ArraySpec(f"{spec.array}__categories", "categories", text))
    return arrays


def array_of(spec: ColumnSpec, part: Part) -> ArraySpec:
    """One array of a column.

    Raises
    ------
    KeyError
        When the column has no such part.
    """
    for array in arrays_of(spec):
        if array.part == part:
            return array
    raise KeyError(f"column {spec.name!r} has no {part}")
