"""analysis_association_rules against brute force in every layout, on planted rules and on tables without any."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset, reader_of
from tests.null_tables import TABLES, allowed, null_tables_with_findings, run_plugin
from toolkit.plugin import Budget, Result, Skip

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_association_rules"
PROFILED = {
    "analysis_pii": Result({"personal_columns": [], "not_looked_at": []}),
    "profile_basic": Result({"columns": []}),
}
ROWS = 6_400

Basket = frozenset[str]


def run(columns: Any, chunk_rows: int = 1_000, encodings: Any = None, **options: Any) -> Result:
    dataset = memory_dataset(columns, chunk_rows, encodings=encodings)
    return run_plugin(FOLDER, dataset, upstream=PROFILED, **options)


def baskets(seed: int, count: int = 400, things: int = 9) -> list[Basket]:
    """Random baskets, some empty, with things of very different frequency."""
    rng = np.random.default_rng(seed)
    held = rng.random((count, things)) < rng.uniform(0.02, 0.6, things)
    return [frozenset(f"t{i}" for i in np.flatnonzero(row).tolist()) for row in held]


def brute_force(rows: list[Basket], least: int, longest: int) -> dict[Basket, int]:
    things = sorted(set().union(*rows))
    sets = [frozenset(s) for size in range(1, longest + 1) for s in combinations(things, size)]
    counts = {s: sum(s <= row for row in rows) for s in sets}
    return {s: n for s, n in counts.items() if n >= least}


def rules_by_force(counts: dict[Basket, int], total: int, confidence: float) -> dict[tuple[Basket, str], Any]:
    """Each rule with its counts and the confidence of the best of all shorter ones."""
    support = {frozenset[str](): total, **counts}
    out = {}
    for items in (s for s in counts if len(s) > 1):
        for then in items:
            rest = items - {then}
            if support[items] / support[rest] >= confidence:
                parts = [frozenset(p) for size in range(len(rest)) for p in combinations(rest, size)]
                best = max(support[p | {then}] / support[p] for p in parts)
                out[rest, then] = (support[items], support[rest], best)
    return out


def assert_equals_brute_force(result: Result, rows: list[Basket], support: float, confidence: float) -> None:
    least = int(np.ceil(round(support * len(rows), 9)))
    counts = brute_force(rows, least, 4)
    assert result.data["transactions"] == len(rows)
    by_size = {str(k): sum(len(s) == k for s in counts) for k in {len(s) for s in counts}}
    assert result.data["itemsets"] == by_size
    listed = {
        (frozenset(i["value"] for i in r["if"]), r["then"]["value"]): (r["together"], r["with_if"])
        for r in result.data["listed"]
    }
    expected = rules_by_force(counts, len(rows), confidence)
    assert listed == {rule: found[:2] for rule, found in expected.items()}
    for r in result.data["listed"]:
        best = expected[frozenset(i["value"] for i in r["if"]), r["then"]["value"]][2]
        assert r["best_shorter_confidence"] == pytest.approx(best, rel=1e-12)


PARAMS = {"support": 0.03, "confidence": 0.3, "longest": 4}


@pytest.mark.parametrize("encoding", ["coded", "long"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lists_equal_brute_force(seed: int, encoding: str) -> None:
    rows = baskets(seed)
    texts = [" | ".join([*sorted(row), *sorted(row)[:1]]) for row in rows]  # a thing twice counts once
    result = run({"b": texts}, 61, {"b": encoding}, params=PARAMS | {"list": "b", "separator": "|"})
    assert_equals_brute_force(result, rows, 0.03, 0.3)


@pytest.mark.parametrize("seed", [4, 5])
def test_wide_rows_equal_brute_force(seed: int) -> None:
    rows = baskets(seed)
    flags = {f"t{i}": np.array([f"t{i}" in row for row in rows]) for i in range(9)}
    assert_equals_brute_force(run(flags, 61, params=PARAMS | {"layout": "wide"}), rows, 0.03, 0.3)
    places = {f"place{k}": [sorted(row)[k] if len(row) > k else None for row in rows] for k in range(9)}
    places = {name: values for name, values in places.items() if any(values)}
    coded = dict.fromkeys(places, "coded")
    assert_equals_brute_force(run(places, 61, coded, params=PARAMS | {"layout": "wide"}), rows, 0.03, 0.3)


@pytest.mark.parametrize("kind", ["numbers", "texts"])
def test_rows_of_a_basket_may_stand_anywhere(kind: str) -> None:
    rows = [row for row in baskets(6) if row]
    pairs = [(i, thing) for i, row in enumerate(rows) for thing in [*sorted(row), min(row)]]
    order = np.random.default_rng(0).permutation(len(pairs)).tolist()
    ids: Any = np.array([pairs[k][0] for k in order]) * 7 - 3
    if kind == "texts":
        ids = [f"order {i}" for i in ids.tolist()]
    columns = {"id": ids, "thing": [pairs[k][1] for k in order]}
    result = run(columns, 333, {"thing": "coded"}, params=PARAMS | {"basket": "id", "item": "thing"})
    assert_equals_brute_force(result, rows, 0.03, 0.3)


def test_many_partitions_and_a_folder_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.plugin import Context

    rng = np.random.default_rng(1)
    columns = {"id": rng.integers(0, 900, 5_000), "thing": [f"t{i}" for i in rng.zipf(1.5, 5_000).tolist()]}
    options: Any = {"params": PARAMS | {"basket": "id", "item": "thing"}, "encodings": {"thing": "coded"}}
    whole = run(columns, 5_000, **options)
    real = Context.__init__

    def with_folder(self: Context, *args: Any) -> None:
        real(self, *args)
        self.scratch = tmp_path

    monkeypatch.setattr(Context, "__init__", with_folder)
    assert run(columns, 77, **options).data == whole.data
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [7, 8])
def test_columns_equal_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "a": [None if v == 3 else f"a{v}" for v in rng.integers(0, 4, 500).tolist()],
        "b": [f"b{v}" for v in rng.integers(0, 3, 500).tolist()],
        "c": [f"c{v}" for v in rng.integers(0, 5, 500).tolist()],
        "d": np.ma.array(rng.random(500) < 0.3, mask=rng.random(500) < 0.1),
    }
    held = {**columns, "d": [None if v is np.ma.masked else ("false", "true")[int(v)] for v in columns["d"]]}
    rows = [frozenset(v for v in row if v is not None) for row in zip(*held.values(), strict=True)]
    result = run(columns, 77, dict.fromkeys("abc", "coded"), params=PARAMS)
    assert result.data["layout"]["name"] == "columns"
    assert_equals_brute_force(result, rows, 0.03, 0.3)


def planted(rows: int = ROWS, seed: int = 1) -> dict[str, Any]:
    """Churn is likelier where the plan is basic and the device a tv, and not where one of them alone is."""
    rng = np.random.default_rng(seed)
    plan, device = rng.integers(0, 3, rows), rng.integers(0, 3, rows)
    churn = rng.random(rows) < np.where((plan == 0) & (device == 0), 0.6, 0.15)
    return {
        "plan": [("basic", "plus", "pro")[i] for i in plan.tolist()],
        "device": [("tv", "phone", "web")[i] for i in device.tolist()],
        "churn": [("no", "yes")[int(i)] for i in churn.tolist()],
        "noise": [("x", "y")[i] for i in rng.integers(0, 2, rows).tolist()],
    }


def test_a_planted_rule_is_found_and_said() -> None:
    columns = planted()
    result = run(columns)
    finding = result.findings[0]
    assert finding.kind == "rule_of_categories"
    assert sorted(finding.columns) == ["churn", "device", "plan"]
    facts = finding.evidence
    assert {i["value"] for i in [*facts["if"], facts["then"]]} == {"basic", "tv", "yes"}
    both = [p == "basic" and d == "tv" for p, d in zip(columns["plan"], columns["device"], strict=True)]
    if facts["then"]["value"] == "yes":
        assert facts["with_if"] == sum(both)
    assert facts["together"] == sum(b and c == "yes" for b, c in zip(both, columns["churn"], strict=True))
    assert f"{facts['with_if']:,} rows" in finding.sentence
    assert f"{100 * facts['confidence']:.1f} %" in finding.sentence
    assert "`" in finding.recommendation
    assert finding.evidence["rows"] == [[0, ROWS - 1]]
    assert all("noise" not in f.columns for f in result.findings)


def test_the_test_is_that_of_scipy_where_rows_are_independent() -> None:
    """With a design effect of 1 the statistic is Pearson's; F's tail with few blocks is never the smaller one."""
    columns = planted(seed=3)
    facts = run(columns).findings[0].evidence
    finding = run(columns).findings[0]
    table = np.zeros((2, 2), int)
    want = {i["column"]: i["value"] for i in facts["if"]}
    best = {i["column"]: i["value"] for i in facts["best_shorter"]}
    then = facts["then"]
    for i in range(ROWS):
        if all(columns[c][i] == v for c, v in best.items()):
            inside = all(columns[c][i] == v for c, v in want.items())
            table[int(inside), int(columns[then["column"]][i] == then["value"])] += 1
    expected = stats.chi2_contingency(table, correction=False)
    assert finding.log10_p is not None
    assert finding.log10_p >= np.log10(expected.pvalue)
    assert finding.log10_p == pytest.approx(
        np.log10(stats.f.sf(expected.statistic / facts["design_effect"], 1, 15)), abs=0.5
    )
    assert table[1].tolist() == [facts["with_if"] - facts["together"], facts["together"]]
    assert finding.effect == pytest.approx(facts["confidence"] / facts["best_shorter_confidence"], rel=1e-12)


def test_a_rule_that_adds_nothing_is_no_finding() -> None:
    """Churn hangs on the plan alone: plan and device together say no more than the plan."""
    rng = np.random.default_rng(5)
    columns = planted()
    columns["churn"] = [
        ("no", "yes")[int(rng.random() < (0.6 if plan == "basic" else 0.1))] for plan in columns["plan"]
    ]
    assert run(columns).findings == []


def test_personal_columns_are_left_out() -> None:
    columns = planted() | {"city": planted(seed=9)["device"]}
    hidden = {**PROFILED, "analysis_pii": Result({"personal_columns": ["device"], "not_looked_at": ["plan"]})}
    result = run_plugin(FOLDER, memory_dataset(columns, 1_000), upstream=hidden)
    assert result.data["layout"]["columns"] == ["churn", "noise", "city"]
    with pytest.raises(Skip, match="personal data"):
        run_plugin(FOLDER, memory_dataset(columns), params={"list": "device"}, upstream=hidden)


def test_caps_are_told_and_all_rows_read() -> None:
    dataset = memory_dataset(planted(), 1_000)
    result = run_plugin(FOLDER, dataset, budget=Budget(max_groups=3, max_pairs=1), upstream=PROFILED)
    assert result.data["items"] == 3
    assert result.data["candidates"][0] == 3
    reads = reader_of(dataset).reads
    assert {index for name, index in reads if name == "plan"} == set(range(7))


def test_the_cap_on_sets_keeps_those_whose_rarest_part_is_commonest() -> None:
    rows = ["a;b;c"] * 60 + ["a;b"] * 30 + ["a"] * 10
    dataset = memory_dataset({"b": rows}, 13, encodings={"b": "coded"})
    result = run_plugin(FOLDER, dataset, params={"list": "b"}, budget=Budget(max_pairs=1), upstream=PROFILED)
    assert result.data["candidates"] == [3, 1]
    (rule, other) = result.data["listed"]
    assert {rule["then"]["value"], other["then"]["value"]} == {"a", "b"}
    assert rule["together"] == 90


def test_chunks_change_nothing_and_the_last_row_counts() -> None:
    columns = planted()
    one, other = run(columns, 1_000), run(columns, 262_144)
    assert one.data == other.data
    assert [f.sentence for f in one.findings] == [f.sentence for f in other.findings]
    columns["plan"][-1] = "basic" if columns["plan"][-1] != "basic" else "pro"
    assert run(columns).data != one.data


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": ["x"] * 80}, "0 columns|1 columns"),
        ({"a": [f"text {i}" for i in range(80)]}, "columns of categories"),
        ({"n": np.arange(80)}, "0 columns"),
        ({"a": ["x"] * 80, "b": ["y"] * 80}, "2 columns"),
    ],
)
def test_what_can_not_be_combined_is_skipped_with_advice(columns: Any, words: str) -> None:
    with pytest.raises(Skip, match=words) as skipped:
        run(columns, 7)
    assert "basket" in skipped.value.recommendation


@pytest.mark.parametrize("layout", ["columns", "wide"])
@pytest.mark.parametrize(
    "columns",
    [
        {"a": [None] * 79 + ["x"], "b": ["x"] * 80, "c": ["", None] * 40},
        {"a": ["x"] * 79 + ["y"], "b": ["x", "y"] * 40, "c": ["z", "x"] * 40},
    ],
)
def test_degenerate_tables(columns: Any, layout: str) -> None:
    result = run(columns, 7, dict.fromkeys("abc", "coded"), params={"layout": layout})
    assert result.data["layout"]["name"] == layout
    assert [f for f in result.findings if layout == "columns"] == []


def test_baskets_are_recognised() -> None:
    profile = [{"name": "order", "count": 600, "distinct": 200}, {"name": "thing", "count": 600, "distinct": 6}]
    columns: Any = {"order": np.repeat(np.arange(200), 3), "thing": [f"t{i % 7 % 6}" for i in range(600)]}
    up = {**PROFILED, "profile_basic": Result({"columns": profile})}
    result = run_plugin(FOLDER, memory_dataset(columns, 100), upstream=up)
    assert result.data["layout"] == {"name": "baskets", "columns": ["order", "thing"], "separator": ""}
    lists = [", ".join(f"t{j}" for j in range(i % 5 + 1)) for i in range(300)]
    assert run({"b": lists, "n": np.arange(300)}, 50).data["layout"]["separator"] == ","


def test_answers_and_journeys_are_no_baskets() -> None:
    rng = np.random.default_rng(3)
    answers = {f"q{i}": [("yes", "no", None)[k] for k in rng.integers(0, 3, 200).tolist()] for i in range(5)}
    assert run(answers).data["layout"]["name"] == "columns"
    towns = {name: [f"t{k}" for k in rng.integers(0, 9, 200).tolist()] for name in ("from", "via", "to")}
    assert run(towns).data["layout"]["name"] == "columns"


def null_baskets(seed: int, grouped: bool) -> dict[str, Any]:
    """Things that come and go in stretches of baskets, independently of each other."""
    rng = np.random.default_rng([seed, grouped])
    shares = rng.uniform(0.05, 0.4, 12)
    logits = np.log(shares / (1 - shares)) + grouped * np.repeat(rng.normal(0, 0.7, (16, 12)), 250, axis=0)[:4000]
    held = rng.random((4_000, 12)) < 1 / (1 + np.exp(-logits))
    return {"b": [";".join(f"t{i}" for i in np.flatnonzero(row).tolist()) or None for row in held]}


def baskets_with_findings(count: int) -> int:
    params = {"params": {"list": "b", "separator": ";"}, "encodings": {"b": "coded"}}
    return sum(bool(run(null_baskets(i, i % 2 == 1), 1_000, **params).findings) for i in range(count))


def test_null_tables() -> None:
    assert len(null_tables_with_findings(FOLDER, 9, PROFILED)) <= 2
    assert baskets_with_findings(4) <= 1


@pytest.mark.slow
def test_null_tables_in_full() -> None:
    assert len(null_tables_with_findings(FOLDER, TABLES, PROFILED)) <= allowed(TABLES)


@pytest.mark.slow
def test_null_baskets_in_full() -> None:
    assert baskets_with_findings(TABLES // 2) <= allowed(TABLES // 2)
