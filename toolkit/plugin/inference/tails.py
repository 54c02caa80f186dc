"""Decimal logarithms of tail probabilities, far beyond where the probabilities themselves underflow."""

from __future__ import annotations

import math

_SMALLEST = 1e-250
"""Tails down to this come from SciPy, smaller ones from continued fractions."""

_TINY = 1e-300
_STEPS = 100_000
_LN10 = math.log(10.0)


def log10_normal(z: float) -> float:
    """Both tails of the normal distribution beyond ``z``.

    Examples
    --------
    >>> round(log10_normal(1.959963984540054), 10) == round(math.log10(0.05), 10)
    True
    """
    from scipy import special

    return min((float(special.log_ndtr(-abs(z))) + math.log(2.0)) / _LN10, 0.0)


def log10_t(t: float, df: float) -> float:
    """Both tails of Student's t distribution beyond ``t``.

    Parameters
    ----------
    t : float
        The statistic.
    df : float
        Degrees of freedom, above 0.
    """
    from scipy import special

    if t == 0:
        return 0.0
    square = t * t
    if math.isinf(square):  # x**(df / 2) of x = df / t**2
        return _log10_small_beta(math.log(df) - 2.0 * math.log(abs(t)), df / 2.0, 0.5)
    p = 2.0 * float(special.stdtr(df, -abs(t)))
    if p > _SMALLEST:
        return math.log10(p)
    return _log10_beta_tail(df / (df + square), square / (df + square), df / 2.0, 0.5)


def log10_f(f: float, df_between: float, df_within: float) -> float:
    """Upper tail of Fisher's F distribution."""
    from scipy import special

    if f <= 0:
        return 0.0
    p = float(special.fdtrc(df_between, df_within, f))
    if p > _SMALLEST:
        return math.log10(p)
    total = df_within + df_between * f
    if math.isinf(total):
        log_x = math.log(df_within) - math.log(df_between) - math.log(f)
        return _log10_small_beta(log_x, df_within / 2.0, df_between / 2.0)
    return _log10_beta_tail(df_within / total, df_between * f / total, df_within / 2.0, df_between / 2.0)


def log10_chi2(x: float, df: float) -> float:
    """Upper tail of the chi-square distribution."""
    from scipy import special

    if x <= 0:
        return 0.0
    p = float(special.gammaincc(df / 2.0, x / 2.0))
    if p > _SMALLEST:
        return math.log10(p)
    a, half = df / 2.0, x / 2.0
    return (a * math.log(half) - half - math.lgamma(a) + math.log(_gamma_fraction(a, half))) / _LN10


def t_quantile(probability: float, df: float) -> float:
    """The value that Student's t distribution stays below with a probability."""
    from scipy import special

    return float(special.stdtrit(df, probability))


def _log10_beta_tail(x: float, y: float, a: float, b: float) -> float:
    """Of the regularised incomplete beta function I_x(a, b); y is 1 - x without rounding."""
    from scipy import special

    fraction = _beta_fraction(x, a, b)
    return (a * math.log(x) + b * math.log(y) - float(special.betaln(a, b)) - math.log(a) + math.log(fraction)) / _LN10


def _log10_small_beta(log_x: float, a: float, b: float) -> float:
    """The same where x is too small for anything but its first power to count."""
    from scipy import special

    return (a * log_x - float(special.betaln(a, b)) - math.log(a)) / _LN10


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method; for x < a / (a + b)."""
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    h = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return h


def _gamma_fraction(a: float, x: float) -> float:
    """Continued fraction of the upper incomplete gamma function (DLMF 8.9.2), by Lentz's method; quick for x > a."""
    b = x + 1.0 - a
    c, d = 1.0 / _TINY, 1.0 / b
    h = d
    for i in range(1, _STEPS):
        term = -i * (i - a)
        b += 2.0
        d = 1.0 / _away(term * d + b)
        c = _away(b + term / c)
        h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return h


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
