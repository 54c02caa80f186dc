"""The laws that every registered kernel keeps, whatever it computes. A new kernel is found and checked by itself."""

from __future__ import annotations

import functools
import json
import math
import re
import tracemalloc
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel_cases import (
    AWKWARD_FLOATS,
    AWKWARD_INTEGERS,
    AWKWARD_TEXT,
    ROWS,
    all_requests,
    chunk_states,
    column_groups,
    comparable,
    each_request,
    is_redundant,
    is_taken,
    ready,
    request_ids,
    sample,
    sample_columns,
    scan_split,
    settled,
    shuffled,
    view,
    whole_state,
)
from tests.kernel_results import assert_close
from tests.memory_store import memory_dataset, reader_of
from toolkit.core.canonical import canonical_json
from toolkit.core.encoding import decode, encode
from toolkit.core.errors import UsageError
from toolkit.core.grid import Partition
from toolkit.kernels.base import Kernel, KernelRequest, kernels, make_kernel
from toolkit.kernels.scan import Scan, run_scan
from toolkit.kernels.waves import compute
from toolkit.storage.dataset import Dataset

TABLE = sample()
REQUESTS = list(all_requests(TABLE))


EVERY_REQUEST = each_request(REQUESTS)
EXACT_REQUEST = each_request([r for r in REQUESTS if kernels.get(r.kernel).state_class == "exact"])
MERGED_REQUEST = each_request([r for r in REQUESTS if kernels.get(r.kernel).state_class != "serial"])
EVERY_KERNEL = pytest.mark.parametrize("kernel", kernels.all().values(), ids=lambda k: k.name)


def test_kernels_are_found() -> None:
    assert {"moments", "extremes", "counts", "order", "distinct", "text_order"} <= set(kernels.all())


@EVERY_KERNEL
def test_describes_itself(kernel: type[Kernel]) -> None:
    assert kernel.__doc__
    assert len(kernel.__doc__) > 100
    assert re.fullmatch("[a-z][a-z0-9_]*", kernel.name)
    assert kernel.version >= 1
    assert kernel.state_class in ("exact", "tree", "serial")
    assert all(re.fullmatch(r"10\.\d{4,}/\S+", doi) for doi in kernel.references)
    assert json.loads(canonical_json(dict(kernel.defaults))) == dict(kernel.defaults)
    assert any(column_groups(kernel, TABLE))


@EVERY_KERNEL
def test_refuses_what_it_does_not_take(kernel: type[Kernel]) -> None:
    taken = next(column_groups(kernel, TABLE))
    with pytest.raises(UsageError, match="has no parameter 'nonsense'"):
        make_kernel(KernelRequest(kernel.name, taken, {"nonsense": 1}), view(TABLE))
    with pytest.raises(UsageError, match="column"):
        make_kernel(KernelRequest(kernel.name, (), {}), view(TABLE))
    for spec in TABLE.schema:
        if not kernel.accepts(spec):
            columns = (spec.name,) if kernel.arity is None else (spec.name,) * kernel.arity
            with pytest.raises(UsageError, match=f"not defined on column '{spec.name}'"):
                make_kernel(KernelRequest(kernel.name, columns, {}), view(TABLE))


@EVERY_KERNEL
def test_request_survives_json(kernel: type[Kernel]) -> None:
    for request in (r for r in REQUESTS if r.kernel == kernel.name):
        read = KernelRequest.from_json(json.loads(canonical_json(request.to_json())))
        assert read == request
        assert read.key == request.key


@EVERY_KERNEL
def test_defaults_make_no_difference_to_the_key(kernel: type[Kernel]) -> None:
    for request in (r for r in REQUESTS if r.kernel == kernel.name):
        spelled = {**kernel.defaults, **request.params}
        assert KernelRequest(kernel.name, request.columns, spelled).key == request.key


@EVERY_REQUEST
def test_init_is_the_identity(request_: KernelRequest) -> None:
    kernel = ready(request_, TABLE)
    chunks = list(TABLE.chunks(request_.columns))[:3]
    states = [encode(kernel.update(kernel.init(), c)) for c in chunks]
    for state in states:
        alone = settled(kernel, decode(state))
        assert settled(kernel, kernel.merge(kernel.init(), decode(state))) == alone
        assert settled(kernel, kernel.merge(decode(state), kernel.init())) == alone
    assert settled(kernel, kernel.merge(kernel.init(), kernel.init())) == settled(kernel, kernel.init())


@MERGED_REQUEST
def test_merge_is_associative(request_: KernelRequest) -> None:
    kernel = ready(request_, TABLE)
    a, b, c = (encode(s) for s in chunk_states(kernel, TABLE)[:3])
    left = kernel.merge(kernel.merge(decode(a), decode(b)), decode(c))
    right = kernel.merge(decode(a), kernel.merge(decode(b), decode(c)))
    if kernel.state_class == "exact":
        assert settled(kernel, left) == settled(kernel, right)
    assert_close(kernel.finish(left), kernel.finish(right))


@MERGED_REQUEST
def test_every_split_gives_the_same_bytes(request_: KernelRequest) -> None:
    kernel = ready(request_, TABLE)
    whole = encode(scan_split(request_, TABLE, 1)) if not _resolves(kernel) else None
    results = {encode(scan_split(request_, TABLE, parts)) for parts in (3, 11)}
    assert len(results) == 1
    if whole is not None:
        assert results == {whole}


@EXACT_REQUEST
def test_exact_states_merge_in_any_order(request_: KernelRequest) -> None:
    kernel = ready(request_, TABLE)
    expected = whole_state(request_, TABLE)
    states = [encode(s) for s in chunk_states(kernel, TABLE)]
    for seed in range(3):
        pool = [decode(s) for s in shuffled(states, seed)]
        while len(pool) > 1:  # join neighbours of a shuffled row, two at a time: another grouping each time
            pool = shuffled(
                [
                    kernel.merge(*pool[i : i + 2]) if len(pool[i : i + 2]) == 2 else pool[i]
                    for i in range(0, len(pool), 2)
                ],
                seed + 100,
            )
        assert settled(kernel, pool[0]) == expected
        state = kernel.init()
        for chunk in shuffled(list(TABLE.chunks(request_.columns)), seed):
            state = kernel.update(state, chunk)
        assert settled(kernel, state) == expected


@EVERY_REQUEST
def test_chunk_size_makes_no_difference(request_: KernelRequest) -> None:
    results = [_result(request_, chunk_rows) for chunk_rows in (1, 7, 1000)]
    exact = kernels.get(request_.kernel).state_class == "exact"
    for other in results[1:]:
        if exact:
            assert comparable(other) == comparable(results[0])
        assert_close(other, results[0])


@EVERY_REQUEST
def test_state_survives_its_encoding(request_: KernelRequest) -> None:
    kernel = ready(request_, TABLE)
    data = whole_state(request_, TABLE)
    assert encode(decode(data)) == data
    assert settled(kernel, decode(data)) == data
    plain = ready(request_, TABLE).finish(decode(data))
    assert encode(plain) == encode(kernel.finish(kernel.settle(decode(data))))
    # A state goes on growing after it was read back, though what is read back can't be written to.
    half = kernel.init()
    chunks = list(TABLE.chunks(request_.columns))
    for chunk in chunks[:9]:
        half = kernel.update(half, chunk)
    grown = decode(encode(half))
    for chunk in chunks[9:]:
        grown = kernel.update(grown, chunk)
    if kernel.state_class == "exact":
        assert settled(kernel, grown) == data


@EVERY_KERNEL
def test_input_is_not_changed(kernel: type[Kernel]) -> None:
    dataset = sample(50)
    before = {k: v.tobytes() for k, v in reader_of(dataset)._chunks.items()}
    compute(dataset, [r for r in REQUESTS if r.kernel == kernel.name])
    assert {k: v.tobytes() for k, v in reader_of(dataset)._chunks.items()} == before


@EVERY_REQUEST
def test_every_chunk_is_read_once_a_pass(request_: KernelRequest) -> None:
    reads: list[tuple[str, int]] = []
    kernel = ready(request_, TABLE)
    if not kernel.scans:
        return
    dataset = Dataset(reader_of(TABLE), TABLE.location, lambda column, chunk: reads.append((column, chunk)))
    inputs = {r.key: encode(i) for r, i in zip(kernel.requires(), kernel.inputs, strict=True)}
    scan = Scan(request_.columns, (request_, request_), Partition(0, dataset.grid.n_chunks), inputs)
    output = run_scan(dataset, scan)
    expected = [(c, i) for i in range(dataset.grid.n_chunks) for c in request_.columns]
    if output.outputs[request_.key]["result"].get("abandoned"):  # what is given up needs not be read on
        expected = expected[: len(reads)]
    assert sorted(reads[: len(expected)]) == sorted(expected)
    assert output.rows == dataset.rows
    if not _resolves(kernel):
        assert len(reads) == len(expected)


@EVERY_KERNEL
def test_results_can_be_encoded_and_resolved_twice(kernel: type[Kernel]) -> None:
    for request in (r for r in REQUESTS if r.kernel == kernel.name):
        result = _result(request)
        assert comparable(decode(encode(result))) == comparable(result), request_ids(request)
        assert encode(ready(request, TABLE).resolve(result, TABLE)) == encode(result), request_ids(request)


@EVERY_KERNEL
def test_the_last_row_counts(kernel: type[Kernel]) -> None:
    if kernel.arity != 1 or not kernel.scans:
        return  # their own tests change a row
    for spec in TABLE.schema:
        if not kernel.accepts(spec):
            continue
        values = sample_columns()[spec.name]
        last = values[-1]
        if last is None or last is np.ma.masked or (isinstance(last, float) and math.isnan(last)):
            continue  # it is missing already
        without = [*values[:-1], None] if isinstance(values, list) else _masked_last(values)
        changed = memory_dataset({spec.name: without}, 7, encodings={spec.name: spec.encoding})
        request = KernelRequest(kernel.name, (spec.name,), {})
        if not _result(request).get("abandoned"):
            assert whole_state(request, changed) != whole_state(request, TABLE), spec.name


@EVERY_KERNEL
def test_a_batch_gives_the_bytes_of_each_by_itself(kernel: type[Kernel]) -> None:
    if kernel.batch is Kernel.batch:
        return
    dataset, batches = _table(4000, 12_000), defaultdict(list)
    for request in (r for r in REQUESTS if r.kernel == kernel.name and not is_redundant(r)):
        ready_ = ready(request, dataset)
        if key := ready_.batch():
            batches[key].append(ready_)
    for batch in batches.values():
        chunk = dataset.chunk(1, [c for k in batch for c in k.request.columns])
        alone = [settled(k, k.update(k.init(), chunk)) for k in batch]
        tracemalloc.start()
        try:
            together = kernel.leaves(batch, chunk)
            assert tracemalloc.get_traced_memory()[1] <= max(k.scratch() for k in batch) + sum(
                k.memory() for k in batch
            )
        finally:
            tracemalloc.stop()
        assert [settled(k, leaf) for k, leaf in zip(batch, together, strict=True)] == alone


@functools.cache
def _table(chunk_rows: int, rows: int = ROWS) -> Dataset:
    return TABLE if (chunk_rows, rows) == (7, ROWS) else sample(chunk_rows, rows)


@functools.cache
def _results(kernel: str, chunk_rows: int) -> dict[str, dict[str, Any]]:
    return compute(_table(chunk_rows), [r for r in REQUESTS if r.kernel == kernel])


def _result(request: KernelRequest, chunk_rows: int = 7) -> dict[str, Any]:
    """The result of one of `REQUESTS`, computed together with the others of its kernel."""
    return _results(request.kernel, chunk_rows)[request.key]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "float": st.lists(st.one_of(st.none(), st.floats(), st.sampled_from(AWKWARD_FLOATS)), min_size=1, max_size=60),
    "int": st.lists(
        st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.sampled_from(AWKWARD_INTEGERS)),
        min_size=1,
        max_size=60,
    ),
    "bool": st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=40),
    "text": st.lists(
        st.one_of(
            st.none(), st.sampled_from(AWKWARD_TEXT), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        ),
        min_size=1,
        max_size=40,
    ),
}


def _kernels_and_kinds() -> list[tuple[str, str]]:
    """Kernels with the kinds of values that they take in the first place."""
    kinds = {"float": ["normal"], "int": ["wide"], "bool": ["flag"], "text": ["city", "text"]}
    return [
        (name, kind)
        for name, kernel in kernels.all().items()
        for kind, columns in kinds.items()
        if any(kernel.accepts_at(TABLE.schema[c], 0) for c in columns)
    ]


@pytest.mark.parametrize(("kernel", "kind"), _kernels_and_kinds())
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_laws_on_any_data(kernel: str, kind: str, data: st.DataObject) -> None:
    _check_laws(kernel, kind, data)


@pytest.mark.slow
@pytest.mark.parametrize(("kernel", "kind"), _kernels_and_kinds())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_laws_on_more_data(kernel: str, kind: str, data: st.DataObject) -> None:
    _check_laws(kernel, kind, data)


def _check_laws(kernel: str, kind: str, data: st.DataObject) -> None:
    provided = kernels.get(kernel)
    columns = {"x": data.draw(VALUES[kind])}
    if provided.arity != 1:
        more = data.draw(VALUES[data.draw(st.sampled_from(list(VALUES)))])
        columns["y"] = [more[i % len(more)] for i in range(len(columns["x"]))]
    chunk_rows = data.draw(st.sampled_from([1, 2, 3, 7, 100]))
    encodings = dict.fromkeys(columns, data.draw(st.sampled_from(["coded", "long"])))
    columns = {name: _with_floats_masked(values) for name, values in columns.items()}
    dataset = memory_dataset(columns, chunk_rows, encodings=encodings)
    if not is_taken(provided, tuple(columns), dataset):
        return
    params = {p: v for p, v in {"cap": data.draw(st.integers(1, 9))}.items() if p in provided.defaults}
    request = KernelRequest(kernel, tuple(columns), params)
    parts = data.draw(st.integers(2, 6))
    assert encode(scan_split(request, dataset, parts)) == encode(scan_split(request, dataset, parts + 1))
    final = compute(dataset, [request])[request.key]
    one_chunk = memory_dataset(columns, 1000, encodings=encodings)
    roomy = {"cap": 10**6} if "cap" in params else {}
    whole = KernelRequest(kernel, tuple(columns), roomy)
    if provided.state_class == "exact":
        assert comparable(final) == comparable(compute(one_chunk, [whole])[whole.key])
    else:
        assert_close(final, compute(one_chunk, [whole])[whole.key])


def _with_floats_masked(values: list[Any]) -> Any:
    """Floats as a masked array, so that NaN and missing values are told apart; others as they are."""
    if not any(isinstance(v, float) for v in values):
        return values
    return np.ma.array([0.0 if v is None else v for v in values], mask=[v is None for v in values])


def _resolves(kernel: Kernel) -> bool:
    return type(kernel).resolve is not Kernel.resolve


def _masked_last(values: np.ndarray[Any, Any]) -> np.ma.MaskedArray[Any, Any]:
    masked = np.ma.array(values, mask=np.ma.getmaskarray(values))
    masked[-1] = np.ma.masked
    return masked
