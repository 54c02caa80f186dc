"""Conversion: stage the source's parts, decide the types over all rows, encode column by column, publish.

Threads do the work: parsing, casting, hashing and compressing all let go of the interpreter's lock. What comes out
depends on the source and the settings alone, not on their number.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from toolkit.core.errors import BadInputError, UsageError
from toolkit.core.grid import ChunkGrid, default_chunk_rows
from toolkit.core.schema import array_names
from toolkit.ingest.arrow_types import typed
from toolkit.ingest.declared import Declared
from toolkit.ingest.encode import ColumnEncoder, EncodedColumn, manifest_of
from toolkit.ingest.evidence import Decision, decide
from toolkit.ingest.marks import read_mark, write_mark
from toolkit.ingest.number_forms import infer_written
from toolkit.ingest.retype import settle
from toolkit.ingest.staging import StagedPart, stage
from toolkit.ingest.text_reason import text_reason
from toolkit.ingest.text_types import Typed
from toolkit.readers.base import Part, ReadAgain, Rejected, Source, check_column_count
from toolkit.storage.appdata import AppData, discard
from toolkit.storage.backend import backends
from toolkit.storage.durable import naming_disk_errors
from toolkit.storage.manifest import StoreManifest

DEFAULT_MAX_MEMORY = 640 << 20
_SMALLEST_PART, _LARGEST_PART = 64 << 10, 16 << 20
_PARTS_IN_MEMORY = 10
"""A part of text takes at most about this many times its size while it is parsed, typed and staged."""
_LIBRARIES = 128 << 20
"""What the process takes before it has read anything."""

_MOST_EXPLAINED = 512
"""Columns for which a value is looked for that made them text: that takes a millisecond for each."""

Progress = Callable[[str, int, int, int], None]
"""Called with the phase, what is done, what there is to do and the rows so far."""


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """How to convert.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns to take; all when empty.
    declared : Declared
        Kinds that win over inference, units of measure and roles, by column name.
    format : str
        Storage backend.
    codec : str
        Compression; the backend's first when empty.
    chunk_rows : int
        Rows of a chunk; 0 for the default of the table's width.
    workers : int
        Threads.
    max_memory : int
        Bytes for the whole process.
    """

    columns: tuple[str, ...] = ()
    declared: Declared = field(default_factory=Declared)
    format: str = "zarr"
    codec: str = ""
    chunk_rows: int = 0
    workers: int = 1
    max_memory: int = DEFAULT_MAX_MEMORY


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion led to.

    Attributes
    ----------
    path : Path
        The published store.
    manifest : StoreManifest
        Its root metadata.
    published : bool
        False when an equal store was there already.
    decisions : list of (str, str, Decision)
        Name, declared type and decision of every column.
    rejected : list of Rejected
        Bad records that are not part of the table, in the order of the source.
    """

    path: Path
    manifest: StoreManifest
    published: bool
    decisions: list[tuple[str, str, Decision]]
    rejected: list[Rejected]


def part_bytes(max_memory: int, workers: int) -> int:
    """Source bytes of a part, so that all that are in work together stay below the limit."""
    free = max(max_memory - _LIBRARIES, max_memory // 4)
    return max(_SMALLEST_PART, min(_LARGEST_PART, free // (_PARTS_IN_MEMORY * (workers + 1))))


def convert_source(
    source: Source,
    appdata: AppData,
    work: Path,
    settings: ConvertSettings,
    progress: Progress,
    *,
    what: str,
    confirm: Callable[[], None] | None = None,
) -> Converted:
    """Convert an open source into a published store.

    Parameters
    ----------
    source : Source
        Where the rows come from.
    appdata : AppData
        Where the store goes.
    work : Path
        Folder for work in progress; parts that are staged there already are not staged again.
    settings : ConvertSettings
        How to convert.
    progress : callable
        Called now and then.
    what : str
        What the source is called in an error.
    confirm : callable, optional
        Called when the store is built and not yet published; what it raises keeps the store from being published.

    Raises
    ------
    BadInputError, DiskError
        When the source is wrong, or the disk is full.
    """
    chosen = _chosen(source, settings, what)
    checked_codec(settings.format, settings.codec)
    discard(work / "store")
    with ThreadPoolExecutor(settings.workers, "convert") as pool:
        with naming_disk_errors("staging the source", work):
            try:
                parts = _stage_all(source, chosen, work, pool, settings.workers, progress, what)
            except ReadAgain:
                parts = _stage_all(source, chosen, work, pool, settings.workers, progress, what)
            rejected = [r for p in parts for r in p.rejected]
            parts = [p for p in parts if p.rows]
            rows = sum(p.rows for p in parts)
            if not rows:
                raise _no_rows(what, rejected)
            decisions = _decide(source, chosen, parts, settings)
            parts, decisions = settle(source, chosen, parts, decisions, settings.declared, what)
            decisions = _explained(source, chosen, parts, decisions, settings)
        grid = ChunkGrid(rows, min(settings.chunk_rows or default_chunk_rows(len(chosen)), rows))
        with naming_disk_errors("encoding the store", work):
            manifest, built = _encode_all(source, chosen, parts, decisions, grid, work, pool, settings, progress)
        target = appdata.store_path(manifest.key, settings.format, settings.codec)
        if confirm is not None:
            confirm()
        published = appdata.publish(built, target)
    named = [(source.columns[i].name, source.columns[i].declared, d) for i, d in zip(chosen, decisions, strict=True)]
    return Converted(target, manifest, published, named, rejected)


def _no_rows(what: str, rejected: Sequence[Rejected]) -> BadInputError:
    if not rejected:
        return BadInputError(f"{what} has column names and no rows", "a store needs at least one row")
    first = rejected[0]
    return BadInputError(
        f"{what}: line {first.line}: {first.reason}; all {len(rejected):,} records are bad",
        "are the first line, the delimiter and the quotes what they were taken for?",
    )


def _chosen(source: Source, settings: ConvertSettings, what: str) -> list[int]:
    """Positions of the columns to take."""
    names = [c.name for c in source.columns]
    known, wanted = set(names), set(settings.columns)
    settings.declared.check_names(names, what)
    for name in settings.columns:
        if name not in known:
            raise BadInputError(f"{what} has no column {name!r}", f"its columns: {', '.join(map(repr, names[:30]))}")
    chosen = [i for i, name in enumerate(names) if not wanted or name in wanted]
    check_column_count(Path(what), len(chosen))
    return chosen


def _stage_all(
    source: Source, chosen: list[int], work: Path, pool: ThreadPoolExecutor, workers: int, progress: Progress, what: str
) -> list[StagedPart]:
    """Stage every part; an error is that of the first part that has one, whatever the threads' order."""
    staged: list[StagedPart] = []
    waiting: deque[Future[StagedPart]] = deque()
    parts, rows = source.parts(), 0
    failure: Exception | None = None

    def collect() -> None:
        nonlocal rows
        part = waiting.popleft().result()
        staged.append(part)
        rows += part.rows
        progress("reading", *source.progress(), rows)

    try:
        while failure is None:
            try:
                waiting.append(pool.submit(_stage_part, source, next(parts), chosen, work, what))
            except StopIteration:
                break
            except (BadInputError, ReadAgain) as error:
                failure = error  # parts in front of this one may have an error of their own
            while len(waiting) > workers:
                collect()
        while waiting:
            collect()
    except BaseException:
        for future in waiting:
            future.cancel()
        wait(waiting)
        raise
    if failure is not None:
        raise failure
    return staged


def _stage_part(source: Source, part: Part, chosen: list[int], work: Path, what: str) -> StagedPart:
    path = work / f"part-{part.index:06d}.arrow"
    known = read_mark(path, part)
    if known is not None:
        return known
    table = source.parse(part, chosen)
    columns = [_typed(source, i, table.column(k), what) for k, i in enumerate(chosen)]
    staged = replace(stage(columns, table.num_rows, path), rejected=tuple(part.rejected))
    write_mark(staged, part)
    return staged


def _typed(source: Source, index: int, values: pa.ChunkedArray, what: str) -> Typed:
    array = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    column = source.columns[index]
    return infer_written(array, column.numbers) if column.infer else typed(array, f"{what}: column {column.name!r}")


def _decide(
    source: Source, chosen: list[int], parts: Sequence[StagedPart], settings: ConvertSettings
) -> list[Decision]:
    kinds = settings.declared.of("kind")
    return [
        decide(
            [p.evidence[k] for p in parts],
            inferred=source.columns[i].infer and source.columns[i].name not in kinds,
        )
        for k, i in enumerate(chosen)
    ]


def _explained(
    source: Source,
    chosen: list[int],
    parts: Sequence[StagedPart],
    decisions: list[Decision],
    settings: ConvertSettings,
) -> list[Decision]:
    """The decisions, held to declared units, with better reasons: what was declared, and what made a column text."""
    kinds = settings.declared.of("kind")
    out = []
    for k, (i, decision) in enumerate(zip(chosen, decisions, strict=True)):
        column, reason = source.columns[i], decision.reason
        settings.declared.check_kind(column.name, decision.kind)
        if column.name in kinds:
            reason = f"declared as {kinds[column.name]}; {reason}"
        elif column.infer and decision.kind == "string" and k < _MOST_EXPLAINED:
            reason = f"{reason}: {text_reason(parts, k, column.numbers)}"
        out.append(replace(decision, reason=reason))
    return out


def _encode_all(
    source: Source,
    chosen: list[int],
    parts: list[StagedPart],
    decisions: list[Decision],
    grid: ChunkGrid,
    work: Path,
    pool: ThreadPoolExecutor,
    settings: ConvertSettings,
    progress: Progress,
) -> tuple[StoreManifest, Path]:
    built, codec = work / "store", checked_codec(settings.format, settings.codec)
    writer = backends.get(settings.format).create(built, codec, grid.chunk_rows, grid.rows)
    names = [source.columns[i].name for i in chosen]
    arrays = array_names(names)
    roles, measures = settings.declared.of("role"), settings.declared.of("unit")

    def encode(k: int) -> EncodedColumn:
        role, measure = roles.get(names[k], ""), measures.get(names[k], "")
        return ColumnEncoder(names[k], arrays[k], k, decisions[k], parts, role, measure).encode(grid, writer)

    # text takes longest: begun first, so that no thread is left alone with it at the end
    order = sorted(range(len(chosen)), key=lambda k: (bool(decisions[k].dtype), k))
    encoded: dict[int, EncodedColumn] = {}
    if writer.sequential:
        turns: Iterator[tuple[int, EncodedColumn]] = ((k, encode(k)) for k in sorted(order))
    else:
        turns = _in_turn(pool, encode, order, settings.workers)
    for done, (k, column) in enumerate(turns, 1):
        encoded[k] = column
        progress("encoding", done, len(order), grid.rows)
    columns = [encoded[k] for k in range(len(chosen))]
    manifest = manifest_of(columns, grid, codec)
    for part in parts:
        # nothing of them is left to flush; a mark without its part counts for nothing
        part.path.unlink(missing_ok=True)
    return writer.finish(manifest), built


def _in_turn(
    pool: ThreadPoolExecutor, work: Callable[[int], Any], order: list[int], workers: int
) -> Iterator[tuple[int, Any]]:
    """Results in the given order, with only a few tasks waiting at a time."""
    waiting: deque[tuple[int, Future[Any]]] = deque()
    for k in order:
        waiting.append((k, pool.submit(work, k)))
        if len(waiting) > 2 * workers:
            done, future = waiting.popleft()
            yield done, future.result()
    while waiting:
        done, future = waiting.popleft()
        yield done, future.result()


def checked_codec(format_name: str, codec: str) -> str:
    """The compression to use with a store format.

    Raises
    ------
    UsageError
        When the format does not offer it.
    """
    offered = backends.get(format_name).codecs
    if codec and codec not in offered:
        raise UsageError(f"the store format {format_name} has no compression {codec!r}", f"known: {', '.join(offered)}")
    return codec or offered[0]


def default_workers(limit: int | None = None) -> int:
    """Threads for a conversion: the cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, limit) if limit else cores
