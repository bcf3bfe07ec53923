"""An argument as the kind of its parameter wants it (see ``signatures``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sheetrun.runtime.coerce import to_logical, to_number, to_text
from sheetrun.runtime.errors import NA, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.lifting import ARRAYS
from sheetrun.runtime.signatures import Parameter
from sheetrun.runtime.tails import Tailed
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value

T = TypeVar("T")


def coercer(parameter: Parameter, treat: Callable[[Tailed], Value], *, whole_columns: bool) -> Callable[[Value], Any]:
    """What makes an argument into what the parameter wants, or raises Raised.

    ``treat``: what becomes of an array with a tail. ``whole_columns``: of a reference all cells count.
    """
    if parameter.kind == "strict" and not parameter.optional:
        return _needed
    plain = _COERCE[parameter.kind]
    if parameter.kind not in ("array", "values"):
        return plain

    whole = parameter.kind == "array" and whole_columns

    def coerced(value: Value) -> Any:
        if whole and hasattr(value, "whole"):
            value = value.whole()
        return treat(value) if type(value) is Tailed else plain(value)

    return coerced


def _scalar_of(value: Value) -> Scalar:
    if hasattr(value, "arr"):  # a Ref in a scalar place: one cell, or the caller has intersected already
        return value.arr().cell(0, 0)  # type: ignore[no-any-return]
    if callable(value):  # a LAMBDA where a value is wanted
        return VALUE
    scalar: Scalar = None if value is MISSING else value
    return scalar if type(scalar) is not float or scalar - scalar == 0.0 else NUM


def _fine(found: T | ExcelError) -> T:
    """What was found. Raises it where it is an error."""
    if isinstance(found, ExcelError):
        raise Raised(found)
    return found


def _number(value: Value) -> float:
    if type(value) is float:
        return value
    return _fine(to_number(_scalar_of(value)))


def _integer(value: Value) -> int:
    return math.trunc(_number(value))


def _text(value: Value) -> str:
    if type(value) is str:
        return value
    return _fine(to_text(_scalar_of(value)))


def _logical(value: Value) -> bool:
    return _fine(to_logical(_scalar_of(value)))


def _scalar(value: Value) -> Scalar:
    return _fine(_scalar_of(value))


def _array(value: Value) -> Arr:
    if isinstance(value, ExcelError):  # what should be an array failed to be one
        raise Raised(value)
    if value is MISSING:
        return Arr.of(None)
    return Arr.of(value)


def _values(value: Value) -> Value:
    if type(value) in ARRAYS or hasattr(value, "arr"):
        return Arr.of(value)
    return value


def _ref(value: Value) -> Value:
    if isinstance(value, ExcelError):
        raise Raised(value)
    if not hasattr(value, "parts"):  # neither Ref nor Refs
        raise Raised(VALUE)
    return value


def _as_is(value: Value) -> Value:
    return value


def _needed(value: Value) -> Any:
    """As ``_scalar``; an argument left empty is #N/A (measured: ``MROUND(,5)``)."""
    if value is MISSING:
        raise Raised(NA)
    return _scalar(value)


_COERCE: Final[dict[str, Callable[[Value], Any]]] = {
    "number": _number,
    "integer": _integer,
    "text": _text,
    "logical": _logical,
    "scalar": _scalar,
    "strict": _scalar,
    "any": _scalar_of,
    "array": _array,
    "values": _values,
    "ref": _ref,
    "raw": _as_is,
    "lazy": _as_is,
    "host": _as_is,
}
