"""Order-preserving integer images of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.unsignedinteger[Any]]


def to_keys(values: npt.NDArray[Any]) -> Keys:
    """Unsigned integers of the same width in the same order as the values.

    Parameters
    ----------
    values : ndarray of int, uint or float
        Without NaN and -0.0.

    Examples
    --------
    >>> to_keys(np.array([-1, 0, 1], np.int8)).tolist()
    [127, 128, 129]
    """
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    if values.dtype.kind == "u":
        return values
    sign = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    bits = values.view(unsigned)
    if values.dtype.kind == "i":
        return bits ^ sign
    signed = np.dtype(f"i{values.dtype.itemsize}")
    negative = (values.view(signed) >> (8 * unsigned.itemsize - 1)).view(unsigned)  # all ones where negative
    return bits ^ (negative | sign)


def from_keys(keys: Keys, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The values that `to_keys` mapped, of their dtype."""
    if dtype.kind == "u":
        return keys.astype(dtype)
    sign = keys.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        return (keys ^ sign).view(dtype)
    return np.where(keys & sign, keys ^ sign, ~keys).view(dtype)
