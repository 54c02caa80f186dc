"""A file or a frame into a published store with a source record."""

from __future__ import annotations

import importlib.metadata
import os
import time
from pathlib import Path
from typing import Any

from toolkit.core.digest import digest_value
from toolkit.core.errors import BadInputError, NotUtf8Error, UsageError
from toolkit.ingest.evidence import Decision
from toolkit.ingest.frame_source import WHAT, FrameSource
from toolkit.ingest.header_doubt import doubts_of_header
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
from toolkit.ingest.sources import SourceFiles, find_record, identity_of, record_name
from toolkit.readers.base import ReadOptions, Source
from toolkit.readers.find_encoding import find_encoding
from toolkit.readers.many import open_files
from toolkit.storage.appdata import AppData

_LIBRARIES = ("numpy", "pyarrow", "numcodecs")


def convert_file(
    files: SourceFiles,
    appdata: AppData,
    settings: dict[str, Any],
    *,
    workers: int | None = None,
    max_memory: int | None = None,
    progress: Progress | None = None,
    reuse: bool = True,
) -> dict[str, Any]:
    """Convert the files of one table and keep a record of them.

    An interrupted conversion of the same files with the same settings goes on where it was.

    Parameters
    ----------
    files : SourceFiles
        The source.
    appdata : AppData
        Where the store goes.
    settings : dict
        What decides on the store; see `toolkit.ingest.settings`.
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
    threads, memory = workers or default_workers(), max_memory or DEFAULT_MAX_MEMORY
    options = ReadOptions(
        part_bytes=part_bytes(memory, threads),
        quarantine=settings["on_bad_row"] == "quarantine",
        format={"table": settings["table"]} if settings["table"] else {},
    )
    with appdata.workspace(workspace_name(files, settings, options.part_bytes)) as work:
        # another process may have converted the same source while this one waited for the folder
        known = find_record(appdata.sources, files, settings) if reuse else None
        if known is not None and (appdata.stores / known["store"]).exists():
            return {**known, "path": str(appdata.stores / known["store"]), "reused": True}
        chosen = _typed_settings(settings, threads, memory)
        reader, source, converted, sha256 = _read(files, options, settings, appdata, work, chosen, progress or _silent)
    name = os.fsencode(Path(files.given).name).decode("utf-8", "replace")
    record = _record(converted, source, settings, settings["table"] or name)
    record |= {"reader": reader, "name": name, "size": files.size, "source_sha256": sha256}
    identity = identity_of(files.suffixes, sha256, settings)
    bad = write_quarantine(appdata, record["store"], identity[:8], converted.rejected)
    record |= {"quarantined": len(converted.rejected), "quarantine": bad.name if bad else ""}
    appdata.write_source_record(record_name(files.size, identity), record)
    return {**record, "path": str(converted.path), "reused": not converted.published}


def _read(
    files: SourceFiles,
    options: ReadOptions,
    settings: dict[str, Any],
    appdata: AppData,
    work: Path,
    chosen: ConvertSettings,
    progress: Progress,
) -> tuple[str, Source, Converted, str]:
    """Convert, in the encoding that is found when it turns out to be another than UTF-8."""

    def attempt(format_options: dict[str, Any]) -> tuple[str, Source, Converted, str]:
        reader, source = open_files(files.paths, options, format_options, settings["reader"])
        try:
            return reader.name, source, *_convert_unchanged(files, source, appdata, work, chosen, progress)
        finally:
            source.close()

    try:
        return attempt(settings["options"])
    except NotUtf8Error as error:
        encoding = _encoding_of(files, settings, error)
        reader, source, converted, sha256 = attempt({**settings["options"], "encoding": [encoding]})
        source.notes.append(f"not UTF-8 ({error.message}); read as {encoding}, found over the whole file")
        return reader, source, converted, sha256


def _encoding_of(files: SourceFiles, settings: dict[str, Any], error: NotUtf8Error) -> str:
    """The encoding of a file of which nobody said it, and which is not UTF-8; an error where it can't be told."""
    if "encoding" in settings["options"] or len(files.paths) > 1:
        raise error
    try:
        return find_encoding(files.paths[0])
    except BadInputError as unclear:
        raise BadInputError(f"{error.message}; {unclear.message}", unclear.remedy) from error


def _convert_unchanged(
    files: SourceFiles, source: Source, appdata: AppData, work: Path, settings: ConvertSettings, progress: Progress
) -> tuple[Converted, str]:
    """Convert a source and digest it; one that changes meanwhile is not published."""
    state, sha256 = files.state(), ""

    def confirm() -> None:
        nonlocal sha256
        sha256 = source.fingerprint()
        if files.state() != state:
            raise BadInputError(f"{files.given} was changed while it was read", "convert it when nothing writes to it")

    converted = convert_source(source, appdata, work, settings, progress, what=files.given, confirm=confirm)
    return converted, sha256


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
    UsageError
        When there are settings that only files have.
    """
    if settings["options"] or settings["table"] or settings["reader"]:
        raise UsageError(f"{WHAT} takes no options of a file's format, and has one table", "leave them out")
    threads = workers or default_workers()
    memory = max_memory or DEFAULT_MAX_MEMORY
    source = FrameSource(frame, part_bytes(memory, threads))
    chosen = _typed_settings(settings, threads, memory)
    with appdata.workspace() as work:
        converted = convert_source(source, appdata, work, chosen, _silent, what=WHAT)
    record = _record(converted, source, settings, WHAT)
    record |= {"reader": "frame", "name": WHAT, "size": 0, "source_sha256": "", "quarantined": 0, "quarantine": ""}
    # a frame has no bytes: it is told apart by what it holds and by the types that it has
    content = digest_value([record["key"], record["types"]])
    appdata.write_source_record(record_name(0, identity_of([], content, settings)), record)
    return converted.path


def _typed_settings(settings: dict[str, Any], workers: int, max_memory: int) -> ConvertSettings:
    return ConvertSettings(
        columns=tuple(settings["columns"]),
        declared=settings["types"],
        format=settings["format"],
        codec=settings["codec"],
        chunk_rows=settings["chunk_rows"],
        workers=workers,
        max_memory=max_memory,
    )


def _record(converted: Converted, source: Source, settings: dict[str, Any], table: str) -> dict[str, Any]:
    manifest = converted.manifest
    inferred = {c.name for c in source.columns if c.infer}
    blank = getattr(source, "blank", None)
    doubts = doubts_of_header([(name, d.kind) for name, _, d in converted.decisions if name in inferred])
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
        "notes": [*source.notes, *doubts, *(blank.notes() if blank else [])],
        "blank_lines": blank.count if blank else 0,
        "types": [_type_entry(source, settings, name, declared, d) for name, declared, d in converted.decisions],
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "converted_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _type_entry(
    source: Source, settings: dict[str, Any], name: str, declared: str, decision: Decision
) -> dict[str, Any]:
    """What the record says of a column: what its source and the person declared, what it became, and why."""
    labels = source.labels.of(name) if hasattr(source, "labels") else None
    return {
        "column": name,
        "declared": declared,
        **({"labels": labels} if labels is not None else {}),
        **({"said": dict(settings["types"][name])} if name in settings["types"] else {}),
        "kind": decision.kind,
        "why": decision.reason,
    }


def _silent(phase: str, done: int, total: int, rows: int) -> None:
    """No progress."""
