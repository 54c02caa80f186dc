"""False discovery control over many hypotheses, of a plugin or of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence


def q_values(log10_p: Sequence[float], n_tests: int) -> list[float]:
    """Compute Benjamini-Hochberg q-values in logarithms: p-values too small for a double keep their order.

    Parameters
    ----------
    log10_p : sequence of float
        Decimal logarithms of the p-values that were reported; every small one must be among them.
    n_tests : int
        Hypotheses that were tested, reported or not; taken as ``len(log10_p)`` where it is smaller.

    Returns
    -------
    list of float
        In the order of ``log10_p``; between 0 and 1.

    References
    ----------
    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> [round(q, 3) for q in q_values([-3.0, -1.0], n_tests=4)]
    [0.004, 0.2]
    """
    total = max(n_tests, len(log10_p))
    order = sorted(range(len(log10_p)), key=lambda i: (log10_p[i], i))
    out = [1.0] * len(log10_p)
    smallest = 0.0
    for rank in range(len(order), 0, -1):
        i = order[rank - 1]
        smallest = min(smallest, log10_p[i] + math.log10(total) - math.log10(rank))
        out[i] = 10.0**smallest if smallest > -400 else 0.0
    return out
