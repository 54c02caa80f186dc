"""analysis_association_rules on the groceries, whose numbers of itemsets and rules are published."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.memory_store import memory_dataset
from tests.null_tables import run_plugin
from toolkit.plugin import Result

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "analysis_association_rules"
PROFILED = {
    "analysis_pii": Result({"personal_columns": [], "not_looked_at": []}),
    "profile_basic": Result({"columns": []}),
}


@pytest.fixture(scope="module")
def lines(real_data: Path) -> list[str]:
    with gzip.open(real_data / "transactions" / "groceries_baskets.csv.gz", "rt") as file:
        return file.read().splitlines()


def run(columns: Any, params: dict[str, Any]) -> Result:
    coded = {name: "coded" for name, values in columns.items() if name != "basket" and isinstance(values[0], str)}
    return run_plugin(FOLDER, memory_dataset(columns, 3_000, encodings=coded), params=params, upstream=PROFILED)


def test_published_numbers_of_itemsets_and_rules(lines: list[str]) -> None:
    assert len(lines) == 9_835
    columns = {"basket": lines}
    assert sum(run(columns, {"support": 0.01}).data["itemsets"].values()) == 333
    assert run(columns, {"support": 0.006, "confidence": 0.25, "longest": 10}).data["rules"] == 463


@pytest.mark.slow
def test_published_number_of_rare_rules(lines: list[str]) -> None:
    assert run({"basket": lines}, {"support": 0.001, "confidence": 0.5, "longest": 10}).data["rules"] == 5_668


def test_one_row_a_thing_and_things_side_by_side_are_the_same_baskets(lines: list[str]) -> None:
    baskets = [[thing.strip() for thing in line.split(",")] for line in lines]
    expected = run({"basket": lines}, {"support": 0.01})
    pairs = [(i, thing) for i, basket in enumerate(baskets) for thing in basket]
    long = {"basket": [i for i, _ in pairs], "item": [thing for _, thing in pairs]}
    found = run(long, {"support": 0.01, "basket": "basket", "item": "item"})
    assert found.data["listed"] == expected.data["listed"]
    width = max(map(len, baskets))
    wide = {f"item{k}": [b[k] if k < len(b) else None for b in baskets] for k in range(width)}
    found = run(wide, {"support": 0.01})
    assert found.data["layout"]["name"] == "wide"
    assert found.data["listed"] == expected.data["listed"]


def test_what_goes_with_what(lines: list[str]) -> None:
    """The rule with the best known lift of the pairs in this set."""
    sentences = [f.sentence for f in run({"basket": lines}, {}).findings]
    assert any('"beef"' in s and '"root vegetables"' in s and "3.04 times as often as all" in s for s in sentences)
