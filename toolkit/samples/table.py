"""The sample table from its plan to a file, block by block."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow.csv as pa_csv

from toolkit.samples.draws import block_generator
from toolkit.samples.events import Events, draw_events
from toolkit.samples.layout import Layout, plan
from toolkit.samples.orders import VARIANT_STEPS, Orders, customer_base, draw_orders
from toolkit.samples.render import COLUMNS, Renderer
from toolkit.samples.truth import Ledger

ORDERS_A_BLOCK = 4096
"""Orders drawn at once, about 36,000 rows; the bytes of the table depend on it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was written.

    Parameters
    ----------
    rows : int
        Rows without the header.
    columns : int
        Columns.
    size : int
        Bytes of the file.
    sha256 : str
        Digest of the file.
    truth : dict
        The planted effects; see docs/sample-table.md.
    """

    rows: int
    columns: int
    size: int
    sha256: str
    truth: dict[str, Any]


def write_csv(path: Path, rows: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> Sample:
    """Write a sample table as CSV; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        File to write; its folder is made where it is absent.
    rows : int
        Rows, at least 1.
    seed : int
        Start of the random streams, from 0; equal rows and seed give equal bytes.
    progress : callable, optional
        Told the number of rows written so far.

    Returns
    -------
    Sample
        Digest, size and the planted effects.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    layout = plan(rows)
    ledger = Ledger(layout, seed)
    try:
        with partial.open("wb") as file:
            sink = _HashedFile(file)
            _write_blocks(sink, layout, seed, ledger, progress)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return Sample(rows, len(COLUMNS), sink.size, sink.digest.hexdigest(), ledger.truth())


def blocks(layout: Layout, seed: int) -> Iterator[tuple[Orders, Events]]:
    """Generate the table's events in order, without the second copy of the re-loaded block."""
    block = number = first = 0
    while first < layout.generated:
        rng = block_generator(seed, block)
        orders = draw_orders(rng, layout, number, first, ORDERS_A_BLOCK)
        yield orders, draw_events(rng, layout, orders)
        block += 1
        number += len(orders)
        first = int(orders.first[-1] + VARIANT_STEPS[orders.variant[-1]])


def written_pieces(layout: Layout, parts: Iterator[tuple[Orders, Events]]) -> Iterator[tuple[Orders, Events]]:
    """Put the second copy of the re-loaded block behind the first.

    Parameters
    ----------
    layout : Layout
        Where the block lies.
    parts : iterator
        Blocks from `blocks`.

    Yields
    ------
    Orders, Events
        Orders of a block and some of its rows, in the order in which they are written.
    """
    source = layout.reload_source
    kept: list[tuple[Orders, Events]] = []
    for orders, events in parts:
        start = int(events.generated[0])
        inside = [min(max(edge - start, 0), len(events)) for edge in (source.start, source.stop)]
        kept.append((orders, events.slice(*inside)))
        yield orders, events.slice(0, inside[1])
        if start < source.stop <= start + len(events):
            yield from kept
        if start + len(events) <= source.start or source.stop <= start + len(events):
            kept = []
        yield orders, events.slice(inside[1], len(events))


def _write_blocks(
    sink: _HashedFile, layout: Layout, seed: int, ledger: Ledger, progress: Callable[[int], None]
) -> None:
    renderer = Renderer(customer_base(layout))
    sink.write((",".join(COLUMNS) + "\n").encode())
    options = pa_csv.WriteOptions(include_header=False, batch_size=16_384)
    written = 0
    for orders, events in written_pieces(layout, _watched(ledger, blocks(layout, seed))):
        if len(events) == 0:
            continue
        ledger.see_rows(written, orders, events)
        pa_csv.write_csv(renderer.table(orders, events), cast(BinaryIO, sink), options)
        written += len(events)
        progress(written)


def _watched(ledger: Ledger, parts: Iterator[tuple[Orders, Events]]) -> Iterator[tuple[Orders, Events]]:
    for orders, events in parts:
        ledger.see_orders(orders, events)
        yield orders, events


class _HashedFile:
    """A file to write to that keeps the digest of what was written."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Leave the file open: its owner closes it."""
