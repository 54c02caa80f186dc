"""analysis_benford: known sequences, planted digits, null tables, columns that the law is not for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from plugins.analysis_benford.law import FIRST_TWO
from tests.memory_store import memory_dataset
from tests.null_tables import KINDS, null_columns, run_plugin
from toolkit.plugin import Budget, Result
from toolkit.plugin.inference import fit_test

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_benford"


def run(columns: dict[str, Any], chunk_rows: int = 262_144, **options: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def amounts(seed: int, n: int = 20_000) -> np.ndarray:
    return np.round(10 ** np.random.default_rng(seed).uniform(0, 5, n), 2)


def test_powers_of_two_follow_the_law() -> None:
    result = run({"x": 2.0 ** np.arange(1000)})
    column = result.data["columns"]["x"]
    counts = np.array(column["first_two"])
    expected = [sum(str(2**k)[:2] == str(d) or (2**k < 10 and f"{2**k}0" == str(d)) for k in range(1000))
                for d in range(10, 100)]  # fmt: skip
    assert counts.tolist() == expected
    assert column["mad"] == pytest.approx(np.abs(counts / 1000 - FIRST_TWO).mean(), rel=1e-12)
    assert not [f for f in result.findings if f.kind.startswith(("benford", "first"))]


def test_even_numbers_depart() -> None:
    x = np.random.default_rng(1).uniform(0, 1e6, 20_000)
    kinds = {f.kind: f for f in run({"x": x}, params={"magnitudes": 1.5}).findings}
    assert kinds["benford_departure"].evidence["band"] == "nonconformity"
    found = kinds["benford_departure"]
    assert found.evidence["mad"] == pytest.approx(np.abs(1 / 90 - FIRST_TWO).mean(), rel=0.1)
    assert found.effect == found.evidence["mad"] - found.evidence["chance"]


def test_a_heap_under_a_limit_is_found_with_who_writes_it() -> None:
    rng = np.random.default_rng(2)
    x = amounts(2)
    who = rng.integers(0, 6, x.size)
    planted = (who == 3) & (rng.random(x.size) < 0.2)
    x[planted] = np.round(rng.uniform(4900, 4999, planted.sum()), 2)
    table = {"x": x, "who": [f"b{w}" for w in who], "flag": rng.random(x.size) < 0.5}
    found = {f.kind: f for f in run(table, 3_000).findings}
    excess, link = found["first_digits_in_excess"], found["first_digits_go_with"]
    inside = np.array([str(v).lstrip("0.").replace(".", "")[:2] == "49" for v in x])
    assert (excess.evidence["digits"], excess.evidence["count"]) == (49, inside.sum())
    assert excess.interval is not None
    assert excess.interval[0] > 1.2
    assert link.columns == ["x", "who"]
    assert (link.evidence["level"], link.evidence["marked_inside"]) == ('"b3"', (inside & (who == 3)).sum())


def test_prices_heap_in_their_last_digits() -> None:
    x = amounts(3)
    x[::3] = np.floor(x[::3]) + 0.99
    (finding,) = [f for f in run({"x": x}).findings if f.kind == "last_digits_heap"]
    assert finding.evidence["digits"] == 99
    assert finding.evidence["decimals"] == 2
    assert finding.effect == pytest.approx(100 * (1 / 3 + 2 / 300), rel=0.05)


def test_columns_that_the_law_is_not_for_are_left_out() -> None:
    rng = np.random.default_rng(4)
    n = 2_000
    upstream = {"profile_basic": Result({"columns": [{"name": "id", "count": n, "role": "id"}]})}
    result = run(
        {
            "narrow": rng.normal(100, 5, n),
            "few": rng.choice([1.0, 1e3], n),
            "negative": -rng.exponential(size=n),
            "id": 10 ** rng.uniform(0, 5, n),
            "none": np.ma.array(np.zeros(n), mask=np.ones(n, bool)),
            "odd": np.where(rng.random(n) < 0.4, np.inf, np.nan),
        },
        upstream=upstream,
    )
    assert result.data["columns"] == {}
    assert set(result.data["left_out"]) == {"narrow", "few", "negative", "id", "none", "odd"}
    assert result.findings == []
    assert result.n_tests == 0


def test_nothing_is_found_where_the_law_holds() -> None:
    found = 0
    for seed in range(9):
        columns = null_columns(seed, KINDS[seed % 3], 4_000)
        table = {
            "a": 10 ** (columns["x"] * 1.5),
            "b": np.round(10 ** (columns["y"] * 1.3 + 3), 2),
            "c": columns["kind"],
        }
        result = run(table)
        assert result.n_tests >= 180
        found += bool(result.findings)
    assert found <= 1


def test_goodness_of_fit_is_pearsons_where_rows_are_independent() -> None:
    rng = np.random.default_rng(5)
    shares = np.array([0.5, 0.3, 0.2])
    blocks = rng.multinomial(200, shares, size=64)
    test = fit_test(blocks, shares)
    total = blocks.sum(axis=0)
    assert test.chi2 == pytest.approx(stats.chisquare(total, total.sum() * shares).statistic, rel=1e-12)
    assert 1.0 <= test.design_effect < 1.5
    # Each row ten times over: the design effect is about ten, and the test no surer than before.
    again = fit_test(blocks * 10, shares)
    assert again.design_effect == pytest.approx(10 * test.design_effect, rel=0.3)


def test_chunks_caps_and_the_last_row() -> None:
    x = amounts(6, 5_000)
    x[::5] = 49.95
    table = {"x": x, "c": ["u", "v"] * 2_500, "d": ["u", None, "w", "w"] * 1_250}
    assert run(table, 700).data == run(table).data
    assert run(table, budget=Budget(max_pairs=1)).n_tests < run(table).n_tests
    before = run(table).data
    x[-1] = 77.0
    assert run(table).data != before
