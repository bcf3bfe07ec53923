"""A script's steps as data: which cells each statement stores, and the expression that it stores there.

A script says only what is computed of what, in a closed vocabulary (``sandbox.allowlist``). Called once with a book that
writes down what is asked of it, its steps give that back as values, which can be computed again and again without
running their Python (``tape``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Final, Literal

from sheetrun.records import dataclass
from sheetrun.runtime.address import Key, Span, span_of
from sheetrun.runtime.book import Book
from sheetrun.runtime.lanes import each
from sheetrun.runtime.phrases import columns, rows
from sheetrun.runtime.steps import Step
from sheetrun.runtime.values import Value

#: What scripts call while they are recorded as they do at any time: it has nothing to do with cells.
_AS_IT_IS: Final = frozenset({rows, columns})


class NotRecorded(Exception):
    """A step that does more than storing expressions."""


class Node:
    """An expression of a script."""

    __slots__ = ()

    def __add__(self, other: Any) -> Call:
        return Call(operator.add, (self, other))

    def __radd__(self, other: Any) -> Call:
        return Call(operator.add, (other, self))

    def __sub__(self, other: Any) -> Call:
        return Call(operator.sub, (self, other))

    def __rsub__(self, other: Any) -> Call:
        return Call(operator.sub, (other, self))

    def __mul__(self, other: Any) -> Call:
        return Call(operator.mul, (self, other))

    def __rmul__(self, other: Any) -> Call:
        return Call(operator.mul, (other, self))

    def __neg__(self) -> Call:
        return Call(operator.neg, (self,))

    def __bool__(self) -> bool:
        raise NotRecorded("a step that goes two ways")

    __iter__ = None


@dataclass(frozen=True, slots=True, eq=False)
class Read(Node):
    """``s[key]``, ``s.n[key]``, ``s.arr[key]`` or ``s.ref[key]``."""

    sheet: int
    key: Key
    how: Literal["value", "n", "arr", "ref"]


@dataclass(frozen=True, slots=True, eq=False)
class Windowed(Node):
    """``s.window(key, rows, columns)``."""

    sheet: int
    key: Key
    rows: int
    columns: int


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """A function of the runtime, or an operator, with its arguments."""

    function: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Later(Node):
    """``lambda: value``: computed only if the function that takes it wants it."""

    value: Any


@dataclass(frozen=True, slots=True)
class Statement:
    """``s[key] = value``"""

    sheet: int
    key: Key
    value: Any

    @property
    def span(self) -> Span:
        return span_of(self.key)[0]

    def run(self, book: Book) -> None:
        """Computes it as the script does."""
        book.sheets[self.sheet][self.key] = _evaluated(self.value, book)


@contextmanager
def recording(namespace: dict[str, Any], book: Book) -> Iterator[Callable[[Step], list[Statement]]]:
    """Gives the function that records a step of the script which ``namespace`` is of; it raises NotRecorded.

    While this lasts, what the script has imported writes down that it was called.
    """
    imported = {name: value for name, value in namespace.items() if _of_runtime(value)}
    namespace.update({name: _Recorder(value) for name, value in imported.items()})
    try:
        yield lambda step: _recorded(step, book)
    finally:
        namespace.update(imported)


def _of_runtime(value: Any) -> bool:
    return isinstance(value, FunctionType) and value.__module__.startswith("sheetrun.") and value not in _AS_IT_IS


def _recorded(step: Step, book: Book) -> list[Statement]:
    if step.solved:
        raise NotRecorded("a step that is computed on demand")
    found = _Book(book)
    try:
        step.function(found)
    except (TypeError, AttributeError) as error:  # what is not foreseen above has no other way to say so
        raise NotRecorded(str(error)) from error
    return found.statements


class _Recorder:
    """A function of the runtime that writes down its calls."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Call:
        return Call(self._function, tuple(_argument(arg) for arg in args))


def _argument(arg: Any) -> Any:
    if isinstance(arg, _Recorder):
        return arg._function
    if isinstance(arg, FunctionType):
        return Later(arg())  # one that takes arguments raises TypeError
    return arg


class _Book:
    """What a step takes for its book while it is recorded."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.statements: list[Statement] = []

    def __getitem__(self, name: str) -> _Sheet:
        return _Sheet(self._book[name].index, self.statements)


class _Sheet:
    def __init__(self, index: int, statements: list[Statement]) -> None:
        self._index = index
        self._statements = statements
        self.n = _Reads(index, "n")
        self.arr = _Reads(index, "arr")
        self.ref = _Reads(index, "ref")

    def __getitem__(self, key: Key) -> Read:
        return Read(self._index, key, "value")

    def window(self, key: Key, rows: int, columns: int) -> Windowed:
        return Windowed(self._index, key, rows, columns)

    def __setitem__(self, key: Key, value: Any) -> None:
        self._statements.append(Statement(self._index, key, value))


class _Reads:
    def __init__(self, index: int, how: Literal["n", "arr", "ref"]) -> None:
        self._index = index
        self._how = how

    def __getitem__(self, key: Key) -> Read:
        return Read(self._index, key, self._how)


def _evaluated(node: Any, book: Any) -> Value:
    """The value of an expression, as Python would compute it."""
    match node:
        case Read(sheet, key, how):
            held = book.sheets[sheet]
            return held[key] if how == "value" else getattr(held, how)[key]
        case Windowed(sheet, key, down, across):
            return book.sheets[sheet].window(key, down, across)
        case Call(function, (first, *others)) if function is each:
            assert isinstance(first, _Book)
            return each(book, *(_evaluated(arg, book) for arg in others))
        case Call(function, args):
            return function(*[_evaluated(arg, book) for arg in args])
        case Later(value):
            return lambda: _evaluated(value, book)
    return node
