"""Digests of one column's content: of each chunk, and a tree over leaves of a fixed number of rows for the whole.

A chunk's digest is over the digests of its pieces of 65,536 rows. Where chunks begin where leaves do, as they do by
default, these are the leaves' parts: the content is digested once for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.digest import digest_value, merkle_root
from toolkit.core.schema import ColumnSpec
from toolkit.storage.manifest import LEAF_ROWS


class ColumnHasher:
    """Fed with a column's content in row order, in runs of any length.

    A leaf is the digest of two digests: of the values' bytes and of the validity's. Text counts as its values, each
    with its length before it.
    """

    def __init__(self) -> None:
        self._leaves: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        self._rows = 0
        self._values = hashlib.sha256()
        self._valid = hashlib.sha256()

    def add(
        self,
        content: npt.NDArray[Any],
        valid: npt.NDArray[np.bool_] | None,
        ends: npt.NDArray[np.int64] | None = None,
        rows: int | None = None,
    ) -> tuple[str, str]:
        """Add the rows of a chunk.

        Parameters
        ----------
        content : ndarray
            Stored values, shape (rows,), or the bytes of text values with their lengths.
        valid : ndarray of bool or None
            Shape (rows,); None where all are present.
        ends : ndarray of int64, optional
            For text: where in ``content`` each value ends.
        rows : int, optional
            Number of rows; by default the length of ``content``.

        Returns
        -------
        (str, str)
            Digests of the chunk's content and of its validity; the second means nothing where there is none.
        """
        total = content.size if rows is None else rows
        aligned, done = not self._rows, 0
        pieces: tuple[list[bytes], list[bytes]] = ([], [])
        while done < total:
            take = min(LEAF_ROWS - self._rows, total - done)
            if ends is None:
                piece = content[done : done + take]
            else:
                piece = content[int(ends[done - 1]) if done else 0 : int(ends[done + take - 1])]
            self._values.update(np.ascontiguousarray(piece).data)
            if valid is not None:
                self._valid.update(np.ascontiguousarray(valid[done : done + take]).data)
            if aligned:
                pieces[0].append(self._values.digest())
                pieces[1].append(self._valid.digest())
            self._rows += take
            done += take
            if self._rows == LEAF_ROWS:
                self._close_leaf()
        if aligned:
            return _of_pieces(pieces[0]), _of_pieces(pieces[1])
        return content_digest(content, ends), "" if valid is None else content_digest(valid)

    def finish(self, spec: ColumnSpec, categories: str = "") -> str:
        """Digest of the column: of its layout, its categories' digest and its tree's root; 64 hexadecimal digits."""
        if self._rows:
            self._close_leaf()
        root = merkle_root(self._leaves).hex()
        return digest_value([spec.encoding, spec.dtype, spec.nullable, categories, root])

    def _close_leaf(self) -> None:
        self._leaves.append(hashlib.sha256(self._values.digest() + self._valid.digest()).digest())
        self._begin()


def content_digest(content: npt.NDArray[Any], ends: npt.NDArray[np.int64] | None = None) -> str:
    """Digest of a chunk's content: over the digests of its pieces of `LEAF_ROWS` rows.

    Parameters
    ----------
    content : ndarray
        Stored values, or the bytes of text values with their lengths.
    ends : ndarray of int64, optional
        For text: where in ``content`` each value ends.
    """
    return _of_pieces(hashlib.sha256(np.ascontiguousarray(p).data).digest() for p in _pieces(content, ends))


def _pieces(content: npt.NDArray[Any], ends: npt.NDArray[np.int64] | None) -> Iterator[npt.NDArray[Any]]:
    total = content.size if ends is None else ends.size
    for start in range(0, total, LEAF_ROWS):
        stop = min(start + LEAF_ROWS, total)
        if ends is None:
            yield content[start:stop]
        else:
            yield content[int(ends[start - 1]) if start else 0 : int(ends[stop - 1])]


def _of_pieces(digests: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(digests)).hexdigest()
