"""Shapes with their counts, as part of a state: merged in any order to the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, State


def no_shapes() -> State:
    """No shapes."""
    return {"texts": [], "blocks": np.zeros((0, BLOCKS), np.int64)}


def of_rows(shapes: Sequence[str], numbers: npt.NDArray[Any], blocks: npt.NDArray[Any]) -> State:
    """Shapes of some rows.

    Parameters
    ----------
    shapes : sequence of str
        Different shapes.
    numbers : ndarray of intp, shape (rows,)
        Which of them each row has; -1 where it has none that is counted.
    blocks : ndarray of int64, shape (rows,)
        Its block.
    """
    kept = numbers >= 0
    counts = np.bincount(numbers[kept] * BLOCKS + blocks[kept], minlength=len(shapes) * BLOCKS).reshape(-1, BLOCKS)
    order = sorted(range(len(shapes)), key=shapes.__getitem__)
    return {"texts": [shapes[i] for i in order], "blocks": counts[order].astype(np.int64)}


def joined(left: State, right: State) -> State:
    """Shapes of both."""
    if not right["texts"]:
        return left
    texts = sorted({*left["texts"], *right["texts"]})
    place = {text: i for i, text in enumerate(texts)}
    blocks = np.zeros((len(texts), BLOCKS), np.int64)
    for side in (left, right):
        blocks[[place[text] for text in side["texts"]]] += side["blocks"]
    return {"texts": texts, "blocks": blocks}
