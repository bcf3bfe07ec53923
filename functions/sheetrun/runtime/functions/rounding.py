"""Rounding: to digits, to whole numbers, to multiples; and the remainder that goes with it.

Excel rounds the decimal number that it shows, 15 significant digits, and not the binary number behind it:
``ROUND(2.675,2)`` is 2.68 and ``ROUND(1.005,2)`` is 1.01, though both are stored a little below the tie; and INT of
(10^14+0.5) is 100000000000001 (measured, Excel 2003 to 365). So whatever lies within the 15th digit of a tie or of a
whole number is decided on the decimal digits. Halves go away from zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from sheetrun.runtime.errors import DIV0, NUM, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_numbers
from sheetrun.runtime.values import Scalar

_BOX_DIV0: Final = float(DIV0)
_BOX_NUM: Final = float(NUM)

#: Numbers nearer to a tie than this part of themselves are looked at digit by digit.
_DOUBT: Final = 1e-14
_EXACT: Final = 1e15  # from here up a number has no digits behind the point
_POWERS: Final = 22  # powers of ten up to here are exact


def shown(number: float) -> float:
    """The number to 15 significant digits; a half of the last one counts up, as in 10^14+0.5."""
    if _EXACT / 10.0 <= abs(number) < _EXACT:
        return math.copysign(math.floor(abs(number) + 0.5), number)
    return float(f"{number:.14e}")


#: From each of these sizes on a number has one digit more before its point, and half of its 15th digit is ten times more.
_SIZES: Final = 10.0 ** np.arange(15)
_HALVES: Final = np.array([float(f"5e{digits - 16}") for digits in range(16)])


def _shown_at(numbers: Any, places: Any) -> Any:
    """``shown`` for numbers of up to 15 digits before their point, as far as it makes them a certain place next to them;
    ``places``: whole numbers, or such numbers and a half. Exact: two numbers that close have an exact difference, and it
    is never half of a 15th digit."""
    size = np.abs(numbers)
    far = np.abs(size - places) > _HALVES[np.searchsorted(_SIZES, size, side="right")]
    found = np.where(far, size, places)
    whole = size >= _SIZES[-1]
    found[whole] = np.floor(size[whole] + 0.5)
    return np.copysign(found, numbers)


def whole_below(number: float) -> float:
    """The largest whole number that is not above the number as shown."""
    nearest = math.floor(number + 0.5)
    if abs(number - nearest) <= _DOUBT * abs(number) or abs(number) > 1e13:
        return float(math.floor(shown(number)))
    return float(math.floor(number))


def whole_above(number: float) -> float:
    """The smallest whole number that is not below the number as shown."""
    return -whole_below(-number)


def whole_toward_zero(number: float) -> float:
    return math.copysign(whole_below(abs(number)), number) + 0.0


def whole_from_zero(number: float) -> float:
    return math.copysign(whole_above(abs(number)), number) + 0.0


def whole_nearest(number: float) -> float:
    """The nearest whole number to the number as shown; halves away from zero."""
    size = abs(number)
    if size >= _EXACT:
        return number
    up = math.floor(size + 0.5)
    if abs(size + 0.5 - up) <= _DOUBT * size or abs(up + 0.5 - size) <= _DOUBT * size or size > 1e13:
        up = math.floor(shown(size) + 0.5)
    return math.copysign(up, number) + 0.0


#: Rounds numbers of which the sizes are given too, and whether any is below 0; and how far each is from the place where
#: the result changes, 0 to 1.
_Quick = Callable[[Any, Any, bool], tuple[Any, Any]]
_Ends = tuple[float, float]


def _many(one: Callable[[float], float], quick: _Quick, offset: float) -> Callable[..., Any]:
    """``one`` for an array: ``quick`` where there is no doubt. Doubtful: near a whole number plus ``offset``."""

    def rounded(numbers: Any, ends: _Ends | None = None) -> Any:
        """``ends``: the least and the greatest of the numbers and 0, if they are known."""
        low, high = _ends_of(numbers) if ends is None else ends
        negative = not low >= 0.0  # or not known, beside a NaN
        size = np.abs(numbers) if negative else numbers
        out, rest = quick(numbers, size, negative)
        most = max(high, -low)
        if most <= 1e13:  # and no NaN
            doubtful = 2.0 * _DOUBT * most
            if rest.min(initial=0.5) > doubtful and rest.max(initial=0.5) < 1.0 - doubtful:
                return out
        places = np.floor(size + offset + 0.5) - offset
        doubt = (np.abs(size - places) <= _DOUBT * size) & (numbers != out) | (size > 1e13)
        long = size >= _EXACT
        decided = doubt & ~long
        sure = _shown_at(numbers[decided], places[decided])
        out[decided], _ = quick(sure, np.abs(sure), True)
        for at in zip(*np.nonzero(doubt & long), strict=True):
            if math.isfinite(numbers[at]):
                out[at] = one(float(numbers[at]))
        return out

    return rounded


def _ends_of(numbers: Any) -> _Ends:
    return numbers.min(initial=0.0), numbers.max(initial=0.0)


def _below(numbers: Any, _size: Any, _negative: bool) -> tuple[Any, Any]:
    out = np.floor(numbers)
    return out, numbers - out


def _above(numbers: Any, _size: Any, _negative: bool) -> tuple[Any, Any]:
    out = np.ceil(numbers)
    return out, out - numbers


def _toward_zero(numbers: Any, _size: Any, negative: bool) -> tuple[Any, Any]:
    out = np.trunc(numbers)
    rest = numbers - out
    return out, np.abs(rest, out=rest) if negative else rest


def _from_zero(numbers: Any, size: Any, negative: bool) -> tuple[Any, Any]:
    out = np.ceil(size)
    rest = out - size
    return _signed(out, numbers, negative), rest


def _nearest(numbers: Any, size: Any, negative: bool) -> tuple[Any, Any]:
    rest = size + 0.5
    out = np.floor(rest)
    rest -= out
    return _signed(out, numbers, negative), rest


def _signed(sizes: Any, numbers: Any, negative: bool) -> Any:
    """With the signs of other numbers, which takes long."""
    return np.copysign(sizes, numbers, out=sizes) if negative else sizes


wholes_below: Final = _many(whole_below, _below, 0.0)
wholes_above: Final = _many(whole_above, _above, 0.0)
wholes_toward_zero: Final = _many(whole_toward_zero, _toward_zero, 0.0)
wholes_from_zero: Final = _many(whole_from_zero, _from_zero, 0.0)
wholes_nearest: Final = _many(whole_nearest, _nearest, 0.5)


def to_digits(number: float, digits: float, whole: Callable[[float], float]) -> float:
    """A number rounded by ``whole`` at a decimal place; digits below 0 are places before the point."""
    places = math.trunc(digits)
    if places > 300 or number == 0.0:
        return number
    if places >= 0:
        if places <= _POWERS:
            power = 10.0**places
            scaled = number * power
            return number if abs(scaled) >= _EXACT else whole(scaled) / power
        scaled = float(f"{number!r}e{places}") if "e" not in repr(number) else number * 10.0**places
        return number if not abs(scaled) < _EXACT else float(f"{whole(scaled):.0f}e-{places}")
    if places < -308:
        return 0.0 if whole is not whole_from_zero else _too_large()
    return whole(number / 10.0**-places) * 10.0**-places


def _too_large() -> float:
    raise Raised(NUM)


def _digits_many(one: Callable[[float], float], whole: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def rounded(numbers: Any, digits: Any) -> Any:
        if digits.size == 1 and -_POWERS <= digits.flat[0] <= _POWERS:
            places = math.trunc(digits.flat[0])
            power = 10.0 ** abs(places)
            if places < 0:
                return whole(numbers / power) * power
            scaled = numbers * power
            low, high = ends = _ends_of(scaled)
            if low > -_EXACT and high < _EXACT:
                return np.divide(found := whole(scaled, ends), power, out=found)
            large = np.abs(scaled) >= _EXACT
            out = whole(np.where(large, 0.0, scaled)) / power
            return np.where(large, numbers, out)
        numbers, digits = np.broadcast_arrays(numbers, digits)
        out = np.empty(numbers.shape)
        for at, (number, place) in enumerate(zip(numbers.ravel().tolist(), digits.ravel().tolist(), strict=True)):
            try:
                out.flat[at] = to_digits(number, place, one) if math.isfinite(number + place) else math.nan
            except Raised as stop:
                out.flat[at] = float(stop.error)
        return out

    return rounded


@excel("ROUND(number: number, digits: number) -> number", vector=_digits_many(whole_nearest, wholes_nearest))
def round_(number: float, digits: float) -> float:
    """A number rounded to digits behind the point, halves away from zero."""
    return to_digits(number, digits, whole_nearest)


@excel("ROUNDUP(number: number, digits: number) -> number", vector=_digits_many(whole_from_zero, wholes_from_zero))
def roundup(number: float, digits: float) -> float:
    """A number rounded to digits behind the point, away from zero."""
    return to_digits(number, digits, whole_from_zero)


_down = _digits_many(whole_toward_zero, wholes_toward_zero)


@excel("ROUNDDOWN(number: number, digits: number) -> number", vector=_down)
def rounddown(number: float, digits: float) -> float:
    """A number cut off at digits behind the point."""
    return to_digits(number, digits, whole_toward_zero)


@excel("TRUNC(number: number, [digits: number = 0]) -> number", vector=_down)
def trunc(number: float, digits: float = 0.0) -> float:
    """A number cut off at digits behind the point (none when left out)."""
    return to_digits(number, digits, whole_toward_zero)


@excel("INT(number: number) -> number", vector=wholes_below)
def int_(number: float) -> float:
    """The largest whole number that is not above a number."""
    return whole_below(number)


@excel("EVEN(number: number) -> number", vector=lambda x: 2.0 * wholes_from_zero(x / 2.0))
def even(number: float) -> float:
    """The next even whole number, away from zero."""
    return 2.0 * whole_from_zero(number / 2.0)


@excel("ODD(number: number) -> number")
def odd(number: float) -> float:
    """The next odd whole number, away from zero; 0 becomes 1."""
    size = max(1.0, 2.0 * whole_above((abs(number) - 1.0) / 2.0) + 1.0)
    return -size if number < 0.0 else size


# -- multiples -------------------------------------------------------------------------------------------------------


def _multiple(number: float, significance: float, whole: Callable[[float], float]) -> float:
    """A multiple of ``significance``; the quotient as shown decides, so FLOOR(7.1,0.1) is 7.1."""
    return _clean(whole(number / significance), significance)


def _clean(count: float, significance: float) -> float:
    """``count`` times a decimal number without the dust that binary multiplication leaves (3 × 0.1 is 0.3)."""
    return shown(count * significance) if not float(significance).is_integer() else count * significance


@excel("CEILING(number: number, significance: number) -> number")
def ceiling(number: float, significance: float) -> float:
    """A number rounded away from zero to a multiple; a negative number with a positive multiple goes up."""
    if number == 0.0 or significance == 0.0:
        return 0.0
    if number > 0.0 > significance:
        raise Raised(NUM)
    return _multiple(number, significance, whole_above)


@excel("FLOOR(number: number, significance: number) -> number")
def floor(number: float, significance: float) -> float:
    """A number rounded toward zero to a multiple; a negative number with a positive multiple goes down."""
    if number == 0.0:
        return 0.0
    if significance == 0.0:
        raise Raised(DIV0)
    if number > 0.0 > significance:
        raise Raised(NUM)
    return _multiple(number, significance, whole_below)


@excel("CEILING.MATH(number: number, [significance: number ~ None], [mode: number = 0]) -> number")
def ceiling_math(number: float, significance: float | None = None, mode: float = 0.0) -> float:
    """A number rounded up to a multiple; with a mode, negative numbers go away from zero."""
    step = 1.0 if significance is None else abs(significance)
    if number == 0.0 or step == 0.0:
        return 0.0
    return _multiple(number, step, whole_from_zero if mode != 0.0 and number < 0.0 else whole_above)


@excel("FLOOR.MATH(number: number, [significance: number ~ None], [mode: number = 0]) -> number")
def floor_math(number: float, significance: float | None = None, mode: float = 0.0) -> float:
    """A number rounded down to a multiple; with a mode, negative numbers go toward zero."""
    step = 1.0 if significance is None else abs(significance)
    if number == 0.0 or step == 0.0:
        return 0.0
    return _multiple(number, step, whole_toward_zero if mode != 0.0 and number < 0.0 else whole_below)


@excel("CEILING.PRECISE(number: number, [significance: number ~ 1]) -> number", also=("ISO.CEILING", "ECMA.CEILING"))
def ceiling_precise(number: float, significance: float = 1.0) -> float:
    """A number rounded up to a multiple, whatever the signs."""
    if number == 0.0 or significance == 0.0:
        return 0.0
    return _multiple(number, abs(significance), whole_above)


@excel("FLOOR.PRECISE(number: number, [significance: number ~ 1]) -> number")
def floor_precise(number: float, significance: float = 1.0) -> float:
    """A number rounded down to a multiple, whatever the signs."""
    if number == 0.0 or significance == 0.0:
        return 0.0
    return _multiple(number, abs(significance), whole_below)


@excel("MROUND(number: strict, multiple: strict) -> number")
def mround(number: Scalar, multiple: Scalar) -> float:
    """A number rounded to the nearest multiple, halves away from zero; #NUM! when the signs differ.

    Microsoft ("MROUND function") warns that decimal multiples may go either way at a tie: MROUND(6.05,0.1) is 6 and
    MROUND(7.05,0.1) is 7.1, for here the binary quotient decides.
    """
    x, step = strict_numbers(number, multiple)
    if x == 0.0 or step == 0.0:
        return 0.0
    if (x > 0.0) != (step > 0.0):
        raise Raised(NUM)
    return _clean(math.floor(x / step + 0.5), step)


# -- quotients -------------------------------------------------------------------------------------------------------

#: Quotients from here up are #NUM! (Microsoft, "MOD function returns #NUM!", 1125900906842624 since Excel 2010).
_LARGEST_QUOTIENT: Final = 1125900906842624.0


def _mod_many(number: Any, divisor: Any) -> Any:
    out = np.where(np.abs(number / divisor) >= _LARGEST_QUOTIENT, _BOX_NUM, np.mod(number, divisor))
    return np.where(divisor == 0.0, _BOX_DIV0, out)


@excel("MOD(number: number, divisor: number) -> number", vector=_mod_many)
def mod(number: float, divisor: float) -> float:
    """The remainder of a division, with the sign of the divisor.

    It is the exact remainder of the binary numbers since Excel 2010: MOD(0.9,0.3) is 5.55E-17, MOD(2.5,0.02) is 0.02.
    """
    if divisor == 0.0:
        raise Raised(DIV0)
    if abs(number / divisor) >= _LARGEST_QUOTIENT:
        raise Raised(NUM)
    rest = math.fmod(number, divisor)
    return rest + divisor if rest and (rest < 0.0) != (divisor < 0.0) else rest + 0.0


@excel("QUOTIENT(numerator: strict, denominator: strict) -> number")
def quotient(numerator: Scalar, denominator: Scalar) -> float:
    """The whole part of a division."""
    above, below = strict_numbers(numerator, denominator)
    if below == 0.0:
        raise Raised(DIV0)
    return whole_toward_zero(above / below)
