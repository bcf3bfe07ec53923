"""References in a script: the operators that make them of others, and what they are as values."""

from __future__ import annotations

from sheetrun.runtime.address import Span
from sheetrun.runtime.errors import NULL, REF, VALUE, ExcelError, Raised
from sheetrun.runtime.refs import Ref, Refs, first_of
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import Value


def spread(value: Value) -> Value:
    """A reference as the values in it: a scalar for one cell, else an Arr. Anything else as it is."""
    if isinstance(value, Ref):
        array = value.whole()
        return array.cell(0, 0) if array.size == 1 else array
    return VALUE if isinstance(value, Refs) else value


def single(value: Value, host: Ref) -> Value:
    """Implicit intersection (``@``): the cell of a reference in the host's row or column, the first cell of an array."""
    if isinstance(value, Ref):
        try:
            return value.at(host.span.top, host.span.left).cell()
        except Raised as stop:
            return stop.error
    if isinstance(value, Refs):
        return VALUE
    return first_of(value) if is_array(value) else value


def range_between(a: Value, b: Value) -> Value:
    """``a:b``: the smallest rectangle around both references."""
    if isinstance(a, ExcelError):
        return a
    if isinstance(b, ExcelError):
        return b
    if not isinstance(a, Ref) or not isinstance(b, Ref):
        return VALUE
    if a.sheet.index != b.sheet.index:
        return VALUE
    return Ref(a.sheet, Span.around((a.span, b.span)))


def intersection(a: Value, b: Value) -> Value:
    """``a b``: the common cells, of several areas each with each; #NULL! when there are none."""
    if isinstance(a, Ref | Refs) and isinstance(b, Ref | Refs) and (isinstance(a, Refs) or isinstance(b, Refs)):
        common = [intersection(one, other) for one in a.parts() for other in b.parts()]
        refs = tuple(ref for ref in common if isinstance(ref, Ref))
        return Refs(refs) if refs else NULL
    if not isinstance(a, Ref) or not isinstance(b, Ref):
        return next((x for x in (a, b) if isinstance(x, ExcelError)), VALUE)
    span = a.span.shared(b.span)
    return NULL if span is None or a.sheet.index != b.sheet.index else Ref(a.sheet, span)


def union(*parts: Value) -> Value:
    """``(a, b)``: several areas as one reference."""
    refs: list[Ref] = []
    for part in parts:
        if isinstance(part, ExcelError):
            return part
        if not isinstance(part, Ref | Refs):
            return VALUE
        refs.extend(part.parts())
    return Refs(tuple(refs))


def spilled(anchor: Value) -> Value:
    """``A1#``: the range that the array in a cell fills; #REF! when there is none.

    Any formula has one, if only of one cell (measured), in its first cell; of a cell without a formula there is nothing.
    """
    if not isinstance(anchor, Ref):
        return anchor if isinstance(anchor, ExcelError) else REF
    anchor.cell()  # makes sure that it is computed
    place = anchor.sheet.index, anchor.span.top, anchor.span.left
    span = anchor.book.spills.get(place) or anchor.book.arrays.get(place)
    if span is not None:
        return Ref(anchor.sheet, span)
    value = anchor.cell()
    if isinstance(value, ExcelError):
        return value
    return Ref(anchor.sheet, anchor.span) if anchor.book.formulas.get(place, "").startswith("=") else REF
