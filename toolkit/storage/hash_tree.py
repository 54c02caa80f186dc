"""Digests of one column: a tree over leaves of a fixed number of rows, whatever the chunks are."""

from __future__ import annotations

import hashlib
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
    ) -> None:
        """Add rows.

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
        """
        total = content.size if rows is None else rows
        done = 0
        while done < total:
            take = min(LEAF_ROWS - self._rows, total - done)
            if ends is None:
                piece = content[done : done + take]
            else:
                piece = content[int(ends[done - 1]) if done else 0 : int(ends[done + take - 1])]
            self._values.update(np.ascontiguousarray(piece).data)
            if valid is not None:
                self._valid.update(np.ascontiguousarray(valid[done : done + take]).data)
            self._rows += take
            done += take
            if self._rows == LEAF_ROWS:
                self._close_leaf()

    def finish(self, spec: ColumnSpec, categories: str = "") -> str:
        """Digest of the column: of its layout, its categories' digest and its tree's root; 64 hexadecimal digits."""
        if self._rows:
            self._close_leaf()
        root = merkle_root(self._leaves).hex()
        return digest_value([spec.encoding, spec.dtype, spec.nullable, categories, root])

    def _close_leaf(self) -> None:
        self._leaves.append(hashlib.sha256(self._values.digest() + self._valid.digest()).digest())
        self._begin()
