from __future__ import annotations

import math

import mpmath
import pytest
from scipy import stats

from toolkit.plugin.inference import log10_chi2, log10_f, log10_normal, log10_t, t_quantile, tails

mpmath.mp.dps = 40
LN10 = mpmath.log(10)


def beta_tail(x: mpmath.mpf, a: float, b: float) -> float:
    """log10 of I_x(a, b) for small x, by its series with 40 digits."""
    series = mpmath.hyp2f1(a + b, 1, a + 1, x)
    log = a * mpmath.log(x) + b * mpmath.log(1 - x) - mpmath.log(a) - mpmath.log(mpmath.beta(a, b)) + mpmath.log(series)
    return float(log / LN10)


@pytest.mark.parametrize("z", [0.0, 0.5, 1.96, -3.0, 8.0, 37.0])
def test_normal_equals_scipy(z: float) -> None:
    assert log10_normal(z) == pytest.approx(math.log10(2 * stats.norm.sf(abs(z))), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("z", [40.0, -680.0, 1e4, 1e8])
def test_normal_far_out(z: float) -> None:
    # The asymptotic expansion of erfc; beyond 40 its sixth term is below 1e-17.
    z2 = mpmath.mpf(z) ** 2
    terms = 1 - 1 / z2 + 3 / z2**2 - 15 / z2**3 + 105 / z2**4 - 945 / z2**5 + 10395 / z2**6
    expected = (-z2 / 2 + mpmath.log(2 * terms / (abs(mpmath.mpf(z)) * mpmath.sqrt(2 * mpmath.pi)))) / LN10
    assert log10_normal(z) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("df", [1, 15, 31, 63, 1e6])
@pytest.mark.parametrize("t", [0.1, 2.0, -5.0, 20.0])
def test_t_equals_scipy(t: float, df: float) -> None:
    p = 2 * stats.t.sf(abs(t), df)
    if p > 1e-250:
        assert log10_t(t, df) == pytest.approx(math.log10(p), rel=1e-10)


@pytest.mark.parametrize(("t", "df"), [(1e6, 63), (-1e30, 63), (1e5, 200), (1e200, 63)])
def test_t_far_out(t: float, df: float) -> None:
    x = mpmath.mpf(df) / (mpmath.mpf(df) + mpmath.mpf(t) ** 2)
    assert log10_t(t, df) == pytest.approx(beta_tail(x, df / 2, 0.5), rel=1e-11)
    assert log10_t(t, df) < -250


def test_t_reaches_a_hundred_thousand_digits() -> None:
    assert -200_000 < log10_t(1.0e4, 1e5) < -1e5


@pytest.mark.parametrize(("f", "a", "b"), [(1e9, 4, 200), (1e12, 49, 3087), (1e308, 3, 63)])
def test_f_far_out(f: float, a: float, b: float) -> None:
    x = mpmath.mpf(b) / (mpmath.mpf(b) + mpmath.mpf(a) * mpmath.mpf(f))
    assert log10_f(f, a, b) == pytest.approx(beta_tail(x, b / 2, a / 2), rel=1e-10)


@pytest.mark.parametrize(("t", "df"), [(8.0, 63), (30.0, 1e6), (20.0, 1e4)])
def test_fractions_equal_scipy_where_both_hold(monkeypatch: pytest.MonkeyPatch, t: float, df: float) -> None:
    near = log10_t(t, df), log10_f(t * t / 20, 20, df), log10_chi2(t * t, 20)
    monkeypatch.setattr(tails, "_SMALLEST", 2.0)
    assert (log10_t(t, df), log10_f(t * t / 20, 20, df), log10_chi2(t * t, 20)) == pytest.approx(near, rel=1e-8)


@pytest.mark.parametrize(("f", "a", "b"), [(0.5, 3, 20), (2.5, 3, 189), (21.0, 8, 180), (1.01, 900, 1e5)])
def test_f_equals_scipy(f: float, a: float, b: float) -> None:
    assert log10_f(f, a, b) == pytest.approx(math.log10(stats.f.sf(f, a, b)), rel=1e-10)


@pytest.mark.parametrize(("x", "df"), [(0.1, 1), (3.84, 1), (30.0, 12), (1000.0, 900)])
def test_chi2_equals_scipy(x: float, df: float) -> None:
    assert log10_chi2(x, df) == pytest.approx(math.log10(stats.chi2.sf(x, df)), rel=1e-10)


@pytest.mark.parametrize(("x", "df"), [(1500.0, 2), (5e5, 40), (1e7, 12), (4.7e5, 2)])
def test_chi2_far_out(x: float, df: int) -> None:
    # For even degrees of freedom the tail is a finite sum.
    half = mpmath.mpf(x) / 2
    terms = mpmath.fsum(half**k / mpmath.factorial(k) for k in range(df // 2))
    assert log10_chi2(x, df) == pytest.approx(float((mpmath.log(terms) - half) / LN10), rel=1e-12)


def test_nothing_is_certain_at_zero() -> None:
    assert (log10_t(0.0, 63), log10_f(0.0, 3, 63), log10_chi2(0.0, 3), log10_normal(0.0)) == (0.0, 0.0, 0.0, 0.0)


def test_quantile_of_t() -> None:
    assert t_quantile(0.975, 63) == pytest.approx(stats.t.ppf(0.975, 63), rel=1e-12)
