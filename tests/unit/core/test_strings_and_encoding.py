"""Text as buffers, states as bytes, values as canonical JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numcodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.canonical import canonical_json, pretty_json, round_significant
from toolkit.core.digest import digest_file, digest_value, merkle_root
from toolkit.core.encoding import EncodingError, decode, encode
from toolkit.core.strings import StringBlock, pack_vlen, vlen_starts

texts = st.lists(st.text(max_size=5), min_size=1, max_size=12)
atoms = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4)
plain = st.recursive(
    atoms | st.binary(max_size=4),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip


def packed(values: list[str]) -> tuple[Any, Any, list[bytes]]:
    octets = [v.encode() for v in values]
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(o) for o in octets], out=offsets[1:])
    return offsets, np.frombuffer(b"".join(octets), np.uint8), octets


@given(texts)
def test_packed_text_is_what_the_codec_of_zarr_writes(values: list[str]) -> None:
    offsets, data, _ = packed(values)
    want = numcodecs.VLenUTF8().encode(np.array(values, object))
    assert pack_vlen(offsets, data).tobytes() == bytes(want)


@given(texts, st.integers(0, 11), st.integers(0, 12))
def test_a_block_gives_back_every_value_and_any_slice(values: list[str], start: int, stop: int) -> None:
    offsets, data, octets = packed(values)
    lengths = np.diff(offsets).astype("<u4")
    block = StringBlock(pack_vlen(offsets, data), vlen_starts(lengths), lengths)
    assert [block[i] for i in range(len(block))] == octets
    for part, want in ((block, octets), (block.slice(start, stop), octets[start:stop])):
        bounds, joined = part.contiguous()
        assert joined.tobytes() == b"".join(want)
        assert np.diff(bounds).tolist() == [len(o) for o in want]


@given(texts, st.randoms(use_true_random=False))
def test_a_block_in_any_order_gives_back_its_bytes(values: list[str], random: Any) -> None:
    """Also where the first and the last value stay, and only those between them change places."""
    offsets, data, octets = packed(values)
    lengths = np.diff(offsets).astype("<u4")
    middle = list(range(1, len(octets) - 1))
    random.shuffle(middle)
    order = np.array([0, *middle, len(octets) - 1][: len(octets)], np.int64)
    for starts, payload in ((vlen_starts(lengths), pack_vlen(offsets, data)), (offsets[:-1], data)):
        bounds, joined = StringBlock(payload, starts[order], lengths[order]).contiguous()
        assert joined.tobytes() == b"".join(octets[i] for i in order.tolist())
        assert np.diff(bounds).tolist() == [len(octets[i]) for i in order.tolist()]


@given(plain)
def test_a_state_survives_its_encoding(tree: Any) -> None:
    assert decode(encode(tree)) == tree
    assert encode(tree) == encode(tree)


@given(st.lists(st.sampled_from(["|b1", "|i1", "<i2", "<u8", "<f4", "<f8", ">i4"]), max_size=5), st.integers(0, 5))
def test_arrays_survive_their_encoding(dtypes: list[str], size: int) -> None:
    tree = {f"a{i}": np.arange(size * 2).astype(d).reshape(2, size) for i, d in enumerate(dtypes)}
    found = decode(encode(tree))
    assert all(np.array_equal(found[k], v) and found[k].shape == v.shape for k, v in tree.items())
    assert all(not v.flags.writeable or not v.size for v in found.values())


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 255))
def test_forged_bytes_are_an_error_and_nothing_worse(junk: bytes, at: int, value: int) -> None:
    good = bytearray(encode({"x": np.arange(4), "y": [1, "a"]}))
    good[at % len(good)] ^= value
    for data in (junk, b"TKS1" + junk, bytes(good), bytes(good[: at % len(good)])):
        try:
            decode(data)
        except EncodingError:
            continue


def test_what_is_no_state_is_refused() -> None:
    for value in (object(), {1, 2}, np.array(["a"]), np.array([object()]), 1j):
        with pytest.raises(EncodingError):
            encode({"v": value})


def test_equal_values_have_equal_json_and_digests() -> None:
    assert (
        canonical_json({"b": np.float64(0.1), "a": (1, np.int8(2), float("inf"), None, True)})
        == '{"a":[1,2,null,null,true],"b":0.1}'
    )
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    assert digest_value({"a": 1, "b": 2}) == digest_value({"b": 2, "a": 1})
    assert pretty_json({"a": "ü"}) == '{\n "a": "ü"\n}\n'
    with pytest.raises(TypeError, match="object has no canonical JSON form"):
        canonical_json({"a": object()})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_in_json_are_read_back_bit_by_bit(value: float) -> None:
    assert json.loads(canonical_json([value]))[0].hex() == value.hex()


@given(st.floats(-1e300, 1e300, allow_subnormal=False))
def test_rounding_keeps_ten_digits(value: float) -> None:
    rounded = round_significant(value)
    assert rounded == round_significant(rounded)
    assert math.isclose(rounded, value, rel_tol=1e-9, abs_tol=1e-300)


def test_a_hash_tree_tells_its_leaves_and_their_order_apart(tmp_path: Any) -> None:
    leaves = [bytes([i]) * 32 for i in range(5)]
    roots = [merkle_root(leaves[:n]) for n in range(6)] + [merkle_root(leaves[::-1])]
    assert len(set(roots)) == len(roots)
    inner = [merkle_root(leaves[:2]), merkle_root(leaves[2:4])]
    assert merkle_root(inner) != merkle_root(leaves[:4])
    (tmp_path / "f").write_bytes(b"abc")
    assert digest_file(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
