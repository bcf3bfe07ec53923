"""Numbers in bases 2, 8, 10 and 16 as text, ten digits at most, negative ones as two's complement.

Source: Microsoft, "DEC2BIN function" and its kin. A number argument counts as its digits: ``=BIN2DEC(101)`` is 5.
"""

from __future__ import annotations

from typing import Final

from sheetrun.runtime.coerce import general
from sheetrun.runtime.errors import NUM, VALUE, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_integer, strict_number
from sheetrun.runtime.values import Missing, Scalar

_DIGITS: Final = "0123456789ABCDEF"
_LENGTH: Final = 10


def digits_of(value: Scalar) -> str:
    """The digits written in an argument. Raises #VALUE! for a logical."""
    if isinstance(value, bool):
        raise Raised(VALUE)
    if isinstance(value, str):
        return value
    return general(strict_number(value))


def read_digits(value: Scalar, base: int) -> int:
    """What ten digits of a base mean, the first bit being the sign. Raises #NUM! for other text."""
    text = digits_of(value).upper()
    if len(text) > _LENGTH or any(c not in _DIGITS[:base] for c in text):
        raise Raised(NUM)
    number = int(text, base) if text else 0
    whole = base**_LENGTH
    return number - whole if number >= whole // 2 else number


def _width(places: Scalar | Missing) -> int:
    """The places to fill, 0 for as many as there are; checked before the number is (measured)."""
    if isinstance(places, Missing):
        return 0
    width = strict_integer(places)
    if not 0 < width <= _LENGTH:
        raise Raised(NUM)
    return width


def write_digits(number: int, base: int, places: Scalar | Missing) -> str:
    """A number in a base, filled up with zeros to ``places``. Raises #NUM! when ten digits do not hold it."""
    whole = base**_LENGTH
    if not -(whole // 2) <= number < whole // 2:
        raise Raised(NUM)
    width = _width(places)
    if number < 0:
        return _written(number + whole, base)
    text = _written(number, base)
    if width and len(text) > width:
        raise Raised(NUM)
    return text.rjust(width, "0")


def _written(number: int, base: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, base)
        text = _DIGITS[digit] + text
    return text or "0"


@excel("BIN2DEC(number: strict) -> number")
def bin2dec(number: Scalar) -> int:
    """A binary number as a decimal one."""
    return read_digits(number, 2)


@excel("BIN2OCT(number: strict, [places: strict = MISSING]) -> text")
def bin2oct(number: Scalar, places: Scalar | Missing) -> str:
    """A binary number as an octal one."""
    return write_digits(read_digits(number, 2), 8, places)


@excel("BIN2HEX(number: strict, [places: strict = MISSING]) -> text")
def bin2hex(number: Scalar, places: Scalar | Missing) -> str:
    """A binary number as a hexadecimal one."""
    return write_digits(read_digits(number, 2), 16, places)


@excel("OCT2BIN(number: strict, [places: strict = MISSING]) -> text")
def oct2bin(number: Scalar, places: Scalar | Missing) -> str:
    """An octal number as a binary one."""
    return write_digits(read_digits(number, 8), 2, places)


@excel("OCT2DEC(number: strict) -> number")
def oct2dec(number: Scalar) -> int:
    """An octal number as a decimal one."""
    return read_digits(number, 8)


@excel("OCT2HEX(number: strict, [places: strict = MISSING]) -> text")
def oct2hex(number: Scalar, places: Scalar | Missing) -> str:
    """An octal number as a hexadecimal one."""
    return write_digits(read_digits(number, 8), 16, places)


@excel("HEX2BIN(number: strict, [places: strict = MISSING]) -> text")
def hex2bin(number: Scalar, places: Scalar | Missing) -> str:
    """A hexadecimal number as a binary one."""
    return write_digits(read_digits(number, 16), 2, places)


@excel("HEX2OCT(number: strict, [places: strict = MISSING]) -> text")
def hex2oct(number: Scalar, places: Scalar | Missing) -> str:
    """A hexadecimal number as an octal one."""
    return write_digits(read_digits(number, 16), 8, places)


@excel("HEX2DEC(number: strict) -> number")
def hex2dec(number: Scalar) -> int:
    """A hexadecimal number as a decimal one."""
    return read_digits(number, 16)


@excel("DEC2BIN(number: strict, [places: strict = MISSING]) -> text")
def dec2bin(number: Scalar, places: Scalar | Missing) -> str:
    """A decimal number (-512 to 511) as a binary one."""
    _width(places)
    return write_digits(strict_integer(number), 2, places)


@excel("DEC2OCT(number: strict, [places: strict = MISSING]) -> text")
def dec2oct(number: Scalar, places: Scalar | Missing) -> str:
    """A decimal number as an octal one."""
    _width(places)
    return write_digits(strict_integer(number), 8, places)


@excel("DEC2HEX(number: strict, [places: strict = MISSING]) -> text")
def dec2hex(number: Scalar, places: Scalar | Missing) -> str:
    """A decimal number as a hexadecimal one."""
    _width(places)
    return write_digits(strict_integer(number), 16, places)
