"""The canonical tree gives one shape for any split."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import ToolkitError
from toolkit.kernels.tree import CanonicalTree, Node


def joined(left: str, right: str) -> str:
    return f"({left}{right})"


def partial(start: int, stop: int) -> list[Node]:
    tree: CanonicalTree[str] = CanonicalTree(joined)
    for index in range(start, stop):
        tree.add(index, f"{index},")
    return tree.nodes()


def finished(nodes: list[Node], n_chunks: int) -> str:
    return CanonicalTree.finish(nodes, n_chunks, joined, str)


def shape(lo: int, hi: int, n_chunks: int) -> str:
    """The definition: halves of a padded range, with what lies beyond the last chunk left out."""
    if hi - lo == 1:
        return f"{lo},"
    mid = (lo + hi) // 2
    left = shape(lo, mid, n_chunks)
    return left if mid >= n_chunks else joined(left, shape(mid, hi, n_chunks))


@given(st.integers(1, 70), st.sets(st.integers(1, 69)), st.randoms(use_true_random=False))
def test_any_split_gives_the_defined_shape(n_chunks: int, cuts: set[int], random: object) -> None:
    bounds = [0, *sorted(c for c in cuts if c < n_chunks), n_chunks]
    nodes = [n for a, b in itertools.pairwise(bounds) for n in partial(a, b)]
    random.shuffle(nodes)  # type: ignore[attr-defined]
    padded = 1 << (n_chunks - 1).bit_length()
    assert finished(nodes, n_chunks) == shape(0, padded, n_chunks)


@given(st.integers(0, 200), st.integers(1, 200))
def test_nodes_are_maximal_and_aligned(start: int, size: int) -> None:
    nodes = partial(start, start + size)
    assert len(nodes) <= 2 * max(1, (start + size).bit_length())
    for node in nodes:
        width = node.hi - node.lo
        assert width & (width - 1) == 0
        assert node.lo % width == 0
    for left, right in itertools.pairwise(nodes):
        same = left.hi - left.lo == right.hi - right.lo
        assert not (same and left.lo % (2 * (left.hi - left.lo)) == 0)


def test_chunks_come_in_order() -> None:
    tree: CanonicalTree[str] = CanonicalTree(joined)
    tree.add(3, "d")
    with pytest.raises(ValueError, match="chunk 5 does not follow chunk 3"):
        tree.add(5, "f")


def test_missing_and_repeated_chunks_are_named() -> None:
    with pytest.raises(ToolkitError, match="chunk 3 is missing"):
        finished(partial(0, 3) + partial(4, 8), 8)
    with pytest.raises(ToolkitError, match="chunk 2 is there twice"):
        finished(partial(0, 3) + partial(2, 8), 8)
    with pytest.raises(ToolkitError, match="got 5 of them"):
        finished(partial(0, 5), 8)
    with pytest.raises(ToolkitError, match="not aligned"):
        finished([Node(0, 3, "abc"), Node(3, 4, "d")], 4)
