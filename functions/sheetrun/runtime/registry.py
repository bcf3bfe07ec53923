"""One entry per Excel function: its signature says how arguments are coerced, lifted over arrays, or left alone.

A function is written for plain Python values and registered with its signature:

    @excel("ROUND(number: number, digits: integer) -> number")
    def round_half_away(number: float, digits: int) -> float: ...

The kinds of parameters are told in ``signatures``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sheetrun.records import dataclass
from sheetrun.runtime.invocation import Ways, caller
from sheetrun.runtime.signatures import Parameter, read_signature
from sheetrun.runtime.tails import Tailed
from sheetrun.runtime.values import Value

Function = TypeVar("Function", bound=Callable[..., Any])


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


def excel(
    signature: str,
    *,
    vector: Callable[..., Any] | None = None,
    whole: Callable[..., Any] | None = None,
    direct: Callable[..., Any] | None = None,
    tails: Callable[[Tailed], Value] | None = None,
    before: Callable[..., None] | None = None,
    volatile: bool = False,
    draws: bool = False,
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
    ``volatile``: computed anew on every calculation. ``draws``: even two calls with the same arguments differ.
    """
    name, parameters, returns = read_signature(signature)
    whole_columns = tails is kept or (tails is None and returns == "array")
    treat = tails or (Tailed.arr if returns == "array" else Tailed.cut)
    ways = Ways(vector, whole, direct, before, treat, whole_columns, draws)

    def register(function: Function) -> Function:
        call = caller(function, parameters, ways)
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
                volatile or draws,
                category,
                inspect.cleandoc(function.__doc__ or "").split("\n", 1)[0],
                vector,
                whole_columns,
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


def call_of(name: str) -> Callable[..., Any] | None:
    """What a script calls by an Excel name; None for a name that no function has."""
    entry = find(name)
    return None if entry is None else entry.call


def provide(load: Callable[[str], None], load_all: Callable[[], None]) -> None:
    """Where functions come from: ``load(name)`` registers one at least, ``load_all()`` all."""
    _loaders.append(load)
    _all_loaders.append(load_all)


def entries() -> Iterator[Entry]:
    """All entries, by name."""
    for load_all in _all_loaders:
        load_all()
    return (_entries[name] for name in sorted(_entries))


def kept(value: Tailed) -> Tailed:
    """``tails`` of a function that takes them as they are."""
    return value
