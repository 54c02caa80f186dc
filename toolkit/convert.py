"""``python -m toolkit.convert``: write a table into a store, once."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, DONE_WITH_FAILURES, command_parser, emit, leave, note, run_command
from toolkit.core.freed_memory import keep_freed_arrow_memory, keep_freed_memory
from toolkit.core.settings import parse_size, parse_workers, read_settings
from toolkit.ingest.progress import ConvertProgress
from toolkit.ingest.settings import ON_BAD_ROW, content_settings
from toolkit.ingest.sources import find_record, name_files
from toolkit.readers.options import split_option
from toolkit.storage.appdata import AppData

_FIELDS = ("key", "path", "rows", "columns", "chunk_rows", "data_hash", "schema_hash", "source_sha256")


_KEPT_BYTES = 64 << 20


def main(argv: Sequence[str] | None = None) -> int:
    """Convert a source; prints the store's path."""
    parser = command_parser("convert", "Write a table into a deterministic, content-keyed store under appdata.")
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOURCE",
        help="a file, a folder with the files of one table, or a pattern; or files",
    )
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--columns", default="", help="names of the columns to take, separated by commas")
    parser.add_argument("--types", type=Path, help="YAML file with kinds, units and roles of columns")
    parser.add_argument("--format", default="zarr", help="store format: zarr, or hdf5 where that extra is installed")
    parser.add_argument("--codec", default="", help="compression: lz4, zstd or none; lzf, gzip or none in hdf5")
    parser.add_argument("--chunk-rows", type=int, default=0, help="rows of a chunk")
    parser.add_argument("--workers", default="", help="auto, or the number of threads")
    parser.add_argument("--max-memory", default="", help="such as 700MiB; holds for the whole process")
    parser.add_argument("--on-bad-row", default="error", choices=ON_BAD_ROW, help="what to do with a bad row")
    _add_reader_options(parser)
    return run_command(parser, _convert, argv)


def _add_reader_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "about the source", "What is not said is found out; docs/convert.md has the rules."
    )
    group.add_argument("--reader", default="", help="name of the format, such as delimited")
    group.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="any option of the format")
    group.add_argument(
        "--table", "--sheet", default="", help="table or sheet of the source; else a name for the record"
    )
    group.add_argument("--query", help="one SELECT, for databases")
    group.add_argument("--delimiter", help="what separates fields: one character, or tab, space, pipe")
    group.add_argument(
        "--no-header", action="store_true", help="the first line is a row; columns are column_1 and so on"
    )
    group.add_argument("--null", action="append", metavar="TEXT", help="text of a missing value; may be repeated")
    group.add_argument("--encoding", help="encoding of text; found out by default")


def _reader_options(args: argparse.Namespace) -> dict[str, list[str]]:
    """Values by name of option; the short forms say no more than ``--option`` does."""
    given: dict[str, list[str]] = {}
    for name, value in map(split_option, args.option):
        given.setdefault(name, []).append(value)
    for name in ("query", "delimiter", "encoding"):
        if getattr(args, name) is not None:
            given.setdefault(name, []).append(getattr(args, name))
    if args.no_header:
        given.setdefault("header", []).append("no")
    if args.null:
        given.setdefault("null", []).extend(args.null)
    return dict(sorted(given.items()))


def _convert(args: argparse.Namespace) -> int:
    started = time.monotonic()
    environment = read_settings()
    appdata = AppData(args.appdata or environment.appdata)
    source = name_files(*args.source)
    settings = _settings(args)
    if environment.store_cache:
        record = find_record(appdata.sources, source, settings)
        if record is not None and (appdata.stores / record["store"]).exists():
            return _finish(args, {**record, "path": str(appdata.stores / record["store"]), "reused": True}, started)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy starts one for each core, which spin for a while
    keep_freed_arrow_memory()
    keep_freed_memory(_KEPT_BYTES)
    # imported here: a reused store must cost next to nothing
    from toolkit.ingest.table import convert_file

    progress = ConvertProgress(sys.stderr, source.size, quiet=args.quiet)
    try:
        record = convert_file(
            source,
            appdata,
            settings,
            workers=parse_workers(args.workers) if args.workers else environment.max_workers,
            max_memory=parse_size(args.max_memory) if args.max_memory else None,
            progress=progress,
            reuse=environment.store_cache,
        )
    finally:
        progress.close()
    return _finish(args, record, started)


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """What the store's content depends on besides the source."""
    types = None
    if args.types is not None:
        from toolkit.ingest.declared import read_types

        types = read_types(args.types)
    return content_settings(
        columns=[c for c in (c.strip() for c in args.columns.split(",")) if c],
        types=types,
        format=args.format,
        codec=args.codec,
        chunk_rows=args.chunk_rows,
        on_bad_row=args.on_bad_row,
        options=_reader_options(args),
        table=args.table,
        reader=args.reader,
    )


def _finish(args: argparse.Namespace, record: dict[str, Any], started: float) -> int:
    seconds = time.monotonic() - started
    for text in record.get("notes", []):
        note(args, f"note: {text}")
    blank = record.get("blank_lines", 0)
    bad = record.get("quarantined", 0)
    if bad:
        where = Path(record["path"]).parent / record["quarantine"]
        note(args, f"{bad:,} bad {'record is' if bad == 1 else 'records are'} not in the store but in {where}")
    if args.json:
        out = {name: record[name] for name in _FIELDS}
        more = {"quarantined": bad, "blank_lines": blank, "reused": record["reused"], "seconds": round(seconds, 3)}
        emit(canonical_json({**out, **more}))
    else:
        what = "reused the store" if record["reused"] else "converted"
        note(args, f"{what}: {record['rows']:,} rows, {record['columns']} columns, {seconds:.1f} s")
        emit(str(record["path"]))
    return DONE_WITH_FAILURES if bad else DONE


if __name__ == "__main__":
    leave(main())
