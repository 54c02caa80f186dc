"""Rows with their hashes, the smallest of them where there are too many."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.repeats.filter import Hashes

Rows = npt.NDArray[np.int64]
Cut = tuple[int, int]
Gathered = dict[str, Any]
"""``hashes``, uint64, and ``rows``, int64, ascending by both; and ``cut``: the hash and row before which all are held.

``cut`` is None where nothing was left out. The same for any order and grouping in which rows are added.
"""

MOST = 1 << 21
"""Rows that are held at once, of 16 bytes each."""


def nothing_gathered() -> Gathered:
    """No rows."""
    return {"hashes": np.empty(0, np.uint64), "rows": np.empty(0, np.int64), "cut": None}


def add_rows(found: Gathered, hashes: Hashes, rows: Rows, most: int = MOST) -> Gathered:
    """What is gathered with some more rows, each of which is added once."""
    return join_gathered(found, {"hashes": hashes, "rows": rows, "cut": None}, most)


def join_gathered(left: Gathered, right: Gathered, most: int = MOST) -> Gathered:
    """The smallest of both."""
    cuts = [tuple(side["cut"]) for side in (left, right) if side["cut"] is not None]
    hashes = np.concatenate([left["hashes"], right["hashes"]])
    rows = np.concatenate([left["rows"], right["rows"]])
    order = np.lexsort((rows, hashes))
    hashes, rows = hashes[order], rows[order]
    held = min([position(hashes, rows, cut) for cut in cuts], default=hashes.size)
    if held > most:
        held = most
        cuts.append((int(hashes[held]), int(rows[held])))
    cut = list(min(cuts)) if cuts else None
    return {"hashes": hashes[:held].copy(), "rows": rows[:held].copy(), "cut": cut}


def position(hashes: Hashes, rows: Rows, cut: Cut) -> int:
    """How many of some rows, ascending by hash and row, lie before a hash and row."""
    low = int(np.searchsorted(hashes, np.uint64(cut[0]), side="left"))
    high = int(np.searchsorted(hashes, np.uint64(cut[0]), side="right"))
    return low + int(np.searchsorted(rows[low:high], cut[1], side="left"))
