"""When two results of a kernel are the same, up to the rounding that the order of additions brings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def assert_close(left: Any, right: Any) -> None:
    """Equal results, up to 10 digits of floats; moments are compared on the scale of the spread, as odd ones cancel."""
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        if "r" in left:  # of columns that depend on each other the factor is rounding, its square is not
            left, right = ({**side, "r": _squared(side["r"])} for side in (left, right))
        if {"mean", "m2"} <= left.keys():
            left, right = _on_their_scale(left), _on_their_scale(right)
        for key in left:
            if not key.endswith("_by_chunk"):
                assert_close(left[key], right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert_close(a, b)
    elif isinstance(left, np.ndarray):
        np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-300)
    elif isinstance(left, float):
        assert left == pytest.approx(right, rel=1e-10, abs=1e-300, nan_ok=True)
    else:
        assert left == right


def _squared(factor: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Cross products of columns of norm 1, moved away from zero."""
    with np.errstate(invalid="ignore"):  # infinite where a column's norm is beyond doubles
        scaled = factor / np.maximum(np.abs(factor).max(axis=0), 1e-300)
        # a column that is smaller, of which doubles hold only a few bits, is left as nothing beside the 10
        scaled = scaled / np.maximum(np.linalg.norm(scaled, axis=0), 1.0)
        return scaled.T @ scaled + 10


def _on_their_scale(moments: dict[str, Any]) -> dict[str, Any]:
    """Moments with the mean and what is odd as shares of the spread, moved away from zero."""
    n = np.maximum(np.asarray(moments["n"] if "n" in moments else moments["count"], float), 1)
    mean, m2 = (np.asarray(moments[name], float) for name in ("mean", "m2"))
    with np.errstate(all="ignore"):
        spread = np.sqrt(m2 / n)
        size = np.maximum(np.abs(mean), spread)
        found = {"mean": mean / np.maximum(size, 1e-300) + 10}
        if "m3" in moments:
            found["m3"] = np.asarray(moments["m3"], float) / (n * spread**3) + 10
    away = {k: moments[k] + 10 for k in ("skewness", "kurtosis") if moments.get(k) is not None}
    unrounded = {"sum": None} if isinstance(moments.get("sum"), float) else {}
    return {**moments, **found, **away, **unrounded}
