"""Where a function of one number is zero: Chandrupatla's method, which needs a change of sign and no derivative.

T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without
using derivatives", Advances in Engineering Software 28 (1997) 145-149. Inverse quadratic interpolation where that is
safe, bisection elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

_EPSILON = 2.0**-52


def find_zero(
    function: Callable[[float], float],
    low: tuple[float, float],
    high: tuple[float, float],
    *,
    close: float,
    tries: int,
) -> tuple[float, float]:
    """(x, f(x)) with the smallest value that was met, from two points (x, f(x)) with values of different sign.

    Ends when a value is at most ``close``, when the bracket is as narrow as floats allow, or after ``tries`` calls.
    """
    (b, fb), (a, fa) = low, high
    best = min(low, high, key=lambda point: abs(point[1]))
    part = 0.5
    for _ in range(tries):
        if abs(best[1]) <= close:
            break
        x = a + part * (b - a)
        value = function(x)
        if (value > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, fc = b, fb
            b, fb = a, fa
        a, fa = x, value
        best = min((a, fa), (b, fb), best, key=lambda point: abs(point[1]))
        narrow = 2 * _EPSILON * max(abs(a), abs(b)) / abs(b - c) if b != c else 1.0
        if value == 0 or narrow > 0.5 or a == b:
            break
        part = min(1 - narrow, max(narrow, _next((a, fa), (b, fb), (c, fc))))
    return best


def _next(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """How far from a to b the next point lies."""
    (xa, fa), (xb, fb), (xc, fc) = a, b, c
    if fa in (fb, fc) or fb == fc:
        return 0.5
    xi = (xa - xb) / (xc - xb)
    phi = (fa - fb) / (fc - fb)
    if phi * phi < xi and (1 - phi) ** 2 < 1 - xi:
        return fa / (fb - fa) * fc / (fb - fc) + (xc - xa) / (xb - xa) * fa / (fc - fa) * fb / (fc - fb)
    return 0.5


def bracket(
    points: Sequence[tuple[float, float | None]], near: float
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Two neighbours, of points in order, between which the sign changes: those nearest to ``near``."""
    known = [(x, value) for x, value in points if value is not None]
    pairs = [
        (left, right)
        for left, right in pairwise(known)
        if left[1] == 0 or right[1] == 0 or (left[1] > 0) != (right[1] > 0)
    ]
    return min(pairs, key=lambda pair: min(abs(pair[0][0] - near), abs(pair[1][0] - near)), default=None)


def around(start: float) -> list[float]:
    """Points on both sides of a start, each twice as far as the one before, in order."""
    step = max(abs(start), 1.0) / 128
    offsets = [step * 2.0**k for k in range(24)]
    return sorted({start, *(start - d for d in offsets), *(start + d for d in offsets)})


def between(low: float, high: float, count: int = 33) -> list[float]:
    """``count`` points from ``low`` to ``high``, both included."""
    return [low + (high - low) * k / (count - 1) for k in range(count - 1)] + [high]
