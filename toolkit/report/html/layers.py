"""Where the nodes of a graph stand: in layers from what comes first to what comes last, with few crossings.

The steps are those of Sugiyama, Tagawa and Toda (1981), 10.1109/TSMC.1981.4308636; edges that go back are found as by
Eades, Lin and Smyth (1993), 10.1016/0020-0190(93)90079-O, with weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 8

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layers:
    """A layout.

    Attributes
    ----------
    rows : list of list of int
        Nodes from left to right, by layer. Numbers beyond those of the nodes are bends of long edges.
    paths : dict of (int, int) to list of int
        For each edge the nodes and bends that it passes, from where it starts to where it ends.
    """

    rows: list[list[int]]
    paths: dict[Edge, list[int]]


def layered(count: int, weights: Mapping[Edge, int]) -> Layers:
    """Lay out a graph; the same for the same weights.

    Parameters
    ----------
    count : int
        Nodes, numbered from 0.
    weights : mapping of (int, int) to int
        How much each edge counts; those from a node to itself are left out.

    Examples
    --------
    >>> found = layered(3, {(0, 1): 5, (1, 2): 5, (2, 0): 1})
    >>> found.rows, found.paths[2, 0]
    ([[0], [1, 3], [2]], [2, 3, 0])
    """
    edges = {edge: weight for edge, weight in weights.items() if edge[0] != edge[1]}
    place = {node: i for i, node in enumerate(_forward(count, edges))}
    layer = _layers(count, edges, place)
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node in sorted(range(count), key=lambda n: place[n]):
        rows[layer[node]].append(node)
    paths, bends = {}, count
    for start, stop in sorted(edges):
        between = range(layer[start] + 1, layer[stop]) if layer[start] < layer[stop] else []
        back = range(layer[start] - 1, layer[stop], -1) if layer[start] > layer[stop] else []
        path = [start]
        for row in [*between, *back]:
            rows[row].append(bends)
            path.append(bends)
            bends += 1
        paths[start, stop] = [*path, stop]
    return Layers(_uncrossed(rows, [pair for path in paths.values() for pair in pairwise(path)]), paths)


def _forward(count: int, edges: Mapping[Edge, int]) -> list[int]:
    """Nodes in an order against which few edges go."""
    left, head, tail = set(range(count)), [], []

    def flow(node: int, side: int) -> int:
        return sum(w for edge, w in edges.items() if edge[side] == node and edge[1 - side] in left)

    while left:
        gain = {node: flow(node, 0) - flow(node, 1) for node in sorted(left)}
        ends = [node for node in gain if not flow(node, 0) and flow(node, 1)]
        if ends:
            tail.append(ends[-1])
            left.remove(ends[-1])
            continue
        best = max(gain, key=lambda node: (not flow(node, 1), gain[node], -node))
        head.append(best)
        left.remove(best)
    return head + tail[::-1]


def _layers(count: int, edges: Mapping[Edge, int], place: Mapping[int, int]) -> list[int]:
    """The layer of each node: behind all that it follows, as far as edges go forward."""
    layer = [0] * count
    for node in sorted(range(count), key=lambda n: place[n]):
        before = [layer[a] + 1 for a, b in edges if b == node and place[a] < place[b]]
        layer[node] = max(before, default=0)
    return layer


def _uncrossed(rows: Sequence[Sequence[int]], links: Sequence[Edge]) -> list[list[int]]:
    """Rows in an order with few crossings: of all sweeps, the one with the fewest."""
    beside: dict[int, list[int]] = {}
    for a, b in links:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    current = [list(row) for row in rows]
    best, fewest = current, _crossings(current, links)
    for sweep in range(_SWEEPS):
        order = range(1, len(current)) if sweep % 2 == 0 else range(len(current) - 2, -1, -1)
        current = [list(row) for row in current]
        for i in order:
            there = {node: k for k, node in enumerate(current[i - 1 if sweep % 2 == 0 else i + 1])}
            here = {node: k for k, node in enumerate(current[i])}
            centre = {n: _mean([there[o] for o in beside.get(n, ()) if o in there], here[n]) for n in current[i]}
            current[i] = [node for _, _, node in sorted((centre[n], here[n], n) for n in current[i])]
        crossings = _crossings(current, links)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _mean(places: Sequence[int], otherwise: int) -> float:
    return sum(places) / len(places) if places else float(otherwise)


def _crossings(rows: Sequence[Sequence[int]], links: Sequence[Edge]) -> int:
    """How often links between neighbouring rows cross."""
    at = {node: (i, k) for i, row in enumerate(rows) for k, node in enumerate(row)}
    found: dict[int, list[Edge]] = {}
    for a, b in links:
        upper, lower = sorted((at[a], at[b]))
        found.setdefault(upper[0], []).append((upper[1], lower[1]))
    total = 0
    for pairs in found.values():
        for i, (a, b) in enumerate(pairs):
            total += sum((a - c) * (b - d) < 0 for c, d in pairs[:i])
    return total
