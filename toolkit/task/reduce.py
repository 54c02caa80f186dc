"""Folds chunks into the state of a Reducer, along the one tree that gives the same bytes for any split."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from toolkit.core.chunk import Chunk
from toolkit.core.encoding import decode, encode
from toolkit.kernels.tree import CanonicalTree, Node
from toolkit.plugin.reducer import Reducer


def reduce_chunks(reducer: Reducer, chunks: Iterable[Chunk]) -> list[Node]:
    """Reduce consecutive chunks.

    Parameters
    ----------
    reducer : Reducer
        With its context, pass and former state set.
    chunks : iterable of Chunk
        In row order, none left out.

    Returns
    -------
    list of Node
        For a ``tree`` reducer the maximal aligned nodes; else one node that covers all the chunks.
    """
    if reducer.state_class == "tree":
        tree: CanonicalTree[Any] = CanonicalTree(reducer.merge)
        for chunk in chunks:
            tree.add(chunk.index, reducer.update(reducer.init(), chunk))
        return tree.nodes()
    state = reducer.init()
    first, last = None, -1
    for chunk in chunks:
        first = chunk.index if first is None else first
        last = chunk.index
        state = reducer.update(state, chunk)
    return [Node(first or 0, last + 1, state)]


def join_nodes(reducer: Reducer, nodes: Sequence[Node], n_chunks: int) -> Any:
    """The state of the whole table from the nodes of all partitions."""
    if reducer.state_class == "tree":
        return CanonicalTree.finish(nodes, n_chunks, reducer.merge, reducer.init)
    ordered = sorted(nodes, key=lambda n: n.lo)
    return functools.reduce(reducer.merge, (n.state for n in ordered))


def pack_nodes(nodes: Sequence[Node]) -> list[list[Any]]:
    """Nodes with their states encoded."""
    return [[n.lo, n.hi, encode(n.state)] for n in nodes]


def unpack_nodes(packed: Iterable[Sequence[Any]]) -> list[Node]:
    """Read what `pack_nodes` wrote; arrays of the states can be written to, as those that the author made."""
    return [Node(lo, hi, writable(decode(state))) for lo, hi, state in packed]


def writable(tree: Any) -> Any:
    """A decoded tree with its arrays copied, so that ``merge`` may change its left side."""
    if isinstance(tree, dict):
        return {key: writable(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [writable(value) for value in tree]
    return tree.copy() if hasattr(tree, "flags") else tree
