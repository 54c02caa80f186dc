"""SHA-256 digests of files, values and sequences of digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json

KEY_LENGTH = 32
"""Hexadecimal digits of a content key (128 bits)."""

_BLOCK = 1 << 22


def digest_value(value: Any) -> str:
    """Digest a tree of plain values through its canonical JSON.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def digest_file(path: Path) -> str:
    """Digest a file's bytes, reading it in blocks."""
    state = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """Root of a binary hash tree; an odd node is carried up unchanged.

    Leaves and inner nodes are hashed with different prefixes (0x00, 0x01), as in RFC 6962, so that an inner node can't
    be presented as a leaf.

    Parameters
    ----------
    leaves : iterable of bytes
        Digests of the leaves, in order.

    Returns
    -------
    bytes
        32 bytes; the digest of nothing when there is no leaf.
    """
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        paired = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]
