"""analysis_duplicate_rows: against pandas, on planted blocks and on degenerate tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.memory_store import memory_dataset
from tests.null_tables import null_tables, run_plugin
from tests.sample_store import sample_store
from tests.unit.plugins.run_profile import run_profile
from toolkit.plugin import Budget, Finding, Result
from toolkit.storage.dataset import Dataset

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_duplicate_rows"


def run(
    table: dict[str, Any] | Dataset, chunk_rows: int = 1_000, budget: Budget | None = None, **params: Any
) -> Result:
    dataset = table if isinstance(table, Dataset) else memory_dataset(table, chunk_rows)
    profile = run_profile(dataset)[0]
    return run_plugin(FOLDER, dataset, params=params, budget=budget, upstream={"profile_basic": profile})


def of_kind(result: Result, kind: str) -> list[Finding]:
    return [f for f in result.findings if f.kind == kind]


def table(rows: int = 5_000, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "id": np.arange(rows),
        "x": rng.normal(size=rows).round(2),
        "n": rng.integers(0, 9, rows),
        "place": [f"p{k}" for k in rng.integers(0, 50, rows)],
    }


def taken(columns: dict[str, Any], order: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {n: c[order] if isinstance(c, np.ndarray) else [c[i] for i in order.tolist()] for n, c in columns.items()}


def test_a_block_that_was_loaded_twice() -> None:
    order = np.concatenate([np.arange(3_000), np.arange(1_200, 2_300), np.arange(3_000, 5_000)])
    result = run(taken(table(), order))
    (block,) = of_kind(result, "reloaded_rows")
    assert block.evidence["rows"] == [[3_000, 4_099]]
    assert block.evidence["repeats"] == [[1_200, 2_299]]
    assert result.data["repeats"] == 1_100
    (every,) = of_kind(result, "duplicate_rows")
    assert (every.evidence["in_blocks"], every.evidence["blocks"]) == (1_100, 1)
    assert not of_kind(result, "adjacent_repeats")


def test_blocks_with_repeats_inside_stay_whole() -> None:
    """Some of their rows repeat rows that stand before the block as well."""
    columns = table()
    order = np.arange(5_000)
    order[[1_300, 1_301, 1_900]] = 17, 18, 17
    order = np.concatenate([order[:3_000], order[1_200:2_300], order[3_000:]])
    result = run(taken(columns, order))
    (block,) = of_kind(result, "reloaded_rows")
    assert block.evidence["rows"] == [[3_000, 4_099]]
    assert result.data["repeats"] == 1_103


def test_it_is_that_of_pandas() -> None:
    columns = table(2_000)
    del columns["id"]
    columns["x"] = columns["x"].round(0)
    frame = pd.DataFrame(columns)
    result = run(columns)
    assert result.data["repeats"] == int(frame.duplicated().sum())
    first = frame.drop_duplicates()
    assert result.data["different_rows"] == int((frame.value_counts() > 1).sum())
    assert result.data["repeats"] + len(first) == len(frame)
    most = frame.value_counts().max() - 1
    assert max(count for _, count in result.data["most_repeated"]) == most
    beside = (frame == frame.shift()).all(axis=1)
    assert result.data["adjacent"] == int(beside.sum())


def test_repeats_but_for_ids_and_times() -> None:
    columns = {k: v for k, v in table().items() if k != "n"} | {"y": np.random.default_rng(3).normal(size=5_000)}
    order = np.arange(5_000)
    order[[100, 2_000, 4_999]] = 99, 50, 2_001
    copied = taken(columns, order) | {"id": np.arange(5_000), "at": np.arange(5_000).astype("M8[s]")}
    result = run(copied)
    (near,) = of_kind(result, "repeated_but_for_ids")
    assert near.columns == ["id", "at"]
    assert near.evidence["examples"] == [[100, 99], [2_000, 50], [4_999, 2_001]]
    assert result.data["repeats"] == 0


def test_coarse_columns_repeat_each_other_and_it_is_not_told() -> None:
    result = run({"id": np.arange(4_000), "a": np.arange(4_000) % 3, "b": np.arange(4_000) % 5})
    assert result.findings == []
    assert result.data["repeats_but_for_ids"] is None


def test_every_row_twice() -> None:
    result = run(taken(table(1_000), np.repeat(np.arange(1_000), 2)))
    (beside,) = of_kind(result, "adjacent_repeats")
    assert beside.evidence["adjacent"] == 1_000
    assert not of_kind(result, "reloaded_rows")


def test_the_last_row_counts() -> None:
    columns = table()
    repeated = taken(columns, np.concatenate([np.arange(4_999), [12]]))
    assert run(columns).data["repeats"] == 0
    assert run(repeated).data["repeats"] == 1


@pytest.mark.parametrize(
    ("columns", "repeats"),
    [
        ({"x": np.ma.array(np.zeros(50), mask=True), "y": [None] * 50}, 49),
        ({"x": np.array([np.nan]), "y": [""]}, 0),
        ({"x": np.array([0.0, -0.0, np.nan, np.nan, np.inf, -np.inf]), "y": [""] * 6}, 2),
        ({"x": np.array([2**53, 2**53 + 1, 2**53]), "y": ["", "", None]}, 0),
        ({"x": np.zeros(3_000), "y": ["x" * 5_000] * 3_000}, 2_999),
        ({"x": np.arange(500), "y": [f"{'y' * 90}{k}" for k in range(500)]}, 0),
    ],
)
def test_degenerate_tables(columns: dict[str, Any], repeats: int) -> None:
    assert run(columns, 64).data["repeats"] == repeats


def test_caps() -> None:
    order = np.concatenate([np.arange(3_000), np.arange(200), np.arange(500, 900)])
    result = run(taken(table(), order), budget=Budget(max_cols=1, max_findings=1))
    assert [f.kind for f in result.findings] == ["reloaded_rows"]
    assert result.data["repeats"] == 600


def test_null_tables_have_no_duplicates() -> None:
    for _, dataset in null_tables(3, rows=3_000):
        assert run(dataset).findings == []


def test_the_sample_table() -> None:
    dataset, planted = sample_store()
    result = run(dataset)
    (block,) = of_kind(result, "reloaded_rows")
    source, copy = (planted["reloaded_block"][key] for key in ("source", "copy"))
    assert block.evidence["rows"] == [[copy[0], copy[1] - 1]]
    assert block.evidence["repeats"] == [[source[0], source[1] - 1]]
    assert result.data["repeats"] == copy[1] - copy[0]
