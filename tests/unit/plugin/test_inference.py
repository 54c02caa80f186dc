from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.stats.contingency import association

from tests.memory_store import memory_dataset
from tests.null_tables import ar1, random_intercepts
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute
from toolkit.plugin import inference

ROWS = 6_400
T_CRITICAL = np.log10(0.05)


def means(values: Any) -> inference.Estimates:
    """Mean of a series by 64 blocks of rows."""
    blocks = np.array([[b.size, b.sum()] for b in np.array_split(values, 64)])
    return inference.jackknife_of_sums(blocks, lambda s: s[1] / s[0])


def test_error_of_a_mean_is_that_of_the_blocks() -> None:
    values = np.random.default_rng(1).normal(size=ROWS)
    found = means(values)
    short, long = (values.reshape(n, -1).mean(axis=1).std(ddof=1) / np.sqrt(n) for n in (64, 16))
    assert long > short  # here; the test below has the other case
    assert found.error == pytest.approx(long, rel=1e-9)
    assert (found.df, found.blocks) == (15, 16)
    t = stats.ttest_1samp(values.reshape(16, -1).mean(axis=1), 0.0)
    assert found.log10_p() == pytest.approx(np.log10(t.pvalue), rel=1e-9)
    assert np.ravel(found.interval()).tolist() == pytest.approx(list(t.confidence_interval()), rel=1e-9)


def test_error_is_never_below_that_of_short_blocks() -> None:
    seen = set()
    for seed in range(10):
        values = np.random.default_rng(seed).normal(size=ROWS)
        errors = {n: values.reshape(n, -1).mean(axis=1).std(ddof=1) / np.sqrt(n) for n in (64, 16)}
        found = means(values)
        assert found.error == pytest.approx(max(errors.values()), rel=1e-9)
        assert found.blocks == max(errors, key=errors.__getitem__)
        seen.add(int(found.blocks))
    assert seen == {64, 16}


@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "grouped"])
def test_level_holds_where_rows_depend_on_each_other(kind: str) -> None:
    """Of 400 true hypotheses about 5 % are rejected, whatever the dependence; the textbook test rejects far more."""
    rejected = textbook = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        if kind == "independent":
            values = rng.normal(size=ROWS)
        elif kind == "autocorrelated":
            values = ar1(rng, ROWS, 0.8)
        else:
            values = random_intercepts(rng, ROWS, 20)
        rejected += bool(means(values).log10_p() < T_CRITICAL)
        textbook += stats.ttest_1samp(values, 0.0).pvalue < 0.05
    assert 8 <= rejected <= 34
    assert (textbook > 100) == (kind != "independent")


def test_neighbouring_blocks_that_depend_on_each_other_are_joined() -> None:
    values = ar1(np.random.default_rng(5), ROWS, 0.998)
    found = means(values)
    assert found.blocks < 64
    assert found.error > values.reshape(64, -1).mean(axis=1).std(ddof=1) / 8


def test_blocks_without_rows_are_left_out() -> None:
    sums = np.array([[0.0, 0.0]] * 40 + [[10.0, 10.0 * m] for m in np.random.default_rng(2).normal(size=24)])
    found = inference.jackknife_of_sums(sums, lambda s: s[1] / s[0], sums[:, 0])
    assert found.df == 5  # 24 blocks are 6 long ones
    assert found.error == pytest.approx((sums[40:, 1] / 10).std(ddof=1) / np.sqrt(24), rel=1e-9)
    few = inference.jackknife_of_sums(sums[:48], lambda s: s[1] / s[0], np.arange(48) > 44)
    assert np.isnan(few.error)
    assert np.isnan(few.log10_p())


def test_correlations_with_missing_values() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=20_000)
    y = np.ma.array(0.3 * x + rng.normal(size=x.size), mask=rng.random(x.size) < 0.2)
    z = rng.normal(size=x.size)
    columns = {"x": x, "y": y, "z": z, "copy": 2 * x + 1}
    (result,) = compute(memory_dataset(columns, 3_000), [request("comoments", *columns)]).values()
    found = inference.correlation_estimates(result)
    both = ~np.ma.getmaskarray(y)
    expected = stats.pearsonr(x[both], y.data[both])
    low, high = np.tanh(found.interval())
    assert np.tanh(found.value[0, 1]) == pytest.approx(expected.statistic, rel=1e-10)
    # Rows are independent here, so that the textbook interval holds as well.
    assert low[0, 1] == pytest.approx(expected.confidence_interval().low, abs=0.004)
    assert high[0, 1] == pytest.approx(expected.confidence_interval().high, abs=0.004)
    assert found.log10_p()[0, 1] < -12
    assert found.log10_p()[0, 2] > -3
    assert np.isnan(found.log10_p()[0, 3])
    np.testing.assert_array_equal(np.isfinite(found.error), np.isfinite(found.error).T)


def test_tables_against_scipy() -> None:
    rng = np.random.default_rng(4)
    table = rng.integers(1, 60, (4, 5))
    expected = stats.chi2_contingency(table, correction=False)
    found = inference.table_test(table[None])
    assert (found.chi2, found.df) == (pytest.approx(expected.statistic, rel=1e-12), expected.dof)
    assert found.log10_p == pytest.approx(np.log10(expected.pvalue), rel=1e-10)
    padded = np.zeros((6, 7), int)
    padded[1:5, 1:6] = table
    assert inference.chi_square(padded) == pytest.approx((expected.statistic, expected.dof), rel=1e-12)
    large = table * 100_000  # the correction for bias vanishes
    assert inference.cramers_v(large) == pytest.approx(association(large, method="cramer"), rel=1e-3)
    two = np.array([[30, 10], [20, 40]])
    root = np.sqrt(stats.chi2_contingency(two, correction=False).statistic)
    np.testing.assert_allclose(np.abs(inference.adjusted_residuals(two)), root)


def block_tables(rng: np.random.Generator, kind: str) -> Any:
    """Two independent categories in 64 blocks of 200 rows."""
    codes = []
    for levels in (3, 4):
        if kind == "independent":
            scores = rng.normal(size=12_800)
        elif kind == "autocorrelated":
            scores = ar1(rng, 12_800, 0.8)
        else:
            scores = random_intercepts(rng, 12_800, 40)
        codes.append(np.searchsorted(stats.norm.ppf(np.arange(1, levels) / levels) * scores.std(), scores))
    out = np.zeros((64, 3, 4), int)
    np.add.at(out, (np.arange(12_800) // 200, *codes), 1)
    return out


@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "grouped"])
def test_tables_keep_their_level_where_rows_depend_on_each_other(kind: str) -> None:
    rejected = textbook = 0
    for seed in range(200):
        tables = block_tables(np.random.default_rng(seed), kind)
        rejected += inference.table_test(tables).log10_p < T_CRITICAL
        textbook += inference.table_test(tables.sum(axis=0)[None]).log10_p < T_CRITICAL
    assert rejected <= 20
    assert (textbook > 40) == (kind != "independent")


def test_tables_keep_their_level_where_sixteen_groups_are_all_there_is() -> None:
    """Far out as well, where a run of many tests looks."""
    log10_p = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        codes = [np.searchsorted([-0.6, 0.3, 1.0], random_intercepts(rng, 8_000, 500)) for _ in range(2)]
        tables = np.zeros((64, 4, 4), int)
        np.add.at(tables, (np.arange(8_000) // 125, *codes), 1)
        log10_p.append(inference.table_test(tables).log10_p)
    assert sum(p < T_CRITICAL for p in log10_p) <= 26
    assert min(log10_p) > -4


def test_tables_find_an_association() -> None:
    rng = np.random.default_rng(9)
    tables = rng.multinomial(200, np.array([0.3, 0.2, 0.2, 0.3]), 64).reshape(64, 2, 2)
    found = inference.table_test(tables)
    assert found.log10_p < -10
    assert found.design_effect < 2


def test_effects_against_direct_formulas() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 30, 500), rng.integers(3, 36, 700)
    first, second = (np.bincount(v, minlength=40) for v in (a, b))
    delta = np.sign(a[:, None] - b[None, :]).mean()
    assert inference.cliffs_delta(first, second) == pytest.approx(delta, rel=1e-12)
    assert inference.ks_distance(first, second) == pytest.approx(stats.ks_2samp(a, b).statistic, rel=1e-12)
    sums = [(v.size, v.mean(), ((v - v.mean()) ** 2).sum()) for v in (a, b)]
    d = (a.mean() - b.mean()) / np.sqrt((sums[0][2] + sums[1][2]) / 1198)
    assert inference.hedges_g(*sums) == pytest.approx(d * (1 - 3 / (4 * 1198 - 1)), rel=1e-5)
    n, centre = np.array([500, 700]), np.concatenate([a, b]).mean()
    offset, m2 = np.array([a.mean(), b.mean()]) - centre, np.array([s[2] for s in sums])
    total = ((np.concatenate([a, b]) - centre) ** 2).sum()
    assert inference.eta_squared(n, offset, m2) == pytest.approx(1 - m2.sum() / total, rel=1e-10)


def test_wasserstein_lies_within_its_bounds() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=4_000), rng.normal(0.4, 1.3, 3_000)
    cuts = np.quantile(np.concatenate([a, b]), np.arange(1, 256) / 256)
    ends = np.concatenate([[min(a.min(), b.min())], cuts, [max(a.max(), b.max())]])
    counts = [np.bincount(np.searchsorted(cuts, v), minlength=256) for v in (a, b)]
    low, high = inference.wasserstein_bounds(*counts, ends)
    assert low <= stats.wasserstein_distance(a, b) <= high
    assert high - low < 0.1


def test_stability_index() -> None:
    even = np.full(20, 1_000)
    assert inference.stability_index(even, even) == pytest.approx(0.0, abs=1e-12)
    falling = np.concatenate([np.full(10, 1_500), np.full(10, 500)])
    assert inference.stability_index(falling, falling[::-1], 2) == pytest.approx(np.log(3), rel=1e-3)
    assert np.isfinite(inference.stability_index(np.eye(20, dtype=int)[0] * 100, np.eye(20, dtype=int)[9] * 100))
