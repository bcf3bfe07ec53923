"""Bessel functions of whole order, with the accuracy that Excel has.

Excel uses the polynomial approximations of Abramowitz and Stegun, 9.4 and 9.8 (for J and Y near 0 Hart's rational
ones), good to about 1E-7, and recurrence from orders 0 and 1; better values would differ from Excel's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from sheetrun.runtime.errors import NUM, Raised, demand
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_integer, strict_number
from sheetrun.runtime.values import Scalar

_TWO_OVER_PI: Final = 0.636619772
_BIG: Final = 1e10
_SMALL: Final = 1e-10
_ACCURACY: Final = 40.0


def _poly(y: float, *coefficients: float) -> float:
    """A polynomial, the constant first."""
    total = 0.0
    for c in reversed(coefficients):
        total = total * y + c
    return total


_P0: Final = (1.0, -0.1098628627e-2, 0.2734510407e-4, -0.2073370639e-5, 0.2093887211e-6)
_Q0: Final = (-0.1562499995e-1, 0.1430488765e-3, -0.6911147651e-5, 0.7621095161e-6, -0.934935152e-7)
_P1: Final = (1.0, 0.183105e-2, -0.3516396496e-4, 0.2457520174e-5, -0.240337019e-6)
#: Measured: for J of order 1 Excel has the third coefficient twice (J1(10) is off by 5E-7), for Y it has not.
_P1_OF_J: Final = (1.0, 0.183105e-2, -0.3516396496e-4, -0.3516396496e-4, 0.2457520174e-5, -0.240337019e-6)
_Q1: Final = (0.04687499995, -0.2002690873e-3, 0.8449199096e-5, -0.88228987e-6, 0.105787412e-6)


def _j0(x: float) -> float:
    a = abs(x)
    if a < 8.0:
        y = x * x
        top = _poly(y, 57568490574.0, -13362590354.0, 651619640.7, -11214424.18, 77392.33017, -184.9052456)
        return top / _poly(y, 57568490411.0, 1029532985.0, 9494680.718, 59272.64853, 267.8532712, 1.0)
    z = 8.0 / a
    angle = a - 0.785398164
    wave = math.cos(angle) * _poly(z * z, *_P0) - z * math.sin(angle) * _poly(z * z, *_Q0)
    return math.sqrt(_TWO_OVER_PI / a) * wave


def _j1(x: float) -> float:
    a = abs(x)
    if a < 8.0:
        y = x * x
        top = _poly(y, 72362614232.0, -7895059235.0, 242396853.1, -2972611.439, 15704.48260, -30.16036606)
        return x * top / _poly(y, 144725228442.0, 2300535178.0, 18583304.74, 99447.43394, 376.9991397, 1.0)
    z = 8.0 / a
    angle = a - 2.356194491
    wave = math.cos(angle) * _poly(z * z, *_P1_OF_J) - z * math.sin(angle) * _poly(z * z, *_Q1)
    return math.copysign(1.0, x) * math.sqrt(_TWO_OVER_PI / a) * wave


def _y0(x: float) -> float:
    if x < 8.0:
        y = x * x
        top = _poly(y, -2957821389.0, 7062834065.0, -512359803.6, 10879881.29, -86327.92757, 228.4622733)
        bottom = _poly(y, 40076544269.0, 745249964.8, 7189466.438, 47447.26470, 226.1030244, 1.0)
        return top / bottom + _TWO_OVER_PI * _j0(x) * math.log(x)
    z = 8.0 / x
    angle = x - 0.785398164
    wave = math.sin(angle) * _poly(z * z, *_P0) + z * math.cos(angle) * _poly(z * z, *_Q0)
    return math.sqrt(_TWO_OVER_PI / x) * wave


def _y1(x: float) -> float:
    if x < 8.0:
        y = x * x
        top = _poly(
            y, -0.4900604943e13, 0.1275274390e13, -0.5153438139e11, 0.7349264551e9, -0.4237922726e7, 0.8511937935e4
        )
        bottom = _poly(
            y,
            0.2499580570e14,
            0.4244419664e12,
            0.3733650367e10,
            0.2245904002e8,
            0.1020426050e6,
            0.3549632885e3,
            1.0,
        )
        return x * top / bottom + _TWO_OVER_PI * (_j1(x) * math.log(x) - 1.0 / x)
    z = 8.0 / x
    angle = x - 2.356194491
    wave = math.sin(angle) * _poly(z * z, *_P1) + z * math.cos(angle) * _poly(z * z, *_Q1)
    return math.sqrt(_TWO_OVER_PI / x) * wave


def _i0(x: float) -> float:
    a = abs(x)
    if a < 3.75:
        y = (x / 3.75) ** 2
        return _poly(y, 1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2)
    series = _poly(
        3.75 / a,
        0.39894228,
        0.1328592e-1,
        0.225319e-2,
        -0.157565e-2,
        0.916281e-2,
        -0.2057706e-1,
        0.2635537e-1,
        -0.1647633e-1,
        0.392377e-2,
    )
    return math.exp(a) / math.sqrt(a) * series


def _i1(x: float) -> float:
    a = abs(x)
    if a < 3.75:
        y = (x / 3.75) ** 2
        return x * _poly(y, 0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3)
    series = _poly(
        3.75 / a,
        0.39894228,
        -0.3988024e-1,
        -0.362018e-2,
        0.163801e-2,
        -0.1031555e-1,
        0.2282967e-1,
        -0.2895312e-1,
        0.1787654e-1,
        -0.420059e-2,
    )
    return math.copysign(1.0, x) * math.exp(a) / math.sqrt(a) * series


def _k0(x: float) -> float:
    if x <= 2.0:
        y = x * x / 4.0
        rest = _poly(y, -0.57721566, 0.42278420, 0.23069756, 0.3488590e-1, 0.262698e-2, 0.10750e-3, 0.74e-5)
        return -math.log(x / 2.0) * _i0(x) + rest
    series = _poly(
        2.0 / x, 1.25331414, -0.7832358e-1, 0.2189568e-1, -0.1062446e-1, 0.587872e-2, -0.251540e-2, 0.53208e-3
    )
    return math.exp(-x) / math.sqrt(x) * series


def _k1(x: float) -> float:
    if x <= 2.0:
        y = x * x / 4.0
        rest = _poly(y, 1.0, 0.15443144, -0.67278579, -0.18156897, -0.1919402e-1, -0.110404e-2, -0.4686e-4)
        return math.log(x / 2.0) * _i1(x) + rest / x
    series = _poly(2.0 / x, 1.25331414, 0.23498619, -0.3655620e-1, 0.1504268e-1, -0.780353e-2, 0.325614e-2, -0.68245e-3)
    return math.exp(-x) / math.sqrt(x) * series


def _upwards(x: float, n: int, zero: Callable[[float], float], one: Callable[[float], float], sign: float) -> float:
    """Order n from orders 0 and 1: f(k+1) = 2k/x f(k) + sign f(k-1)."""
    if n == 0:
        return zero(x)
    before, here = zero(x), one(x)
    for k in range(1, n):
        before, here = here, k * 2.0 / x * here + sign * before
    return here


def _downwards(x: float, n: int, start: int, sign: float) -> tuple[float, float, float]:
    """Miller's recurrence from a high order down: (order n, order 0, the sum of even orders), all with one factor."""
    two_over = 2.0 / x
    after, here, found, total = 0.0, 1.0, 0.0, 0.0
    even = False
    for k in range(start, 0, -1):
        after, here = here, k * two_over * here - sign * after
        if abs(here) > _BIG:
            after, here, found, total = after * _SMALL, here * _SMALL, found * _SMALL, total * _SMALL
        if even:
            total += here
        even = not even
        if k == n:
            found = after
    return found, here, total


def _bessel_j(x: float, n: int) -> float:
    if n == 0:
        return _j0(x)
    if n == 1:
        return _j1(x)
    a = abs(x)
    if a == 0.0:
        return 0.0
    if a > n:
        value = _upwards(a, n, _j0, _j1, -1.0)
    else:
        start = 2 * ((n + int(math.sqrt(_ACCURACY * n))) // 2)
        found, here, total = _downwards(a, n, start, 1.0)
        value = found / (2.0 * total - here)
    return -value if x < 0.0 and n % 2 else value


def _bessel_i(x: float, n: int) -> float:
    if n == 0:
        return _i0(x)
    if n == 1:
        return _i1(x)
    if x == 0.0:
        return 0.0
    a = abs(x)
    found, here, _ = _downwards(a, n, 2 * (n + int(math.sqrt(_ACCURACY * n))), -1.0)
    value = found * _i0(a) / here
    return -value if x < 0.0 and n % 2 else value


_ORDERS: Final = 100_000  # beyond, the recurrence would take seconds and end in 0 or #NUM!


def _order(n: Scalar) -> int:
    order = strict_integer(n)
    if order < 0:
        raise Raised(NUM)
    return order


def _vanishes(x: float, order: int) -> bool:
    """Whether J and I are too small for a number; else #NUM! for an order that cannot be walked to."""
    if order > _ORDERS:
        demand(abs(x) < order / 2.0)
    return order > _ORDERS


@excel("BESSELJ(x: strict, n: strict) -> number")
def besselj(x: Scalar, n: Scalar) -> float:
    """The Bessel function of the first kind, J."""
    value, order = strict_number(x), _order(n)
    return 0.0 if _vanishes(value, order) else _bessel_j(value, order)


@excel("BESSELY(x: strict, n: strict) -> number")
def bessely(x: Scalar, n: Scalar) -> float:
    """The Bessel function of the second kind, Y; for x above 0."""
    value, order = strict_number(x), _order(n)
    demand(value > 0.0 and order <= _ORDERS)
    return _upwards(value, order, _y0, _y1, -1.0)


@excel("BESSELI(x: strict, n: strict) -> number")
def besseli(x: Scalar, n: Scalar) -> float:
    """The modified Bessel function of the first kind, I."""
    value, order = strict_number(x), _order(n)
    return 0.0 if _vanishes(value, order) else _bessel_i(value, order)


@excel("BESSELK(x: strict, n: strict) -> number")
def besselk(x: Scalar, n: Scalar) -> float:
    """The modified Bessel function of the second kind, K; for x above 0."""
    value, order = strict_number(x), _order(n)
    demand(value > 0.0 and order <= _ORDERS)
    return _upwards(value, order, _k0, _k1, 1.0)
