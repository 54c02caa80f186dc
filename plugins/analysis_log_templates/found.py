"""Shapes with their counts, as part of a state: merged in any order to the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, State

_NONE = np.iinfo(np.int64).max


def no_shapes() -> State:
    """No shapes."""
    return {"texts": [], "blocks": np.zeros((0, BLOCKS), np.int64), "first": np.zeros(0, np.int64)}


def of_chunk(shapes: list[str], blocks: npt.NDArray[Any], rows: npt.NDArray[Any], hot: Mapping[str, bool]) -> State:
    """Shapes of the messages of a chunk.

    Parameters
    ----------
    shapes : list of str
        The shape of each message.
    blocks, rows : ndarray of int64, shape (messages,)
        Its block, and its row in the table.
    hot : mapping of str to bool
        Whether a shape is kept.
    """
    texts = sorted(text for text, kept in hot.items() if kept)
    if not texts:
        return no_shapes()
    place = {text: i for i, text in enumerate(texts)}
    places = np.array([place.get(shape, -1) for shape in shapes], np.int64)
    kept = places >= 0
    counts = np.bincount(places[kept] * BLOCKS + blocks[kept], minlength=len(texts) * BLOCKS)
    first = np.full(len(texts), _NONE, np.int64)
    np.minimum.at(first, places[kept], rows[kept])
    return {"texts": texts, "blocks": counts.reshape(-1, BLOCKS).astype(np.int64), "first": first}


def joined(left: State, right: State) -> State:
    """Shapes of both."""
    if not right["texts"]:
        return left
    texts = sorted({*left["texts"], *right["texts"]})
    place = {text: i for i, text in enumerate(texts)}
    blocks, first = np.zeros((len(texts), BLOCKS), np.int64), np.full(len(texts), _NONE, np.int64)
    for side in (left, right):
        at = [place[text] for text in side["texts"]]
        blocks[at] += side["blocks"]
        first[at] = np.minimum(first[at], side["first"])
    return {"texts": texts, "blocks": blocks, "first": first}
