"""NIST's reference sets of univariate statistics: mean and standard deviation to the best digits that doubles allow.

The certified values belong to the decimal numbers in the files. Where those are no doubles (NumAcc2 to NumAcc4),
the best attainable result is that of exact arithmetic on the stored doubles; with that every result is compared,
and with the certified value as far as exact arithmetic itself agrees with it.
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

SETS = {"Lew": 200, "Lottery": 218, "Mavro": 50, "NumAcc1": 3, "NumAcc3": 1001, "PiDigits": 5000}
NUMBER = r"(-?\d+(?:\.\d+)?)"


def read(path: Path) -> tuple[list[str], str, str]:
    """The numbers as they stand in a file, and its certified mean and standard deviation."""
    text = path.read_text("ascii", "replace")
    mean = re.search(rf"^(?:mean +=|Sample Mean +ybar:|Sample Mean:) *{NUMBER}", text, re.MULTILINE)
    spread = re.search(
        rf"^(?:standardDeviation +=|Sample Standard Deviation \(denom\. = n-1\) +s:) *{NUMBER}", text, re.MULTILINE
    )
    assert mean
    assert spread
    lines = text.splitlines()
    start = max(i for i, line in enumerate(lines) if re.match(r"#? ?Data", line))
    numbers = [line.strip() for line in lines[start + 1 :] if re.fullmatch(rf" *{NUMBER} *", line)]
    return numbers, mean[1], spread[1]


def exact(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation of doubles by rational arithmetic, each rounded once."""
    numbers = [Fraction(v) for v in values]
    mean = sum(numbers) / len(numbers)
    variance = sum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1)
    # Scaled by an even power of two, so that the integer root has more digits than a double.
    return float(mean), float(Fraction(math.isqrt(int(variance * 2**240)), 2**120))


def digits(found: float, true: float) -> float:
    """Correct significant digits."""
    return 15.9 if found == true else -math.log10(abs(found - true) / abs(true))


@pytest.mark.parametrize("chunk_rows", [1, 7, 100, 262_144])
@pytest.mark.parametrize("name", SETS)
def test_reference_set(real_data: Path, name: str, chunk_rows: int) -> None:
    text, mean, spread = read(real_data / "nist_strd" / f"{name}.txt")
    assert len(text) == SETS[name]
    values = [float(t) for t in text]
    wanted = request("moments", "y")
    found = compute(memory_dataset({"y": np.array(values)}, chunk_rows), [wanted])[wanted.key]
    assert found["count"] == len(values)
    best_mean, best_spread = exact(values)
    assert found["mean"] == best_mean
    assert digits(found["std"], best_spread) > 15.3  # within an ulp or two of the best double
    assert digits(found["mean"], float(mean)) > min(14.5, digits(best_mean, float(mean)) - 0.1)
    assert digits(found["std"], float(spread)) > min(14.2, digits(best_spread, float(spread)) - 0.1)


@pytest.mark.parametrize("name", ["Lew", "PiDigits", "NumAcc1"])
def test_whole_numbers_stored_as_integers(real_data: Path, name: str) -> None:
    text, mean, spread = read(real_data / "nist_strd" / f"{name}.txt")
    integers = np.array([int(t.removesuffix(".0")) if "." not in t else int(float(t)) for t in text])
    wanted = request("moments", "y")
    found = compute(memory_dataset({"y": integers}, 100), [wanted])[wanted.key]
    assert digits(found["mean"], float(mean)) > 14.5
    assert digits(found["std"], float(spread)) > 14.2
    assert found["sum"] == int(integers.sum())
