"""What kernels of one scan share of a chunk."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.core.chunk import Chunk
from toolkit.kernels.present import LastDerived, present_rows, present_values


def test_a_derivation_is_made_once_for_a_chunk_and_column() -> None:
    made: list[tuple[int, str]] = []

    def derive(chunk: Chunk, column: str) -> list[int]:
        made.append((chunk.index, column))
        return [chunk.index]

    derived = LastDerived(derive)
    dataset = memory_dataset({"a": np.arange(4), "b": np.arange(4)}, 2)
    first, second = dataset.chunks()
    assert derived(first, "a") is derived(first, "a")
    derived(first, "b")
    derived(second, "b")
    derived(first, "a")
    assert made == [(0, "a"), (0, "b"), (1, "b"), (0, "a")]


def test_what_is_kept_goes_with_the_chunk() -> None:
    class Big:
        pass

    alive: list[int] = []
    derived = LastDerived(lambda chunk, column: _counted(Big(), alive))
    chunk = memory_dataset({"a": np.arange(4)}).chunk(0)
    derived(chunk, "a")
    assert alive == [1]
    del chunk
    gc.collect()
    assert alive == []


def _counted(thing: object, alive: list[int]) -> object:
    import weakref

    alive.append(1)
    weakref.finalize(thing, alive.pop)
    return thing


def test_values_and_rows_where_a_column_is_present() -> None:
    values = np.ma.array([5.0, np.nan, -0.0, 3.0, 0.0, 1.0], mask=[0, 0, 0, 1, 0, 0])
    dataset = memory_dataset({"a": values, "b": np.arange(6)}, 4)
    first, second = dataset.chunks()
    np.testing.assert_array_equal(present_values(first, "a"), [5.0, np.nan, -0.0])
    assert present_rows(first, "a").tolist() == [0, 1, 2]
    assert present_rows(second, "a").tolist() == [4, 5]
    assert present_rows(second, "b").tolist() == [4, 5]
    assert np.shares_memory(present_values(first, "b"), first.raw("b"))
    with pytest.raises(ValueError, match="read-only"):
        present_values(first, "b")[0] = 1
