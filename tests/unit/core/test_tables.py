"""Chunks as Arrow and as pandas: types, missing values, row numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.unit.ingest.many_types import ROWS, many_types
from toolkit import convert_table
from toolkit.core.errors import BadInputError, UsageError
from toolkit.storage.dataset import Dataset

TABLE = many_types()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    with convert_table(TABLE, appdata=tmp_path_factory.mktemp("ad"), chunk_rows=256) as dataset:
        yield dataset


def test_chunks_stream_in_row_order_and_are_read_only(stored: Dataset) -> None:
    rows = [c.rows for c in stored.chunks(["big"])]
    assert [(r.start, r.stop) for r in rows] == [(0, 256), (256, 512), (512, ROWS)]
    values = np.concatenate([c["big"] for c in stored.chunks(["big"])])
    assert values.tolist() == TABLE["big"].to_pylist()
    assert not stored.chunk(0)["big"].flags.writeable


def test_a_chunk_reads_only_what_it_is_asked_for(tmp_path: Path) -> None:
    read: list[tuple[str, int]] = []
    dataset = convert_table(TABLE, appdata=tmp_path, chunk_rows=256)
    dataset.on_read = lambda name, index: read.append((name, index))
    chunk = dataset.chunk(1)
    assert read == []
    chunk["int"], chunk.valid("int"), chunk["int"]
    assert read == [("int", 1)]


def test_what_a_chunk_does_not_offer_is_an_error_with_a_remedy(stored: Dataset) -> None:
    chunk = stored.chunk(0, ["int", "word", "text"])
    with pytest.raises(UsageError, match="'big' is not part of this chunk"):
        chunk["big"]
    with pytest.raises(UsageError, match="not coded"):
        chunk.codes("int")
    with pytest.raises(UsageError, match="not long text"):
        chunk.strings("word")
    with pytest.raises(UsageError, match="is long text"):
        chunk.raw("text")
    with pytest.raises(BadInputError, match="no column 'absent'"):
        stored.chunk(0, ["absent"])


def test_codes_and_categories_go_together(stored: Dataset) -> None:
    chunk = stored.chunk(0)
    categories = chunk.categories("word")
    assert categories[-1] is None
    assert list(categories[:-1]) == sorted(categories[:-1])
    assert [categories[c] for c in chunk.codes("word")] == TABLE["word"].to_pylist()[:256]
    assert list(chunk["word"]) == TABLE["word"].to_pylist()[:256]
    assert chunk.has_missing("word")
    assert not chunk.has_missing("big")


def test_times_come_as_the_types_of_numpy(stored: Dataset) -> None:
    chunk = stored.chunk(0)
    assert chunk["when"].dtype == np.dtype("M8[s]")
    assert chunk["day"].dtype == np.dtype("M8[D]")
    assert chunk["clock"].dtype == np.dtype("m8[us]")
    assert chunk["span"].dtype == np.dtype("m8[s]")


def test_frames_keep_row_numbers_types_and_missing_values(stored: Dataset) -> None:
    frame = stored.to_pandas(rows=slice(250, 600))
    assert (frame.index[0], frame.index[-1], len(frame)) == (250, 599, 350)
    assert frame["word"].dtype == "category"
    assert frame["int"].dtype == pd.Int8Dtype() or str(frame["int"].dtype) in ("UInt8", "Int8")
    part = TABLE.slice(250, 350)
    for name in ("int", "float", "flag", "word", "when", "day", "text"):
        assert frame[name].isna().tolist() == [v is None for v in part[name].to_pylist()], name
    assert frame["text"].dropna().tolist() == part["text"].drop_null().to_pylist()
    assert stored.to_pandas(["big"], slice(-3, None))["big"].tolist() == TABLE["big"].to_pylist()[-3:]
    assert stored.to_pandas(["big"], slice(5, 5)).empty


def test_other_libraries_take_the_stream(stored: Dataset) -> None:
    table = pa.table(stored)
    assert table.num_rows == ROWS
    assert table["text"].to_pylist() == TABLE["text"].to_pylist()


def test_its_html_escapes_names(tmp_path: Path) -> None:
    dataset = convert_table(pa.table({"<script>": [1]}), appdata=tmp_path)
    assert "&lt;script&gt;" in dataset._repr_html_()
    assert "<script>" not in dataset._repr_html_()
    assert "1 rows" in repr(dataset)
