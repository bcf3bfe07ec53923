"""Logical functions and the ones that choose which of their arguments are computed at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, Mask
from sheetrun.runtime.coerce import to_logical
from sheetrun.runtime.compare import compare
from sheetrun.runtime.errors import NA, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.refops import spread
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import Tailed, any_tailed, is_array, over, silent
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value, common_shape

Thunk = Callable[[], Value]


def _branch(thunk: Thunk) -> Value:
    """A branch as it is: references stay references, an argument left empty is 0."""
    value = thunk()
    return 0.0 if value is MISSING else value


def _array(value: Value) -> Arr | Tailed | None:
    """The value as an array when it has more than one place."""
    value = spread(value)
    if type(value) is Tailed:
        return over(Arr.of, value)  # type: ignore[no-any-return]
    return Arr.of(value) if is_array(value) else None


def _held(test: Arr | Tailed) -> tuple[Arr, Callable[[Value], Value]]:
    """The cells of an array that are held, and what makes a mask of them one of the whole array."""
    if type(test) is not Tailed:
        return Arr.of(test), lambda mask: mask
    return Arr.of(test.body), lambda mask: Tailed(mask, test.shape)


def select(masks: list[Value], values: list[Value]) -> Value:
    """For each place the value whose mask holds there: one mask does at every place, and they have one shape."""
    values = [spread(v) for v in values]
    if not any_tailed(*masks, *values):
        return _selected(masks, values)
    values = [silent(v, mask) for v, mask in zip(values, masks, strict=True)]
    count = len(masks)

    def each(*parts: Value) -> Arr:
        return _selected([_mask(m) for m in parts[:count]], list(parts[count:]))

    return over(each, *masks, *values)


def _mask(part: Value) -> Mask:
    """A mask; one that was made larger holds nowhere else."""
    return np.equal(part.num, 1.0) if type(part) is Arr else part


def _selected(masks: list[Mask], values: list[Value]) -> Arr:
    arrays = [Arr.of(v) for v in values]
    if len(arrays) == 2 and arrays[0].plain() and arrays[1].plain():
        (h, w), sides = masks[0].shape, {arrays[0].shape, arrays[1].shape}
        if sides <= {(h, w), (1, 1), (h, 1), (1, w)}:
            return Arr(np.where(masks[0], arrays[0].num, arrays[1].num))
    shape = common_shape([*arrays, masks[0]])
    num, tag = np.full(shape, float(NA)), np.zeros(shape, np.int32)
    for mask, array in zip(masks, arrays, strict=True):
        where = _masked(mask, shape)
        wide = array.expanded(shape)
        np.copyto(num, wide.num, where=where)
        if wide.tag is not None:
            np.copyto(tag, wide.tag, where=where)
    return Arr(num, tag if tag.any() else None)


def _masked(mask: Mask, shape: tuple[int, int]) -> Mask:
    """A mask over a larger shape: one row or column repeats, nothing holds beyond it."""
    if mask.shape == shape:
        return mask
    wide = Arr.logicals(mask).expanded(shape)
    return np.equal(wide.num, 1.0)


def truths(test: Arr) -> tuple[Mask, Mask, Arr]:
    """(where true, where an error or text, the errors) of an array of conditions."""
    texts = test.texts()
    wrong = test.errors()
    true = (test.num != 0.0) & ~wrong
    if not texts.any():
        return true, wrong, test
    words = Arr.flat(
        (to_logical(v) if isinstance(v, str) else v for v in test), test.shape
    )  # "TRUE" and "FALSE" count, other text is #VALUE!
    wrong = words.errors()
    return (words.num != 0.0) & ~wrong, wrong, words


def _if_directly(test: Value, then: Thunk | None = None, otherwise: Thunk | None = None) -> Value:
    """IF with a logical value for its test and both branches written."""
    if type(test) is not bool or then is None or otherwise is None or not (callable(then) and callable(otherwise)):
        return NotImplemented
    return _branch(then if test else otherwise)


@excel("IF(test: raw, then: lazy, [otherwise: lazy]) -> any", direct=_if_directly)
def if_(test: Value, then: Thunk, otherwise: Thunk | None = None) -> Value:
    """One value when a condition holds, another when it does not."""
    many = _array(test)
    if many is None:
        holds = to_logical(spread(test))
        if isinstance(holds, ExcelError):
            return holds
        if holds:
            return _branch(then)
        return False if otherwise is None else _branch(otherwise)
    test, whole = _held(many)
    true, wrong, source = truths(test)
    false = ~true & ~wrong
    masks: list[Value] = [whole(wrong)]
    values: list[Value] = [whole(source)]
    if true.any():
        masks.append(whole(true))
        values.append(_branch(then))
    if false.any():
        masks.append(whole(false))
        values.append(False if otherwise is None else _branch(otherwise))
    if len(masks) == 2 and not wrong.any():
        return select(masks[1:], values[1:])
    return select(masks, values)


def _replace(value: Value, bad: Callable[[Arr], Any], scalar_bad: Callable[[Any], bool], fallback: Thunk) -> Value:
    if isinstance(value, Ref | Refs) and value.arr().size == 1:
        value = value.arr().cell(0, 0)
    if type(value) is float and not math.isfinite(value):  # a cell would show #NUM!
        value = NUM
    many = _array(value)
    if many is None:
        if scalar_bad(value):
            return _branch(fallback)
        return 0.0 if value is MISSING else value
    cells, whole = _held(many)
    mask = bad(cells)
    if not mask.any():
        return many
    return select([whole(~mask), whole(mask)], [many, _branch(fallback)])


@excel("IFERROR(value: lazy, fallback: lazy) -> any")
def iferror(value: Thunk, fallback: Thunk) -> Value:
    """A value, or another one when it is an error."""
    return _replace(_guarded(value), lambda a: a.errors(), lambda v: isinstance(v, ExcelError), fallback)


@excel("IFNA(value: lazy, fallback: lazy) -> any")
def ifna(value: Thunk, fallback: Thunk) -> Value:
    """A value, or another one when it is #N/A."""

    def is_na(array: Arr) -> Any:
        from sheetrun.runtime.cells import error_numbers

        bad = array.errors()
        codes = np.zeros(array.shape, np.int64)
        codes[bad] = error_numbers(array.num[bad])
        return codes == NA.number

    return _replace(_guarded(value), is_na, lambda v: v is NA, fallback)


def _guarded(value: Thunk) -> Value:
    try:
        return value()
    except Raised as stop:
        return stop.error


@excel("CHOOSE(index: raw, *choices: lazy) -> any")
def choose(index: Value, *choices: Thunk) -> Value:
    """The value at a place in the list of arguments; may be a reference. Of an array of places, an array."""
    many = _array(index)
    if many is None:
        return _choice(spread(index), choices)
    cells, whole = _held(many)
    place = np.floor(cells.num)
    inside = (place >= 1) & (place <= len(choices))
    masks: list[Value] = [whole(~inside)]
    values: list[Value] = [whole(Arr(np.where(np.isnan(place), cells.num, float(VALUE))))]
    for k in np.unique(place[inside]).tolist():
        masks.append(whole(place == k))
        values.append(_branch(choices[int(k) - 1]))
    return select(masks, values)


def _choice(index: Scalar, choices: tuple[Thunk, ...]) -> Value:
    from sheetrun.runtime.coerce import to_number

    place = to_number(index)
    if isinstance(place, ExcelError):
        return place
    if not 1 <= place < len(choices) + 1:
        return VALUE
    return _branch(choices[int(place) - 1])


@excel("IFS(*pairs: lazy) -> any")
def ifs(*pairs: Thunk) -> Value:
    """The value after the first condition that holds; #N/A when none does."""
    if len(pairs) % 2:
        return VALUE
    for i in range(0, len(pairs), 2):
        test = pairs[i]()
        many = _array(test)
        if many is not None:
            rest = pairs[i + 2 :]
            return if_(many, pairs[i + 1], partial(ifs, *rest) if rest else lambda: NA)
        holds = to_logical(spread(test))
        if isinstance(holds, ExcelError):
            return holds
        if holds:
            return _branch(pairs[i + 1])
    return NA


@excel("SWITCH(value: raw, *cases: lazy) -> any")
def switch(value: Value, *cases: Thunk) -> Value:
    """The result after the first case that equals a value; a last odd argument is the default."""
    from sheetrun.runtime.ops import eq

    value = spread(value)
    if isinstance(value, ExcelError):
        return value
    many = _array(value)
    for i in range(0, len(cases) - 1, 2):
        case = spread(cases[i]())
        if many is not None or _array(case) is not None:
            return if_(eq(_filled(value), _filled(case)), cases[i + 1], partial(switch, value, *cases[i + 2 :]))
        if isinstance(case, ExcelError):
            return case
        if _equal(case, value):
            return _branch(cases[i + 1])
    return _branch(cases[-1]) if len(cases) % 2 else NA


def _filled(value: Value) -> Value:
    """Empty cells as 0 (see ``_equal``)."""
    if type(value) is Tailed:
        return over(_filled, value)
    if isinstance(value, Arr) and value.tag is not None:
        return Arr(value.num, np.where(value.tag == EMPTY, NUMBER, value.tag))
    return 0.0 if value is None or value is MISSING else value


def _equal(a: Value, b: Value) -> bool:
    """As SWITCH compares (measured): an empty cell is 0 and neither FALSE nor "", other types differ."""
    a, b = (0.0 if one is None or one is MISSING else one for one in (a, b))
    return type(a) is type(b) and compare(a, b) == 0


def _conditions(values: tuple[Value, ...]) -> list[Mask]:
    """The logical values in arguments: text and empty cells of references do not count. Raises the first error.

    Measured: nor does a text that is no logical, ``AND("0",TRUE)`` is TRUE; #VALUE! only where nothing is left.
    """
    out = []
    for value in values:
        if isinstance(value, Arr):
            error = value.first_error()
            if error is not None:
                raise Raised(error)
            tag = value.tags()
            out.append(value.num[(tag == NUMBER) | (tag == LOGICAL)] != 0.0)
        else:
            if value is MISSING:
                value = None
            holds = to_logical(value)
            if not isinstance(holds, ExcelError):
                out.append(np.array([holds]))
            elif not isinstance(value, str):
                raise Raised(holds)
    if not sum(len(o) for o in out):
        raise Raised(VALUE)
    return out


@excel("AND(*values: values) -> logical", tails=Tailed.once)
def and_(*values: Value) -> bool:
    """Whether all conditions hold."""
    return all(bool(c.all()) for c in _conditions(values))


@excel("OR(*values: values) -> logical", tails=Tailed.once)
def or_(*values: Value) -> bool:
    """Whether any condition holds."""
    return any(bool(c.any()) for c in _conditions(values))


@excel("XOR(*values: values) -> logical")
def xor(*values: Value) -> bool:
    """Whether an odd number of conditions hold."""
    return sum(int(c.sum()) for c in _conditions(values)) % 2 == 1


@excel("NOT(value: logical) -> logical")
def not_(value: bool) -> bool:
    """The opposite of a condition."""
    return not value


@excel("TRUE() -> logical")
def true() -> bool:
    """The logical value TRUE."""
    return True


@excel("FALSE() -> logical")
def false() -> bool:
    """The logical value FALSE."""
    return False
