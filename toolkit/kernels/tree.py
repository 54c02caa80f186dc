"""The canonical binary tree over chunks, along which floating-point states merge.

Floating-point addition is not associative: a fold over chunks 0 to 15 and a merge of two folds over 0 to 7 and 8 to
15 differ in their last bits. So the tree is fixed: the number of chunks is padded to a power of two, and node
``[lo, hi)`` is always ``merge(node[lo, mid), node[mid, hi))``. A worker hands back the maximal aligned nodes inside
its partition, at most ``2 * log2(chunks)`` of them, and whoever joins the partitions finishes the same tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from toolkit.core.errors import ToolkitError

S = TypeVar("S")
Merge = Callable[[S, S], S]


class Node(NamedTuple):
    """The state of chunks ``lo`` to ``hi - 1``; ``hi - lo`` is a power of two that divides ``lo``."""

    lo: int
    hi: int
    state: Any


class CanonicalTree(Generic[S]):
    """Folds the states of consecutive chunks into maximal aligned nodes.

    Parameters
    ----------
    merge : callable
        Joins two states; the first covers the earlier rows.

    Examples
    --------
    >>> tree = CanonicalTree(lambda a, b: f"({a}{b})")
    >>> for index, letter in zip(range(3, 9), "defghi"):
    ...     tree.add(index, letter)
    >>> [(n.lo, n.hi, n.state) for n in tree.nodes()]
    [(3, 4, 'd'), (4, 8, '((ef)(gh))'), (8, 9, 'i')]
    """

    def __init__(self, merge: Merge[S]) -> None:
        self._merge = merge
        self._nodes: list[Node] = []

    def add(self, index: int, state: S) -> None:
        """Add the state of the chunk that follows the last one added.

        Raises
        ------
        ValueError
            When chunks are left out or come out of order.
        """
        if self._nodes and self._nodes[-1].hi != index:
            raise ValueError(f"chunk {index} does not follow chunk {self._nodes[-1].hi - 1}")
        self._nodes.append(Node(index, index + 1, state))
        while len(self._nodes) > 1 and _are_siblings(self._nodes[-2], self._nodes[-1]):
            right, left = self._nodes.pop(), self._nodes.pop()
            self._nodes.append(Node(left.lo, right.hi, self._merge(left.state, right.state)))

    def nodes(self) -> list[Node]:
        """The maximal aligned nodes so far, in grid order."""
        return list(self._nodes)

    @staticmethod
    def finish(nodes: Iterable[Node], n_chunks: int, merge: Merge[S], init: Callable[[], S]) -> S:
        """Finish the tree from the nodes of all partitions.

        Parameters
        ----------
        nodes : iterable of Node
            In any order; together they cover every chunk once.
        n_chunks : int
            Chunks of the grid.
        merge, init : callable
            Of the kernel. Chunks that only pad the tree are left out, not merged as ``init()``.

        Raises
        ------
        ToolkitError
            When chunks are missing, or come twice.
        """
        known = sorted(nodes, key=lambda n: n.lo)
        at = 0
        for node in known:
            if node.lo != at:
                problem = "missing" if node.lo > at else "there twice"
                raise ToolkitError(f"a merge tree over {n_chunks} chunks: chunk {min(at, node.lo)} is {problem}")
            at = node.hi
        if at != n_chunks:
            raise ToolkitError(f"a merge tree over {n_chunks} chunks got {at} of them")
        by_span = {(n.lo, n.hi): n.state for n in known}

        def build(lo: int, hi: int) -> S:
            if (lo, hi) in by_span:
                found: S = by_span[lo, hi]
                return found
            if hi - lo == 1:
                raise ToolkitError(f"a merge tree over {n_chunks} chunks got nodes that are not aligned at chunk {lo}")
            mid = (lo + hi) // 2
            left = build(lo, mid)
            return left if mid >= n_chunks else merge(left, build(mid, hi))

        return build(0, 1 << (n_chunks - 1).bit_length()) if n_chunks else init()


def _are_siblings(left: Node, right: Node) -> bool:
    size = right.hi - right.lo
    return left.hi - left.lo == size and left.lo % (2 * size) == 0
