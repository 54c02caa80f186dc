"""Blocks of cases for the jackknife: stretches of time in which about equally many cases begin.

There are 16 long ones, as cases that run side by side depend on each other. Where they begin depends on the starts of
cases alone, not on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.eventlog.case_log import CaseLog

Ints = npt.NDArray[np.int64]
CASE_BLOCKS = 16
"""How many blocks there are."""
_SLICES = 4096
"""Equal slices of the span of the log, of which blocks are made."""


def starts_by_slice(log: CaseLog | None, profile: Mapping[str, Any]) -> Ints:
    """How many cases begin in each slice of the log's span, shape (4096,); none where there is no log.

    Parameters
    ----------
    log : CaseLog or None
        Whole cases.
    profile : mapping
        Data of ``profile_eventlog``.
    """
    if log is None:
        return np.zeros(_SLICES, np.int64)
    return np.bincount(_slice(log, profile), minlength=_SLICES)


def block_starts(starts: Ints) -> Ints:
    """The slices at which a new block begins, shape (15,).

    Examples
    --------
    >>> block_starts(np.ones(4096, np.int64)).tolist()[:3]
    [256, 512, 768]
    """
    seen = np.cumsum(starts)
    return np.searchsorted(seen, np.arange(1, CASE_BLOCKS) * int(seen[-1]) // CASE_BLOCKS, side="right")


def block_of_cases(log: CaseLog, profile: Mapping[str, Any], bounds: Ints) -> Ints:
    """The block of each case, shape (cases,)."""
    return np.searchsorted(bounds, _slice(log, profile), side="right").astype(np.int64)


def _slice(log: CaseLog, profile: Mapping[str, Any]) -> Ints:
    low, high = profile["span"]
    width = (int(high) - int(low)) // _SLICES + 1
    return (log.time[log.starts[:-1]] - int(low)) // width
