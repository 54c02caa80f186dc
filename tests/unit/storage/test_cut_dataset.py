"""A store read in other chunks than its own gives the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from tests.memory_store import memory_dataset, reader_of
from toolkit.core.errors import DamagedStoreError
from toolkit.core.grid import Partition
from toolkit.storage.cut_dataset import CutDataset, cut_grid

ROWS = 50
COLUMNS = {
    "x": np.ma.array(np.arange(ROWS) * 1.5, mask=np.arange(ROWS) % 7 == 2),
    "n": np.arange(ROWS),
    "coded": [None if i % 5 == 1 else ("red", "green")[i % 2] for i in range(ROWS)],
    "long": [None if i % 6 == 1 else "ä" * (i % 9) + str(i) for i in range(ROWS)],
    "at": (np.arange(ROWS) * 3600).astype("M8[s]"),
}
CUTS = {
    "none": [],
    "one row each": list(range(1, ROWS)),
    "at the chunks": [8, 16, 24, 32, 40, 48],
    "odd": [3, 4, 30, 49],
}


@pytest.mark.parametrize("name", CUTS)
def test_the_same_rows_in_other_chunks(name: str) -> None:
    dataset = memory_dataset(COLUMNS, 8, encodings={"coded": "coded", "long": "long"})
    cut = CutDataset(dataset, CUTS[name])
    assert [c.rows.start for c in cut.chunks()] == [0, *CUTS[name]]
    for column in COLUMNS:
        for read in (lambda c, n: c.valid(n), lambda c, n: np.where(c.valid(n), c[n], c[n][:1])):
            expected = np.concatenate([read(c, column)[c.valid(column)] for c in dataset.chunks()])
            found = np.concatenate([read(c, column)[c.valid(column)] for c in cut.chunks()])
            assert np.array_equal(expected, found)
    assert cut.to_arrow().read_all().to_pylist() == dataset.to_arrow().read_all().to_pylist()
    assert cut.stored_chunks(set(range(cut.grid.n_chunks))) == set(range(dataset.grid.n_chunks))
    assert [len(p) for p in cut.grid.partitions(2)] == [
        min(2, cut.grid.n_chunks - k) for k in range(0, cut.grid.n_chunks, 2)
    ]


def test_what_is_read_is_checked() -> None:
    dataset = memory_dataset(COLUMNS, 8)
    reader_of(dataset).replace_chunk("n", 3, np.zeros(8, np.int8))
    cut = CutDataset(dataset, [20, 25])
    assert len(next(cut.chunks(["n"]))["n"]) == 20
    with pytest.raises(DamagedStoreError, match="chunk 3"):
        [c["n"] for c in cut.chunks(["n"], Partition(1, 3))]


def test_a_grid_knows_its_chunks() -> None:
    grid = cut_grid(10, [3, 8])
    assert [grid.chunk_of(r) for r in range(10)] == [0] * 3 + [1] * 5 + [2] * 2
    for wrong in (-1, 10):
        with pytest.raises(IndexError):
            grid.chunk_of(wrong)
    with pytest.raises(IndexError):
        grid.bounds(3)
