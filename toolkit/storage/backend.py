"""The protocol that a storage backend implements, and the registry in which backends are found."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import xxhash

from toolkit.core.errors import DamagedStoreError
from toolkit.core.registry import Registry
from toolkit.storage.layout import ArraySpec
from toolkit.storage.manifest import StoreManifest


class StoreWriter(Protocol):
    """Writes one store into a folder that nobody else sees yet.

    Attributes
    ----------
    sequential : bool
        Whether what is written depends on the order of the calls; then columns are written one after the other.
    """

    sequential: bool

    def write_chunk(self, array: ArraySpec, index: int, values: npt.NDArray[Any]) -> None:
        """Write one chunk of one array; may be called from several threads, for different chunks.

        Parameters
        ----------
        array : ArraySpec
            Which array.
        index : int
            Number of the chunk; 0 for categories, which have one.
        values : ndarray
            Shape (rows of the chunk,), of the array's dtype; for text the ``vlen-utf8`` buffer (uint8) of its values.
        """

    def finish(self, manifest: StoreManifest) -> StoreManifest:
        """Write the metadata and flush everything to disk; the store is complete after it.

        Returns
        -------
        StoreManifest
            With the digests of what is on disk, which only the writer knows.
        """


class StoreReader(Protocol):
    """Reads one store; used by one thread at a time."""

    manifest: StoreManifest

    def read_chunk(
        self, array: ArraySpec, index: int, rows: int, nbytes: int, digest: str | None = None
    ) -> npt.NDArray[Any]:
        """Read one chunk.

        Parameters
        ----------
        array : ArraySpec
            Which array.
        index : int
            Number of the chunk.
        rows : int
            Its real number of rows.
        nbytes : int
            For text the exact size of its ``vlen-utf8`` buffer for those rows, or the largest that is accepted where
            the lengths are not known (categories); not used for other arrays.
        digest : str, optional
            `stored_digest` that its bytes on disk must have, checked before any of them is decoded. The metadata that
            the format keeps beside the array is checked with it.

        Returns
        -------
        ndarray
            Read-only, shape (rows,); for text the buffer, shape (at least nbytes,).

        Raises
        ------
        DamagedStoreError
            When the chunk is absent, cut short, of another size than it must be, or does not match the digest.
        """

    def stored_bytes(self, array: ArraySpec) -> int:
        """Bytes that an array takes on disk."""

    def close(self) -> None:
        """Let go of files."""


@runtime_checkable
class StoreBackend(Protocol):
    """One store format.

    Attributes
    ----------
    name, suffix : str
        The format's name, and what its stores' names end in.
    codecs : tuple of str
        Compressions that it offers, the default first.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    codecs: ClassVar[tuple[str, ...]]

    def create(self, location: Path, codec: str, chunk_rows: int, rows: int) -> StoreWriter:
        """Begin a store at a location that does not exist yet."""

    def open(self, location: Path) -> StoreReader:
        """Open a complete store."""

    def recognises(self, location: Path) -> bool:
        """Whether a location looks like a store of this format."""


backends: Registry[StoreBackend] = Registry("store format", group="toolkit.stores")


def check_rows(values: npt.NDArray[Any], dtype: str) -> npt.NDArray[Any]:
    """Chunk values in the byte order and layout in which they are stored."""
    return np.ascontiguousarray(values, np.dtype(dtype))


def stored_digest(pieces: Iterable[bytes | mmap.mmap]) -> str:
    """Digest of bytes as they are on disk, given in pieces: XXH3-128, 32 hexadecimal digits.

    It is there to find damage, each time that a chunk is read; who wants to forge a store can write its metadata anew
    as well. What a table is known by, the digests of its content, are SHA-256.
    """
    found = xxhash.xxh3_128()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def check_stored(pieces: Iterable[bytes | mmap.mmap], digest: str, what: str) -> None:
    """Compare bytes as they are on disk, given in pieces, with their digest.

    Raises
    ------
    DamagedStoreError
        When it is another.
    """
    if stored_digest(pieces) != digest:
        raise DamagedStoreError(f"the bytes of {what} on disk do not match their digest")
