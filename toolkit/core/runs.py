"""Runs of neighbours, such as the bytes of a text or the tokens of a message, gathered at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def places_of_runs(starts: npt.NDArray[np.integer], lengths: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """The places of all members of some runs, one run after another, and where each run begins among them.

    Parameters
    ----------
    starts, lengths : ndarray of int, shape (runs,)
        Where each run begins, and how long it is.

    Returns
    -------
    places : ndarray of int64, shape (members,)
    bounds : ndarray of int64, shape (runs + 1,)

    Examples
    --------
    >>> places, bounds = places_of_runs(np.array([5, 0]), np.array([2, 3]))
    >>> places.tolist(), bounds.tolist()
    ([5, 6, 0, 1, 2], [0, 2, 5])
    """
    bounds = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return np.repeat(starts - bounds[:-1], lengths) + np.arange(bounds[-1]), bounds
