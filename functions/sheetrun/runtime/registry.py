"""One entry per Excel function: its signature says how arguments are coerced, lifted over arrays, or left alone.

A function is written for plain Python values and registered with its signature:

    @excel("ROUND(number: number, digits: integer) -> number")
    def round_half_away(number: float, digits: int) -> float: ...

Kinds of parameter:

    number    float; empty 0, logical 1/0, text read or #VALUE!         lifted over arrays
    integer   int, truncated toward zero                                lifted
    text      str                                                       lifted
    logical   bool                                                      lifted
    scalar    any scalar but an error; None for an empty cell           lifted
    strict    as scalar, of what was once the Analysis ToolPak: in an array formula the compiler gives it
              #VALUE! for a range (measured: EDATE(A1:A3,1)), while an array that was computed is lifted
    any       any scalar, errors too                                    lifted
    array     Arr (a scalar becomes 1 × 1); errors stay inside, but an error alone is the result
    values    Arr when it came from a reference or an array, else the scalar itself (SUM tells them apart); with ``*``
    ref       Ref; anything else is #VALUE!
    raw       whatever it is
    lazy      a function of no arguments that computes the value (branches that may not be needed)
    host      not written by the user: a Ref to the cell that holds the formula; always the first parameter

``[x: kind = default]`` may be omitted (numbers, text in quotes, TRUE, FALSE, None or MISSING are defaults).
``[x: kind ~ default]`` takes the default also when the argument is left empty between commas; otherwise an empty
argument is an empty cell.
``*xs: kind`` takes the rest. After ``->``: number, text, logical, array, ref or any; what the compiler may rely on.
Errors in number, integer, text, logical and scalar arguments are the result (the first one wins).
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.coerce import to_logical, to_number, to_text
from sheetrun.runtime.errors import DIV0, NA, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.tails import Tailed, over
from sheetrun.runtime.values import MISSING, Arr, Erring, Scalar, Value, common_shape

LIFTED: Final = frozenset({"number", "integer", "text", "logical", "scalar", "strict", "any"})
KINDS: Final = LIFTED | {"array", "values", "ref", "raw", "lazy", "host"}
RETURNS: Final = frozenset({"number", "text", "logical", "array", "ref", "any"})

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: str
    optional: bool = False
    default: Any = None
    empty_is_omitted: bool = False
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one function. ``call`` takes values as they flow, ``plain`` is the function as written."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    call: Callable[..., Value]
    plain: Callable[..., Any]
    volatile: bool
    category: str
    summary: str
    vector: Callable[..., Any] | None = None  #: the same on float64 arrays
    whole_columns: bool = False  #: of whole columns in array places every cell counts, also below the used range

    @property
    def needs_host(self) -> bool:
        return bool(self.parameters) and self.parameters[0].kind == "host"

    @property
    def lazy(self) -> bool:
        return any(p.kind == "lazy" for p in self.parameters)

    def kind_of(self, index: int) -> str | None:
        """The kind of the argument at ``index`` as the user writes them (the host left out); None: too many."""
        written = self.parameters[1:] if self.needs_host else self.parameters
        if index < len(written):
            return written[index].kind
        tail = self.variadics()
        return tail[(index - len(written) + len(tail)) % len(tail)].kind if tail else None

    def variadics(self) -> tuple[Parameter, ...]:
        return tuple(p for p in self.parameters if p.variadic)

    def arity(self) -> tuple[int, int | None]:
        """The least and the largest number of arguments (None: no end)."""
        written = self.parameters[1:] if self.needs_host else self.parameters
        least = sum(1 for p in written if not p.optional and not p.variadic)
        tail = self.variadics()
        return least or len(tail), None if tail else len(written)


_entries: dict[str, Entry] = {}
_unknown: set[str] = set()
_loaders: list[Callable[[str], None]] = []
_all_loaders: list[Callable[[], None]] = []
_SIGNATURE = re.compile(r"(?P<name>[A-Z][A-Z0-9_.]*)\((?P<params>.*)\)\s*->\s*(?P<returns>\w+)\Z", re.DOTALL)
_PARAMETER = re.compile(
    r"(?P<open>\[)?(?P<star>\*)?(?P<name>\w+):\s*(?P<kind>\w+)(?:\s*(?P<sign>[=~])\s*(?P<default>[^\]]+))?(?P<close>\])?\Z"
)


def excel(
    signature: str,
    *,
    vector: Callable[..., Any] | None = None,
    whole: Callable[..., Any] | None = None,
    direct: Callable[..., Any] | None = None,
    tails: Callable[[Tailed], Value] | None = None,
    before: Callable[..., None] | None = None,
    volatile: bool = False,
    also: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Registers a function under the name in its signature and under ``also`` (older or newer spellings).

    ``vector``: the same on float64 arrays, for functions whose parameters are all numbers. Where an argument is an
    error the result is set to it afterwards, and a NaN or infinity that ``vector`` makes is #NUM!.
    ``whole``: answers a call with an array in a lifted place, given the arguments as they came; None leaves the call
    to be lifted cell by cell.
    ``direct``: answers the commonest calls at once, given the arguments as they came; NotImplemented leaves the call
    to the general way. Functions of numbers have one: themselves, when all arguments are floats.
    ``tails``: what array and values parameters make of an array with a tail (see ``tails``), ``kept`` for one that they
    know how to take. Else it is filled, or only cut where the tail is empty and the function gives no array.
    ``before``: looks at the arguments of a call that is not lifted, or no longer, before any is coerced; raises the
    error that comes before theirs.
    """
    name, parameters, returns = read_signature(signature)

    def register(function: Function) -> Function:
        call = _caller(function, parameters, vector, whole, direct, before, volatile, tails, returns)
        call.__name__ = call.__qualname__ = name.replace(".", "_")
        call.__doc__ = function.__doc__
        category = function.__module__.rsplit(".", 1)[-1]
        for spelling in (name, *also):
            if spelling in _entries:
                raise ValueError(f"{spelling} is registered twice")
            _entries[spelling] = Entry(
                spelling,
                parameters,
                returns,
                call,
                function,
                volatile,
                category,
                inspect.cleandoc(function.__doc__ or "").split("\n", 1)[0],
                vector,
                _takes_whole_columns(tails, returns),
            )
        return function

    return register


def find(name: str) -> Entry | None:
    """The entry of a function by its Excel name in upper case; its module is loaded when it is needed first."""
    entry = _entries.get(name)
    if entry is None and name not in _unknown:
        for load in _loaders:
            load(name)
        entry = _entries.get(name)
        if entry is None:
            _unknown.add(name)
    return entry


def provide(load: Callable[[str], None], load_all: Callable[[], None]) -> None:
    """Where functions come from: ``load(name)`` registers one at least, ``load_all()`` all."""
    _loaders.append(load)
    _all_loaders.append(load_all)


def entries() -> Iterator[Entry]:
    """All entries, by name."""
    for load_all in _all_loaders:
        load_all()
    return (_entries[name] for name in sorted(_entries))


def read_signature(signature: str) -> tuple[str, tuple[Parameter, ...], str]:
    match = _SIGNATURE.match(signature.strip())
    if not match or match["returns"] not in RETURNS:
        raise ValueError(f"not a signature: {signature}")
    parameters = tuple(_read_parameter(p.strip()) for p in _split(match["params"]))
    return match["name"], parameters, match["returns"]


def _split(text: str) -> list[str]:
    """Parameters by their commas; a comma in quotes belongs to a default."""
    return [p for p in re.findall(r'(?:"[^"]*"|[^,"])+', text) if p.strip()]


def _read_parameter(text: str) -> Parameter:
    match = _PARAMETER.match(text)
    if not match or match["kind"] not in KINDS or bool(match["open"]) != bool(match["close"]):
        raise ValueError(f"not a parameter: {text}")
    written = match["default"]
    default = None if written is None else _read_default(written.strip())
    return Parameter(
        match["name"], match["kind"], bool(match["open"]), default, match["sign"] == "~", bool(match["star"])
    )


def _read_default(written: str) -> Any:
    if written == "MISSING":
        return MISSING
    return ast.literal_eval({"TRUE": "True", "FALSE": "False"}.get(written, written))


def _caller(
    function: Callable[..., Any],
    parameters: tuple[Parameter, ...],
    vector: Any,
    whole: Any,
    direct: Callable[..., Any] | None,
    before: Callable[..., None] | None,
    volatile: bool,
    tails: Callable[[Tailed], Value] | None,
    returns: str,
) -> Callable[..., Value]:
    fixed = tuple(p for p in parameters if not p.variadic)
    tail = tuple(p for p in parameters if p.variadic)
    least = sum(1 for p in fixed if not p.optional)
    coercers = tuple(_coercer(p, tails, returns) for p in fixed)
    tail_coercers = tuple(_coercer(p, tails, returns) for p in tail)
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
                if type(arg) in _ARRAYS and (
                    lifted[i] if i < len(fixed) else tail_lifted[(i - len(fixed)) % len(tail)]
                ):
                    return lift(args)
        return scalar_call(args)

    def scalar_call(args: tuple[Value, ...]) -> Value:
        values = []
        count = len(args)
        try:
            if before is not None:
                before(*args)
            for i, p in enumerate(fixed):
                if i >= count:
                    values.append(p.default)
                    continue
                arg = args[i]
                if arg is MISSING and p.empty_is_omitted:
                    values.append(p.default)
                    continue
                values.append(coercers[i](arg))
            for i in range(len(fixed), count):
                values.append(tail_coercers[(i - len(fixed)) % len(tail)](args[i]))
            return finish(function(*values))
        except Raised as stop:
            return stop.error
        except ZeroDivisionError:
            return DIV0
        except ArithmeticError:
            return NUM

    def filled(args: tuple[Value, ...]) -> tuple[Value, ...]:
        """The arguments with defaults for those left out."""
        given = len(args)
        return tuple(
            p.default if i >= given or (args[i] is MISSING and p.empty_is_omitted) else args[i]
            for i, p in enumerate(fixed)
        )

    def lift(args: tuple[Value, ...]) -> Value:
        spread = [
            type(a) in _ARRAYS and (lifted[i] if i < len(fixed) else tail_lifted[(i - len(fixed)) % len(tail)])
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
        shape = common_shape(a for a, s in zip(arrays, spread, strict=True) if s)
        if not volatile and shape[0] * shape[1] > _FEW:
            return _once_each(scalar_call, arrays, spread, shape)
        columns = [iter(a.expanded(shape)) if s else None for a, s in zip(arrays, spread, strict=True)]
        results = [
            scalar_call(tuple(a if c is None else next(c) for a, c in zip(arrays, columns, strict=True)))
            for _ in range(shape[0] * shape[1])
        ]
        return Arr.flat((_single(r) for r in results), shape)

    def over_tails(args: tuple[Value, ...], spread: list[bool]) -> Value:
        """The lifted places go cell by cell, the others are the same for all cells."""
        if volatile:
            return lift(tuple(Arr.of(a) if s else a for a, s in zip(args, spread, strict=True)))
        places = [i for i, s in enumerate(spread) if s]

        def each(*parts: Value) -> Value:
            now = list(args)
            for i, part in zip(places, parts, strict=True):
                now[i] = part
            return call(*now)

        return over(each, *(args[i] for i in places))

    return call


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


_ARRAYS: Final = frozenset({Arr, np.ndarray, Erring, Tailed})
_FEW: Final = 64  # cells, below which looking for repeated arguments does not pay


def _once_each(call: Callable[..., Value], arrays: list[Any], spread: list[bool], shape: tuple[int, int]) -> Arr:
    """Lifts a pure function: computed once for each distinct combination of arguments (columns repeat themselves)."""
    size = shape[0] * shape[1]
    spreads = [a.expanded(shape) for a, s in zip(arrays, spread, strict=True) if s]
    keys = np.empty((size, 2 * len(spreads)), np.int64)
    for k, a in enumerate(spreads):
        keys[:, 2 * k] = np.ascontiguousarray(a.num).view(np.int64).ravel()
        keys[:, 2 * k + 1] = a.tags().ravel()
    keys = np.ascontiguousarray(keys[:, (keys != keys[0]).any(axis=0)])  # what never changes tells nothing
    if keys.shape[1] == 0:
        first = inverse = np.zeros(1, np.int64)
        inverse = np.zeros(size, np.int64)
    else:
        whole = keys.view(f"V{8 * keys.shape[1]}").ravel() if keys.shape[1] > 1 else keys.ravel()
        _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    columns = [iter(Arr(a.num.ravel()[first], a.tags().ravel()[first])) for a in spreads]
    results = []
    for _ in range(len(first)):
        each = iter(columns)
        results.append(_single(call(tuple(next(next(each)) if s else a for a, s in zip(arrays, spread, strict=True)))))
    distinct = Arr.flat(results, (1, len(results)))
    at = inverse.reshape(shape)
    return Arr(distinct.num[0][at], None if distinct.tag is None else distinct.tag[0][at])


def _single(value: Value) -> Scalar:
    """An element of a lifted result: an array inside an array shows its first cell."""
    if type(value) is Tailed:
        return value.cell(0, 0)
    if isinstance(value, Arr | np.ndarray):
        return Arr.of(value).cell(0, 0)
    if hasattr(value, "arr"):
        return value.arr().cell(0, 0)  # type: ignore[no-any-return]
    return value  # type: ignore[no-any-return]


def vector_call(vector: Callable[..., Any], args: tuple[Value, ...]) -> Value:
    """A function of float64 arrays on arguments as they flow, with the errors among them put into the result."""
    nums = []
    for a in args:
        if type(a) in _ARRAYS:
            nums.append(a.num if type(a) is Arr else a)
        else:
            number = to_number(a.arr().cell(0, 0) if hasattr(a, "arr") else a)
            nums.append(np.full((1, 1), float(number)))
    shape = common_shape(nums)
    nums = [n if n.shape in (shape, (1, 1)) else Arr(n).expanded(shape).num for n in nums]
    with np.errstate(all="ignore"):
        out = np.asarray(vector(*nums), np.float64)
    if out.shape != shape:
        out = np.broadcast_to(out, shape).copy()
    wrong = ~np.isfinite(out)
    if wrong.any() or any(math.isnan(n.sum()) for n in nums):
        out = np.where(wrong & ~np.isnan(out), float(NUM), out)
        for n in reversed(nums):
            bad = np.isnan(n)
            if bad.any():
                out = np.where(bad, n, out)
        return out.view(Erring)
    return out


def finish(value: Any) -> Value:
    """A function's Python result as a value: ints become floats, a NaN or infinity is #NUM!."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else NUM
    if kind is int:
        return float(value)
    if isinstance(value, np.generic):
        return finish(value.item())
    return value


def _scalar_of(value: Value) -> Scalar:
    if hasattr(value, "arr"):  # a Ref in a scalar place: one cell, or the caller has intersected already
        return value.arr().cell(0, 0)  # type: ignore[no-any-return]
    if callable(value):  # a LAMBDA where a value is wanted
        return VALUE
    scalar: Scalar = None if value is MISSING else value
    return scalar if type(scalar) is not float or scalar - scalar == 0.0 else NUM


def _number(value: Value) -> float:
    if type(value) is float:
        return value
    found = to_number(_scalar_of(value))
    if isinstance(found, ExcelError):
        raise Raised(found)
    return found


def _integer(value: Value) -> int:
    return math.trunc(_number(value))


def _text(value: Value) -> str:
    if type(value) is str:
        return value
    found = to_text(_scalar_of(value))
    if isinstance(found, ExcelError):
        raise Raised(found)
    return found


def _logical(value: Value) -> bool:
    found = to_logical(_scalar_of(value))
    if isinstance(found, ExcelError):
        raise Raised(found)
    return found


def _scalar(value: Value) -> Scalar:
    scalar = _scalar_of(value)
    if isinstance(scalar, ExcelError):
        raise Raised(scalar)
    return scalar


def _array(value: Value) -> Arr:
    if isinstance(value, ExcelError):  # what should be an array failed to be one
        raise Raised(value)
    if value is MISSING:
        return Arr.of(None)
    return Arr.of(value)


def _values(value: Value) -> Value:
    if type(value) in _ARRAYS or hasattr(value, "arr"):
        return Arr.of(value)
    return value


def kept(value: Tailed) -> Tailed:
    """``tails`` of a function that takes them as they are."""
    return value


def _takes_whole_columns(tails: Callable[[Tailed], Value] | None, returns: str) -> bool:
    return tails is kept or (tails is None and returns == "array")


def _coercer(parameter: Parameter, tails: Callable[[Tailed], Value] | None, returns: str) -> Callable[[Value], Any]:
    if parameter.kind == "strict" and not parameter.optional:
        return _needed
    plain = _COERCE[parameter.kind]
    if parameter.kind not in ("array", "values"):
        return plain

    whole = parameter.kind == "array" and _takes_whole_columns(tails, returns)
    treat = tails or (Tailed.arr if returns == "array" else Tailed.cut)

    def coerced(value: Value) -> Any:
        if whole and hasattr(value, "whole"):
            value = value.whole()
        return treat(value) if type(value) is Tailed else plain(value)

    return coerced


def _ref(value: Value) -> Value:
    if isinstance(value, ExcelError):
        raise Raised(value)
    if not hasattr(value, "arr") or type(value) is Tailed:
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
