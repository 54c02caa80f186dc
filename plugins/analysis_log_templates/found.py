"""Shapes with their counts, as part of a state: merged in any order to the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, State

from .shapes import bucket_of


def no_shapes() -> State:
    """No shapes."""
    return {"texts": [], "blocks": np.zeros((0, BLOCKS), np.int64)}


def kept_shapes(shapes: Sequence[tuple[str, str]], hot: npt.NDArray[np.bool_]) -> list[str]:
    """The shape that is counted of each message: the fine one where that may be frequent, else the coarse one, or none.

    Parameters
    ----------
    shapes : sequence of (str, str)
        Fine and coarse shapes.
    hot : ndarray of bool, shape (buckets,)
        Which buckets of shapes hold enough messages.
    """
    return [next((shape for shape in both if hot[bucket_of(shape)]), "") for both in shapes]


def of_chunk(shapes: Sequence[str], blocks: npt.NDArray[Any]) -> State:
    """Shapes of the messages of a chunk.

    Parameters
    ----------
    shapes : sequence of str
        The shape of each message; empty for those that are not counted.
    blocks : ndarray of int64, shape (messages,)
        Its block.
    """
    texts = sorted({*shapes} - {""})
    if not texts:
        return no_shapes()
    place = {text: i for i, text in enumerate(texts)}
    places = np.array([place.get(shape, -1) for shape in shapes], np.int64)
    kept = places >= 0
    counts = np.bincount(places[kept] * BLOCKS + blocks[kept], minlength=len(texts) * BLOCKS)
    return {"texts": texts, "blocks": counts.reshape(-1, BLOCKS).astype(np.int64)}


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
