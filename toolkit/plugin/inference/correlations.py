"""Correlations of a set of columns with intervals and tests, from the kernel ``comoments``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference.jackknife import Estimates, block_jackknife

Floats = npt.NDArray[np.float64]


_ROUNDING = 1e-13


class _Sums(NamedTuple):
    n: Floats
    mean: Floats
    m2: Floats
    cross: Floats


def correlation_estimates(comoments: Mapping[str, Any]) -> Estimates:
    """Fisher's z (the inverse hyperbolic tangent) of every correlation, with its jackknife standard error.

    Parameters
    ----------
    comoments : dict
        Result of the kernel ``comoments``.

    Returns
    -------
    Estimates
        Of shape (columns, columns). ``numpy.tanh`` turns values and ends of intervals into correlations. Infinite where
        a correlation is 1 or -1, which has no standard error.
    """
    blocks = comoments["blocks"]
    names = ("n", "mean", "m2", "cross")
    states = [_Sums(*(np.nan_to_num(blocks[name][i].astype(float)) for name in names)) for i in range(len(blocks["n"]))]
    return block_jackknife(states, _merged, _fisher_z, blocks["n"])


def _merged(left: _Sums, right: _Sums) -> _Sums:
    n = left.n + right.n
    share = right.n / np.maximum(n, 1.0)
    weight = left.n * share
    gap = right.mean - left.mean
    mean = left.mean + gap * share
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers whose squares are none there is no estimate
        m2 = left.m2 + right.m2 + gap * gap * weight
        return _Sums(n, mean, m2, left.cross + right.cross + gap * gap.T * weight)


def _fisher_z(sums: _Sums) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        r = sums.cross / (np.sqrt(sums.m2) * np.sqrt(sums.m2.T))
        # Of copies of one column nothing but rounding is left beside 1.
        return np.arctanh(np.where(1.0 - np.abs(r) < _ROUNDING, np.sign(r), r))
