"""Trigonometric and hyperbolic functions.

Angles are radians. As in Excel an angle of 2^27 or more is #NUM! (Microsoft, "COT function": the absolute value must be
less than 2^27), and so is what has no real answer. All but sines and cosines are computed one by one by the C library:
NumPy's own differ from it in the last digit.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from sheetrun.runtime.errors import DIV0, NUM, Raised
from sheetrun.runtime.registry import excel

_LIMIT: Final = 2.0**27
_QUARTER: Final = math.pi / 2.0

#: Excel takes quarter turns off an angle with the pi of the x87 (64 bits), which is this much (per quarter) above pi.
#: It shows near the zeros: SIN(PI()) is 565·2^-62 = 1.22514845E-16, not 1.22464680E-16, and near the poles of COT, SEC
#: and CSC (measured: COT(PI()-1E-12) is -999788629259.2037).
_PI_ERROR: Final = (565.0 * 2.0**-62 - 1.2246467991473531772e-16) / 2.0
_BOX_DIV0: Final = float(DIV0)
_BOX_NUM: Final = float(NUM)


def _angle(number: float) -> float:
    if abs(number) >= _LIMIT:
        raise Raised(NUM)
    return number


def _angles(numbers: Any) -> Any:
    return np.where(np.abs(numbers) >= _LIMIT, _BOX_NUM, numbers)


def _quotients(above: Any, below: Any) -> Any:
    return np.where(below == 0.0, _BOX_DIV0, above / below)


def _within(number: float, low: float, high: float) -> float:
    if not low <= number <= high:
        raise Raised(NUM)
    return number


def _turns(number: float) -> float:
    """By how much Excel's quarter turns differ from true ones at an angle."""
    return math.floor(number / _QUARTER + 0.5) * _PI_ERROR


def _turns_many(numbers: Any) -> Any:
    return np.floor(numbers / _QUARTER + 0.5) * _PI_ERROR


def _sin_many(numbers: Any) -> Any:
    angles = _angles(numbers)
    return np.sin(angles) - _turns_many(angles) * np.cos(angles)


def _cos_many(numbers: Any) -> Any:
    angles = _angles(numbers)
    return np.cos(angles) + _turns_many(angles) * np.sin(angles)


@excel("SIN(number: number) -> number", vector=_sin_many)
def sin(number: float) -> float:
    """The sine of an angle; SIN(PI()) is 1.22515E-16 (see the note on pi above)."""
    angle = _angle(number)
    return math.sin(angle) - _turns(angle) * math.cos(angle)


@excel("COS(number: number) -> number", vector=_cos_many)
def cos(number: float) -> float:
    """The cosine of an angle; COS(PI()/2) is 6.12574E-17 (see the note on pi above)."""
    angle = _angle(number)
    return math.cos(angle) + _turns(angle) * math.sin(angle)


@excel("TAN(number: number) -> number", vector=lambda x: _sin_many(x) / _cos_many(x))
def tan(number: float) -> float:
    """The tangent of an angle; TAN(PI()/2) is 1.63246E+16 (see the note on pi above)."""
    return sin(number) / cos(number)


@excel("COT(number: number) -> number", vector=lambda x: _quotients(_cos_many(x), _sin_many(x)))
def cot(number: float) -> float:
    """The cotangent of an angle; #DIV/0! at 0."""
    return cos(number) / sin(number)


@excel("SEC(number: number) -> number", vector=lambda x: _quotients(1.0, _cos_many(x)))
def sec(number: float) -> float:
    """The secant of an angle."""
    return 1.0 / cos(number)


@excel("CSC(number: number) -> number", vector=lambda x: _quotients(1.0, _sin_many(x)))
def csc(number: float) -> float:
    """The cosecant of an angle; #DIV/0! at 0."""
    return 1.0 / sin(number)


@excel("ASIN(number: number) -> number")
def asin(number: float) -> float:
    """The angle with this sine, from -pi/2 to pi/2."""
    return math.asin(_within(number, -1.0, 1.0))


@excel("ACOS(number: number) -> number")
def acos(number: float) -> float:
    """The angle with this cosine, from 0 to pi."""
    return math.acos(_within(number, -1.0, 1.0))


@excel("ATAN(number: number) -> number")
def atan(number: float) -> float:
    """The angle with this tangent, from -pi/2 to pi/2."""
    return math.atan(number)


@excel("ATAN2(x: number, y: number) -> number")
def atan2(x: float, y: float) -> float:
    """The angle from the x-axis to a point (note the order: x first); #DIV/0! at the origin."""
    if x == 0.0 and y == 0.0:
        raise Raised(DIV0)
    return math.atan2(y, x)


@excel("ACOT(number: number) -> number")
def acot(number: float) -> float:
    """The angle with this cotangent, from 0 to pi."""
    return math.atan2(1.0, number)


@excel("SINH(number: number) -> number")
def sinh(number: float) -> float:
    """The hyperbolic sine."""
    return math.sinh(number)


@excel("COSH(number: number) -> number")
def cosh(number: float) -> float:
    """The hyperbolic cosine."""
    return math.cosh(number)


@excel("TANH(number: number) -> number")
def tanh(number: float) -> float:
    """The hyperbolic tangent."""
    return math.tanh(number)


@excel("COTH(number: number) -> number")
def coth(number: float) -> float:
    """The hyperbolic cotangent; #DIV/0! at 0."""
    return 1.0 / math.tanh(number)


@excel("SECH(number: number) -> number")
def sech(number: float) -> float:
    """The hyperbolic secant; 0 where the cosine overflows."""
    size = abs(number)
    return 2.0 * math.exp(-size) / (1.0 + math.exp(-2.0 * size))


@excel("CSCH(number: number) -> number")
def csch(number: float) -> float:
    """The hyperbolic cosecant; #DIV/0! at 0, 0 where the sine overflows."""
    size = abs(number)
    return math.copysign(2.0 * math.exp(-size) / -math.expm1(-2.0 * size), number)


@excel("ASINH(number: number) -> number")
def asinh(number: float) -> float:
    """The inverse hyperbolic sine."""
    return math.asinh(number)


@excel("ACOSH(number: number) -> number")
def acosh(number: float) -> float:
    """The inverse hyperbolic cosine of a number of 1 or more."""
    return math.acosh(_within(number, 1.0, math.inf))


@excel("ATANH(number: number) -> number")
def atanh(number: float) -> float:
    """The inverse hyperbolic tangent of a number between -1 and 1."""
    if not -1.0 < number < 1.0:
        raise Raised(NUM)
    return math.atanh(number)


@excel("ACOTH(number: number) -> number")
def acoth(number: float) -> float:
    """The inverse hyperbolic cotangent of a number beyond -1 and 1."""
    if abs(number) <= 1.0:
        raise Raised(NUM)
    return math.atanh(1.0 / number)


@excel("PI() -> number")
def pi() -> float:
    """The ratio of a circle's circumference to its diameter."""
    return math.pi


@excel("DEGREES(angle: number) -> number", vector=lambda x: x * (180.0 / math.pi))
def degrees(angle: float) -> float:
    """Radians as degrees."""
    return angle * (180.0 / math.pi)


@excel("RADIANS(angle: number) -> number", vector=lambda x: x * (math.pi / 180.0))
def radians(angle: float) -> float:
    """Degrees as radians."""
    return angle * (math.pi / 180.0)
