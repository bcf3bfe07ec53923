"""CONVERT: a number from one unit to another. The units are in ``runtime.units``."""

from __future__ import annotations

from sheetrun.runtime.errors import NA, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_number
from sheetrun.runtime.units import find_unit
from sheetrun.runtime.values import Scalar


@excel("CONVERT(number: strict, from_unit: text, to_unit: text) -> number")
def convert(number: Scalar, from_unit: str, to_unit: str) -> float:
    """A number in one unit of measure as a number in another; #N/A for unknown units and unlike ones."""
    value = strict_number(number)
    source, target = find_unit(from_unit), find_unit(to_unit)
    if source is None or target is None or source.measures != target.measures:
        raise Raised(NA)
    if source == target:
        return value
    if source.zero or target.zero:
        return (value + source.zero) * source.factor / target.factor - target.zero
    return value * source.factor / target.factor
