"""Complex numbers as text, ``3+4i``: COMPLEX, IMREAL, IMSUM and their kin.

Parts are written with 15 significant digits; results take the suffix (i or j) of the arguments, which must agree.
Sources: Microsoft's pages of the functions; which error where as measured.
"""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable
from typing import Final

from sheetrun.records import dataclass
from sheetrun.runtime.coerce import general
from sheetrun.runtime.errors import DIV0, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_number
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value

_NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COMPLEX: Final = re.compile(
    rf"(?:(?P<real>[+-]?{_NUMBER})(?=[+-]|\Z))?(?:(?P<sign>[+-]?)(?P<imaginary>{_NUMBER})?(?P<unit>[ij]))?\Z"
)


@dataclass(frozen=True, slots=True)
class Complex:
    """A complex number and the suffix it was written with ("" for a real one)."""

    value: complex
    unit: str = ""


def read_complex(value: Scalar) -> Complex:
    """A number, or a text such as ``3+4i``. Raises #VALUE! for logicals, #NUM! for other text."""
    if isinstance(value, bool):
        raise Raised(VALUE)
    if not isinstance(value, str):
        return Complex(complex(strict_number(value), 0.0))
    match = _COMPLEX.match(value)
    if not value or not match:
        raise Raised(NUM)
    real = float(match["real"] or 0.0)
    imaginary = 0.0
    if match["unit"]:
        imaginary = float((match["sign"] or "") + (match["imaginary"] or "1"))
    if not (math.isfinite(real) and math.isfinite(imaginary)):
        raise Raised(NUM)
    return Complex(complex(real, imaginary), match["unit"] or "")


def write_complex(value: complex, unit: str) -> str:
    """The text of a complex number. Raises #NUM! where a part is not finite."""
    if not (math.isfinite(value.real) and math.isfinite(value.imag)):
        raise Raised(NUM)
    real, imaginary = _part(value.real), _part(value.imag)
    if value.imag == 0.0:
        return real
    if imaginary in ("1", "-1"):
        imaginary = imaginary[:-1]
    tail = imaginary + (unit or "i")
    if value.real == 0.0:
        return tail
    return real + ("" if tail[0] == "-" else "+") + tail


def _part(value: float) -> str:
    """A part as text: as everywhere, but 0.0000692442674613868 is written out (measured; 4.48088972785335E-06 is not)."""
    text = general(value)
    if text.endswith("E-05"):
        return f"{value:.19f}"
    return text


@excel("COMPLEX(real_num: strict, i_num: strict, [suffix: strict ~ None]) -> text")
def complex_(real_num: Scalar, i_num: Scalar, suffix: Scalar) -> str:
    """A complex number from its real and imaginary coefficients."""
    value = complex(strict_number(real_num), strict_number(i_num))
    if suffix not in (None, "", "i", "j") or isinstance(suffix, bool):
        raise Raised(VALUE)
    return write_complex(value, str(suffix or "i"))


@excel("IMREAL(inumber: strict) -> number")
def imreal(inumber: Scalar) -> float:
    """The real coefficient of a complex number."""
    return read_complex(inumber).value.real


@excel("IMAGINARY(inumber: strict) -> number")
def imaginary(inumber: Scalar) -> float:
    """The imaginary coefficient of a complex number."""
    return read_complex(inumber).value.imag


@excel("IMABS(inumber: strict) -> number")
def imabs(inumber: Scalar) -> float:
    """The absolute value of a complex number."""
    value = read_complex(inumber).value
    small, large = sorted((abs(value.real), abs(value.imag)))
    return large * math.sqrt(1.0 + (small / large) ** 2) if large else 0.0


@excel("IMARGUMENT(inumber: strict) -> number")
def imargument(inumber: Scalar) -> float:
    """The angle of a complex number, in radians; that of 0 is #DIV/0!."""
    value = read_complex(inumber).value
    if value == 0:
        raise Raised(DIV0)
    return math.atan2(value.imag, value.real)


@excel("IMCONJUGATE(inumber: strict) -> text")
def imconjugate(inumber: Scalar) -> str:
    """The complex conjugate."""
    number = read_complex(inumber)
    return write_complex(number.value.conjugate(), number.unit)


_LOG10_E: Final = math.log10(math.e)


def _register(name: str, summary: str, formula: Callable[[complex], complex]) -> None:
    """Registers a function of one complex number; where the formula is not defined the result is #NUM!."""

    def function(inumber: Scalar) -> str:
        number = read_complex(inumber)
        try:
            return write_complex(formula(number.value), number.unit)
        except (ValueError, ArithmeticError):
            raise Raised(NUM) from None

    function.__doc__ = summary
    excel(f"{name}(inumber: strict) -> text")(function)


def _sine(z: complex) -> complex:
    return complex(math.sin(z.real) * math.cosh(z.imag), math.cos(z.real) * math.sinh(z.imag))


def _cosine(z: complex) -> complex:
    return complex(math.cos(z.real) * math.cosh(z.imag), -math.sin(z.real) * math.sinh(z.imag))


def _sinh(z: complex) -> complex:
    return complex(math.sinh(z.real) * math.cos(z.imag), math.cosh(z.real) * math.sin(z.imag))


def _cosh(z: complex) -> complex:
    return complex(math.cosh(z.real) * math.cos(z.imag), math.sinh(z.real) * math.sin(z.imag))


def _tangent(z: complex) -> complex:
    below = math.cos(2.0 * z.real) + math.cosh(2.0 * z.imag)
    return complex(math.sin(2.0 * z.real) / below, math.sinh(2.0 * z.imag) / below)


def _cotangent(z: complex) -> complex:
    return 1.0 / _tangent(z)


def _root(z: complex) -> complex:
    """Through the polar form, as Microsoft's page defines it."""
    if z == 0:
        return 0j
    length, angle = math.sqrt(abs(z)), math.atan2(z.imag, z.real) / 2.0
    return complex(length * math.cos(angle), length * math.sin(angle))


_register("IMSIN", "The sine of a complex number.", _sine)
_register("IMCOS", "The cosine of a complex number.", _cosine)
_register("IMTAN", "The tangent of a complex number.", _tangent)
_register("IMSEC", "The secant of a complex number.", lambda z: 1.0 / _cosine(z))
_register("IMCSC", "The cosecant of a complex number.", lambda z: 1.0 / _sine(z))
_register("IMCOT", "The cotangent of a complex number.", _cotangent)
_register("IMSINH", "The hyperbolic sine of a complex number.", _sinh)
_register("IMCOSH", "The hyperbolic cosine of a complex number.", _cosh)
_register("IMSECH", "The hyperbolic secant of a complex number.", lambda z: 1.0 / _cosh(z))
_register("IMCSCH", "The hyperbolic cosecant of a complex number.", lambda z: 1.0 / _sinh(z))
_register("IMEXP", "The exponential of a complex number.", cmath.exp)
_register("IMLN", "The natural logarithm of a complex number.", cmath.log)
_register("IMLOG10", "The logarithm to base 10 of a complex number.", lambda z: cmath.log(z) * _LOG10_E)
_register("IMLOG2", "The logarithm to base 2 of a complex number.", lambda z: cmath.log(z) * _LOG10_E / math.log10(2.0))
_register("IMSQRT", "The square root of a complex number.", _root)


def _unit_of(*numbers: Complex) -> str:
    """The common suffix; #VALUE! where one is written with i and another with j."""
    units = {n.unit for n in numbers} - {""}
    if len(units) > 1:
        raise Raised(VALUE)
    return units.pop() if units else ""


@excel("IMSUB(inumber1: strict, inumber2: strict) -> text")
def imsub(inumber1: Scalar, inumber2: Scalar) -> str:
    """The difference of two complex numbers."""
    a, b = read_complex(inumber1), read_complex(inumber2)
    if {a.unit, b.unit} == {"i", "j"}:
        raise Raised(NUM)
    return write_complex(a.value - b.value, _unit_of(a, b))


@excel("IMDIV(inumber1: strict, inumber2: strict) -> text")
def imdiv(inumber1: Scalar, inumber2: Scalar) -> str:
    """The quotient of two complex numbers; #NUM! for a divisor of 0."""
    a, b = read_complex(inumber1), read_complex(inumber2)
    if b.value == 0 or {a.unit, b.unit} == {"i", "j"}:  # other functions give #VALUE! for two suffixes (measured)
        raise Raised(NUM)
    unit = _unit_of(a, b)
    return write_complex(a.value / b.value, unit)


@excel("IMPOWER(inumber: strict, number: strict) -> text")
def impower(inumber: Scalar, number: Scalar) -> str:
    """A complex number to a power, through its polar form."""
    base, exponent = read_complex(inumber), strict_number(number)
    if base.value == 0:
        if exponent <= 0.0:
            raise Raised(NUM)
        return "0"
    length = math.pow(abs(base.value), exponent)
    angle = math.atan2(base.value.imag, base.value.real) * exponent
    if not math.isfinite(angle):
        raise Raised(NUM)
    return write_complex(complex(length * math.cos(angle), length * math.sin(angle)), base.unit)


def _all_numbers(arguments: tuple[Value, ...]) -> list[Complex]:
    """Every argument, and every cell of ranges; in ranges of several cells empty ones are left out."""
    numbers = []
    for argument in arguments:
        if hasattr(argument, "arr") or isinstance(argument, Arr):
            array = Arr.of(argument)
            scalars: list[Scalar] = [v for v in array if v is not None or array.size == 1]
        else:
            scalars = [None if argument is MISSING else argument]
        for value in scalars:
            if isinstance(value, ExcelError):
                raise Raised(value)
            numbers.append(read_complex(value))
    return numbers


@excel("IMSUM(*inumbers: raw) -> text")
def imsum(*inumbers: Value) -> str:
    """The sum of complex numbers."""
    numbers = _all_numbers(inumbers)
    return write_complex(sum((n.value for n in numbers), 0j), _unit_of(*numbers))


@excel("IMPRODUCT(*inumbers: raw) -> text")
def improduct(*inumbers: Value) -> str:
    """The product of complex numbers."""
    numbers = _all_numbers(inumbers)
    result = complex(1.0, 0.0)
    for n in numbers:
        result *= n.value
    return write_complex(result, _unit_of(*numbers))
