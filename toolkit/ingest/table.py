"""A file or a frame into a published store with a source record."""

from __future__ import annotations

import importlib.metadata
import os
import time
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError
from toolkit.ingest.frame_source import WHAT, FrameSource
from toolkit.ingest.marks import workspace_name
from toolkit.ingest.pipeline import (
    DEFAULT_MAX_MEMORY,
    Converted,
    ConvertSettings,
    Progress,
    convert_source,
    default_workers,
    part_bytes,
)
from toolkit.ingest.quarantine import write_quarantine
from toolkit.ingest.sources import find_record, identity_of, record_name
from toolkit.readers.base import HEAD_BYTES, ReadOptions, Source, find_reader
from toolkit.readers.byte_stream import read_head
from toolkit.storage.appdata import AppData

_LIBRARIES = ("numpy", "pyarrow", "numcodecs")


def convert_file(
    path: Path,
    appdata: AppData,
    settings: dict[str, Any],
    *,
    table: str = "",
    workers: int | None = None,
    max_memory: int | None = None,
    progress: Progress | None = None,
    reuse: bool = True,
) -> dict[str, Any]:
    """Convert one file and keep a record of it.

    An interrupted conversion of the same file with the same settings goes on where it was.

    Parameters
    ----------
    path : Path
        The source.
    appdata : AppData
        Where the store goes.
    settings : dict
        ``columns``, ``types``, ``format``, ``codec``, ``chunk_rows``, ``encoding``: what the content depends on.
    table : str
        Name of the table, for the record.
    workers, max_memory : int, optional
        Threads, and bytes for the whole process.
    progress : callable, optional
        See `toolkit.ingest.pipeline`.
    reuse : bool
        Whether a store that this source led to before will do.

    Returns
    -------
    dict
        The record, with ``path`` and ``reused``.
    """
    threads = workers or default_workers()
    memory = max_memory or DEFAULT_MAX_MEMORY
    state = _state_of(path)
    reader = find_reader(path, read_head(path, HEAD_BYTES))
    quarantine = settings["on_bad_row"] == "quarantine"
    options = ReadOptions(settings["encoding"], part_bytes(memory, threads), quarantine)
    with appdata.workspace(workspace_name(path, state, settings, options.part_bytes)) as work:
        # another process may have converted the same source while this one waited for the folder
        known = find_record(appdata.sources, path, settings) if reuse else None
        if known is not None and (appdata.stores / known["store"]).exists():
            return {**known, "path": str(appdata.stores / known["store"]), "reused": True}
        source = reader.open(path, options)
        try:
            chosen = _typed_settings(settings, threads, memory)
            return _convert_open(path, state, source, reader.name, appdata, work, chosen, settings, table, progress)
        finally:
            source.close()


def _convert_open(
    path: Path,
    state: tuple[int, int, int],
    source: Source,
    reader: str,
    appdata: AppData,
    work: Path,
    chosen: ConvertSettings,
    settings: dict[str, Any],
    table: str,
    progress: Progress | None,
) -> dict[str, Any]:
    sha256 = ""

    def confirm() -> None:
        nonlocal sha256
        sha256 = source.fingerprint()
        if _state_of(path) != state:
            raise BadInputError(f"{path} was changed while it was read", "convert it when nothing writes to it")

    converted = convert_source(source, appdata, work, chosen, progress or _silent, what=str(path), confirm=confirm)
    name = os.fsencode(path.name).decode("utf-8", "replace")
    record = _record(converted, source, settings, table or name)
    record |= {"reader": reader, "name": name, "size": state[0], "source_sha256": sha256}
    identity = identity_of(path, sha256, settings)
    bad = write_quarantine(appdata, record["store"], identity[:8], converted.rejected)
    record |= {"quarantined": len(converted.rejected), "quarantine": bad.name if bad else ""}
    appdata.write_source_record(record_name(state[0], identity), record)
    return {**record, "path": str(converted.path), "reused": not converted.published}


def convert_frame(
    frame: Any,
    appdata: AppData,
    settings: dict[str, Any],
    *,
    workers: int | None = None,
    max_memory: int | None = None,
) -> Path:
    """Convert anything that hands out an Arrow stream, such as a pandas or polars frame.

    Raises
    ------
    BadInputError
        When the object does not.
    """
    threads = workers or default_workers()
    memory = max_memory or DEFAULT_MAX_MEMORY
    source = FrameSource(frame, part_bytes(memory, threads))
    chosen = _typed_settings(settings, threads, memory)
    with appdata.workspace() as work:
        return convert_source(source, appdata, work, chosen, _silent, what=WHAT).path


def _state_of(path: Path) -> tuple[int, int, int]:
    """Size, time of the last change and inode: another state is another content."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise BadInputError(f"{path} can't be read: {reason}", "name a file to convert") from error
    return found.st_size, found.st_mtime_ns, found.st_ino


def _typed_settings(settings: dict[str, Any], workers: int, max_memory: int) -> ConvertSettings:
    return ConvertSettings(
        columns=tuple(settings["columns"]),
        types=tuple(sorted(settings["types"].items())),
        format=settings["format"],
        codec=settings["codec"],
        chunk_rows=settings["chunk_rows"],
        workers=workers,
        max_memory=max_memory,
    )


def _record(converted: Converted, source: Source, settings: dict[str, Any], table: str) -> dict[str, Any]:
    manifest = converted.manifest
    return {
        "store": converted.path.name,
        "key": manifest.key,
        "rows": manifest.rows,
        "columns": len(manifest.schema),
        "chunk_rows": manifest.chunk_rows,
        "data_hash": manifest.data_hash,
        "schema_hash": manifest.schema_hash,
        "table": table,
        "options": source.options,
        "settings": settings,
        "notes": source.notes,
        "types": [
            {"column": name, "declared": declared, "kind": d.kind, "why": d.reason}
            for name, declared, d in converted.decisions
        ],
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "converted_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _silent(phase: str, done: int, total: int, rows: int) -> None:
    """No progress."""
