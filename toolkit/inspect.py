"""``python -m toolkit.inspect``: what a store holds, and whether it is intact."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, RUNTIME_FAILURE, command_parser, emit, run_command
from toolkit.core.schema import ColumnSpec
from toolkit.core.settings import read_settings
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.layout import arrays_of
from toolkit.storage.sketch import sketch
from toolkit.storage.verify import verify

_NAME_WIDTH = 20
_FILE_WIDTH = 160


def main(argv: Sequence[str] | None = None) -> int:
    """Describe a store; with ``--verify``, read every chunk again."""
    parser = command_parser("inspect", "Say what a store holds: schema, sizes, digests, a sketch of each column.")
    parser.add_argument(
        "store", nargs="?", metavar="STORE", help="path, key or beginning of a key; the newest by default"
    )
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--column", action="append", help="only this column; may be repeated")
    parser.add_argument("--verify", action="store_true", help="read every chunk and compare it with its digest")
    return run_command(parser, _inspect, argv)


def _inspect(args: argparse.Namespace) -> int:
    appdata = AppData(args.appdata or read_settings().appdata)
    with open_location(appdata.find_store(args.store)) as dataset:
        return _verify(args, dataset) if args.verify else _describe(args, dataset)


def _verify(args: argparse.Namespace, dataset: Dataset) -> int:
    damages = list(verify(dataset, args.column))
    if args.json:
        found = [{name: getattr(d, name) for name in d.__slots__} for d in damages]
        emit(canonical_json({"key": dataset.key, "path": str(dataset.location), "intact": not found, "damaged": found}))
    else:
        for damage in damages:
            emit(damage.problem)
        state = f"{len(damages)} damaged; convert the source again" if damages else "every chunk matches its digest"
        emit(f"{dataset.location}: {state}")
    return RUNTIME_FAILURE if damages else DONE


def _describe(args: argparse.Namespace, dataset: Dataset) -> int:
    manifest = dataset.manifest
    specs = dataset.schema.select(args.column)
    columns = [_column(dataset, spec) for spec in specs]
    if args.json:
        head = {
            name: getattr(manifest, name) for name in ("key", "rows", "chunk_rows", "codec", "data_hash", "schema_hash")
        }
        emit(
            canonical_json({**head, "path": str(dataset.location), "chunks": dataset.grid.n_chunks, "columns": columns})
        )
        return DONE
    decoded = sum(c["decoded_bytes"] for c in columns)
    stored = sum(c["stored_bytes"] for c in columns)
    emit(f"store      {dataset.location}")
    emit(f"rows       {dataset.rows:,} in {dataset.grid.n_chunks} chunks of {manifest.chunk_rows:,}")
    emit(f"columns    {len(dataset.schema)}, {_size(decoded)} stored in {_size(stored)} ({manifest.codec})")
    emit(f"data hash  {manifest.data_hash}")
    emit(f"schema     {manifest.schema_hash}")
    emit("")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _FILE_WIDTH
    for column in columns:
        emit(_line(column, width))
    if args.column:
        for column in columns:
            for array, digests in column["digests"].items():
                emit("")
                emit(f"{array}: SHA-256 of each chunk")
                for i, digest in enumerate(digests):
                    emit(f"  {i:>5}  {digest}")
    return DONE


def _column(dataset: Dataset, spec: ColumnSpec) -> dict[str, Any]:
    arrays = arrays_of(spec)

    return {
        **spec.to_json(),
        "decoded_bytes": decoded_bytes(dataset, spec),
        "stored_bytes": sum(dataset.stored_bytes(a) for a in arrays),
        "hash": dataset.manifest.column_hashes[spec.name],
        "digests": {a.name: dataset.manifest.digests[a.name] for a in arrays},
        **sketch(dataset, spec),
    }


def decoded_bytes(dataset: Dataset, spec: ColumnSpec) -> int:
    """Bytes of a column's values when decoded, validity included."""
    size = dataset.rows if spec.nullable else 0
    if spec.encoding != "long":
        chunk = dataset.chunk(0, [spec.name])
        return size + dataset.rows * int(chunk.raw(spec.name).itemsize)
    blocks = (c.strings(spec.name) for c in dataset.chunks([spec.name]))
    return size + sum(int(b.lengths.sum()) + b.lengths.nbytes for b in blocks)


def _line(column: dict[str, Any], width: int) -> str:
    name = _printable(column["name"])
    name = name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"
    kind = column["kind"] if column.get("encoding") != "coded" else f"{column['categories']} labels"
    kind = f"{kind} {_printable(column['measure'])}" if column.get("measure") else kind
    about = " ".join(f"{v[:16]!r}×{c:,}" for v, c in column["common"])
    about = about or " … ".join(t for t in (column["low"], column["high"]) if t)
    if column.get("role"):
        about = f"{_printable(column['role'])}  {about}"
    if column["missing"]:
        about = f"{column['missing']:,} missing  {about}"
    sizes = f"{_size(column['stored_bytes']):>9} {_ratio(column):>6}"
    line = f"{name:<{_NAME_WIDTH}} {kind:<13} {sizes}  {column['shape']:<24}  {about}".rstrip()
    return line if len(line) <= width else line[: width - 1] + "…"


def _printable(text: str) -> str:
    """Text of a store, which may be anybody's, as it can be shown on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _ratio(column: dict[str, Any]) -> str:
    """How many times smaller a column is stored than it is decoded."""
    return f"{column['decoded_bytes'] / max(column['stored_bytes'], 1):.1f}×"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


if __name__ == "__main__":
    sys.exit(main())
