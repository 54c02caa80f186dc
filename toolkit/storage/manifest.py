"""What a store says of itself: schema, grid, digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.errors import BadInputError, DamagedStoreError
from toolkit.core.grid import ChunkGrid
from toolkit.core.schema import ColumnSpec, Schema

FORMAT_VERSION = 1
LEAF_ROWS = 65_536
"""Rows of a leaf of the hash tree behind data_hash, whatever chunk_rows is."""


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
        SHA-256 of the decoded content of every chunk, by array name. Of text: of its values, each with its length
        before it as uint32, little-endian. Chunks are taken at their real number of rows, without padding.
    """

    schema: Schema
    rows: int
    chunk_rows: int
    codec: str
    column_hashes: dict[str, str]
    digests: dict[str, list[str]]

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
        """Content key: digest of data_hash, schema_hash, chunk_rows and format version."""
        return content_key(self.data_hash, self.schema_hash, self.chunk_rows)

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


def content_key(data_hash: str, schema_hash: str, chunk_rows: int) -> str:
    """The key under which a content is stored, 32 hexadecimal digits."""
    return digest_value([FORMAT_VERSION, data_hash, schema_hash, chunk_rows])[:KEY_LENGTH]
