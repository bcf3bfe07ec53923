"""Coercions between Excel's types, one scalar at a time: to number, text, logical.

Sources: Microsoft, "Calculation operators and precedence in Excel" (type conversion); measured behaviour of the en-US
locale for text that reads as a number, date, time, currency, fraction or percentage (the VALUE rules).
"""

from __future__ import annotations

import math
import re
from typing import Final

from sheetrun.runtime.errors import NUM, VALUE, ExcelError
from sheetrun.runtime.values import Missing, Scalar

_BOXED_VALUE: Final = float(VALUE)
_PLAIN = re.compile(r"[ \t\n\xa0]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?[ \t\n\xa0]*\Z", re.ASCII)


def number_in_text(text: str) -> float:
    """What a text reads as in arithmetic: its number, or a boxed #VALUE!."""
    if _PLAIN.match(text):
        value = float(text)
        return value if math.isfinite(value) else _BOXED_VALUE
    from sheetrun.runtime.reading import read_number

    found = read_number(text)
    return _BOXED_VALUE if found is None else found


def to_number(value: Scalar) -> float | ExcelError:
    """As an operand of arithmetic: empty is 0, TRUE is 1, text is read or #VALUE!."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[return-value]
    if value is None:
        return 0.0
    if kind is bool:
        return 1.0 if value else 0.0
    if kind is str:
        found = number_in_text(value)  # type: ignore[arg-type]
        return found if found == found else VALUE
    if isinstance(value, ExcelError):
        return value
    if isinstance(value, Missing):
        return 0.0
    return VALUE if callable(value) else float(value)


def to_logical(value: Scalar) -> bool | ExcelError:
    """As a condition: numbers are true unless 0, empty is FALSE, TRUE and FALSE as words, other text is #VALUE!."""
    kind = type(value)
    if kind is bool:
        return value  # type: ignore[return-value]
    if kind is float:
        return value != 0.0
    if value is None or isinstance(value, Missing):
        return False
    if kind is str:
        word = value.upper()  # type: ignore[union-attr]
        if word == "TRUE":
            return True
        return False if word == "FALSE" else VALUE
    if isinstance(value, ExcelError):
        return value
    return VALUE if callable(value) else bool(value)


def to_text(value: Scalar) -> str | ExcelError:
    """As an operand of ``&``: numbers in General format, empty is "", logicals are TRUE and FALSE."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is float:
        return general(value) if math.isfinite(value) else NUM  # type: ignore[arg-type]
    if value is None or isinstance(value, Missing):
        return ""
    if kind is bool:
        return "TRUE" if value else "FALSE"
    if isinstance(value, ExcelError):
        return value
    return VALUE if callable(value) else general(float(value))


def general(value: float) -> str:
    """A number as text, 15 significant digits; scientific where plain digits take more than 20 characters.

    Excel: ``=1E20&""`` gives 1E+20, ``=123456789012345678&""`` gives 123456789012346000, ``=1E-18&""`` gives
    0.000000000000000001, ``=1E-20&""`` gives 1E-20.
    """
    if value == 0.0:
        return "0"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    digits, exponent_text = f"{abs(value):.14e}".split("e")
    exponent = int(exponent_text)
    mantissa = digits.replace(".", "").rstrip("0") or "0"
    sign = "-" if value < 0 else ""
    if exponent >= 20 or (exponent < 0 and len("0.") + len(mantissa) - 1 - exponent > 20):
        body = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
        return f"{sign}{body}E{'+' if exponent >= 0 else '-'}{abs(exponent):02d}"
    if exponent >= 0:
        whole = mantissa[: exponent + 1].ljust(exponent + 1, "0")
        fraction = mantissa[exponent + 1 :]
        return sign + whole + ("." + fraction if fraction else "")
    return sign + "0." + "0" * (-exponent - 1) + mantissa
