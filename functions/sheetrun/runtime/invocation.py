"""How a registered function is called with values as they flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sheetrun.records import dataclass
from sheetrun.runtime.arguments import coercer
from sheetrun.runtime.errors import DIV0, NUM, Raised
from sheetrun.runtime.lifting import ARRAYS, finish, once_each, single, vector_call
from sheetrun.runtime.signatures import LIFTED, Parameter
from sheetrun.runtime.tails import Tailed, over
from sheetrun.runtime.values import MISSING, Arr, Value, common_shape

_FEW: Final = 64  # cells, below which looking for repeated arguments does not pay


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways of answering a call other than cell by cell, and what is to be known for that (see ``registry.excel``).

    ``treat``: what array and values parameters make of an array with a tail.
    """

    vector: Callable[..., Any] | None
    whole: Callable[..., Any] | None
    direct: Callable[..., Any] | None
    before: Callable[..., None] | None
    treat: Callable[[Tailed], Value]
    whole_columns: bool
    draws: bool


def caller(function: Callable[..., Any], parameters: tuple[Parameter, ...], ways: Ways) -> Callable[..., Value]:
    """The function for values as they flow: arguments are coerced and lifted, errors travel."""
    vector, whole, direct, before, draws = ways.vector, ways.whole, ways.direct, ways.before, ways.draws
    fixed = tuple(p for p in parameters if not p.variadic)
    tail = tuple(p for p in parameters if p.variadic)
    least = sum(1 for p in fixed if not p.optional)
    coercers = [_with_default(p, coercer(p, ways.treat, whole_columns=ways.whole_columns)) for p in fixed]
    defaults = [p.default for p in fixed]
    tail_coercers = [coercer(p, ways.treat, whole_columns=ways.whole_columns) for p in tail]
    lifted = tuple(p.kind in LIFTED for p in fixed)
    tail_lifted = tuple(p.kind in LIFTED for p in tail)
    any_lifted = any(lifted) or any(tail_lifted)
    if direct is None and fixed and not tail and all(p.kind == "number" for p in fixed) and least == len(fixed):
        direct = _of_floats(function, len(fixed))

    def call(*args: Value) -> Value:
        if direct is not None:
            try:
                found = direct(*args)
                if found is not NotImplemented:
                    return found if type(found) is float and found - found == 0.0 else finish(found)
            except Raised as stop:
                return stop.error
            except ZeroDivisionError:
                return DIV0
            except ArithmeticError:
                return NUM
        return general(args)

    def general(args: tuple[Value, ...]) -> Value:
        count = len(args)
        if count < least or (count > len(fixed) and not tail):
            raise TypeError(f"{call.__name__} takes {least} to {len(fixed)} positional arguments, not {count}")
        if any_lifted:
            for i, arg in enumerate(args):
                if type(arg) in ARRAYS and (lifted[i] if i < len(fixed) else tail_lifted[(i - len(fixed)) % len(tail)]):
                    return lift(args)
        return scalar_call(args)

    def scalar_call(args: tuple[Value, ...]) -> Value:
        count = len(args)
        try:
            if before is not None:
                before(*args)
            values = [coerce(arg) for coerce, arg in zip(coercers, args, strict=False)]
            if count < len(coercers):
                values += defaults[count:]
            elif count > len(coercers):
                values += [tail_coercers[i % len(tail)](arg) for i, arg in enumerate(args[len(coercers) :])]
            return finish(function(*values))
        except Raised as stop:
            return stop.error
        except ZeroDivisionError:
            return DIV0
        except ArithmeticError:
            return NUM

    def element(*args: Value) -> Value:
        """A call for one element of each array."""
        return call(*args) if direct is not None else scalar_call(args)

    def filled(args: tuple[Value, ...]) -> tuple[Value, ...]:
        """The arguments with defaults for those left out."""
        given = len(args)
        return tuple(
            p.default if i >= given or (args[i] is MISSING and p.empty_is_omitted) else args[i]
            for i, p in enumerate(fixed)
        )

    def lift(args: tuple[Value, ...]) -> Value:
        spread = [
            type(a) in ARRAYS and (lifted[i] if i < len(fixed) else tail_lifted[(i - len(fixed)) % len(tail)])
            for i, a in enumerate(args)
        ]
        if any(s and type(a) is Tailed for a, s in zip(args, spread, strict=True)):
            return over_tails(args, spread)
        if vector is not None and len(args) <= len(fixed):
            return vector_call(vector, filled(args))
        if whole is not None:
            try:
                found = whole(*args)
            except Raised as stop:
                return stop.error
            if found is not None:
                return found
        arrays = [Arr.of(a) if s else a for a, s in zip(args, spread, strict=True)]
        if all(a.num.size == 1 for a, s in zip(arrays, spread, strict=True) if s):
            return Arr.of(single(element(*(a.cell(0, 0) if s else a for a, s in zip(arrays, spread, strict=True)))))
        shape = common_shape(a for a, s in zip(arrays, spread, strict=True) if s)
        if not draws and shape[0] * shape[1] > _FEW:
            return once_each(element, arrays, spread, shape)
        columns = [iter(a.expanded(shape)) if s else None for a, s in zip(arrays, spread, strict=True)]
        results = [
            element(*(a if c is None else next(c) for a, c in zip(arrays, columns, strict=True)))
            for _ in range(shape[0] * shape[1])
        ]
        return Arr.flat((single(r) for r in results), shape)

    def over_tails(args: tuple[Value, ...], spread: list[bool]) -> Value:
        """The lifted places go cell by cell, the others are the same for all cells."""
        if draws:
            return lift(tuple(Arr.of(a) if s else a for a, s in zip(args, spread, strict=True)))
        places = [i for i, s in enumerate(spread) if s]

        def each(*parts: Value) -> Value:
            now = list(args)
            for i, part in zip(places, parts, strict=True):
                now[i] = part
            return call(*now)

        return over(each, *(args[i] for i in places))

    return call


def _with_default(parameter: Parameter, coerce: Callable[[Value], Any]) -> Callable[[Value], Any]:
    """The coercer, for a parameter whose argument may be left empty between commas."""
    if not parameter.empty_is_omitted:
        return coerce
    return lambda arg: parameter.default if arg is MISSING else coerce(arg)


def _of_floats(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function of numbers for calls in which all arguments are floats already."""

    def direct(*args: Value) -> Any:
        if len(args) != count:
            return NotImplemented
        for arg in args:
            if type(arg) is not float:
                return NotImplemented
        return function(*args)

    return direct
