"""Arguments of what was once the Analysis ToolPak: a logical is no number there, dates are whole days.

Measured: ``=ERF(TRUE)`` and ``=DEC2BIN(TRUE)`` are #VALUE!, where ``=SIN(TRUE)`` is not; empty cells count as 0.
"""

from __future__ import annotations

import math

from sheetrun.runtime.calendar import to_1900
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.values import Scalar


def strict_number(value: Scalar) -> float:
    """A number, or a text that reads as one. Raises #VALUE! for logicals and other text."""
    if type(value) is float:
        return value
    if type(value) is bool:
        raise Raised(VALUE)
    found = to_number(value)
    if isinstance(found, ExcelError):
        raise Raised(found)
    return found


def strict_numbers(*values: Scalar) -> tuple[float, ...]:
    return tuple(strict_number(v) for v in values)


def strict_integer(value: Scalar) -> int:
    """``strict_number`` without its fraction."""
    return math.trunc(strict_number(value))


def strict_date(value: Scalar) -> int:
    """A date as a whole serial of the 1900 system. Raises #NUM! outside the calendar."""
    number = strict_number(value)
    if not -1.0 < number < 1e10:
        raise Raised(NUM)
    return to_1900(math.trunc(number))
