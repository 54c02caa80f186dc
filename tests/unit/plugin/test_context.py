"""The context: rows as they are, kernels that were asked for, bounds that hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset, reader_of
from toolkit.core.errors import BudgetError, DamagedStoreError, UsageError
from toolkit.core.grid import Partition
from toolkit.plugin import Budget, Context, Inputs, Result
from toolkit.plugin.context import kernel_key
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
