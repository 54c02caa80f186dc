"""Two stores: what differs is found with the right figures, what does not is not, however rows depend on each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import toolkit.compare
from tests.memory_store import memory_dataset
from tests.null_tables import TABLES
from tests.sentence_numbers import unsupported_numbers
from tests.store_on_disk import store_on_disk
from toolkit.engine.compare.stores import compare_datasets
from toolkit.plugin.inference.effects import cliffs_delta
from toolkit.report.comparison import comparison_files
from toolkit.report.findings import finding_id

ROWS = 6400
Table = dict[str, Any]


def table(seed: int, rows: int = ROWS) -> Table:
    """Independent, autocorrelated, clustered, trending and missing values."""
    rng = np.random.default_rng(seed)
    walk = pd.Series(rng.normal(size=rows)).ewm(alpha=0.02).mean().to_numpy()
    runs = np.repeat(rng.integers(0, 4, rows // 20 + 1), 20)[:rows]
    return {
        "x": rng.normal(size=rows),
        "walk": walk,
        "grade": rng.integers(0, 6, rows),
        "colour": [("red", "green", "blue", "grey")[i] for i in rng.integers(0, 4, rows)],
        "run": [("p", "q", "r", "s")[i] for i in runs],
        "gaps": np.where(np.repeat(rng.random(rows // 50 + 1) < 0.2, 50)[:rows], np.nan, rng.normal(size=rows)),
        "place": np.arange(rows) + rng.normal(size=rows),
        "when": np.datetime64("2024-01-01", "ms") + np.arange(rows) * np.timedelta64(1, "m"),
    }


def compared(first: Table, second: Table, **options: Any) -> dict[str, Any]:
    return compare_datasets(memory_dataset(first, 1000, **options), memory_dataset(second, 900, **options))


def parts(whole: Table, mask: npt.NDArray[np.bool_]) -> tuple[Table, Table]:
    def pick(values: Any, chosen: Any) -> Any:
        return [v for v, c in zip(values, chosen, strict=True) if c] if isinstance(values, list) else values[chosen]

    return {k: pick(v, mask) for k, v in whole.items()}, {k: pick(v, ~mask) for k, v in whole.items()}


def said(comparison: dict[str, Any]) -> set[tuple[str, ...]]:
    return {(f["kind"], *f["columns"]) for f in comparison["findings"]}


def column(comparison: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in comparison["columns"] if c["name"] == name)


def test_a_store_against_itself_has_no_difference() -> None:
    found = compared(table(1), table(1))
    assert found["same_data"]
    assert found["findings"] == []
    assert found["discovery"]["n_tests"] > 10
    assert all(t["effect"] == 0 and t["log10_p"] == 0 for c in found["columns"] for t in c["tests"])


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seeds", "most"), [("a random split", TABLES, TABLES // 20), ("two draws", 20, 1)])
def test_chance_makes_no_difference(kind: str, seeds: int, most: int) -> None:
    """In at least 95 of 100; rows depend on their neighbours, and some follow the order of the rows."""
    drifted = 0
    for seed in range(seeds):
        if kind == "a random split":
            first, second = parts(table(seed, ROWS // 2), np.random.default_rng(seed + 1000).random(ROWS // 2) < 0.5)
        else:
            first, second = table(seed, ROWS // 4), table(seed + 1000, ROWS // 4)
        for one in (first, second):
            del one["grade"], one["when"]  # no other sort of dependence
        drifted += bool(compared(first, second)["findings"])
    assert drifted <= most


class TestWhatDiffers:
    def test_a_level_by_the_effect_of_all_pairs(self) -> None:
        first, second = table(1), table(2)
        second["grade"] = second["grade"] + 2
        second["x"] = second["x"] + 1.0
        found = compared(first, second)
        assert said(found) == {("drift_of_level", "grade"), ("drift_of_level", "x")}
        both = np.union1d(first["grade"], second["grade"])
        counts = [np.array([(t["grade"] == v).sum() for v in both]) for t in (second, first)]
        test = next(t for t in column(found, "grade")["tests"] if t["what"] == "level")
        assert test["effect"] == pytest.approx(cliffs_delta(*counts), abs=1e-9)
        test = next(t for t in column(found, "x")["tests"] if t["what"] == "level")
        order = np.searchsorted(np.sort(first["x"]), second["x"]) / ROWS
        assert test["effect"] == pytest.approx(2 * order.mean() - 1, abs=2e-3)  # ranges of 1,024 quantiles
        low, high = test["interval"]
        assert low < 2 * 0.7602 - 1 < high, "the probability that N(1, 1) is above N(0, 1)"

    def test_a_spread(self) -> None:
        first, second = table(1), table(2)
        second["x"] = second["x"] * 2
        assert said(compared(first, second)) == {("drift_of_spread", "x")}

    def test_shares_and_missing_values(self) -> None:
        first, second = table(1), table(2)
        rng = np.random.default_rng(3)
        second["colour"] = ["red" if u < 0.2 else c for u, c in zip(rng.random(ROWS), second["colour"], strict=True)]
        second["x"] = np.where(rng.random(ROWS) < 0.1, np.nan, second["x"])
        found = compared(first, second)
        assert said(found) == {("drift_of_share", "colour"), ("drift_of_missing", "x")}
        share = next(f for f in found["findings"] if f["kind"] == "drift_of_share")
        assert share["evidence"]["value"] == "red"
        assert share["evidence"]["second"] == pytest.approx(second["colour"].count("red") / ROWS, rel=1e-9)
        gap = share["evidence"]["second"] - share["evidence"]["first"]
        assert share["effect"] == pytest.approx(gap, rel=1e-8)

    def test_new_and_gone_categories_but_for_the_rarest(self) -> None:
        first, second = table(1), table(2)
        second["colour"][:200] = ["hold"] * 200
        second["colour"][200:210] = ["rare"] * 10
        second["run"] = ["p" if v == "s" else v for v in second["run"]]
        found = compared(first, second)
        new = next(f for f in found["findings"] if f["kind"] == "new_categories")
        assert [c["value"] for c in new["evidence"]["categories"]] == ["hold"]
        assert '"hold" (3.1 %); 200 of 6,400 rows (3.1 %)' in new["sentence"]
        gone = next(f for f in found["findings"] if f["kind"] == "gone_categories")
        assert gone["evidence"]["rows_with_them"] == first["run"].count("s")

    def test_columns_that_are_new_gone_or_of_another_kind(self) -> None:
        first, second = table(1), table(1)
        del second["walk"]
        second["fresh"] = second["x"]
        second["grade"] = second["grade"].astype(float)
        found = compared(first, second)
        assert said(found) == {("column_gone", "walk"), ("column_new", "fresh"), ("column_retyped", "grade")}
        assert column(found, "walk")["in"] == "first"
        assert column(found, "grade")["kinds"] == ["int", "float"]

    def test_times_are_told_as_times(self) -> None:
        first, second = table(1), table(1)
        second["when"] = second["when"] + np.timedelta64(365, "D")
        (finding,) = compared(first, second)["findings"]
        assert "median 2024-01-03T05:19:00.000 in the first, 2025-01-02T05:19:00.000" in finding["sentence"]
        assert finding["effect"] == 1.0
        assert finding["interval"][1] == 1.0


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_extreme_and_absent_values(odd: float) -> None:
    first, second = table(1), table(2)
    first["x"][::7] = odd
    second["walk"] = np.full(ROWS, np.nan)
    found = compared(first, second)
    assert {f["columns"][0] for f in found["findings"]} <= {"x", "walk"}
    assert ("drift_of_missing", "walk") in said(found)
    sides = [column(found, "x")[which] for which in ("first", "second")]
    assert sides[0]["missing"] == (np.isnan(first["x"])).sum()
    assert sides[1]["missing"] == 0


def test_durations_are_told_in_seconds() -> None:
    took = np.arange(ROWS) % 10 * np.timedelta64(500, "ms")
    (finding,) = compared({"took": took}, {"took": took + np.timedelta64(60, "s")})["findings"]
    assert "median 2 in the first, 62 in the second" in finding["sentence"]


def test_many_categories_are_counted_over_common_levels() -> None:
    """More than the kept tables have levels, and not the same ones are frequent in either."""
    rng = np.random.default_rng(1)
    names = [f"n{i:03}" for i in range(200)]
    weights = [np.arange(200, 0, -1) ** 2.0, np.where(np.arange(200) == 150, 3e5, np.arange(200, 0, -1) ** 2.0)]
    draws = [rng.choice(names, ROWS, p=w / w.sum()).tolist() for w in weights]
    found = compared({"c": draws[0]}, {"c": draws[1]}, encodings={"c": "coded"})
    test = next(t for t in column(found, "c")["tests"] if t["value"] == "n150")
    assert (test["first"], test["second"]) == tuple(pytest.approx(d.count("n150") / ROWS, rel=1e-9) for d in draws)
    assert ("drift_of_share", "c") in said(found)


@pytest.mark.parametrize("coarse", ["first", "second"])
def test_a_coarse_store_against_a_fine_one(coarse: str) -> None:
    """Few values on one side, ranges on the other: no scan is needed, and the effect is that of all pairs."""
    rng = np.random.default_rng(2)
    fine, few = rng.normal(size=ROWS), rng.integers(-2, 4, ROWS).astype(float)
    first, second = (few, fine) if coarse == "first" else (fine, few)
    found = compared({"x": first}, {"x": second})
    test = next(t for t in column(found, "x")["tests"] if t["what"] == "level")
    above = np.searchsorted(np.sort(first), second, "left").mean() / ROWS
    below = 1 - np.searchsorted(np.sort(first), second, "right").mean() / ROWS
    assert test["effect"] == pytest.approx(above - below, abs=2e-3)


@pytest.mark.parametrize("rows", [1, 40, 639])
def test_hardly_any_rows_are_no_grounds(rows: int) -> None:
    found = compared(table(1), {k: v[:rows] for k, v in table(2).items()})
    assert not [f for f in found["findings"] if f["log10_p"] is not None]


def test_every_number_of_a_sentence_is_in_the_evidence() -> None:
    first, second = table(1), table(2)
    second["x"], second["walk"] = second["x"] + 1, second["walk"] * 3
    second["colour"][:2000] = ["hold"] * 2000
    second["gaps"] = np.where(np.arange(ROWS) % 2 == 0, np.nan, second["gaps"])
    found = compared(first, second)
    assert len(found["findings"]) >= 4
    for finding in found["findings"]:
        assert unsupported_numbers(finding) == []
        assert finding["id"] == finding_id("toolkit.compare", finding)


class TestTheCommand:
    @pytest.fixture
    def place(self, tmp_path: Path) -> tuple[Path, list[str]]:
        keys = []
        for seed in (1, 2):
            data = table(seed, 2000)
            data["<b>\u202e`x"] = data["x"] + seed
            keys.append(store_on_disk(tmp_path, data, 500).key)
        return tmp_path, keys

    def test_writes_the_same_bytes_from_kept_states(
        self, place: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder, keys = place
        command = [*keys, "--appdata", str(folder)]
        assert toolkit.compare.main([*command, "--out", str(folder / "a")]) == 0
        assert "columns that were scanned: 9 of the first" in capsys.readouterr().err
        assert toolkit.compare.main([*command, "--out", str(folder / "b"), "--check"]) == 1
        # Ranges of numbers differ between the stores: of those the second is read over the first one's.
        assert "columns that were scanned: 0 of the first, 6 of the second" in capsys.readouterr().err
        for name in ("compare.json", "compare.md", "compare.html"):
            assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()

    def test_hostile_names_are_inert(self, place: tuple[Path, list[str]]) -> None:
        folder, keys = place
        assert toolkit.compare.main([*keys, "--appdata", str(folder), "--quiet"]) == 0
        (written,) = (folder / "comparisons").iterdir()
        page = (written / "compare.html").read_text()
        assert "<b>\u202e" not in page
        assert "&lt;b&gt;\\u202e" in page
        assert "default-src &#x27;none&#x27;; style-src" in page
        assert "<script" not in page
        assert "\u202e" not in (written / "compare.md").read_text()

    def test_a_store_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert toolkit.compare.main(["aaaaaaaa", "bbbbbbbb", "--appdata", str(tmp_path)]) == 2
        assert "there is no store" in capsys.readouterr().err


def test_a_wide_comparison_stays_small() -> None:
    first = {f"column {i}": np.arange(80.0) for i in range(600)}
    files = comparison_files(compared(first, {**first, "one more": np.arange(80.0)}))
    assert len(files["compare.html"]) < 2_000_000
    assert json.loads(files["compare.json"])["columns"][600]["name"] == "one more"
