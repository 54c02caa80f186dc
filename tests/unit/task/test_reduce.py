"""Reducers: one tree, whatever the split; states that cross processes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from tests.plugin_on_disk import plugin_on_disk
from toolkit.core.encoding import decode, encode
from toolkit.core.errors import DamagedStoreError
from toolkit.plugin import Chunk, Context, Inputs, Reducer, Result
from toolkit.storage.dataset import Dataset
from toolkit.task.payload import PluginCall
from toolkit.task.plugin_task import run_plugin
from toolkit.task.reduce import join_nodes, pack_nodes, reduce_chunks, unpack_nodes


class Sum(Reducer):
    """A sum whose last bits depend on the grouping."""

    def init(self) -> Any:
        return {"sum": 0.0}

    def update(self, state: Any, chunk: Chunk) -> Any:
        return {"sum": state["sum"] + float(chunk["x"].sum())}

    def merge(self, left: Any, right: Any) -> Any:
        return {"sum": left["sum"] + right["sum"]}

    def finish(self, state: Any, ctx: Context) -> Result:
        return Result(dict(state))


class Trace(Reducer):
    """Writes down how it was grouped."""

    def init(self) -> Any:
        return ""

    def update(self, state: Any, chunk: Chunk) -> Any:
        return f"{state}{chunk.index}"

    def merge(self, left: Any, right: Any) -> Any:
        return f"({left}{right})"

    def finish(self, state: Any, ctx: Context) -> Result:
        return Result({"trace": state})


def table(rows: int, chunk_rows: int) -> Dataset:
    return memory_dataset({"x": np.sin(np.arange(rows)) * 10.0 ** (np.arange(rows) % 17)}, chunk_rows)


def reduced(reducer: Reducer, dataset: Dataset, chunks_each: int) -> Any:
    reducer.ctx = Context(dataset, Inputs("analysis_x"))
    nodes = []
    for span in dataset.grid.partitions(chunks_each):
        nodes += unpack_nodes(pack_nodes(reduce_chunks(reducer, reducer.ctx.chunks(["x"], span))))
    return join_nodes(reducer, nodes[::-1], dataset.grid.n_chunks)


@given(rows=st.integers(1, 60), chunk_rows=st.integers(1, 9), split=st.integers(1, 70))
def test_a_tree_reducer_gives_the_same_bytes_for_any_split(rows: int, chunk_rows: int, split: int) -> None:
    dataset = table(rows, chunk_rows)
    assert encode(reduced(Sum(), dataset, split)) == encode(reduced(Sum(), dataset, 1 << 20))


def test_the_sum_needs_the_tree() -> None:
    """If it did not, the test above would prove nothing."""
    dataset = table(60, 1)
    straight = math.fsum([])
    for chunk in dataset.chunks(["x"]):
        straight += float(chunk["x"].sum())
    assert straight != reduced(Sum(), dataset, 1 << 20)["sum"]


def test_the_tree_is_the_canonical_one() -> None:
    for split in (1, 2, 3, 5, 7, 100):
        assert reduced(Trace(), table(6, 1), split) == "(((01)(23))(45))"


@pytest.mark.parametrize("state_class", ["exact", "serial"])
def test_others_fold_in_row_order(state_class: str) -> None:
    class Fold(Trace):
        pass

    Fold.state_class = state_class  # type: ignore[assignment]
    assert reduced(Fold(), table(5, 1), 100) == "01234"


TWO_PASSES = """
import numpy as np

class Plugin(Reducer):
    passes = 2

    def init(self):
        return {"n": 0, "sum": np.zeros(1)}

    def update(self, state, chunk):
        x = chunk["x"]
        centre = 0.0 if self.pass_number == 0 else self.former["sum"][0] / self.former["n"]
        state["n"] += len(chunk)
        state["sum"] += ((x - centre) ** (self.pass_number + 1)).sum()
        return state

    def merge(self, left, right):
        left["n"] += right["n"]
        left["sum"] += right["sum"]
        return left

    def finish(self, state, ctx):
        assert self.former["n"] == state["n"] == ctx.rows
        return Result({"mean": self.former["sum"][0] / state["n"], "m2": state["sum"][0]})
"""


def carried_out(dataset: Dataset, folder: Path, partition_chunks: int) -> dict[str, Any]:
    """What the engine does with a plugin that is split."""
    call = PluginCall(folder.name, "analysis", str(folder), "", partition_chunks=partition_chunks)
    value = run_plugin(dataset, call, lambda done, total: None)
    number, former = 0, None
    while "result" not in value:
        parts = []
        for span in dataset.grid.partitions(partition_chunks):
            call.mode, call.pass_number, call.former = "part", number, former
            call.partition = [span.start, span.stop]
            parts.append(encode(run_plugin(dataset, call, lambda done, total: None)))
        call.mode, call.parts = "join", parts
        value = run_plugin(dataset, call, lambda done, total: None)
        number, former = number + 1, value.get("former")
    return value


def test_passes_give_the_same_bytes_split_or_not(tmp_path: Path) -> None:
    dataset = table(50, 3)
    folder = plugin_on_disk(tmp_path, "analysis_two", TWO_PASSES)
    whole = carried_out(dataset, folder, 100)
    for chunks in (1, 2, 5, 16):
        assert carried_out(dataset, folder, chunks) == whole
    data = decode(whole["result"])["data"]
    x = np.concatenate([c["x"] for c in dataset.chunks()])
    np.testing.assert_allclose([data["mean"], data["m2"]], [x.mean(), ((x - x.mean()) ** 2).sum()], rtol=1e-12)
    assert decode(whole["result"])["coverage"]["complete"] is True


def test_a_serial_reducer_is_never_split(tmp_path: Path) -> None:
    folder = plugin_on_disk(
        tmp_path, "analysis_serial", TWO_PASSES.replace("passes = 2", "passes = 2\n    state_class = 'serial'")
    )
    call = PluginCall(folder.name, "analysis", str(folder), "", partition_chunks=1)
    assert "result" in run_plugin(table(50, 3), call, lambda done, total: None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\n", "must have either"),
        ("def run(ctx): ...\nclass Plugin(Reducer): ...\n", "must have either"),
        ("class Plugin: ...\n", "derives from"),
        ("run = 3\n", "not a function"),
    ],
)
def test_a_module_that_is_no_plugin_is_refused(tmp_path: Path, code: str, words: str) -> None:
    folder = plugin_on_disk(tmp_path, "analysis_none", code)
    with pytest.raises(Exception, match=words):
        run_plugin(table(3, 3), PluginCall("analysis_none", "analysis", str(folder), ""), lambda done, total: None)


def test_a_skip_is_no_failure(tmp_path: Path) -> None:
    folder = plugin_on_disk(tmp_path, "analysis_skips", "def run(ctx):\n    raise Skip('no time', 'declare one')\n")
    value = run_plugin(table(3, 3), PluginCall("analysis_skips", "analysis", str(folder), ""), lambda done, total: None)
    assert value == {"status": "skipped", "reason": "no time", "recommendation": "declare one"}


def test_damage_wins_over_a_skip(tmp_path: Path) -> None:
    from tests.memory_store import reader_of

    dataset = table(6, 3)
    reader_of(dataset).replace_chunk("x", 1, np.zeros(3))
    code = """
    def run(ctx):
        try:
            [c["x"] for c in ctx.chunks()]
        except Exception:
            raise Skip("never mind")
    """
    folder = plugin_on_disk(tmp_path, "analysis_skips", code)
    with pytest.raises(DamagedStoreError, match="chunk 1"):
        run_plugin(dataset, PluginCall("analysis_skips", "analysis", str(folder), ""), lambda done, total: None)
