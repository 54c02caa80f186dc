"""What a store says of itself: schema, grid, digests."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.errors import BadInputError, DamagedStoreError
from toolkit.core.grid import ChunkGrid
from toolkit.core.schema import ColumnSpec, Schema

FORMAT_VERSION = 3
LEAF_ROWS = 65_536
"""Rows of a leaf of the hash tree behind data_hash, whatever chunk_rows is."""

_SEAL = "metadata_digest"
_UNSEALED = "0" * 64
_SEALED = re.compile(rb'"metadata_digest":"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class StoreManifest:
    """The root metadata of a store; nothing in it depends on where the table came from.

    Attributes
    ----------
    schema : Schema
        The columns.
    rows, chunk_rows : int
        The row grid.
    codec : str
        Name of the compression: ``lz4``, ``zstd`` or ``none``.
    column_hashes : dict of str to str
        Root of each column's hash tree, by column name.
    digests : dict of str to list of str
        Digest of the decoded content of every chunk, by array name; see `toolkit.storage.hash_tree`. Of text: of its
        values, each with its length before it as uint32, little-endian. Chunks are taken at their real number of rows,
        without padding.
    stored : dict of str to list of str
        XXH3-128 of every chunk as it is on disk, by array name; differs with the codec. Given by the storage backend.
    array_metadata : dict of str to str
        XXH3-128 of each array's own metadata, where the storage format keeps it as a file.
    """

    schema: Schema
    rows: int
    chunk_rows: int
    codec: str
    column_hashes: dict[str, str]
    digests: dict[str, list[str]]
    stored: dict[str, list[str]] = field(default_factory=dict)
    array_metadata: dict[str, str] = field(default_factory=dict)

    @property
    def grid(self) -> ChunkGrid:
        """The row grid."""
        return ChunkGrid(self.rows, self.chunk_rows)

    @property
    def schema_hash(self) -> str:
        """Digest over names, logical kinds, units and order."""
        return self.schema.schema_hash

    @property
    def data_hash(self) -> str:
        """Digest over the number of rows and every column's hash tree."""
        return digest_value([self.rows, [self.column_hashes[c.name] for c in self.schema]])

    @property
    def key(self) -> str:
        """Content key: digest of data_hash, schema_hash, chunk_rows, format version and roles, where there are any."""
        roles = {c.name: c.role for c in self.schema if c.role}
        return content_key(self.data_hash, self.schema_hash, self.chunk_rows, roles)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the root metadata."""
        return {
            "format_version": FORMAT_VERSION,
            "key": self.key,
            "rows": self.rows,
            "chunk_rows": self.chunk_rows,
            "codec": self.codec,
            "data_hash": self.data_hash,
            "schema_hash": self.schema_hash,
            "columns": [{**c.to_json(), "hash": self.column_hashes[c.name]} for c in self.schema],
            "digests": self.digests,
            "stored": self.stored,
            **({"array_metadata": self.array_metadata} if self.array_metadata else {}),
            _SEAL: _UNSEALED,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], where: str) -> StoreManifest:
        """Read root metadata, which is not trusted.

        Parameters
        ----------
        value : dict
            What `to_json` wrote.
        where : str
            The store's location, for errors.

        Raises
        ------
        BadInputError
            When the format is of another version.
        DamagedStoreError
            When it is not a store's metadata, or does not fit its own digests.
        """
        version = value.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise BadInputError(
                f"{where} has store format {version}; this version of the toolkit reads up to {FORMAT_VERSION}",
                "upgrade the toolkit",
            )
        if isinstance(version, int) and version < FORMAT_VERSION:
            raise BadInputError(
                f"{where} has store format {version}, which is not read any more", "convert the source again"
            )
        try:
            columns = [dict(c) for c in value["columns"]]
            hashes = {c["name"]: str(c.pop("hash")) for c in columns}
            manifest = cls(
                schema=Schema(tuple(ColumnSpec.from_json(c) for c in columns)),
                rows=int(value["rows"]),
                chunk_rows=int(value["chunk_rows"]),
                codec=str(value["codec"]),
                column_hashes=hashes,
                digests={str(k): list(v) for k, v in value["digests"].items()},
                stored={str(k): list(v) for k, v in value["stored"].items()},
                array_metadata={str(k): str(v) for k, v in value.get("array_metadata", {}).items()},
            )
            intact = manifest.key == value["key"] and manifest.data_hash == value["data_hash"]
        except (KeyError, TypeError, ValueError, AttributeError, BadInputError) as error:
            raise DamagedStoreError(
                f"{where}: the root metadata can't be read ({error})", "convert the source again"
            ) from error
        if not intact:
            raise DamagedStoreError(
                f"{where}: the root metadata does not match its own digests", "convert the source again"
            )
        return manifest


def content_key(data_hash: str, schema_hash: str, chunk_rows: int, roles: dict[str, str] | None = None) -> str:
    """The key under which a content is stored, 32 hexadecimal digits.

    Roles are part of it: statistics depend on them, and one table may be declared in several ways.
    """
    identity = [FORMAT_VERSION, data_hash, schema_hash, chunk_rows, *([roles] if roles else [])]
    return digest_value(identity)[:KEY_LENGTH]


def seal(text: str) -> bytes:
    """Root metadata as it is stored: with a digest of its own bytes in its field ``metadata_digest``.

    Parameters
    ----------
    text : str
        Canonical JSON that holds what `StoreManifest.to_json` gave.
    """
    data = text.encode("utf-8")
    return data.replace(_field(_UNSEALED), _field(hashlib.sha256(data).hexdigest()), 1)


def check_seal(data: bytes, where: str) -> None:
    """Check root metadata against the digest of its own bytes.

    Raises
    ------
    DamagedStoreError
        When the digest is another.
    BadInputError
        When there is none: it was not written by this toolkit, or by a version before there were seals.
    """
    found = _SEALED.search(data)
    if found is None and _SEAL.encode() not in data and _is_json(data):
        raise BadInputError(f"{where} is none of this toolkit's stores, or of a format before 2", "convert its source")
    unsealed = data[: found.start(1)] + _UNSEALED.encode() + data[found.end(1) :] if found else b""
    if found is None or hashlib.sha256(unsealed).hexdigest().encode() != found[1]:
        raise DamagedStoreError(
            f"{where}: the root metadata does not match its own digest: it is damaged", "convert the source again"
        )


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _field(digest: str) -> bytes:
    # a column's name can't be taken for it: in a JSON string the quotes are escaped
    return f'"{_SEAL}":"{digest}"'.encode()
