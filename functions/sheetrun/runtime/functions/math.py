"""Powers, logarithms, whole numbers, combinations, random numbers and number systems."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from sheetrun.runtime import powers
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import DIV0, NA, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.ops import power_arrays, raised
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_number, strict_numbers
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value, common_shape

_BOX_DIV0: Final = float(DIV0)
_BOX_NUM: Final = float(NUM)

#: Whole numbers of GCD, LCM and kin are below this (Microsoft, "GCD function": #NUM! from 2^53 up).
_LARGEST_WHOLE: Final = 2.0**53


@excel("ABS(number: number) -> number", vector=np.abs)
def abs_(number: float) -> float:
    """The size of a number, without its sign."""
    return abs(number)


@excel("SIGN(number: number) -> number", vector=np.sign)
def sign(number: float) -> float:
    """1, 0 or -1: the sign of a number."""
    return float((number > 0.0) - (number < 0.0))


@excel("SQRT(number: number) -> number", vector=np.sqrt)
def sqrt(number: float) -> float:
    """The square root; #NUM! of a negative number."""
    return math.sqrt(_not_negative(number))


@excel("SQRTPI(number: strict) -> number")
def sqrtpi(number: Scalar) -> float:
    """The square root of a number times pi."""
    return math.sqrt(_not_negative(strict_number(number)) * math.pi)


def _not_negative(number: float) -> float:
    if number < 0.0:
        raise Raised(NUM)
    return number


@excel("EXP(number: number) -> number", vector=powers.exps)
def exp(number: float) -> float:
    """e raised to a power."""
    found = math.exp(number)
    return found if found >= sys.float_info.min else 0.0


@excel("LN(number: number) -> number", vector=lambda x: np.where(x > 0.0, powers.logs(x), _BOX_NUM))
def ln(number: float) -> float:
    """The natural logarithm of a number above 0."""
    return math.log(_positive(number))


@excel("LOG10(number: number) -> number", vector=lambda x: np.where(x > 0.0, powers.logs10(x), _BOX_NUM))
def log10(number: float) -> float:
    """The logarithm to base 10 of a number above 0."""
    return math.log10(_positive(number))


def _log_many(number: Any, base: Any) -> Any:
    found = np.where(base == 10.0, powers.logs10(number), powers.logs(number) / powers.logs(base))
    found = np.where(base == 1.0, _BOX_DIV0, found)
    return np.where((number > 0.0) & (base > 0.0), found, _BOX_NUM)


@excel("LOG(number: number, [base: number = 10]) -> number", vector=_log_many)
def log(number: float, base: float = 10.0) -> float:
    """The logarithm to a base (10 when left out)."""
    _positive(base)
    if base == 10.0:
        return math.log10(_positive(number))
    return math.log(_positive(number)) / math.log(base)


def _positive(number: float) -> float:
    if number <= 0.0:
        raise Raised(NUM)
    return number


@excel("POWER(number: number, power: number) -> number", vector=power_arrays)
def power(number: float, power: float) -> float | ExcelError:
    """A number raised to a power, as by ``^``; 0 to the power of 0 is #NUM!, odd roots of negative numbers are real."""
    return raised(number, power)


# -- whole numbers ---------------------------------------------------------------------------------------------------


def _wholes(values: tuple[Value, ...]) -> list[int]:
    """All numbers of the arguments, cut off to whole ones from 0 to 2^53; a text is read or #VALUE!.

    Measured: nothing but single empty cells is #VALUE!, other single empty cells do not count, an empty cell of a larger
    range is 0, an argument left empty is #N/A.
    """
    found: list[float] = []
    for value in values:
        for each in value if isinstance(value, Arr) else (value,):
            if each is None:
                if isinstance(value, Arr) and value.size > 1:
                    found.append(0.0)
                continue
            number = NA if each is MISSING else VALUE if isinstance(each, bool) else to_number(each)
            if isinstance(number, ExcelError):
                raise Raised(number)
            found.append(number)
    if found:
        if not all(0.0 <= number < _LARGEST_WHOLE for number in found):
            raise Raised(NUM)
        return [int(number) for number in found]
    if all(not isinstance(value, Arr) or value.size == 1 for value in values):
        raise Raised(VALUE)
    return [0]


@excel("GCD(*numbers: values) -> number")
def gcd(*numbers: Value) -> float:
    """The greatest common divisor of whole numbers."""
    return float(math.gcd(*_wholes(numbers)))


@excel("LCM(*numbers: values) -> number")
def lcm(*numbers: Value) -> float:
    """The least common multiple of whole numbers; #NUM! from 2^53 up."""
    found = math.lcm(*_wholes(numbers))
    if found >= _LARGEST_WHOLE:
        raise Raised(NUM)
    return float(found)


@excel("FACT(number: number) -> number")
def fact(number: float) -> float:
    """The factorial of a whole number from 0 to 170."""
    if not 0.0 <= number < 171.0:
        raise Raised(NUM)
    return float(math.factorial(int(number)))


@excel("FACTDOUBLE(number: strict) -> number")
def factdouble(number: Scalar) -> float:
    """The product of every second whole number down from a number; 1 for -1 and 0."""
    value = strict_number(number)
    if not -1.0 <= value < 301.0:
        raise Raised(NUM)
    n = math.trunc(value)
    return float(math.prod(range(n, 0, -2)))


def _chosen(number: float, chosen: float) -> tuple[int, int]:
    n, k = math.trunc(number), math.trunc(chosen)
    if n < 0 or k < 0:
        raise Raised(NUM)
    if n >= 2**31 or k >= 2**31:
        raise Raised(NUM)
    return n, k


@excel("COMBIN(number: number, chosen: number) -> number")
def combin(number: float, chosen: float) -> float:
    """How many ways there are to choose some of a number of things."""
    n, k = _chosen(number, chosen)
    if k > n:
        raise Raised(NUM)
    return ways(n, k)


def ways(n: int, k: int) -> float:
    """n over k as a float; #NUM! where it overflows."""
    k = min(k, n - k)
    if k > 1100 and n > 1100:  # its smallest value already overflows
        raise Raised(NUM)
    return float(math.comb(n, k))


@excel("COMBINA(number: number, chosen: number) -> number")
def combina(number: float, chosen: float) -> float:
    """How many ways there are to choose when each thing may be chosen again."""
    n, k = _chosen(number, chosen)
    if n == 0:
        if k:
            raise Raised(NUM)
        return 1.0
    return ways(n + k - 1, k)


@excel("PERMUT(number: number, chosen: number) -> number")
def permut(number: float, chosen: float) -> float:
    """How many ordered choices there are of some of a number of things."""
    n, k = _chosen(number, chosen)
    if n <= 0 or k > n:
        raise Raised(NUM)
    if k > 170 and n > 170:
        raise Raised(NUM)
    return float(math.perm(n, k))


@excel("PERMUTATIONA(number: number, chosen: number) -> number")
def permutationa(number: float, chosen: float) -> float:
    """How many ordered choices there are when each thing may be chosen again."""
    n, k = _chosen(number, chosen)
    return math.pow(float(n), float(k))


@excel("MULTINOMIAL(*numbers: values) -> number")
def multinomial(*numbers: Value) -> float:
    """The factorial of a sum over the product of the factorials."""
    found, sum_ = 1, 0
    for n in _wholes(numbers):
        sum_ += n
        if sum_ > 100_000:
            raise Raised(NUM)
        found *= math.comb(sum_, n)
    return float(found)


@excel("SERIESSUM(x: strict, n: strict, m: strict, coefficients: array) -> number")
def seriessum(base: Scalar, first: Scalar, step: Scalar, coefficients: Arr) -> float:
    """The sum of a power series: coefficients times x to the powers n, n+m, n+2m, …"""
    x, n, m = strict_numbers(base, first, step)
    sum_ = 0.0
    for i, each in enumerate(coefficients):
        if isinstance(each, ExcelError):
            raise Raised(each)
        if not isinstance(each, float):
            raise Raised(VALUE)
        power_ = n + i * m
        if x == 0.0 and power_ <= 0.0:
            raise Raised(DIV0 if power_ else NUM)
        if x < 0.0 and not power_.is_integer():
            raise Raised(NUM)
        sum_ += each * (1.0 if power_ == 0.0 else math.pow(x, power_))
    return sum_


# -- random numbers --------------------------------------------------------------------------------------------------


@excel("RAND(host: host) -> number", draws=True)
def rand(host: Ref) -> float:
    """A random number from 0 up to, but not including, 1."""
    return host.book.random()


def _written_bound(value: Value) -> Value:
    """One text or logical for all cells as its number or error; anything else as it is."""
    try:
        return strict_number(value) if isinstance(value, str | bool) else value
    except Raised as stop:
        return stop.error


def _between_each(host: Ref, bottom: Value, top: Value) -> Arr | None:
    """RANDBETWEEN over numbers and errors: as one by one, in their order."""
    sides = [Arr.of(_written_bound(side)) for side in (bottom, top)]
    if not all(side.plain() for side in sides):
        return None
    shape = common_shape(sides)
    least, most = (side.expanded(shape).num.ravel() for side in sides)
    out = np.where(np.isnan(least), least, np.where(np.isnan(most), most, float(NUM)))
    drawn = np.flatnonzero(least <= most)
    low, high = np.ceil(least[drawn]), np.ceil(most[drawn])
    draws = np.fromiter((host.book.random() for _ in range(len(drawn))), np.float64, len(drawn))
    found = low + np.floor(draws * (high - low + 1.0))
    for i in np.flatnonzero(np.maximum(np.abs(low), np.abs(high)) >= _LARGEST_WHOLE / 2.0):  # not exact in floats
        try:
            found[i] = _between(float(low[i]), float(high[i]), float(draws[i]))
        except OverflowError:
            found[i] = float(NUM)
    out[drawn] = found
    return Arr(out.reshape(shape))


@excel("RANDBETWEEN(host: host, bottom: strict, top: strict) -> number", whole=_between_each, draws=True)
def randbetween(host: Ref, bottom: Scalar, top: Scalar) -> float:
    """A random whole number between two numbers."""
    least, most = strict_numbers(bottom, top)
    if least > most:
        raise Raised(NUM)
    return _between(least, most, host.book.random())


def _between(least: float, most: float, draw: float) -> float:
    low, high = math.ceil(least), math.ceil(most)
    return float(low + math.floor(draw * (high - low + 1)))


# -- number systems --------------------------------------------------------------------------------------------------

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@excel("BASE(number: number, radix: number, [length: number = 0]) -> text")
def base(number: float, radix: float, length: float = 0.0) -> str:
    """A number as text in a number system of base 2 to 36, padded with zeros."""
    n, r, least = math.trunc(number), math.trunc(radix), math.trunc(length)
    if not 0 <= n < _LARGEST_WHOLE or not 2 <= r <= 36 or not 0 <= least <= 255:
        raise Raised(NUM)
    digits = ""
    while n:
        n, digit = divmod(n, r)
        digits = _DIGITS[digit] + digits
    return (digits or ("0" if least == 0 else "")).rjust(least, "0")


@excel("DECIMAL(text: text, radix: number) -> number")
def decimal(text: str, radix: float) -> float:
    """The number that a text stands for in a number system of base 2 to 36."""
    r = math.trunc(radix)
    if len(text) > 255:
        raise Raised(VALUE)
    if not 2 <= r <= 36:
        raise Raised(NUM)
    digits = text.strip(" ").upper()
    if (r == 16 and digits.startswith("0X")) or (r == 2 and digits.startswith("0B")):
        digits = digits[2:]
    elif (r == 16 and digits.endswith("H")) or (r == 2 and digits.endswith("B")):
        digits = digits[:-1]
    number = 0
    for digit in digits:
        place = _DIGITS.find(digit)
        if not 0 <= place < r:
            raise Raised(NUM)
        number = number * r + place
    return float(number)


_ROMAN: Final = (("M", 1000), ("D", 500), ("C", 100), ("L", 50), ("X", 10), ("V", 5), ("I", 1))
_ROMAN_VALUES: Final = dict(_ROMAN)


@excel("ROMAN(number: number, [form: scalar = 0]) -> text")
def roman(number: float, form: Any = 0.0) -> str:
    """A number from 0 to 3999 in Roman numerals, from classic (form 0 or TRUE) to most concise (4 or FALSE)."""
    n = math.trunc(number)
    if isinstance(form, bool):
        concise = 0 if form else 4
    else:
        found = to_number(form)
        if isinstance(found, ExcelError):
            raise Raised(found)
        concise = math.trunc(found)
    if not 0 <= n <= 3999 or not 0 <= concise <= 4:
        raise Raised(VALUE)
    return "".join(_roman_parts(n, concise))


def _roman_parts(n: int, concise: int) -> Iterable[str]:
    """Rank by rank, thousands first. A 4 or a 9 is a smaller letter before a larger one.

    Each degree of conciseness lets that be one letter smaller yet, where it still fits (Microsoft, "ROMAN function":
    499 is CDXCIX, LDVLIV, XDIX, VDIV, ID).
    """
    for rank in range(0, len(_ROMAN), 2):
        digit, rest = divmod(n, _ROMAN[rank][1])
        if digit % 5 != 4:
            if digit >= 5:
                yield _ROMAN[rank - 1][0]
            yield _ROMAN[rank][0] * (digit % 5)
            n = rest
            continue
        large, value = _ROMAN[rank - 1 if digit == 4 else rank - 2]
        small = rank
        while small - rank < concise and small + 1 < len(_ROMAN) and value - _ROMAN[small + 1][1] <= n:
            small += 1
        yield _ROMAN[small][0] + large
        n -= value - _ROMAN[small][1]


@excel("ARABIC(text: text) -> number")
def arabic(text: str) -> float:
    """The number that Roman numerals stand for; no text is 0, a minus in front makes it negative."""
    letters = text.strip(" ").upper()
    if len(letters) > 255:
        raise Raised(VALUE)
    sign_ = 1.0
    if letters.startswith("-"):
        sign_, letters = -1.0, letters[1:]
    number = before = 0
    for letter in reversed(letters):
        value = _ROMAN_VALUES.get(letter)
        if value is None:
            raise Raised(VALUE)
        number += value if value >= before else -value
        before = max(before, value)
    return sign_ * number
