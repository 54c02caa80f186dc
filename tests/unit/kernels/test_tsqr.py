from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.tsqr import triangle
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(5)


def tsqr(columns: dict[str, Any], chunk_rows: int) -> dict[str, Any]:
    (found,) = compute(memory_dataset(columns, chunk_rows), [request("tsqr", *columns)]).values()
    return found


@pytest.mark.parametrize("rows", [1, 3, 7, 8, 500])
def test_triangle_equals_lapack(rows: int) -> None:
    matrix = RNG.normal(size=(rows, 7)) * 10.0 ** RNG.integers(-8, 8, 7)
    found = triangle(matrix.T.copy())
    np.testing.assert_allclose(found.T @ found, matrix.T @ matrix, rtol=1e-10, atol=1e-300)
    assert (np.tril(found, -1) == 0).all()
    assert (np.diag(found) >= 0).all()
    if rows >= 7:
        expected = np.linalg.qr(matrix, mode="r")
        np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("chunk_rows", [1, 3, 1_000, 20_000])
def test_solves_least_squares_on_complete_rows(chunk_rows: int) -> None:
    rows = 300 if chunk_rows < 10 else 9_000
    x, z = RNG.normal(1e6, 1, rows), np.ma.array(RNG.integers(0, 9, rows), mask=RNG.random(rows) < 0.2)
    y = np.where(RNG.random(rows) < 0.05, np.nan, 3 * x - 2 * z.data + RNG.normal(size=rows))
    found = tsqr({"x": x, "z": z, "y": y}, chunk_rows)
    kept = ~np.ma.getmaskarray(z) & np.isfinite(y)
    assert (found["rows"], found["left_out"]) == (kept.sum(), rows - kept.sum())
    r = found["r"]
    design = np.stack([np.ones(rows), x - 1e6, z.data], axis=1)[kept]
    expected = np.linalg.lstsq(design, y[kept], rcond=None)
    np.testing.assert_allclose(np.linalg.solve(r[:3, :3], r[:3, 3])[1:], expected[0][1:], rtol=1e-7)
    np.testing.assert_allclose(r[3, 3] ** 2, expected[1][0], rtol=1e-7)


@pytest.mark.parametrize("chunk_rows", [1, 20, 1_000])
def test_a_polynomial_of_degree_ten_keeps_six_digits(chunk_rows: int) -> None:
    """The condition number is about 1e15: cross products would leave no digit."""
    x = np.round(np.linspace(-8.78, -3.13, 82) + RNG.uniform(-0.03, 0.03, 82), 9)
    columns = {f"x{d}": x**d for d in range(1, 11)}
    y = np.round(0.8 + 0.05 * np.sin(x) + RNG.normal(0, 0.003, 82), 4)
    r = tsqr({**columns, "y": y}, chunk_rows)["r"]
    scale = np.linalg.norm(r[:-1, :-1], axis=0)
    found = np.linalg.solve(r[:-1, :-1] / scale, r[:-1, -1]) / scale
    expected = exact_solution([np.ones(82), *columns.values()], y)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def exact_solution(design: list[Any], y: Any) -> list[float]:
    """Normal equations of the stored doubles, solved by rational arithmetic."""
    rows = [[Fraction(v) for v in column.tolist()] for column in [*design, y]]
    size = len(design)
    system = [[sum(a * b for a, b in zip(rows[i], other, strict=True)) for other in rows] for i in range(size)]
    for i in range(size):
        for j in range(size):
            if i != j:
                factor = system[j][i] / system[i][i]
                system[j] = [b - factor * a for a, b in zip(system[i], system[j], strict=True)]
    return [float(system[i][-1] / system[i][i]) for i in range(size)]


def test_very_large_and_constant_columns() -> None:
    found = tsqr({"a": np.full(50, 1e300), "b": RNG.normal(size=50) * 1e-300, "c": np.zeros(50)}, 7)["r"]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[0, 1], 1e300 * 50**0.5, rtol=1e-12)
    assert abs(found[1, 1]) < 1e286
