"""Reading everything again: which chunks are damaged, and whether the digests of whole columns hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolkit.core.chunk import ColumnData
from toolkit.core.errors import DamagedStoreError
from toolkit.core.schema import ColumnSpec
from toolkit.core.strings import StringBlock, pack_values, vlen_ends
from toolkit.storage.dataset import Dataset
from toolkit.storage.hash_tree import ColumnHasher, content_digest


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
            found = _content_digests(hasher, spec, chunk.data(spec.name))
            _compare(dataset, found, chunk.index, f"column {spec.name!r}, chunk {chunk.index}")
        except DamagedStoreError as error:
            whole = False
            yield Damage(spec.name, chunk.index, chunk.rows.start, chunk.rows.stop - 1, error.message)
    categories = ""
    if spec.encoding == "coded":
        try:
            packed, lengths = pack_values(dataset.categories(spec.name)[:-1])
            categories = content_digest(packed[4:], vlen_ends(lengths))
            _compare(dataset, {f"{spec.array}__categories": categories}, 0, f"the categories of column {spec.name!r}")
        except DamagedStoreError as error:
            whole = False
            yield Damage(spec.name, None, None, None, error.message)
    if whole and hasher.finish(spec, categories) != dataset.manifest.column_hashes[spec.name]:
        yield Damage(spec.name, None, None, None, "the digest of the whole column does not match its chunks")


def _content_digests(hasher: ColumnHasher, spec: ColumnSpec, data: ColumnData) -> dict[str, str]:
    """Digests of what was decoded of a chunk, by array."""
    found = {}
    if isinstance(data.values, StringBlock):
        ends = vlen_ends(data.values.lengths)
        content = data.values.payload[4 : 4 + int(ends[-1])]
        found[spec.array], valid = hasher.add(content, data.valid, ends, ends.size)
        found[f"{spec.array}__lengths"] = content_digest(data.values.lengths)
    else:
        found[spec.array], valid = hasher.add(data.values, data.valid)
    return found if data.valid is None else {**found, f"{spec.array}__valid": valid}


def _compare(dataset: Dataset, found: dict[str, str], index: int, where: str) -> None:
    for name, digest in found.items():
        known = dataset.manifest.digests.get(name, [])
        if index >= len(known) or known[index] != digest:
            raise DamagedStoreError(f"{where} is not what was stored: its content does not match the digest of {name}")
