"""CONVERT: a number from one unit to another. The units are in ``runtime.units``."""

from __future__ import annotations

from sheetrun.runtime.errors import NA, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_number
from sheetrun.runtime.units import Unit, units_named
from sheetrun.runtime.values import Scalar


def _like_units(first: str, second: str) -> tuple[Unit, Unit]:
    """The units of two names that measure the same: "pc" is a parsec, and a picocalorie beside joules. Else #N/A."""
    for source in units_named(first):
        for target in units_named(second):
            if source.measures == target.measures:
                return source, target
    raise Raised(NA)


@excel("CONVERT(number: strict, from_unit: text, to_unit: text) -> number")
def convert(number: Scalar, from_unit: str, to_unit: str) -> float:
    """A number in one unit of measure as a number in another; #N/A for unknown units and unlike ones."""
    value = strict_number(number)
    source, target = _like_units(from_unit, to_unit)
    if source == target:
        return value
    if source.zero or target.zero:
        return (value + source.zero) * source.factor / target.factor - target.zero
    return value * source.factor / target.factor
