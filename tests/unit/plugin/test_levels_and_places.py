"""What plugins share: levels that are kept, places of row blocks, findings that outlive their number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from tests.memory_store import memory_dataset
from toolkit.core.grid import ChunkGrid
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Finding, Inputs, discoveries
from toolkit.plugin.kept_levels import KeptLevels, kept_levels
from toolkit.plugin.places import MOST_RUNS, Places, block_places


def kept(
    values: list[Any], levels: int = 64, least: float = 0.0, most: int | None = None
) -> tuple[KeptLevels, Context]:
    dataset = memory_dataset({"v": values}, 7, encodings={"v": "coded"})
    (found,) = compute(dataset, [request("levels", "v", levels=levels)]).values()
    ctx = Context(dataset, Inputs("analysis_x", ["any"], {}, Budget(max_groups=most)))
    return kept_levels(ctx, "v", found, found["counts"], least), ctx


def test_all_levels_are_kept_without_a_cap() -> None:
    found, ctx = kept(["b", "a", "c", "a"])
    assert (found.labels, found.pooled, found.own, ctx.omissions) == (["a", "b", "c"], False, 3, [])
    assert found.fold(np.array([[2, 1, 1], [0, 5, 6]]), 1).tolist() == [[2, 1, 1], [0, 5, 6]]


def test_the_rest_is_pooled_and_told() -> None:
    found, ctx = kept(["a"] * 5 + ["b"] * 2 + ["c"] * 3 + ["d"], most=2)
    assert (found.labels, found.own) == (["a", "c", "__other__"], 2)
    assert found.fold(np.array([5, 2, 3, 1])).tolist() == [5, 3, 3]
    (entry,) = ctx.omissions
    assert (entry["cap"], entry["evaluated"], entry["left_out"]) == ("max_groups", 2, ["b", "d"])


def test_rare_levels_and_those_of_the_kernel_are_pooled() -> None:
    found, ctx = kept(["a"] * 5 + ["b"] * 2 + ["c"] * 3 + ["d"], least=3)
    assert (found.labels, ctx.omissions) == (["a", "c", "__other__"], [])
    values = [f"v{k}" for k in range(6) for _ in range(k + 1)]
    found, ctx = kept(values, levels=4)
    assert (found.labels, ctx.omissions[0]["restore"]) == (["v3", "v4", "v5", "__other__"], None)


def test_places_of_blocks() -> None:
    found = block_places(ChunkGrid(640, 100), [0, 1, 5, 63])
    assert found["rows"] == [[0, 19], [50, 59], [630, 639]]
    assert found["chunks"] == [0, 6]
    every_other = block_places(ChunkGrid(640, 100), range(0, 64, 2))
    assert len(every_other["rows"]) == MOST_RUNS
    assert every_other["rows_listed"] == f"the first {MOST_RUNS} runs"
    assert block_places(ChunkGrid(3, 2), range(64))["rows"] == [[0, 2]]


def test_places_of_rows() -> None:
    places = Places()
    places.add(0, np.array([3, 4, 9]))
    places.add(2, np.array([10, 20]))
    found = places.evidence()
    assert (found["rows"], found["chunks"], places.count) == ([[3, 4], [9, 10], [20, 20]], [0, 2], 5)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    p = [0.03, 1e-5, 0.2, 0.004, 1e-5]
    findings = [Finding("k", [], str(i), "", effect=float(i), log10_p=float(np.log10(v))) for i, v in enumerate(p)]
    q = false_discovery_control([*p, *[1.0] * 15])[:5]
    found = discoveries(findings, 20, 0.05)
    assert [f.sentence for f in found] == ["4", "1", "3"]  # the larger effect first among equals
    assert {int(f.sentence) for f in found} == set(np.flatnonzero(q <= 0.05).tolist())
    assert discoveries([], 0, 0.05) == []
    assert len(discoveries(findings, 5, 0.05)) == pytest.approx(sum(false_discovery_control(p) <= 0.05))
