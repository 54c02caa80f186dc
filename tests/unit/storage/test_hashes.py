"""Digests of columns and tables depend on the content, and on nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from toolkit.core.errors import BadInputError, DamagedStoreError
from toolkit.core.schema import ColumnSpec
from toolkit.storage.hash_tree import ColumnHasher
from toolkit.storage.layout import array_of, arrays_of
from toolkit.storage.manifest import LEAF_ROWS, StoreManifest, content_key

SPEC = ColumnSpec("a", "a", "int", "<i4", nullable=True)
ROWS = LEAF_ROWS * 2 + 100


def hashed(pieces: list[tuple[Any, Any]], spec: ColumnSpec = SPEC) -> str:
    hasher = ColumnHasher()
    for values, valid in pieces:
        hasher.add(values, valid)
    return hasher.finish(spec)


@given(st.lists(st.integers(0, ROWS), max_size=5))
def test_a_column_has_one_digest_however_it_is_fed(cuts: list[int]) -> None:
    values, valid = np.arange(ROWS, dtype="<i4"), np.arange(ROWS) % 7 != 0
    edges = sorted({0, ROWS, *cuts})
    whole = hashed([(values, valid)])
    assert hashed([(values[a:b], valid[a:b]) for a, b in pairwise(edges)]) == whole


def test_every_value_and_every_missing_one_counts() -> None:
    values, valid = np.arange(1000, dtype="<i4"), np.ones(1000, bool)
    seen = {hashed([(values, valid)])}
    for at in (0, 500, 999):
        other = values.copy()
        other[at] += 1
        absent = valid.copy()
        absent[at] = False
        seen |= {hashed([(other, valid)]), hashed([(values, absent)])}
    seen.add(hashed([(values[:-1], valid[:-1])]))
    assert len(seen) == 8


def test_text_is_told_apart_by_its_lengths() -> None:
    def text(values: list[bytes]) -> str:
        hasher = ColumnHasher()
        content = b"".join(len(v).to_bytes(4, "little") + v for v in values)
        ends = np.cumsum([len(v) + 4 for v in values])
        hasher.add(np.frombuffer(content, np.uint8), None, ends, len(values))
        return hasher.finish(replace(SPEC, kind="string", dtype="utf8", encoding="long"))

    assert len({text([b"ab", b"c"]), text([b"a", b"bc"]), text([b"abc", b""]), text([b"", b"abc"])}) == 4


def manifest() -> StoreManifest:
    return memory_dataset({"a": [1, None, 3], "b": ["x", "y", "x"], "c": ["p", "q", "r"]}, 2).manifest


def test_root_metadata_is_read_back() -> None:
    value = json.loads(json.dumps(manifest().to_json()))
    assert StoreManifest.from_json(value, "here") == manifest()


def test_the_key_is_of_content_schema_and_grid() -> None:
    base = manifest()
    assert base.key == content_key(base.data_hash, base.schema_hash, base.chunk_rows)
    assert len(base.key) == 32
    others = [
        replace(base, chunk_rows=3),
        replace(base, rows=4),
        replace(base, column_hashes={**base.column_hashes, "a": "0"}),
    ]
    assert len({base.key, *(o.key for o in others)}) == 4
    assert replace(base, codec="zstd").key == base.key


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 4}, {"chunk_rows": 0}, {"key": "0" * 32}, {"data_hash": "0"}, {"columns": []}, {"columns": [1]},
        {"digests": 3}, {"rows": "x"}, {"columns": [{"name": "a"}]},
    ],
)  # fmt: skip
def test_forged_root_metadata_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises((DamagedStoreError, BadInputError), match="here"):
        StoreManifest.from_json({**manifest().to_json(), **change}, "here")


def test_a_newer_format_says_so() -> None:
    with pytest.raises(BadInputError, match="store format 99"):
        StoreManifest.from_json({**manifest().to_json(), "format_version": 99}, "here")


def test_a_column_has_the_arrays_that_it_needs() -> None:
    found = {c.name: [a.name for a in arrays_of(c)] for c in manifest().schema}
    assert found["a"] == ["a", "a__valid"]
    assert found["b"] in (["b", "b__categories"], ["b", "b__lengths"])
    assert found["c"] == ["c", "c__lengths"]
    with pytest.raises(KeyError, match="no valid"):
        array_of(manifest().schema["c"], "valid")


@pytest.mark.parametrize("chunk_rows", [LEAF_ROWS * 2, LEAF_ROWS, 70_000, 50_000])
def test_a_chunk_s_digest_is_over_its_pieces_wherever_it_begins(chunk_rows: int) -> None:
    def expected(pieces: list[bytes]) -> str:
        return hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in pieces)).hexdigest()

    values, valid = np.arange(ROWS, dtype="<i4"), np.arange(ROWS) % 7 != 0
    words = [b"x" * (4 + i % 3) for i in range(ROWS)]
    stored = [len(w).to_bytes(4, "little") + w for w in words]
    numbers, text = ColumnHasher(), ColumnHasher()
    for start in range(0, ROWS, chunk_rows):
        stop = min(start + chunk_rows, ROWS)
        runs = [(a, min(a + LEAF_ROWS, stop)) for a in range(start, stop, LEAF_ROWS)]
        assert numbers.add(values[start:stop], valid[start:stop]) == (
            expected([values[a:b].tobytes() for a, b in runs]),
            expected([valid[a:b].tobytes() for a, b in runs]),
        )
        content = np.frombuffer(b"".join(stored[start:stop]), np.uint8)
        ends = np.cumsum([len(s) for s in stored[start:stop]])
        found, _ = text.add(content, None, ends, stop - start)
        assert found == expected([b"".join(stored[a:b]) for a, b in runs])
