"""The hashes against a plain restatement in Python, and how well they spread."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import block_of, memory_dataset
from toolkit.core.strings import StringBlock
from toolkit.kernels.hashing import block_of_values, hash_categories, hash_numbers, hash_text, hash_values

MASK = (1 << 64) - 1
START = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
BASE = (0xD6E8FEB86659FD93, 0xA0761D6478BD642D)


def finalised(z: int) -> int:
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & MASK
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def text_hash(octets: bytes, seed: int) -> int:
    state = (len(octets) + START[seed]) & MASK
    for at in range(0, len(octets), 8):
        word = int.from_bytes(octets[at : at + 8], "little") * 0xFF51AFD7ED558CCD & MASK
        word ^= word >> 32
        word = word * 0xC4CEB9FE1A85EC53 & MASK
        word ^= word >> 29
        state = (state * BASE[seed] + word) & MASK
    return finalised(state)


def check(values: list[bytes]) -> None:
    expected = [[text_hash(v, seed) for v in values] for seed in (0, 1)]
    stored = block_of(memory_dataset({"x": values}, encodings={"x": "long"}), "x")
    for block in (stored, block_of_values(values)):
        assert [h.tolist() for h in hash_text(block, (0, 1))] == expected
        assert hash_text(block, (1,))[0].tolist() == expected[1]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=40))
def test_text(values: list[bytes]) -> None:
    check(values)


@pytest.mark.parametrize(
    "sizes",
    [
        [0],
        [0, 0],
        [3],
        [8],
        [5] * 100,
        [36] * 300,
        list(range(100)),
        [9] * 50 + [70_000, 0, 200_001],
        [1] * 20_000 + [40],
    ],
    ids=str,
)
def test_text_of_any_length(sizes: list[int]) -> None:
    rng = np.random.default_rng(1)
    check([rng.integers(0, 256, size).astype(np.uint8).tobytes() for size in sizes])


def test_rows_in_any_order_of_the_buffer() -> None:
    payload = np.frombuffer(b"xxabcyyabcdefghij", np.uint8)
    block = StringBlock(payload, np.array([7, 2, 7, 17]), np.array([10, 3, 3, 0], np.uint32))
    assert hash_text(block)[0].tolist() == [text_hash(v, 0) for v in (b"abcdefghij", b"abc", b"abc", b"")]


@pytest.mark.parametrize("seed", [0, 1])
def test_integers_of_any_width_and_sign(seed: int) -> None:
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float32, np.float64, bool):
        values = np.array([0, 1, 1, 0], dtype)
        assert hash_numbers(values, seed).tolist() == [finalised(v + START[seed] & MASK) for v in (0, 1, 1, 0)]
    negative = np.array([-1, -128])
    for dtype in (np.int8, np.int64, np.float32, np.float64):
        expected = [finalised(v + START[seed] & MASK) for v in (-1, -128)]
        assert hash_numbers(negative.astype(dtype), seed).tolist() == expected


def test_numbers_that_are_not_the_same_do_not_share_an_image() -> None:
    minus_one, largest = hash_numbers(np.array([-1])), hash_numbers(np.array([2**64 - 1], np.uint64))
    assert minus_one != largest
    tiny, one = hash_numbers(np.array([5e-324])), hash_numbers(np.array([1]))  # the bits of the first are those of 1
    assert tiny != one
    ends = hash_numbers(np.array([2.0**63, -(2.0**63), math.inf, -math.inf, 1e300, -1e300]))
    assert len(set(ends.tolist())) == 6
    assert ends[1] == hash_numbers(np.array([-(2**63)]))[0]


@pytest.mark.filterwarnings("error")
def test_zeros_and_nans_are_one_value_each() -> None:
    assert hash_numbers(np.array([0.0]))[0] == hash_numbers(np.array([-0.0]))[0]
    nans = np.array([0x7FF8000000000000, 0xFFF8000000000001, 0x7FF0000000000001], np.uint64).view(np.float64)
    assert len(set(hash_numbers(nans).tolist())) == 1


@given(st.lists(st.floats(width=32), max_size=40))
def test_width_of_floats_does_not_matter(values: list[float]) -> None:
    wide = np.array(values, np.float64)
    with np.errstate(invalid="ignore"):
        narrow = wide.astype(np.float32)
    np.testing.assert_array_equal(hash_numbers(wide), hash_numbers(narrow))


def test_columns_of_a_chunk() -> None:
    values: dict[str, Any] = {
        "coded": ["b", None, "a", "b"],
        "long": ["b", None, "a", "b"],
        "n": [1, None, 2, 1],
        "t": [True, False, True, True],
    }
    chunk = memory_dataset(values, encodings={"coded": "coded", "long": "long"}).chunk(0)
    text = [text_hash(v, 1) for v in (b"b", b"a", b"b")]
    for name in ("coded", "long"):
        assert hash_values(chunk, name, 1)[[0, 2, 3]].tolist() == text
    assert hash_values(chunk, "n")[[0, 2, 3]].tolist() == [finalised(v + START[0] & MASK) for v in (1, 2, 1)]


def test_hashes_of_categories_are_kept_while_the_categories_are() -> None:
    categories = np.array(["a", "b", None], object)
    first = hash_categories(categories)
    assert hash_categories(categories) is first
    assert hash_categories(categories, 1) is not first
    del categories
    again = np.array(["c", "b", None], object)
    assert hash_categories(again).tolist() == [text_hash(b"c", 0), text_hash(b"b", 0)]


def structured_keys() -> list[list[bytes]]:
    return [
        [b"%08d" % i for i in range(100_000)],
        [b"item-%06d-of-store-%03d" % (i % 1000, i // 1000) for i in range(100_000)],
        [b"a" * (i % 300) + b"b" * (i // 300) for i in range(60_000)],
        [i.to_bytes(8, "little") + j.to_bytes(8, "big") for i in range(300) for j in range(300)],
        [
            bytes(16) + bytes([i, 0, 0, 0, 0, 0, 0, j]) + bytes([k] * 8)
            for i in range(40)
            for j in range(40)
            for k in range(40)
        ],
    ]


def test_structured_keys_do_not_collide_even_in_half_of_a_hash() -> None:
    for values in structured_keys():
        block = block_of_values(values)
        for hashes in hash_text(block, (0, 1)):
            n = len(values)
            assert np.unique(hashes).size == n
            for half in (hashes >> np.uint64(32), hashes & np.uint64(0xFFFFFFFF)):
                expected = n * (n - 1) / 2 / 2**32  # pairs that agree in 32 bits, for ideal hashes
                assert n - np.unique(half).size <= expected + 6 * math.sqrt(expected) + 3


@pytest.mark.parametrize("size", [3, 8, 13, 24])
def test_every_bit_of_the_input_changes_every_bit_of_the_hash(size: int) -> None:
    rng = np.random.default_rng(2)
    base = rng.integers(0, 256, (400, size)).astype(np.uint8)
    plain = hash_text(block_of_values([r.tobytes() for r in base]))[0]
    for bit in range(8 * size):
        flipped = base.copy()
        flipped[:, bit // 8] ^= 1 << (bit % 8)
        other = hash_text(block_of_values([r.tobytes() for r in flipped]))[0]
        changed = np.unpackbits((plain ^ other).view(np.uint8)).reshape(400, 64).mean(axis=0)
        assert changed.min() > 0.5 - 6 * 0.025
        assert changed.max() < 0.5 + 6 * 0.025


def test_the_two_hashes_do_not_follow_each_other() -> None:
    first, second = hash_text(block_of_values([b"%d" % i for i in range(100_000)]), (0, 1))
    correlation = np.corrcoef(first.astype(float), second.astype(float))[0, 1]
    assert abs(correlation) < 6 / math.sqrt(100_000)
    assert not (first == second).any()
