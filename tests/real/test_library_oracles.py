"""What plugins compute on real tables with missing values, against SciPy, pandas and statsmodels on whole frames."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from tests.real.real_tables import read_table, run_on

FLIGHTS = ["DepTime", "ArrDelay", "DepDelay", "AirTime", "Distance", "TaxiIn", "TaxiOut", "ActualElapsedTime"]
LEVELS = 1_024


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        pytest.param("hflights", FLIGHTS, marks=pytest.mark.slow),
        ("adult", ["age", "fnlwgt", "education_num", "capital_gain", "hours_per_week"]),
        pytest.param("names", ["year", "births"], marks=pytest.mark.slow),
    ],
)
def test_correlations(real_data: Path, table: str, columns: list[str]) -> None:
    """Spearman's to ten digits where columns have at most 1,024 values, else within the stated error."""
    frame = read_table(real_data, table)[columns]
    pairs = {tuple(p["columns"]): p for p in run_on("analysis_correlation", frame, 50_000).data["pairs"]}
    pearson, spearman = frame.corr(), frame.corr("spearman")
    assert set(pairs) == set(combinations(columns, 2))
    for (a, b), pair in pairs.items():
        assert pair["n"] == len(frame[[a, b]].dropna())
        assert pair["r"] == pytest.approx(pearson.loc[a, b], rel=1e-10)
        if max(frame[a].nunique(), frame[b].nunique()) <= LEVELS:
            assert pair["spearman_error"] == 0
            assert pair["spearman"] == pytest.approx(spearman.loc[a, b], rel=1e-10)
        assert abs(pair["spearman"] - spearman.loc[a, b]) <= pair["spearman_error"] + 1e-12
        assert pair["spearman_error"] < 0.0021


def corrected_v(counts: pd.DataFrame) -> float:
    """Cramér's V with Bergsma's correction (10.1016/j.jkss.2012.10.002), from SciPy's chi-square."""
    n = int(counts.to_numpy().sum())
    chi2 = stats.chi2_contingency(counts, correction=False).statistic
    rows, columns = (k - (k - 1) ** 2 / (n - 1) for k in counts.shape)
    phi2 = max(chi2 / n - (counts.shape[0] - 1) * (counts.shape[1] - 1) / (n - 1), 0.0)
    return float(np.sqrt(phi2 / (min(rows, columns) - 1)))


@pytest.mark.parametrize("table", ["adult", pytest.param("hflights", marks=pytest.mark.slow)])
def test_missing_values(real_data: Path, table: str) -> None:
    frame = read_table(real_data, table)
    result = run_on("analysis_missingness", frame, 50_000)
    gone = frame.isna()
    assert result.data["missing"] == gone.sum().to_dict()
    assert result.data["share"] == pytest.approx(gone.mean().to_dict(), rel=1e-14)
    patterns = gone.value_counts()
    assert sum(count for _, count in result.data["patterns"]) == len(frame)
    assert result.data["different_patterns"] == len(patterns)
    for names, count in result.data["patterns"]:
        assert count == patterns.loc[tuple(c in names for c in frame.columns)]
    together = [f for f in result.findings if f.kind == "missing_together"]
    assert together or table == "hflights"
    for finding in together:
        first, second = (gone[c] for c in finding.columns)
        table_2x2 = pd.crosstab(first, second)
        expected = stats.chi2_contingency(table_2x2, correction=False)
        assert finding.evidence["both"] == int((first & second).sum())
        assert finding.evidence["expected"] == pytest.approx(expected.expected_freq[1, 1], rel=1e-10)
        assert finding.evidence["chi2"] == pytest.approx(expected.statistic, rel=1e-10)
        assert finding.evidence["cramers_v"] == pytest.approx(corrected_v(table_2x2), rel=1e-10)


def zero(values: Any, axis: Any) -> float:
    del values, axis
    return 0.0


@pytest.mark.parametrize("table", ["adult", pytest.param("hflights", marks=pytest.mark.slow)])
def test_deviations(real_data: Path, table: str) -> None:
    """Robust deviations are medians of distances on either side, and counts those beyond 3.5, 5 and 10 of them."""
    frame = read_table(real_data, table).select_dtypes("number")
    found = run_on("analysis_outliers_robust", frame, 50_000).data["columns"]
    compared = 0
    for name, column in found.items():
        values = frame[name].dropna().to_numpy()
        middle = column["median"]
        assert middle == np.quantile(values, 0.5, method="inverted_cdf")
        for side, inside in (("low", values <= middle), ("high", values >= middle)):
            scale, distances = column[f"scale_{side}"], np.abs(values[inside] - middle)
            if column[f"rule_{side}"] == "mad":
                compared += 1
                expected = stats.median_abs_deviation(values[inside] - middle, center=zero, scale="normal")
                halves = np.sort(distances)[[(len(distances) - 1) // 2, len(distances) // 2]]
                assert scale == pytest.approx(expected, rel=1e-10) or halves[0] != halves[1]
            beyond = [int((distances > k * scale).sum()) if scale else 0 for k in (3.5, 5, 10)]
            assert column["beyond"][side] == beyond
    assert compared >= 4


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("adult", ["workclass", "education", "occupation", "relationship", "race", "sex", "income"]),
        pytest.param("hflights", ["UniqueCarrier", "Origin", "CancellationCode", "DayOfWeek"], marks=pytest.mark.slow),
    ],
)
def test_tables_of_categories(real_data: Path, table: str, columns: list[str]) -> None:
    frame = read_table(real_data, table)[columns].astype(object)
    frame = frame.where(frame.isna(), frame.astype(str))
    compared = 0
    for pair in run_on("analysis_categorical_association", frame, 50_000).data["pairs"]:
        a, b = pair["columns"]
        counts = pd.crosstab(frame[a], frame[b])
        assert pair["rows"] == int(counts.to_numpy().sum())
        if pair["values"] != list(counts.shape):  # values that are too rare were pooled
            continue
        compared += 1
        expected = stats.chi2_contingency(counts, correction=False)
        assert pair["chi2"] == pytest.approx(expected.statistic, rel=1e-10)
        assert pair["df"] == expected.dof
        assert pair["cramers_v"] == pytest.approx(corrected_v(counts), rel=1e-10)
    assert compared >= 3


def cliffs_delta(one: pd.Series, other: pd.Series) -> float:
    return float(stats.mannwhitneyu(one, other).statistic * 2 / len(one) / len(other) - 1)


@pytest.mark.slow
def test_differences_between_carriers(real_data: Path) -> None:
    frame = read_table(real_data, "hflights")[["UniqueCarrier", "ArrDelay", "TaxiOut"]]
    result = run_on("analysis_group_differences", frame, 50_000)
    for pair in result.data["pairs"]:
        _, value = pair["columns"]
        by = frame.dropna(subset=[value]).groupby("UniqueCarrier")[value]
        samples = [values for _, values in by]
        assert pair["welch"]["f"] == pytest.approx(stats.f_oneway(*samples, equal_var=False).statistic, rel=1e-10)
        assert pair["anova"]["f"] == pytest.approx(stats.f_oneway(*samples).statistic, rel=1e-10)
        assert pair["kruskal_wallis"]["h"] == pytest.approx(stats.kruskal(*samples).statistic, rel=1e-9)
        assert pair["brown_forsythe"]["f"] == pytest.approx(stats.levene(*samples, center="median").statistic, rel=1e-9)
    for finding in (f for f in result.findings if f.kind == "group_level"):
        inside = frame["UniqueCarrier"] == finding.evidence["groups"][0]["group"]
        values = frame[finding.columns[1]]
        expected = cliffs_delta(values[inside].dropna(), values[~inside].dropna())
        assert finding.evidence["cliffs_delta"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("adult", ["hours_per_week", "age", "education_num", "capital_gain"]),
        pytest.param("hflights", ["ArrDelay", "DepDelay", "TaxiIn", "TaxiOut", "Distance"], marks=pytest.mark.slow),
    ],
)
def test_regression(real_data: Path, table: str, columns: list[str]) -> None:
    frame = read_table(real_data, table)[columns]
    data = run_on("analysis_regression_drivers", frame, 50_000, params={"outcome": columns[0]}).data
    assert data["outcome"] == columns[0]
    complete = frame.dropna()
    fit = sm.OLS(complete[columns[0]], sm.add_constant(complete[columns[1:]])).fit()
    assert data["n"] == int(fit.nobs)
    assert data["r2"] == pytest.approx(fit.rsquared, rel=1e-10)
    assert data["residual_std"] == pytest.approx(np.sqrt(fit.mse_resid), rel=1e-10)
    assert data["constant"]["value"] == pytest.approx(fit.params["const"], rel=1e-9)
    for row in data["coefficients"]:
        assert row["value"] == pytest.approx(fit.params[row["name"]], rel=1e-9)
        assert row["error_independent"] == pytest.approx(fit.bse[row["name"]], rel=1e-9)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("adult", ["age", "hours_per_week", "education_num"]),
        pytest.param("hflights", ["ArrDelay", "TaxiOut"], marks=pytest.mark.slow),
    ],
)
def test_drift(real_data: Path, table: str, columns: list[str]) -> None:
    frame = read_table(real_data, table)[columns]
    found = {c["column"]: c for c in run_on("analysis_distribution_drift", frame, 50_000).data["columns"]}
    assert set(found) == set(columns)
    for name, column in found.items():
        level = next(t for t in column["tests"] if t["what"] == "level")
        split = level["first_block_after"] * len(frame) // 64
        early, late = frame[name][:split].dropna(), frame[name][split:].dropna()
        assert (level["rows_before"], level["rows_after"]) == (len(early), len(late))
        assert level["ks_distance"] == pytest.approx(stats.ks_2samp(early, late).statistic, rel=1e-10)
        expected = stats.wasserstein_distance(early, late) / frame[name].std()
        assert level["wasserstein"] == pytest.approx([expected, expected], rel=1e-9)


def first_two_digits(value: Any) -> int:
    return int(f"{abs(value):.12e}".replace(".", "")[:2])


def test_digits(real_data: Path) -> None:
    numbers = read_table(real_data, "hflights")["FlightNum"]
    found = run_on("analysis_benford", numbers.to_frame(), 50_000).data["columns"]["FlightNum"]
    digits = numbers.map(first_two_digits).value_counts().reindex(range(10, 100), fill_value=0)
    law = np.log10(1 + 1 / np.arange(10, 100))
    assert found["n"] == len(numbers)
    assert found["first_two"] == digits.tolist()
    assert found["mad"] == pytest.approx(float(np.abs(digits / digits.sum() - law).mean()), rel=1e-10)
    expected = stats.chisquare(digits, law * digits.sum())
    assert found["chi2"] == pytest.approx(expected.statistic, rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["adult", "names"])
def test_repeating_rows(real_data: Path, table: str) -> None:
    frame = read_table(real_data, table)[:300_000]
    profile = {"profile_basic": run_on("profile_basic", frame, 262_144)}
    result = run_on("analysis_duplicate_rows", frame, 262_144, upstream=profile)
    found = [f for f in result.findings if f.kind == "duplicate_rows"]
    expected = int(frame.duplicated().sum())
    assert [f.evidence["repeats"] for f in found] == ([expected] if expected else [])
