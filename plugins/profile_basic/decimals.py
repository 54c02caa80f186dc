"""Statistics of exact decimal numbers that are stored as coded text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

PROBABILITIES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


def decimal_statistics(categories: Sequence[str], counts: npt.NDArray[np.int64], scale: int) -> dict[str, Any]:
    """Order statistics and moments, computed exactly in whole units of the last digit and rounded at the end.

    Parameters
    ----------
    categories : sequence of str
        The distinct values.
    counts : ndarray of int64, shape (categories,)
        How often each occurs.
    scale : int
        Digits behind the decimal point.

    Returns
    -------
    dict
        Fields of a report's column.

    Examples
    --------
    >>> found = decimal_statistics(["10.00", "9.50"], np.array([1, 3]), 2)
    >>> found["min"], found["max"], found["mean"], found["quantiles"]["0.75"]
    ('9.50', '10.00', 9.625, '9.50')
    """
    pairs = sorted((_units(t, scale), n, t) for t, n in zip(categories, counts.tolist(), strict=True) if n)
    if not pairs:
        return {}
    ends = np.cumsum([n for _, n, _ in pairs])
    total = int(ends[-1])
    ranks = [min(max(math.ceil(total * p - 1.0), 0), total - 1) for p in PROBABILITIES]
    at = np.searchsorted(ends, ranks, side="right").tolist()
    return {
        "min": pairs[0][2],
        "max": pairs[-1][2],
        "quantiles": {f"{p:g}": pairs[i][2] for p, i in zip(PROBABILITIES, at, strict=True)},
        "zeros": sum(n for value, n, _ in pairs if value == 0),
        "negatives": sum(n for value, n, _ in pairs if value < 0),
        **_moments([(value, n) for value, n, _ in pairs], total, scale),
    }


def _moments(pairs: list[tuple[int, int]], total: int, scale: int) -> dict[str, float | None]:
    s1, s2, s3, s4 = (sum(n * value**k for value, n in pairs) for k in (1, 2, 3, 4))
    mean = Fraction(s1, total)
    m2 = s2 - mean * s1
    m3 = s3 - 3 * mean * s2 + 2 * mean**2 * s1
    m4 = s4 - 4 * mean * s3 + 6 * mean**2 * s2 - 3 * mean**3 * s1
    unit = Fraction(1, 10**scale)
    found: dict[str, float | None] = {"mean": float(mean * unit), "std": None, "skewness": None, "kurtosis": None}
    if total > 1:
        found["std"] = math.sqrt(m2 * unit**2 / (total - 1))
    if m2:
        found["skewness"] = math.copysign(math.sqrt(total * m3**2 / m2**3), m3)
        found["kurtosis"] = float(total * m4 / m2**2 - 3)
    return found


def _units(text: str, scale: int) -> int:
    whole, _, digits = text.partition(".")
    return int(whole + digits.ljust(scale, "0"))
