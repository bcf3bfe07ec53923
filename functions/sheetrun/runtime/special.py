"""Special functions behind the distributions: incomplete gamma and beta functions, the normal integral, and inverses.

Relative accuracy is about 1e-14 in both tails: what would cancel is computed from its complement, and powers and
factorials that would overflow are taken together.

Sources: NIST Digital Library of Mathematical Functions, chapters 5, 7 and 8 (https://dlmf.nist.gov); C. Loader, "Fast
and Accurate Computation of Binomial Probabilities" (2000) for the saddle-point form of the densities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from sheetrun.runtime import powers
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import NUM, Raised

_EPSILON: Final = 1e-17
_TINY: Final = 1e-300
_MOST_TERMS: Final = 2_000_000
_LARGE: Final = 10_000.0  # parameters from here up need so many terms that they are added in bulk
_BULK: Final = 4096
_MOST_IN_BULK: Final = 4_000_000
_LOG_SQRT_2PI: Final = 0.918938533204672741780329736406
_SQRT_2: Final = math.sqrt(2.0)
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)


def gamma(x: float) -> float:
    """The gamma function. Raises ValueError at 0 and negative whole numbers, OverflowError from 171.7 up."""
    return math.gamma(x)


def log_gamma(x: float) -> float:
    """The natural logarithm of gamma for x > 0."""
    return math.lgamma(x)


# -- the normal distribution -----------------------------------------------------------------------------------------


def normal_density(z: float) -> float:
    return math.exp(-0.5 * z * z) / _SQRT_2PI


def normal_cdf(z: float) -> float:
    """The probability that a standard normal variable is at most z."""
    return 0.5 * math.erfc(-z / _SQRT_2)


def normal_inverse(p: float) -> float:
    """The z with ``normal_cdf(z) == p``, for 0 < p < 1."""
    if p > 0.5:
        return -_normal_lower(1.0 - p)
    return _normal_lower(p)


def _normal_lower(p: float) -> float:
    """For p up to 1/2: a rational start (Abramowitz and Stegun 26.2.23), then Halley's method to the last digit."""
    if p == 0.5:
        return 0.0
    t = math.sqrt(-2.0 * math.log(p))
    z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
    for _ in range(4):
        # Near the middle the cdf has no digits to tell such a p from 1/2; the error function has.
        off = 0.5 * math.erf(z / _SQRT_2) - (p - 0.5) if p > 0.25 else normal_cdf(z) - p
        error = off / normal_density(z)
        step = error / (1.0 + 0.5 * z * error)
        z -= step
        if abs(step) <= 1e-16 * abs(z):
            break
    return z


_erfc = np.frompyfunc(math.erfc, 1, 1)
_erf = np.frompyfunc(math.erf, 1, 1)


def normal_cdfs(z: Numbers) -> Numbers:
    """``normal_cdf`` for an array."""
    return 0.5 * np.asarray(_erfc(-z / _SQRT_2), np.float64)


def normal_inverses(p: Numbers) -> Numbers:
    """``normal_inverse`` for an array, step by step the same; every p must lie between 0 and 1."""
    lower = np.minimum(p, 1.0 - p)
    t = np.sqrt(-2.0 * powers.logs(lower))
    z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
    going = lower != 0.5
    z[~going] = 0.0
    for _ in range(4):
        off = np.where(
            lower > 0.25, 0.5 * np.asarray(_erf(z / _SQRT_2), np.float64) - (lower - 0.5), normal_cdfs(z) - lower
        )
        error = off / (powers.exps(-0.5 * z * z) / _SQRT_2PI)
        step = error / (1.0 + 0.5 * z * error)
        z[going] -= step[going]
        going &= np.abs(step) > 1e-16 * np.abs(z)
        if not going.any():
            break
    return np.where(p > 0.5, -z, z)


# -- densities without overflow --------------------------------------------------------------------------------------


def stirling_error(n: float) -> float:
    """log(n!) less Stirling's formula for it, for n > 0 (DLMF 5.11.1)."""
    if n < 16.0:
        return math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - _LOG_SQRT_2PI
    s = n * n
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188 - 691 / 360360 / s) / s) / s) / s) / s) / n


def deviance(x: float, m: float) -> float:
    """x log(x/m) + m - x without cancellation where x is near m (Loader's bd0)."""
    if abs(x - m) < 0.1 * (x + m):
        v = (x - m) / (x + m)
        found = (x - m) * v
        term, square = 2.0 * x * v, v * v
        for j in range(1, 1000):
            term *= square
            more = found + term / (2 * j + 1)
            if more == found:
                return found
            found = more
    if m == 0.0:
        return math.inf
    ratio = x / m
    return x * math.log(ratio) + m - x if ratio > 0.0 else m


def poisson_density(x: float, mean: float) -> float:
    """mean^x e^-mean / x! for real x >= 0."""
    if mean == 0.0:
        return 1.0 if x == 0.0 else 0.0
    if x == 0.0:
        return math.exp(-mean)
    if x <= mean * 2.2250738585072014e-308:
        return math.exp(-mean)
    return math.exp(-stirling_error(x) - deviance(x, mean)) / math.sqrt(2.0 * math.pi * x)


def binomial_density(x: float, n: float, p: float, q: float) -> float:
    """n over x times p^x q^(n-x) for real 0 <= x <= n; q is 1 - p, given apart because it may be the exact one."""
    if p == 0.0:
        return 1.0 if x == 0.0 else 0.0
    if q == 0.0:
        return 1.0 if x == n else 0.0
    if x == 0.0:
        if n == 0.0:
            return 1.0
        return math.exp(n * (math.log1p(-p) if p < 0.5 else math.log(q)))
    if x == n:
        return math.exp(n * (math.log1p(-q) if q < 0.5 else math.log(p)))
    rest = n - x
    if rest <= 0.0 or x < 0.0:
        return 0.0
    power = stirling_error(n) - stirling_error(x) - stirling_error(rest) - deviance(x, n * p) - deviance(rest, n * q)
    return math.exp(power) * math.sqrt(n / (2.0 * math.pi * x * rest))


# -- incomplete gamma ------------------------------------------------------------------------------------------------


def gamma_lower(a: float, x: float) -> float:
    """P(a, x): the regularised lower incomplete gamma function, a > 0, x >= 0."""
    if x <= 0.0:
        return 0.0
    if x < a + 1.0:
        return _gamma_below(a, x)
    return 1.0 - _gamma_above(a, x)


def gamma_upper(a: float, x: float) -> float:
    """Q(a, x) = 1 - P(a, x)."""
    if x <= 0.0:
        return 1.0
    if x < a + 1.0:
        return 1.0 - _gamma_below(a, x)
    return _gamma_above(a, x)


def _gamma_below(a: float, x: float) -> float:
    """P(a, x) for x < a + 1, DLMF 8.7.1: x^a e^-x / Γ(a+1) · (1 + x/(a+1) + x²/((a+1)(a+2)) + …)."""
    front = poisson_density(a, x)
    if front == 0.0:
        return 0.0
    if a > _LARGE:
        return front * _product_series(lambda k: x / (a + k))
    term = found = 1.0
    n = a
    for _ in range(_MOST_TERMS):
        n += 1.0
        term *= x / n
        found += term
        if term < found * _EPSILON:
            return found * front
    raise Raised(NUM)


def _gamma_above(a: float, x: float) -> float:
    """Q(a, x) for x >= a + 1: DLMF 8.9.2, evaluated with the modified Lentz method; for large a DLMF 8.11.2."""
    front = poisson_density(a, x)
    if front == 0.0:
        return 0.0
    if a > _LARGE:
        return front * a / x * _product_series(lambda k: (a - k) / x)
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    h = d
    for i in range(1, _MOST_TERMS):
        an = -i * (i - a)
        b += 2.0
        d = an * d + b
        d = 1.0 / (d if d != 0.0 else _TINY)
        c = b + an / c
        c = c if c != 0.0 else _TINY
        delta = d * c
        h *= delta
        if abs(delta - 1.0) < 3e-16:
            return h * front * a
    raise Raised(NUM)


def _product_series(ratio: Callable[[Numbers], Numbers]) -> float:
    """1 + r(1) + r(1)·r(2) + … for ratios that fall below 1; their number grows with the root of the parameters."""
    found = last = 1.0
    for start in range(1, _MOST_IN_BULK, _BULK):
        terms = np.cumprod(ratio(np.arange(start, start + _BULK, dtype=np.float64))) * last
        found += float(np.sum(terms))
        last = float(terms[-1])
        if abs(last) < found * _EPSILON:
            return found
    raise Raised(NUM)


def gamma_density(a: float, x: float) -> float:
    """The density of a gamma variable of shape a and scale 1 at x > 0."""
    return poisson_density(a, x) * a / x


def gamma_inverse(p: float, a: float, *, upper: bool = False) -> float:
    """The x with P(a, x) = p (or Q(a, x) = p), for 0 < p < 1."""
    if not upper and p > 0.5:
        p, upper = 1.0 - p, True
    elif upper and p > 0.5:
        p, upper = 1.0 - p, False
    z = normal_inverse(p)
    guess = a * (1.0 - 1.0 / (9.0 * a) + (-z if upper else z) / (3.0 * math.sqrt(a))) ** 3
    if not upper and (guess <= 0.0 or a < 1.0):
        log_guess = (math.log(p) + math.lgamma(a + 1.0)) / a
        small = math.exp(log_guess) if log_guess > -740.0 else 0.0
        if small == 0.0:
            return 0.0
        guess = small if guess <= 0.0 or small < guess else guess
    if not guess > 0.0:
        guess = a
    cdf = gamma_upper if upper else gamma_lower
    return _solve(lambda x: cdf(a, x), lambda x: gamma_density(a, x), p, guess, 0.0, math.inf, falling=upper)


# -- incomplete beta -------------------------------------------------------------------------------------------------


def beta_lower(x: float, y: float, a: float, b: float) -> float:
    """I_x(a, b): the regularised incomplete beta function, a, b > 0; y is 1 - x, exact where the caller has it."""
    if x <= 0.0:
        return 0.0
    if y <= 0.0:
        return 1.0
    if x < (a + 1.0) / (a + b + 2.0):
        return _beta_fraction(x, y, a, b)
    return 1.0 - _beta_fraction(y, x, b, a)


def beta_upper(x: float, y: float, a: float, b: float) -> float:
    """1 - I_x(a, b)."""
    return beta_lower(y, x, b, a)


def _beta_fraction(x: float, y: float, a: float, b: float) -> float:
    """DLMF 8.17.22, evaluated with the modified Lentz method."""
    front = _beta_power(x, y, a, b) / a
    if front == 0.0:
        return 0.0
    if min(a, b) > _LARGE and 9.0 * math.sqrt(a * (a + b) / b) < _MOST_IN_BULK:  # DLMF 8.17.8, all terms positive
        return front * _product_series(lambda k: x * ((a + b + k - 1.0) / (a + k)))
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    h = d
    for m in range(1, _MOST_TERMS):
        twice = a + 2 * m
        even = m * (b - m) * x / ((twice - 1.0) * twice)
        d = 1.0 + even * d
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = 1.0 + even / c
        c = c if abs(c) > _TINY else _TINY
        h *= d * c
        odd = -(a + m) * (a + b + m) * x / (twice * (twice + 1.0))
        d = 1.0 + odd * d
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = 1.0 + odd / c
        c = c if abs(c) > _TINY else _TINY
        delta = d * c
        h *= delta
        if abs(delta - 1.0) < 3e-16:
            return h * front
    raise Raised(NUM)


def _beta_power(x: float, y: float, a: float, b: float) -> float:
    """x^a y^b / B(a, b)."""
    if a + b > 1e-8 and a > 1e-300 and b > 1e-300:
        return binomial_density(a, a + b, x, y) * a * b / (a + b)
    return math.exp(a * math.log(x) + b * math.log(y)) * a * b / (a + b)


def beta_density(x: float, y: float, a: float, b: float) -> float:
    """The density of a beta variable at 0 < x < 1, y = 1 - x."""
    if x <= 0.0 or y <= 0.0:
        return 0.0
    return _beta_power(x, y, a, b) / (x * y)


def beta_inverse(p: float, a: float, b: float, *, upper: bool = False) -> tuple[float, float]:
    """(x, 1 - x) with I_x(a, b) = p (or 1 - I_x = p), each to full accuracy, for 0 < p < 1."""
    half = beta_lower(0.5, 0.5, a, b) if not upper else beta_upper(0.5, 0.5, a, b)
    if (p > half) != upper:  # x is above 1/2: solve for 1 - x
        y, x = _beta_inverse_low(p, b, a, not upper)
        return x, y
    return _beta_inverse_low(p, a, b, upper)


def _beta_inverse_low(p: float, a: float, b: float, upper: bool) -> tuple[float, float]:
    """For a solution x up to 1/2."""
    if upper and p > 0.5:
        p, upper = 1.0 - p, False
    elif not upper and p > 0.5:
        p, upper = 1.0 - p, True
    cdf = beta_upper if upper else beta_lower
    log_guess = math.nan
    if not upper:
        log_guess = (math.log(p) + math.log(a) + _log_beta(a, b)) / a
    guess = math.exp(log_guess) if log_guess > -740.0 else a / (a + b)
    if log_guess <= -740.0:
        return 0.0, 1.0
    if not 0.0 < guess < 0.5:
        guess = min(0.4, a / (a + b))
    x = _solve(
        lambda x: cdf(x, 1.0 - x, a, b), lambda x: beta_density(x, 1.0 - x, a, b), p, guess, 0.0, 0.5, falling=upper
    )
    return x, 1.0 - x


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


# -- solving ---------------------------------------------------------------------------------------------------------


def _solve(
    cdf: Callable[[float], float],
    density: Callable[[float], float],
    p: float,
    guess: float,
    low: float,
    high: float,
    *,
    falling: bool,
) -> float:
    """The x between ``low`` and ``high`` with cdf(x) = p: Newton's method on log(cdf), kept in a shrinking bracket."""
    x = guess
    sign = -1.0 if falling else 1.0
    for _ in range(200):
        value = cdf(x)
        above = (value > p) != falling
        if value == p:
            return x
        if above:
            high = x
        else:
            low = x
        slope = density(x)
        step = sign * math.log(value / p) * value / slope if slope > 0.0 and value > 0.0 else math.nan
        after = x - step
        if not low < after < high:
            after = 2.0 * x if math.isinf(high) else (low + high) / 2.0 if low > 0.0 else high / 16.0
        if abs(after - x) <= 2e-16 * abs(x) or after == x:
            return after
        x = after
    return x
