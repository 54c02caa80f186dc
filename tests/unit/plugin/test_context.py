"""The context: rows as they are, kernels that were asked for, bounds that hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset, reader_of
from toolkit.core.errors import BadInputError, BudgetError, DamagedStoreError, UsageError
from toolkit.core.grid import Partition
from toolkit.plugin import Budget, Context, Inputs, Result
from toolkit.plugin.inputs import kernel_key
from toolkit.storage.dataset import Dataset


def table(rows: int = 10, chunk_rows: int = 4) -> Dataset:
    i = np.arange(rows)
    words = [None if k % 3 == 2 else ("red", "green")[k % 3] for k in range(rows)]
    return memory_dataset(
        {
            "i": np.ma.array(i, mask=i % 4 == 3),
            "f": i / 4,
            "word": words,
            "note": [f"n{k}" for k in range(rows)],
            "at": i.astype("M8[s]"),
        },
        chunk_rows,
        encodings={"word": "coded", "note": "long"},
    )


def context(dataset: Dataset | None = None, **inputs: object) -> Context:
    return Context(dataset or table(), Inputs("analysis_x", **inputs))  # type: ignore[arg-type]


def test_chunks_stream_the_manifests_columns_in_row_order() -> None:
    ctx = context(selectors=("numeric",))
    seen = []
    for chunk in ctx.chunks():
        assert chunk.columns == ["i", "f"]
        seen += chunk["f"].tolist()
    assert seen == (np.arange(10) / 4).tolist()
    assert ctx.reads == {"f": {0, 1, 2}}  # i was offered, and never asked for


def test_a_partition_is_a_run_of_chunks() -> None:
    ctx = context()
    assert [c.index for c in ctx.chunks(["i"], Partition(1, 3))] == [1, 2]


def test_max_cols_holds_and_is_recorded_once() -> None:
    ctx = context(budget=Budget(max_cols=2))
    assert ctx.columns() == ["i", "f"]
    assert ctx.columns("any") == ["i", "f"]
    assert ctx.columns("any", capped=False) == ["i", "f", "word", "note", "at"]
    assert [o["cap"] for o in ctx.omissions] == ["max_cols"]


def test_an_unknown_kind_of_column_lists_the_known() -> None:
    with pytest.raises(UsageError, match="numeric"):
        context().columns("numbers")


def test_kernels_are_found_with_and_without_parameters() -> None:
    kernels = {
        kernel_key("moments", ["f"], {}): {"n": 10},
        kernel_key("order", ["f"], {"k": 3}): lambda: {"k": 3},
        kernel_key("order", ["f"], {"k": 4}): lambda: {"k": 4},
        kernel_key("order", ["i"], {"k": 4}): lambda: {"k": "i"},
    }
    ctx = context(kernels=kernels)
    assert ctx.kernel("moments", "f") == {"n": 10}
    assert ctx.kernel("order", "f", k=4) == {"k": 4}
    assert ctx.kernel("order", "i") == {"k": "i"}
    assert ctx.kernel_columns("order") == [("i",), ("f",)]
    assert ctx.has_kernel("moments", "f")
    assert not ctx.has_kernel("moments", "i")
    for asked in (("order", "f"), ("moments", "i"), ("none", "f")):
        with pytest.raises(UsageError, match="was not asked for"):
            ctx.kernel(*asked)


def test_upstream_results_and_the_report() -> None:
    ctx = context(upstream={"profile_basic": Result({"a": 1})})
    assert ctx.result("profile_basic").data == {"a": 1}
    assert list(ctx.results) == ["profile_basic"]
    with pytest.raises(UsageError, match="depends_on"):
        ctx.result("profile_other")
    with pytest.raises(UsageError, match="only plugins of type report and llm"):
        _ = ctx.report
    assert context(report={"findings": []}).report == {"findings": []}


def test_random_streams_depend_on_table_plugin_and_seed_alone() -> None:
    def draw(dataset: Dataset | None = None, plugin: str = "analysis_x", seed: int = 0) -> list[float]:
        rng = Context(dataset or table(), Inputs(plugin, seed=seed)).rng()
        numbers: list[float] = rng.random(3).tolist()
        return numbers

    assert draw() == draw()
    assert len({tuple(draw()), tuple(draw(table(11))), tuple(draw(plugin="analysis_y")), tuple(draw(seed=1))}) == 4


def test_damage_is_remembered_where_it_is_swallowed() -> None:
    dataset = table()
    reader_of(dataset).replace_chunk("f", 1, np.zeros(4))
    ctx = context(dataset)
    for chunk in ctx.chunks(["f"]):
        try:
            chunk["f"]
        except DamagedStoreError:
            continue
    assert ctx.damage is not None
    assert "column 'f', chunk 1" in ctx.damage.message
    assert ctx.reads == {"f": {0, 2}}


@given(
    rows=st.integers(1, 30),
    chunk_rows=st.integers(1, 31),
    size=st.integers(1, 40),
    limit=st.none() | st.integers(1, 40),
)
def test_batches_are_the_same_for_any_chunks(rows: int, chunk_rows: int, size: int, limit: int | None) -> None:
    dataset = table(rows, chunk_rows)
    ctx = context(dataset)
    frames = list(ctx.dataset_iter_batches(batch_size=size, row_limit=limit))
    total = rows if limit is None else min(rows, limit)
    assert [len(f) for f in frames] == [size] * (total // size) + [total % size] * (total % size > 0)
    pd.testing.assert_frame_equal(pd.concat(frames), dataset.to_pandas().iloc[:total], check_index_type=False)
    assert ctx.row_limit == (limit if limit is not None and limit < rows else None)


def test_batches_take_the_budgets_size() -> None:
    assert [len(f) for f in context(budget=Budget(batch_size=6)).dataset_iter_batches(["i"])] == [6, 4]
    assert [len(f) for f in context().dataset_iter_batches(["i"])] == [4, 4, 2]


def test_a_batch_is_never_larger_than_the_budgets() -> None:
    ctx = context(budget=Budget(batch_size=3))
    assert [len(f) for f in ctx.dataset_iter_batches(["i"], batch_size=10**9)] == [3, 3, 3, 1]
    assert [len(f) for f in ctx.dataset_iter_batches(["i"], batch_size=2)] == [2] * 5


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3"])
@pytest.mark.parametrize("name", ["batch_size", "row_limit"])
def test_what_is_no_number_of_rows_is_refused_at_the_call(name: str, value: object) -> None:
    ctx = context()
    with pytest.raises(UsageError, match=f"{name} takes a positive integer, not"):
        ctx.dataset_iter_batches(["i"], **{name: value})  # type: ignore[arg-type]
    assert (ctx.row_limit, ctx.reads) == (None, {})


def test_a_column_that_is_not_there_is_refused_at_the_call() -> None:
    ctx = context()
    for call in (ctx.dataset_iter_batches, ctx.dataset_loader):
        with pytest.raises(BadInputError, match="nothing"):
            call(["i", "nothing"])
    assert (ctx.reads, ctx.full_loads) == ({}, 0)


def test_a_row_limit_reads_no_chunk_beyond_it_and_the_smallest_counts() -> None:
    ctx = context()
    assert sum(len(f) for f in ctx.dataset_iter_batches(["i"], row_limit=5)) == 5
    assert (ctx.reads, ctx.row_limit) == ({"i": {0, 1}}, 5)
    list(ctx.dataset_iter_batches(["i"], row_limit=7))
    assert ctx.row_limit == 5
    whole = context()
    assert sum(len(f) for f in whole.dataset_iter_batches(["i"], row_limit=10)) == 10
    assert whole.row_limit is None


def test_batches_without_columns_have_every_row() -> None:
    frames = list(context().dataset_iter_batches([], batch_size=3))
    assert [list(f.index) for f in frames] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_batches_hold_one_batch_and_one_chunk_at_a_time() -> None:
    ctx = context()
    for frame in ctx.dataset_iter_batches(["i"], batch_size=3):
        assert max(ctx.reads["i"]) <= frame.index[-1] // 4 + 1


def test_a_load_is_judged_by_the_rows_that_the_table_stands_for() -> None:
    ctx = context(full_load=10_000, load_rows=2_000_000)
    with pytest.raises(BudgetError, match=r"2,000,000 rows of 1 columns, at least 15 MiB; the policy allows 10,000 by"):
        ctx.dataset_loader(["f"])
    assert (ctx.reads, ctx.full_loads) == ({}, 0)


def test_full_loads_are_counted() -> None:
    ctx = context()
    ctx.dataset_loader(["f"])
    assert ctx.full_loads == 1


def test_what_was_evaluated_is_told() -> None:
    ctx = context()
    ctx.cover("groups", 10, 4)
    assert ctx.covered == {"groups": (10, 4)}
    for wrong in (("rows", 1, 1), ("pairs", 1, 2), ("pairs", 1, -1)):
        with pytest.raises(UsageError):
            ctx.cover(*wrong)


def test_a_load_up_to_the_limit_is_whole() -> None:
    dataset = table()
    frame = context(dataset, full_load=10 * 8).dataset_loader(["f"])
    pd.testing.assert_frame_equal(frame, dataset.to_pandas(["f"]), check_index_type=False)
    assert len(context(dataset).dataset_loader()) == 10


def test_a_load_over_the_limit_says_how_to_go_on() -> None:
    with pytest.raises(BudgetError) as raised:
        context(full_load=10 * 8 - 1).dataset_loader(["f"])
    assert raised.value.exit_code == 4
    text = str(raised.value)
    for word in ("10 rows of 1 columns", "ctx.chunks()", "full_load", "TOOLKIT_ALLOW_FULL_LOAD"):
        assert word in text


def test_progress_is_told_after_each_chunk() -> None:
    heard: list[tuple[int, int]] = []
    ctx = Context(table(), Inputs("analysis_x"), lambda done, total: heard.append((done, total)))
    list(ctx.chunks(["i"]))
    assert heard == [(1, 3), (2, 3), (3, 3)]
