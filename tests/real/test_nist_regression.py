"""NIST's reference sets of linear regression, through the triangular factor and through co-moments."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

# Digits of every coefficient. A polynomial's name stands for its degree.
SETS = {"Norris": (1, 12.0), "Longley": (0, 10.0), "Wampler1": (5, 9.0), "Wampler3": (5, 9.0)}


def read(path: Path, degree: int) -> tuple[dict[str, Any], list[float]]:
    """Columns with the response last, and the certified coefficients."""
    text = path.read_text("ascii", "replace")
    certified = [float(m) for m in re.findall(r"^ +B\d+ +(\S+) +\S+", text, re.MULTILINE)]
    lines = text[text.rindex("Data:") :].splitlines()[1:]
    table = np.array([[float(v) for v in line.split()] for line in lines if line.strip()])
    y, x = table[:, 0], table[:, 1:]
    predictors = [x[:, 0] ** d for d in range(1, degree + 1)] if degree else list(x.T)
    return {**{f"x{i}": p for i, p in enumerate(predictors)}, "y": y}, certified


def digits(found: float, true: float) -> float:
    if found == true:
        return 15.9
    return -math.log10(abs(found - true) / abs(true) if true else abs(found))


@pytest.mark.parametrize("chunk_rows", [1, 5, 262_144])
@pytest.mark.parametrize("name", SETS)
def test_triangular_factor(real_data: Path, name: str, chunk_rows: int) -> None:
    degree, wanted = SETS[name]
    columns, certified = read(real_data / "nist_strd" / f"{name}.dat", degree)
    (found,) = compute(memory_dataset(columns, chunk_rows), [request("tsqr", *columns)]).values()
    r = found["r"]
    # Columns are scaled, as in every solution of a regression.
    scale = np.linalg.norm(r[:-1, :-1], axis=0)
    solved = np.linalg.solve(r[:-1, :-1] / scale, r[:-1, -1]) / scale
    assert len(certified) == len(solved)
    assert min(digits(a, b) for a, b in zip(solved.tolist(), certified, strict=True)) >= wanted


@pytest.mark.parametrize("chunk_rows", [1, 5, 262_144])
def test_comoments_solve_longley(real_data: Path, chunk_rows: int) -> None:
    columns, certified = read(real_data / "nist_strd" / "Longley.dat", 0)
    dataset = memory_dataset(columns, chunk_rows)
    (found,) = compute(dataset, [request("comoments", *columns, rows="complete")]).values()
    spread = np.sqrt(np.diag(found["m2"]))
    slopes = np.linalg.solve(found["correlation"][:-1, :-1], found["correlation"][:-1, -1]) * spread[-1] / spread[:-1]
    assert min(digits(a, b) for a, b in zip(slopes.tolist(), certified[1:], strict=True)) >= 10
