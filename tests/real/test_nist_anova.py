"""NIST's reference sets of one-way analysis of variance: F to the digits that doubles allow.

The certified values belong to the decimal numbers in the files. Where those are no doubles, exact arithmetic on the
stored doubles gives the best attainable result; both are compared with.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

# Name, and the digits of the certified F that doubles allow.
SETS = {"SiRstv": 12.5, "AtmWtAg": 9.5, "SmLs01": 13.5, "SmLs02": 13.5, "SmLs04": 9.5, "SmLs05": 9.5, "SmLs07": 3.9}


def read(path: Path) -> tuple[list[int], list[float], float]:
    """Treatments, responses and the certified F."""
    text = path.read_text("ascii", "replace")
    certified = re.search(r"^Between \S+ +\d+ +\S+ +\S+ +(\S+)", text, re.MULTILINE)
    assert certified
    rows = [line.split() for line in text[text.rindex("Data:") :].splitlines()[1:] if line.strip()]
    return [int(r[0]) for r in rows], [float(r[1]) for r in rows], float(certified[1])


def exact_f(groups: list[int], values: list[float]) -> float:
    numbers = [Fraction(v) for v in values]
    mean = sum(numbers) / len(numbers)
    between = within = Fraction(0)
    for group in set(groups):
        own = [v for g, v in zip(groups, numbers, strict=True) if g == group]
        centre = sum(own) / len(own)
        between += len(own) * (centre - mean) ** 2
        within += sum((v - centre) ** 2 for v in own)
    k = len(set(groups))
    return float(between / (k - 1) / (within / (len(values) - k)))


def digits(found: float, true: float) -> float:
    return 15.9 if found == true else -math.log10(abs(found - true) / abs(true))


@pytest.mark.parametrize("chunk_rows", [1, 7, 262_144])
@pytest.mark.parametrize("name", SETS)
def test_reference_set(real_data: Path, name: str, chunk_rows: int) -> None:
    groups, values, certified = read(real_data / "nist_strd" / f"{name}.dat")
    if chunk_rows == 1 and len(values) > 2_000:
        chunk_rows = 100
    dataset = memory_dataset({"g": np.array(groups, np.int16), "v": np.array(values)}, chunk_rows)
    (found,) = compute(dataset, [request("group_moments", "g", "v")]).values()
    n, offset, m2 = (found[k][:-1] for k in ("n", "offset", "m2"))
    between, within = math.fsum(n * offset**2), math.fsum(m2)
    f = between / (n.size - 1) / (within / (n.sum() - n.size))
    assert digits(f, exact_f(groups, values)) >= 12.5
    assert digits(f, certified) >= SETS[name]
