"""analysis_keys_dependencies: against brute force, with planted exceptions, on null and degenerate tables."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.analysis_keys_dependencies import plan, plugin
from plugins.analysis_keys_dependencies.tables import exceptions, joined, no_table, violations
from tests.memory_store import memory_dataset
from tests.null_tables import null_tables, run_plugin
from tests.sample_store import sample_store
from tests.unit.plugins.run_profile import run_profile
from toolkit.core.encoding import encode
from toolkit.engine.manifest import load_manifest
from toolkit.plugin import Budget, Context, Finding, Inputs, Result
from toolkit.storage.dataset import Dataset
from toolkit.task.plugin_task import reduce_whole

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_keys_dependencies"


def run(
    table: dict[str, Any] | Dataset, chunk_rows: int = 1_000, budget: Budget | None = None, **params: Any
) -> Result:
    dataset = table if isinstance(table, Dataset) else memory_dataset(table, chunk_rows)
    profile = run_profile(dataset)[0]
    return run_plugin(FOLDER, dataset, params=params, budget=budget, upstream={"profile_basic": profile})


def run_here(table: dict[str, Any]) -> tuple[Result, int]:
    """The result, and the parts in which values were counted, with limits that a test may set."""
    dataset, manifest = memory_dataset(table, 1_000), load_manifest(FOLDER)
    reducer = plugin.Plugin()
    reducer.ctx = Context(dataset, Inputs(
        plugin=manifest.id, selectors=manifest.columns, params=manifest.param_defaults, budget=Budget(),
        upstream={"profile_basic": run_profile(dataset)[0]},
    ))  # fmt: skip
    return reduce_whole(reducer), max(reducer.parts)


def of_kind(result: Result, kind: str) -> list[Finding]:
    return [f for f in result.findings if f.kind == kind]


def broken_rows(first: list[Any], second: list[Any]) -> tuple[int, int, int]:
    """Rows to be left out for the second to follow from the first; rows with both; those of its commonest value."""
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    meet, best = Counter(both), Counter[Any]()
    for (a, _), count in meet.items():
        best[a] = max(best[a], count)
    commonest = max(Counter(b for _, b in both).values(), default=0)
    return len(both) - sum(best.values()), len(both), commonest


def places(rows: int = 6_000, seed: int = 1) -> dict[str, Any]:
    """A zip has one city, a city one state; the rest is independent."""
    rng = np.random.default_rng(seed)
    zips = rng.integers(0, 60, rows)
    return {
        "zip": [f"{z:05d}" for z in zips.tolist()],
        "city": [f"city {z // 3}" for z in zips.tolist()],
        "state": (zips // 12).astype(np.int16),
        "other": rng.integers(0, 20, rows),
        "x": rng.normal(size=rows),
    }


def test_dependencies_with_planted_exceptions() -> None:
    columns = places()
    for row in (7, 1_500, 5_999):
        columns["city"][row] = "Pars"
    result = run(columns)
    (almost,) = [f for f in of_kind(result, "almost_functional_dependency") if f.columns == ["zip", "city"]]
    assert almost.evidence["violations"] == 3
    assert almost.effect == 3 / 6_000
    assert [e["row"] for e in almost.evidence["exceptions"]] == [7, 1_500, 5_999]
    assert {e["value"] for e in almost.evidence["exceptions"]} == {"Pars"}
    zips = [columns["zip"][row] for row in (7, 1_500, 5_999)]
    assert [e["for"] for e in almost.evidence["exceptions"]] == zips
    assert [e["usual"] for e in almost.evidence["exceptions"]] == [f"city {int(z) // 3}" for z in zips]
    (exact,) = of_kind(result, "functional_dependency")
    assert exact.columns == ["zip", "state"]
    assert not [f for f in result.findings if "other" in f.columns]


@pytest.mark.parametrize("seed", range(4))
def test_g3_is_that_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 12, 400)
    columns: dict[str, list[Any]] = {
        "a": [None if v == 5 else f"a{v}" for v in a.tolist()],
        "b": np.where(rng.random(400) < 0.9, a // 2, 7).tolist(),
        "c": (a % 2 == 0).tolist(),
        "d": [None if k % 9 == 2 else "pqr"[v % 3] for k, v in enumerate(a.tolist())],
    }
    stored: dict[str, Any] = {k: np.array(v) if k in "bc" else v for k, v in columns.items()}
    found = run(stored, 37, error=0.3, gain=0.3, group_rows=1.0, left_pairs=0).data["dependencies"]
    expected = []
    for x, y in permutations(columns, 2):
        broken, both, commonest = broken_rows(columns[x], columns[y])
        if broken <= 0.3 * both and 1 - broken / (both - commonest) >= 0.3:
            expected.append([x, y, broken])
    assert sorted(found) == sorted(expected)
    assert len(expected) > 2


@pytest.mark.parametrize("seed", range(3))
def test_two_columns_together(seed: int) -> None:
    """A price follows from product and site, and from neither of them; a name of the product follows from it alone."""
    rng = np.random.default_rng(seed)
    product, site, other = (rng.integers(0, n, 4_000) for n in (20, 5, 7))
    price = rng.integers(1, 9, (20, 5))[product, site]
    price[[50, 3_999]] = 77
    table = {
        "product": [None if i % 90 == 4 else f"p{v}" for i, v in enumerate(product.tolist())], "site": site,
        "other": other, "price": price, "name": [f"n{v // 2}" for v in product.tolist()],
    }  # fmt: skip
    result = run(table, 300)
    both = {tuple(by): (column, n) for by, column, n in result.data["dependencies"] if isinstance(by, list)}
    pairs = [f"{a} {b}" if a else None for a, b in zip(table["product"], site.tolist(), strict=True)]
    assert both == {("product", "site"): ("price", broken_rows(pairs, price.tolist())[0])}
    (finding,) = [f for f in of_kind(result, "almost_functional_dependency") if "site" in f.columns]
    assert finding.columns == ["product", "site", "price"]
    assert finding.sentence.startswith("product and site together determine price but for 2 of 3,9")
    first = finding.evidence["exceptions"][0]
    assert (first["row"], first["for"], first["value"]) == (50, [table["product"][50], site[50]], 77)


@pytest.mark.parametrize("entries", [1_500, 3_000])
def test_columns_of_many_values_are_counted_in_parts(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts and at once the same is found, with the exceptions of all parts."""
    rng = np.random.default_rng(6)
    order = rng.permutation(np.repeat(np.arange(4_000), 5))
    customer, place = order // 3, order % 7
    customer[[11, 5_000, 19_998]] = 1
    table = {"order": order * 8, "customer": customer, "place": place, "x": rng.integers(0, 9, order.size)}
    whole, at_once = run_here(table)
    monkeypatch.setattr(plan, "MOST_ENTRIES", entries)
    monkeypatch.setattr(plan, "_SMALLEST_PART", 7)
    monkeypatch.setattr(plan, "_LARGEST_PART", 10)
    monkeypatch.setattr(plugin, "MOST_READINGS", 1_000)
    split, parts = run_here(table)
    assert (at_once, parts) == (1, 4 if entries == 3_000 else 8)
    assert whole.data["dependencies"] == split.data["dependencies"]
    assert ["order", "customer", broken_rows(order.tolist(), customer.tolist())[0]] in split.data["dependencies"]
    assert [f.to_json() for f in split.findings] == [f.to_json() for f in whole.findings]


ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=60)


@given(rows=ROWS, split=st.integers(0, 60), allowed=st.integers(0, 30))
def test_tables_join_to_that_of_all_rows(rows: list[tuple[int, int]], split: int, allowed: int) -> None:
    """Wherever they are cut; given up exactly where more rows than allowed break the dependency."""
    parts = [table_of(rows[:split], 0, allowed), table_of(rows[split:], len(rows[:split]), allowed)]
    whole, found = table_of(rows, 0, allowed), joined(*parts, 7, allowed)
    assert encode(found) == encode(whole) == encode(joined(*parts[::-1], 7, allowed))
    broken = broken_rows([a for a, _ in rows], [b for _, b in rows])[0]
    assert (whole is None) == (broken > allowed)
    if whole is not None:
        assert violations(whole, 7) == broken
        others, usual = exceptions(whole, 7)
        assert whole["counts"][others].sum() == broken
        assert (whole["counts"][usual] >= whole["counts"][others]).all()


def table_of(rows: list[tuple[int, int]], first: int, allowed: int) -> Any:
    keys = np.array([7 * a + b for a, b in rows], np.int64)
    found, at, counts = np.unique(keys, return_index=True, return_counts=True)
    return joined(no_table(), {"keys": found, "counts": counts, "rows": at + first}, 7, allowed)


def test_screening_rejects_nothing_that_holds() -> None:
    """In a table large enough to be screened, whose head is unlike the rest."""
    rng = np.random.default_rng(4)
    a = np.concatenate([np.zeros(70_000, int), rng.integers(0, 30, 60_000)])
    b = a // 3
    b[rng.choice(130_000, 400, replace=False)] = 11
    result = run({"a": a, "b": b, "c": rng.integers(0, 3, 130_000)}, 20_000)
    assert result.data["dependencies"] == [["a", "b", broken_rows(a.tolist(), b.tolist())[0]]]


def test_keys_and_almost_keys() -> None:
    rng = np.random.default_rng(5)
    number, code = np.arange(3_000), [f"c{i}" for i in range(3_000)]
    number[[17, 2_500, 2_501]] = 16, 3, 4
    result = run({"number": number, "code": code, "n": rng.integers(0, 4, 3_000)})
    (key,), (almost,) = of_kind(result, "candidate_key"), of_kind(result, "almost_key")
    assert key.columns == ["code"]
    assert almost.columns == ["number"]
    assert almost.evidence["rows"] == [[17, 17], [2_500, 2_501]]
    assert almost.evidence["examples"] == [[17, 16], [2_500, 3], [2_501, 4]]


@pytest.mark.parametrize("repeats", [0, 5])
def test_keys_of_two_columns(repeats: int) -> None:
    case, step = np.divmod(np.arange(4_000), 8)
    step[100 : 100 + repeats] = step[99]
    case[100 : 100 + repeats] = case[99]
    shuffled = np.random.default_rng(6).permutation(4_000)
    result = run({"case": case[shuffled], "step": [f"s{k}" for k in step[shuffled]], "x": np.sin(shuffled)})
    if repeats:
        assert result.data["almost_keys"] == [["case", "step", repeats]]
    else:
        assert result.data["keys"] == [["case", "step"]]


def test_columns_that_are_the_same() -> None:
    rng = np.random.default_rng(7)
    x = rng.integers(0, 500, 4_000)
    near = x.astype(float)
    near[[9, 3_000]] += 0.5
    copy = [None if v % 7 == 0 else f"t{v}" for v in x.tolist()]
    result = run({"x": x, "near": near, "copy": copy, "again": list(copy), "rare": x == 3, "rarer": x == 4})
    (same,), (nearly,) = of_kind(result, "same_columns"), of_kind(result, "nearly_same_columns")
    assert same.columns == ["copy", "again"]
    assert same.evidence["compared"] == sum(v is not None for v in copy)
    assert nearly.columns == ["x", "near"]
    assert (nearly.evidence["unequal"], nearly.evidence["first_row"]) == (2, 9)
    assert all(len({"rare", "rarer"} & {*pair}) < 2 for pair in result.data["same_columns"])


def test_null_tables_have_nothing() -> None:
    for _, dataset in null_tables(3, rows=3_000):
        assert run(dataset).findings == []


@pytest.mark.parametrize(
    "columns",
    [
        {"x": np.ma.array(np.zeros(50), mask=True), "y": [None] * 50},
        {"x": np.array([np.nan, np.nan]), "y": ["", ""]},
        {"x": np.array([2**53 + 1, 2**53, -(2**63), 2**63 - 1]), "y": np.array([0, 2**64 - 1, 1, 2**63], np.uint64)},
        {"x": np.array([0.0, -0.0, np.inf, -np.inf]), "y": [True, False, True, False]},
        {"x": np.full(300, 7), "y": ["one"] * 299 + ["two"], "z": np.arange(300)},
        {"x": np.array([-128, 127] * 20, np.int8), "y": np.array([2**64 - 1, 2**64 - 2] * 20, np.uint64)},
    ],
)
def test_degenerate_tables(columns: dict[str, Any]) -> None:
    assert isinstance(run(columns, 16), Result)


def test_caps_and_columns_of_too_many_values() -> None:
    result = run(places(), budget=Budget(max_cols=2, max_pairs=1, max_findings=1))
    assert len(result.findings) <= 1
    assert run(places(), groups=10).data["dependencies"] == []


def test_the_last_row_counts() -> None:
    columns = places()
    assert ["zip", "city", 0] in run(columns).data["dependencies"]
    columns["city"][-1] = "Pars"
    assert ["zip", "city", 1] in run(columns).data["dependencies"]


def test_the_sample_table() -> None:
    dataset, planted = sample_store()
    result = run(dataset)
    frame = dataset.to_arrow().read_all()
    broken = broken_rows(frame["zip"].to_pylist(), frame["city"].to_pylist())[0]
    assert ["zip", "city", broken] in result.data["dependencies"]
    (almost,) = [f for f in of_kind(result, "almost_functional_dependency") if f.columns == ["zip", "city"]]
    assert broken <= planted["misspelt_cities"]["rows"]
    assert almost.evidence["exceptions"][0]["row"] == planted["misspelt_cities"]["first_rows"][0]
    exact = planted["exact_dependency"]
    assert [exact["from"], exact["to"], 0] in result.data["dependencies"]
    near = planted["near_key"]
    (key,) = of_kind(result, "almost_key")
    copy = planted["reloaded_block"]["copy"]
    assert key.columns == [near["column"]]
    assert key.evidence["repeats"] == len(near["repeated_rows"]) + copy[1] - copy[0]
    assert [r for r in key.evidence["rows"] if r[0] == r[1]] == [[r, r] for r in near["repeated_rows"]]
