"""Names given to babies before 1980 and since: the shift as the published table has it, and none in a random split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.api import convert_table
from toolkit.engine.compare.stores import compare_datasets

pytestmark = pytest.mark.slow


@pytest.fixture
def names(real_data: Path) -> pd.DataFrame:
    return pd.read_csv(real_data / "tables" / "names_1880_2010.csv.gz", dtype={"name": str}, na_filter=False)


def test_the_shift_at_1980(names: pd.DataFrame, tmp_path: Path) -> None:
    parts = [names[names.year < 1980], names[names.year >= 1980]]
    found = compare_datasets(*(convert_table(part, appdata=tmp_path) for part in parts))
    kinds = {(f["kind"], f["columns"][0]): f for f in found["findings"]}
    assert set(kinds) == {("new_categories", "name"), ("gone_categories", "name"), ("drift_of_level", "year")}
    year = kinds["drift_of_level", "year"]
    assert year["effect"] == 1.0
    assert year["evidence"]["median_first"] == np.quantile(parts[0].year, 0.5, method="inverted_cdf")
    assert year["evidence"]["median_second"] == np.quantile(parts[1].year, 0.5, method="inverted_cdf")
    counts = parts[1].name.value_counts()
    new = counts[~counts.index.isin(parts[0].name) & (counts * len(parts[0]) / len(parts[1]) >= 30)]
    evidence = kinds["new_categories", "name"]["evidence"]
    assert (evidence["values"], evidence["rows_with_them"]) == (len(new), new.sum())
    assert evidence["categories"][0]["count"] == new.iloc[0]


def test_a_random_split(names: pd.DataFrame, tmp_path: Path) -> None:
    mask = np.random.default_rng(1).random(len(names)) < 0.5
    found = compare_datasets(*(convert_table(names[m], appdata=tmp_path) for m in (mask, ~mask)))
    assert found["findings"] == []
    assert found["discovery"]["n_tests"] == 5
