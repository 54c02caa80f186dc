"""A table with every kind of column and its awkward values, and the ways in which kernels are run over it."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.core.encoding import decode, encode
from toolkit.core.errors import UsageError
from toolkit.core.grid import Partition
from toolkit.kernels.base import Kernel, KernelRequest, State, TableView, kernels, make_kernel
from toolkit.kernels.scan import Scan, merge_outputs, run_scan
from toolkit.kernels.tree import CanonicalTree
from toolkit.kernels.waves import compute
from toolkit.storage.dataset import Dataset

ROWS = 71

AWKWARD_FLOATS = [0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, float("inf"), float("-inf"), float("nan"), 2.0**53 + 2]
AWKWARD_INTEGERS = [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)]
AWKWARD_TEXT = ["", "a", "a\0", "é", "abcdefgh", "abcdefghi", "x" * 300, "𝔘", " "]


def sample_columns(rows: int = ROWS, seed: int = 5) -> dict[str, Any]:
    """Columns of every kind, with missing values and awkward ones."""
    rng = np.random.default_rng(seed)
    absent = rng.random(rows) < 0.2

    def some(values: Sequence[Any]) -> list[Any]:
        return [values[i] for i in rng.integers(0, len(values), rows)]

    def missing(values: Sequence[Any]) -> list[Any]:
        return [None if gone else v for v, gone in zip(values, absent, strict=True)]

    return {
        "normal": rng.normal(100, 15, rows),
        "rounded": np.ma.array(np.round(rng.normal(0, 2, rows), 1), mask=absent),
        "awkward": np.array(some(AWKWARD_FLOATS)),
        "single": rng.normal(size=rows).astype(np.float32),
        "garbage": np.ma.array(np.where(absent, np.nan, 1.5), mask=absent),
        "tiny": rng.integers(-5, 5, rows).astype(np.int8),
        "short": np.ma.array(rng.integers(-999, 999, rows).astype(np.int16), mask=absent),
        "middle": rng.integers(-(10**6), 10**6, rows).astype(np.int32),
        "wide": np.array(some(AWKWARD_INTEGERS), np.int64),
        "unsigned": rng.integers(0, 2**64 - 1, rows, dtype=np.uint64, endpoint=True),
        "flag": rng.random(rows) < 0.3,
        "flag_missing": np.ma.array(rng.random(rows) < 0.3, mask=absent),
        "moment": (1_700_000_000_000_000 + rng.integers(0, 10**12, rows)).astype("M8[us]"),
        "day": np.where(absent, np.datetime64("NaT"), rng.integers(0, 20_000, rows).astype("M8[D]")),
        "span": rng.integers(0, 10**5, rows).astype("m8[ms]"),
        "city": missing(some(["north", "south", "", "é"])),
        "name": missing([f"{AWKWARD_TEXT[i % 9]}{i % 40}" for i in range(rows)]),
        "text": some(AWKWARD_TEXT),
        "amount": missing(some([Decimal("1.50"), Decimal("2.25")])),
        "blob": [bytes([i % 256, 255, i % 7]) for i in rng.integers(0, 60, rows)],
        "blob_coded": some([b"\xff", b"", b"\x00"]),
        "constant": ["v"] * rows,
        "gone": [None] * rows,
        "gone_float": np.ma.array(np.full(rows, np.nan), mask=True),
        "nothing_but_nan": np.full(rows, np.nan),
    }


ENCODINGS = {"name": "long", "text": "long", "blob": "long", "blob_coded": "coded"}


def sample(chunk_rows: int = 7, rows: int = ROWS, **columns: Any) -> Dataset:
    """The sample table; columns given by name take the place of all of its own."""
    return memory_dataset(columns or sample_columns(rows), chunk_rows, encodings=ENCODINGS)


TIGHT = {
    "cap": 5, "largest_range": 4, "ties": 1, "levels": 4, "levels_second": 2, "blocks": True, "max_patterns": 3,
}  # fmt: skip
TIGHTENED = {"rounded", "awkward", "tiny", "wide", "day", "city", "blob_coded", "text", "blob", "flag_missing", "gone"}
"""Columns of each way of storing that are tried with tight limits as well; with the others these tests are slow."""

PAIRED = [
    ("city", "rounded"), ("flag_missing", "awkward"), ("tiny", "city"), ("short", "wide"), ("middle", "day"),
    ("moment", "single"), ("blob_coded", "unsigned"), ("gone_float", "normal"), ("city", "nothing_but_nan"),
    ("flag", "span"), ("amount", "constant"), ("garbage", "rounded"), ("day", "tiny"), ("day", "normal"),
    ("city", "wide"), ("city", "awkward"), ("city", "garbage"), ("city", "flag_missing"),
]  # fmt: skip
"""Columns on which kernels of two columns are tried."""

GROUPED = [
    ("normal", "rounded", "awkward", "single", "tiny", "short", "flag"),
    ("wide", "unsigned", "moment", "day", "span", "garbage", "gone_float", "nothing_but_nan", "flag_missing"),
    ("rounded",),
    ("rounded", "city"),
    ("awkward", "flag_missing"),
    ("moment", "rounded", "city"),
    ("day", "wide"),
    ("day",),
    ("city", "amount", "blob_coded", "name", "text", "gone", "rounded", "short", "day", "flag_missing"),
]
"""Columns on which kernels of any number of columns are tried; what a kernel does not take is left out."""


def column_groups(kernel: type[Kernel], dataset: Dataset) -> Iterator[tuple[str, ...]]:
    """The columns, pairs or sets of columns of the sample table that a kernel is tried on."""
    schema = dataset.schema
    if kernel.arity == 1:
        yield from ((spec.name,) for spec in schema if kernel.accepts(spec))
        return
    if kernel.arity is None:
        groups = [tuple(n for i, n in enumerate(g) if kernel.accepts_at(schema[n], i)) for g in GROUPED]
        yield from dict.fromkeys(g for g in groups if g and is_taken(kernel, g, dataset))
        return
    yield from (p for p in PAIRED if all(kernel.accepts_at(schema[n], i) for i, n in enumerate(p)))


def is_taken(kernel: type[Kernel], columns: tuple[str, ...], dataset: Dataset) -> bool:
    """Whether a kernel takes these columns, in this order and number."""
    if not all(kernel.accepts_at(dataset.schema[n], i) for i, n in enumerate(columns)):
        return False
    try:
        kernel(KernelRequest(kernel.name, columns, {}), view(dataset))
    except UsageError:
        return False
    return True


def all_requests(dataset: Dataset) -> Iterator[KernelRequest]:
    """Every registered kernel on all that it is tried on, with its defaults and with tight limits."""
    for name, kernel in kernels.all().items():
        tight = {p: v for p, v in TIGHT.items() if p in kernel.defaults}
        if "k" in kernel.defaults:
            tight["k"] = 3
        for columns in column_groups(kernel, dataset):
            yield KernelRequest(name, columns, {})
            if tight:
                yield KernelRequest(name, columns, tight)


def request_ids(request: KernelRequest) -> str:
    """A readable test id."""
    return "-".join([request.kernel, *request.columns, "tight" if request.params else "default"])


def is_redundant(request: KernelRequest) -> bool:
    """Whether others try the same limits on a column that is stored alike."""
    return bool(request.params) and len(request.columns) == 1 and request.columns[0] not in TIGHTENED


def view(dataset: Dataset) -> TableView:
    """What kernels know of a table."""
    return TableView(dataset.schema, dataset.grid)


def ready(request: KernelRequest, dataset: Dataset) -> Kernel:
    """The kernel that serves a request, with the results that it requires."""
    inputs = _inputs(request, dataset)
    return make_kernel(request, view(dataset), {key: decode(data) for key, data in inputs.items()})


def chunk_states(kernel: Kernel, dataset: Dataset) -> list[State]:
    """The state of each chunk by itself."""
    return [kernel.update(kernel.init(), chunk) for chunk in dataset.chunks(kernel.request.columns)]


@functools.lru_cache(maxsize=256)
def _inputs(request: KernelRequest, dataset: Dataset) -> dict[str, bytes]:
    required = make_kernel(request, view(dataset)).requires()
    return {key: encode(result) for key, result in compute(dataset, required).items()} if required else {}


def settled(kernel: Kernel, state: State) -> bytes:
    """The canonical bytes of a state."""
    return encode(kernel.settle(state))


def whole_state(request: KernelRequest, dataset: Dataset) -> bytes:
    """The canonical bytes of the state of all rows, as one scan of the whole grid folds it."""
    kernel = ready(request, dataset)
    if kernel.state_class == "tree":
        tree: CanonicalTree[State] = CanonicalTree(kernel.merge)
        for chunk in dataset.chunks(request.columns):
            tree.add(chunk.index, kernel.update(kernel.init(), chunk))
        n_chunks = dataset.grid.n_chunks
        return settled(kernel, CanonicalTree.finish(tree.nodes(), n_chunks, kernel.merge, kernel.init))
    state = kernel.init()
    for chunk in dataset.chunks(request.columns):
        state = kernel.update(state, chunk)
    return settled(kernel, state)


def scan_split(request: KernelRequest, dataset: Dataset, parts: int) -> dict[str, Any]:
    """The result of one request from as many partitions as that, before anything is resolved."""
    n_chunks = dataset.grid.n_chunks
    cuts = [i * n_chunks // parts for i in range(parts + 1)]
    outputs = []
    for start, stop in pairwise(cuts):
        if start < stop:
            scan = Scan(request.columns, (request,), Partition(start, stop), _inputs(request, dataset))
            outputs.append(run_scan(dataset, scan).outputs[request.key])
    return merge_outputs(ready(request, dataset), outputs)


def comparable(value: Any, digits: int | None = None) -> Any:
    """A result as plain values, without what belongs to the chunks; floats rounded to significant digits if asked."""
    if isinstance(value, dict):
        return {k: comparable(v, digits) for k, v in value.items() if not k.endswith("_by_chunk")}
    if isinstance(value, list | tuple):
        return [comparable(v, digits) for v in value]
    if isinstance(value, np.ndarray):
        return comparable(value.tolist(), digits) if digits else (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, float):
        return repr(value) if digits is None else f"{value:.{digits - 1}e}"
    return value


def shuffled(items: Sequence[Any], seed: int) -> list[Any]:
    """The items in another order, the same for the same seed."""
    out = list(items)
    random.Random(seed).shuffle(out)
    return out


def each_request(requests: list[KernelRequest]) -> pytest.MarkDecorator:
    """Runs a test for each; those that add little are slow."""
    slow = {True: [pytest.mark.slow], False: []}
    params = [pytest.param(r, id=request_ids(r), marks=slow[is_redundant(r)]) for r in requests]
    return pytest.mark.parametrize("request_", params)
