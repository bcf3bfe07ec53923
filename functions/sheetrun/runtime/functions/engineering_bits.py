"""Bits of whole numbers below 2^48: BITAND, BITOR, BITXOR and the shifts; DELTA and GESTEP; the error function."""

from __future__ import annotations

import math
from typing import Final

from sheetrun.runtime.errors import NUM, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_number
from sheetrun.runtime.values import Missing, Scalar

_LIMIT: Final = 1 << 48
_FURTHEST: Final = 53


def _bits(value: float) -> int:
    """A whole number that fits into 48 bits. Raises #NUM!."""
    if not 0.0 <= value < _LIMIT or not value.is_integer():
        raise Raised(NUM)
    return int(value)


@excel("BITAND(number1: number, number2: number) -> number")
def bitand(number1: float, number2: float) -> int:
    """The bits that both numbers have."""
    return _bits(number1) & _bits(number2)


@excel("BITOR(number1: number, number2: number) -> number")
def bitor(number1: float, number2: float) -> int:
    """The bits that either number has."""
    return _bits(number1) | _bits(number2)


@excel("BITXOR(number1: number, number2: number) -> number")
def bitxor(number1: float, number2: float) -> int:
    """The bits that one of the numbers has and the other has not."""
    return _bits(number1) ^ _bits(number2)


def _shifted(number: int, left: int) -> int:
    if abs(left) > _FURTHEST:
        raise Raised(NUM)
    result = number << left if left >= 0 else number >> -left
    if result >= _LIMIT:
        raise Raised(NUM)
    return result


@excel("BITLSHIFT(number: number, shift_amount: integer) -> number")
def bitlshift(number: float, shift: int) -> int:
    """A number with its bits moved to the left; a negative amount moves them to the right."""
    return _shifted(_bits(number), shift)


@excel("BITRSHIFT(number: number, shift_amount: integer) -> number")
def bitrshift(number: float, shift: int) -> int:
    """A number with its bits moved to the right; a negative amount moves them to the left."""
    return _shifted(_bits(number), -shift)


@excel("DELTA(number1: strict, [number2: strict = 0]) -> number")
def delta(number1: Scalar, number2: Scalar) -> float:
    """1 where two numbers are equal, else 0."""
    return float(strict_number(number1) == strict_number(number2))


@excel("GESTEP(number: strict, [step: strict = 0]) -> number")
def gestep(number: Scalar, step: Scalar) -> float:
    """1 where a number is not less than a step, else 0."""
    return float(strict_number(number) >= strict_number(step))


@excel("ERF(lower_limit: strict, [upper_limit: strict = MISSING]) -> number")
def erf(lower: Scalar, upper: Scalar | Missing) -> float:
    """The error function between 0 and a limit, or between two limits."""
    first = strict_number(lower)
    if isinstance(upper, Missing):
        return math.erf(first)
    last = strict_number(upper)
    return math.erf(last) - math.erf(first)


@excel("ERF.PRECISE(x: strict) -> number")
def erf_precise(x: Scalar) -> float:
    """The error function between 0 and a limit."""
    return math.erf(strict_number(x))


@excel("ERFC(x: strict) -> number", also=("ERFC.PRECISE",))
def erfc(x: Scalar) -> float:
    """The complementary error function."""
    return math.erfc(strict_number(x))
