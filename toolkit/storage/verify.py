"""Reading everything again: which chunks are damaged, and whether the digests of whole columns hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.core.errors import DamagedStoreError
from toolkit.core.schema import ColumnSpec
from toolkit.core.strings import StringBlock
from toolkit.storage.dataset import Dataset
from toolkit.storage.hash_tree import ColumnHasher


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written.

    Attributes
    ----------
    column : str
        Name of the column.
    chunk : int or None
        Number of the chunk; None for what concerns the whole column.
    first_row, last_row : int or None
        The rows of the chunk, both inclusive.
    problem : str
        What is wrong.
    """

    column: str
    chunk: int | None
    first_row: int | None
    last_row: int | None
    problem: str


def verify(dataset: Dataset, columns: Sequence[str] | None = None) -> Iterator[Damage]:
    """Read every chunk of every column and compare its bytes on disk and its content with their digests.

    Parameters
    ----------
    dataset : Dataset
        The store.
    columns : sequence of str, optional
        All by default.

    Yields
    ------
    Damage
        In the order of columns and chunks; none for a store that is intact.
    """
    unread = dataset.unread()
    for spec in dataset.schema.select(columns):
        yield from _verify_column(unread, spec)


def _verify_column(dataset: Dataset, spec: ColumnSpec) -> Iterator[Damage]:
    hasher, whole = ColumnHasher(), True
    for chunk in dataset.chunks([spec.name]):
        try:
            data = chunk.data(spec.name)
        except DamagedStoreError as error:
            whole = False
            yield Damage(spec.name, chunk.index, chunk.rows.start, chunk.rows.stop - 1, error.message)
            continue
        if isinstance(data.values, StringBlock):
            ends = np.cumsum(data.values.lengths.astype(np.int64) + 4)
            size = int(ends[-1]) if ends.size else 0
            hasher.add(data.values.payload[4 : 4 + size], data.valid, ends, len(chunk))
        else:
            hasher.add(data.values, data.valid)
    categories = ""
    if spec.encoding == "coded":
        try:
            dataset.categories(spec.name)
        except DamagedStoreError as error:
            whole = False
            yield Damage(spec.name, None, None, None, error.message)
        categories = dataset.manifest.digests.get(f"{spec.array}__categories", [""])[0]
    if whole and hasher.finish(spec, categories) != dataset.manifest.column_hashes[spec.name]:
        yield Damage(spec.name, None, None, None, "the digest of the whole column does not match its chunks")
