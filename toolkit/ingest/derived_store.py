"""From what a transform staged to a published store, through the same types, encoders and checks as any other table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.derived import SOURCE_ROW, Declaration, DerivedColumn, read_declaration
from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.errors import BadInputError
from toolkit.core.grid import ChunkGrid, default_chunk_rows
from toolkit.core.schema import Schema, array_names
from toolkit.ingest.buffers import numbers
from toolkit.ingest.encode import ColumnEncoder, EncodedColumn, manifest_of
from toolkit.ingest.evidence import decide
from toolkit.ingest.staged_table import StagedTable
from toolkit.ingest.staging import StagedPart, stage
from toolkit.storage.appdata import AppData
from toolkit.storage.backend import StoreWriter, backends
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.durable import naming_disk_errors
from toolkit.storage.layout import arrays_of
from toolkit.storage.manifest import StoreManifest
from toolkit.storage.transcribe import copy_column
from toolkit.storage.verify import verify


@dataclass(frozen=True, slots=True)
class Published:
    """A derived table in a store.

    Attributes
    ----------
    location : Path
        The store.
    manifest : StoreManifest
        Its root metadata.
    rows : str
        What its rows are: ``same``, ``reordered`` or ``new``.
    columns : list of dict
        ``name``, ``kind``, ``of``, ``how`` and ``kept`` of each of its columns.
    cuts : tuple of int
        See `toolkit.core.derived.Declaration`.
    """

    location: Path
    manifest: StoreManifest
    rows: str
    columns: list[dict[str, Any]]
    cuts: tuple[int, ...] = ()


def publish_derived(
    parent: Dataset, staged: Path, declared: Any, appdata: AppData, lineage: Mapping[str, Any]
) -> Published:
    """Encode a staged table into a store and publish it.

    Parameters
    ----------
    parent : Dataset
        The table that it is derived from.
    staged : Path
        Folder with the parts; not trusted.
    declared : Any
        What `Declaration.to_json` gave in the transform's process; not trusted.
    appdata : AppData
        Where the store goes, and the record of its lineage.
    lineage : mapping
        Which plugin made it: id, version, digest of its code, parameters, budget.

    Raises
    ------
    BadInputError
        When what was staged is not what was declared, or can't be a table.
    """
    declaration = read_declaration(declared)
    declaration.check(parent.schema)
    if not declaration.made and [c.name for c in declaration.columns] == parent.schema.names:
        # nothing is changed: the parent itself
        return Published(parent.location, parent.manifest, "same", _described(declaration, parent.schema))
    backend = next(b for b in backends.all().values() if b.recognises(parent.location))
    codec = parent.manifest.codec if parent.manifest.codec in backend.codecs else backend.codecs[0]
    with appdata.workspace() as work, naming_disk_errors("storing a derived table", work):
        parts = _stage_again(StagedTable(staged, declaration), declaration, work, parent.rows)
        grid = _grid(declaration, parts, parent)
        writer = backend.create(work / "store", codec, grid.chunk_rows, grid.rows)
        manifest = _encode(declaration, parts, parent, grid, writer, codec)
        described = _described(declaration, manifest.schema)
        if manifest.key == parent.key:
            return Published(parent.location, parent.manifest, declaration.rows, described, declaration.cuts)
        writer.finish(manifest)
        target = appdata.store_path(manifest.key, backend.name, codec)
        appdata.write_lineage(manifest.key, record_of(declaration, parent, manifest, target, lineage))
        _publish(appdata, work / "store", target)
    return Published(target, manifest, declaration.rows, described, declaration.cuts)


def _publish(appdata: AppData, built: Path, target: Path) -> None:
    """Publish a store; one of its name that is damaged makes way."""
    if target.exists() and problem_of(target):
        appdata.drop_store(target)
    appdata.publish(built, target)


def problem_of(location: Path, key: str = "") -> str:
    """What is wrong with a store, read whole; empty when it is intact.

    Parameters
    ----------
    location : Path
        The store.
    key : str
        The content key that it must have; any when empty.
    """
    try:
        with open_location(location) as dataset:
            if key and dataset.key != key:
                return f"it holds the table {dataset.key}"
            return next((d.problem for d in verify(dataset)), "")
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, it has to be made again
        return str(error)


def record_of(
    declaration: Declaration, parent: Dataset, manifest: StoreManifest, target: Path, lineage: Mapping[str, Any]
) -> dict[str, Any]:
    """The record of a derived table; nothing in it depends on time or machine.

    ``identity`` is over everything but ``store`` and ``made``, which says whether this brought the store into being.
    """
    content = {
        "derived": manifest.key,
        "parent": parent.key,
        "rows": declaration.rows,
        "columns": _described(declaration, manifest.schema),
        "cuts": list(declaration.cuts),
        "data_hash": manifest.data_hash,
        "schema_hash": manifest.schema_hash,
        **lineage,
    }
    identity = digest_value(content)[:KEY_LENGTH]
    return {**content, "identity": identity, "store": target.name, "made": not target.exists()}


def _described(declaration: Declaration, schema: Schema) -> list[dict[str, Any]]:
    return [
        {"name": c.name, "kind": s.kind, "of": list(c.of), "how": c.how, "kept": c.kept}
        for c, s in zip(declaration.columns, schema, strict=True)
    ]


def _stage_again(table: StagedTable, declaration: Declaration, work: Path, parent_rows: int) -> list[StagedPart]:
    """The parts, checked and typed, as the encoder reads them."""
    seen = np.zeros(parent_rows if declaration.rows == "reordered" else 0, bool)
    made = declaration.made
    parts = []
    for number in range(declaration.parts):
        rows, columns = table.part(number)
        for column, values in zip(made, columns, strict=True):
            if declaration.rows == "reordered" and column.name == SOURCE_ROW:
                _mark(seen, numbers(values.values) if values.kind == "int" else np.empty(0, np.int64), rows)
        parts.append(stage(columns, rows, work / f"part-{number:06d}.arrow"))
    total = sum(p.rows for p in parts)
    if total != declaration.total:
        raise BadInputError(f"{total:,} rows are staged of {declaration.total:,} that were declared")
    if made and not total:
        raise BadInputError("the derived table has no rows", "raise Skip where there is nothing to derive")
    if made and declaration.rows == "same" and total != parent_rows:
        raise BadInputError(f"the derived table has {total:,} rows, its parent {parent_rows:,}")
    return parts


def _mark(seen: npt.NDArray[np.bool_], rows: npt.NDArray[Any], count: int) -> None:
    """Take down which rows of the parent were used; each may be once."""
    if rows.size != count or rows.min() < 0 or rows.max() >= seen.size:
        raise BadInputError(f"{SOURCE_ROW} names a row that the parent does not have")
    if np.unique(rows).size != rows.size or seen[rows].any():
        raise BadInputError(f"{SOURCE_ROW} names a row of the parent twice")
    seen[rows] = True


def _grid(declaration: Declaration, parts: Sequence[StagedPart], parent: Dataset) -> ChunkGrid:
    if declaration.rows == "same":
        return parent.grid
    rows = sum(p.rows for p in parts)
    return ChunkGrid(rows, min(declaration.chunk_rows or default_chunk_rows(len(declaration.columns)), rows))


def _encode(
    declaration: Declaration,
    parts: Sequence[StagedPart],
    parent: Dataset,
    grid: ChunkGrid,
    writer: StoreWriter,
    codec: str,
) -> StoreManifest:
    position = {c.name: k for k, c in enumerate(declaration.made)}
    columns: list[EncodedColumn] = []
    for column, array in zip(declaration.columns, array_names([c.name for c in declaration.columns]), strict=True):
        if column.kept:
            columns.append(_copied(parent, column.name, array, writer))
        else:
            columns.append(_encoded(column, array, position[column.name], parts, grid, writer))
    return manifest_of(columns, grid, codec)


def _copied(parent: Dataset, name: str, array: str, writer: StoreWriter) -> EncodedColumn:
    """A column as its parent has it; its digests hold, as every chunk is checked against them on the way."""
    spec, manifest = parent.schema[name], parent.manifest
    target = replace(spec, array=array)
    copy_column(parent, spec, target, writer)
    names = zip(arrays_of(spec), arrays_of(target), strict=True)
    digests = {new.name: manifest.digests[old.name] for old, new in names}
    return EncodedColumn(target, manifest.column_hashes[name], digests)


def _encoded(
    column: DerivedColumn, array: str, position: int, parts: Sequence[StagedPart], grid: ChunkGrid, writer: StoreWriter
) -> EncodedColumn:
    decision = decide([p.evidence[position] for p in parts], inferred=False)
    if decision.kind not in (column.kind, "null"):
        raise BadInputError(
            f"column {column.name!r} of the derived table is declared as {column.kind}; its values together are "
            f"{decision.kind}: {decision.reason}"
        )
    return ColumnEncoder(column.name, array, position, decision, parts).encode(grid, writer)
