"""Plugins on categories and groups, on real tables: NIST's analyses of variance, adult, hflights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from tests.null_tables import run_plugin
from tests.real.real_tables import PLUGINS, read_table, run_on
from tests.real.test_nist_anova import SETS, digits, exact_f, read


@pytest.fixture(scope="module")
def adult(real_data: Path) -> pd.DataFrame:
    return read_table(real_data, "adult")


@pytest.fixture(scope="module")
def hflights(real_data: Path) -> pd.DataFrame:
    return read_table(real_data, "hflights")


@pytest.mark.parametrize("chunk_rows", [100, 262_144])
@pytest.mark.parametrize("name", SETS)
def test_analysis_of_variance_of_the_reference_sets(real_data: Path, name: str, chunk_rows: int) -> None:
    groups, values, certified = read(real_data / "nist_strd" / f"{name}.dat")
    columns = {"g": [f"t{g}" for g in groups], "v": np.array(values)}
    # A plugin asks for 64 rows; a copy of all rows leaves the groups as they are and doubles both sums of squares.
    times = -(-64 // len(values))
    columns = {"g": columns["g"] * times, "v": np.tile(columns["v"], times)}
    dataset = memory_dataset(columns, chunk_rows, encodings={"g": "coded"})
    (pair,) = run_plugin(PLUGINS / "analysis_group_differences", dataset).data["pairs"]
    found = pair["anova"]
    k, n = len(set(groups)), len(values)
    assert found["df"] == [k - 1, n * times - k]
    f = found["f"] * (n - k) / (n * times - k)
    assert digits(f, exact_f(groups, values)) >= 12.5
    assert digits(f, certified) >= SETS[name]


def test_adult_categories_against_scipy(adult: pd.DataFrame) -> None:
    result = run_on("analysis_categorical_association", adult[["sex", "relationship", "occupation", "income"]])
    for pair in result.data["pairs"]:
        a, b = pair["columns"]
        both = adult[[a, b]].dropna()
        expected = stats.chi2_contingency(pd.crosstab(both[a], both[b]), correction=False)
        assert pair["rows"] == len(both)
        if min(pair["values"]) == min(both[a].nunique(), both[b].nunique()):
            assert pair["chi2"] == pytest.approx(expected.statistic, rel=1e-10)
    top = {tuple(f.columns): f for f in result.findings}
    cell = top["sex", "relationship"].evidence["cells"][0]
    assert cell["values"] in (["Female", "Husband"], ["Male", "Husband"])
    table = pd.crosstab(adult["sex"], adult["relationship"])
    assert cell["rows"] == table.loc[cell["values"][0], cell["values"][1]]


def test_adult_groups_against_pandas(adult: pd.DataFrame) -> None:
    result = run_on("analysis_group_differences", adult[["income", "workclass", "age", "hours_per_week"]])
    for pair in result.data["pairs"]:
        a, y = pair["columns"]
        by = adult.dropna(subset=[a, y]).groupby(a)[y]
        assert dict(zip(pair["groups"], pair["rows"], strict=True)) == by.size().to_dict()
        assert pair["means"] == pytest.approx(by.mean()[pair["groups"]].tolist(), rel=1e-12)
        samples = [values for _, values in by]
        assert pair["anova"]["f"] == pytest.approx(stats.f_oneway(*samples).statistic, rel=1e-10)
        assert pair["kruskal_wallis"]["h"] == pytest.approx(stats.kruskal(*samples).statistic, rel=1e-9)
    found = next(f for f in result.findings if f.columns == ["income", "age"] and f.kind == "group_level")
    rich, poor = (adult.loc[adult["income"] == v, "age"] for v in (">50K", "<=50K"))
    assert found.evidence["median"] == rich.median()
    assert found.evidence["median_elsewhere"] == poor.median()
    delta = stats.mannwhitneyu(rich, poor).statistic * 2 / len(rich) / len(poor) - 1
    assert found.evidence["cliffs_delta"] == pytest.approx(delta, rel=1e-10)


def test_hflights_delays_with_missing_values(hflights: pd.DataFrame) -> None:
    """Rows are in the order of carriers and days, so that errors from independent rows would be far too small."""
    result = run_on("analysis_group_differences", hflights[["UniqueCarrier", "ArrDelay"]], 50_000)
    (pair,) = result.data["pairs"]
    by = hflights.dropna(subset=["ArrDelay"]).groupby("UniqueCarrier")["ArrDelay"]
    assert dict(zip(pair["groups"], pair["rows"], strict=True)) == by.size().to_dict()
    assert pair["deviations"] == pytest.approx(by.std()[pair["groups"]].tolist(), rel=1e-11)
    assert pair["welch"]["f"] == pytest.approx(stats.f_oneway(*(v for _, v in by), equal_var=False).statistic, rel=1e-9)
    assert all(c["blocks"] <= 64 and math.isfinite(c["log10_p"]) for c in pair["compared"])


def test_hflights_drift_follows_the_months(hflights: pd.DataFrame) -> None:
    result = run_on("analysis_distribution_drift", hflights[["Month", "ArrDelay", "Origin"]], 50_000)
    assert "Month" in result.data["follows_rows"]
    delays = next(c for c in result.data["columns"] if c["column"] == "ArrDelay")
    level = next(t for t in delays["tests"] if t["what"] == "level")
    split = level["first_block_after"] * len(hflights) // 64
    early, late = hflights["ArrDelay"][:split].dropna(), hflights["ArrDelay"][split:].dropna()
    assert (level["rows_before"], level["rows_after"]) == (len(early), len(late))
    assert level["ks_distance"] == pytest.approx(stats.ks_2samp(early, late).statistic, rel=1e-10)
    low, high = level["wasserstein"]
    assert low == pytest.approx(stats.wasserstein_distance(early, late) / hflights["ArrDelay"].std(), rel=1e-9)
    assert low == high


def test_labels_of_real_tables_are_let_be(adult: pd.DataFrame, hflights: pd.DataFrame) -> None:
    assert run_on("analysis_label_variants", adult[["native_country", "education", "occupation"]]).findings == []
    assert run_on("analysis_label_variants", hflights[["Origin", "Dest", "UniqueCarrier"]], 50_000).findings == []
