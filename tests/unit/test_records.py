"""Our dataclasses are the standard library's in everything but the time that they take to make."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, is_dataclass, replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun import records

Decorator = Callable[..., Any]
NAMES = ("a", "b", "c", "d")
#: How a field may be declared; each call gives a value of its own for the class's body, or None for a bare annotation.
DECLARED: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: 5,
    lambda: "text",
    lambda: field(),
    lambda: field(default=7, repr=False),
    lambda: field(default_factory=list, compare=False),
    lambda: field(default=1, init=False),
    lambda: field(default_factory=dict, init=False, hash=False),
    lambda: field(kw_only=True),
    lambda: field(default=2, kw_only=True, metadata={"low": 1}),
)


def made(decorator: Decorator, declared: list[int], options: dict[str, bool], *, base: type | None = None) -> Any:
    """A class of this name in this module, so that it can be pickled."""
    names = NAMES[: len(declared)] if base is None else tuple(name * 2 for name in NAMES[: len(declared)])
    body: dict[str, Any] = {"__annotations__": dict.fromkeys(names, "Any"), "__module__": __name__, "__doc__": "A doc."}
    body["__qualname__"] = "Made"
    body["__annotations__"]["shared"] = "ClassVar[int]"
    body["shared"] = 3
    for name, number in zip(names, declared, strict=True):
        value = DECLARED[number]()
        if value is not None:
            body[name] = value
    return decorator(**options)(type("Made", () if base is None else (base,), body))


def both(declared: list[int], options: dict[str, bool], *, derived: list[int] | None = None) -> tuple[Any, Any]:
    """The standard library's class and ours, or (None, None) for what neither makes."""
    classes: list[Any] = []
    for decorator in (dataclasses.dataclass, records.dataclass):
        try:
            kind = made(decorator, declared, options)
            if derived is not None:
                kind = made(decorator, derived, options, base=kind)
            classes.append(kind)
        except (TypeError, SyntaxError):  # a field without a default after one that has one
            classes.append(None)
    assert (classes[0] is None) == (classes[1] is None)
    return classes[0], classes[1]


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error)


@given(
    st.lists(st.integers(0, len(DECLARED) - 1), max_size=4),
    st.none() | st.lists(st.integers(0, len(DECLARED) - 1), max_size=2),
    st.fixed_dictionaries({name: st.booleans() for name in ("frozen", "slots", "kw_only", "eq")}),
    st.lists(st.sampled_from([0, 1, "x", None, float("nan"), (1, 2)]), max_size=6),
)
def test_the_same_class_both_ways(
    declared: list[int], derived: list[int] | None, options: dict[str, bool], values: list[Any]
) -> None:
    standard, ours = both(declared, options, derived=derived)
    if standard is None:
        return
    assert is_dataclass(ours)
    told = [
        [(f.name, f.init, f.repr, f.compare, f.kw_only, dict(f.metadata), f.default) for f in fields(kind)]
        for kind in (standard, ours)
    ]
    assert told[0] == told[1]
    parameters = [
        [(p.name, p.kind, p.default is p.empty) for p in inspect.signature(kind).parameters.values()]
        for kind in (standard, ours)
    ]
    assert parameters[0] == parameters[1]
    assert standard.__match_args__ == ours.__match_args__
    assert ours.shared == 3
    assert ours.__doc__ == "A doc."
    assert hasattr(standard, "__slots__") == hasattr(ours, "__slots__")
    given_names = [p[0] for p in parameters[0]]
    words = dict(zip(given_names, values, strict=False))
    one, other = (outcome(lambda kind=kind: kind(**words)) for kind in (standard, ours))
    if isinstance(one, type):
        assert one is other
        return
    assert repr(one) == repr(other)
    assert asdict(one).keys() == asdict(other).keys()
    assert astuple(other) == tuple(getattr(other, f.name) for f in fields(other)) or "nan" in repr(other)
    if options["eq"]:
        assert outcome(lambda: hash(one)) == outcome(lambda: hash(other)) or "nan" in repr(other)
    assert (one == standard(**words), one == object()) == (other == ours(**words), other == object())
    assert one != other
    for name in (*given_names, "new"):
        # For a name that is no field, a frozen class with slots has a TypeError in the standard library.
        results = [outcome(lambda made=made, name=name: setattr(made, name, 9)) for made in (one, other)]
        assert results[0] is results[1] or (options["slots"] and results[1] is FrozenInstanceError)
    assert repr(one) == repr(other)
    changed = {given_names[0]: "changed"} if given_names else {}
    assert repr(outcome(lambda: replace(one, **changed))) == repr(outcome(lambda: replace(other, **changed)))
    assert repr(copy.copy(other)) == repr(copy.deepcopy(other)) == repr(other)
    this = sys.modules[__name__]
    vars(this)["Made"] = ours
    assert repr(pickle.loads(pickle.dumps(other))) == repr(other)


@records.dataclass(frozen=True, slots=True)
class Point:
    """With methods of its own."""

    kind: ClassVar[str] = "point"
    x: float
    y: float = 0.0
    seen: list[int] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.seen.append(1)

    def moved(self, by: float) -> Point:
        return replace(self, x=self.x + by)


@records.dataclass
class Chain:
    """Not frozen, and may hold itself."""

    next: Chain | None = None

    def __hash__(self) -> int:
        return 11


def test_what_a_class_says_itself_is_kept() -> None:
    point = Point(1.0)
    assert point.seen == [1]
    assert point.moved(2) == Point(3.0, seen=[5])
    assert {point: "found"}[Point(1.0, 0.0)] == "found"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert not hasattr(point, "__dict__")
    match point:
        case Point(x, y):
            assert (x, y) == (1.0, 0.0)
    chain = Chain()
    chain.next = chain
    assert repr(chain) == "Chain(next=...)"
    assert hash(chain) == 11


def test_one_value_alone_is_compared_as_in_a_tuple() -> None:
    nan = float("nan")

    @records.dataclass(frozen=True)
    class Alone:
        value: float

    assert Alone(nan) == Alone(nan)
    assert hash(Alone(2.0)) == hash((2.0,))


def test_what_is_not_supported_is_refused() -> None:
    with pytest.raises(TypeError, match="InitVar"):

        @records.dataclass
        class Wrong:
            given: dataclasses.InitVar[int]

    with pytest.raises(ValueError, match="default_factory"):

        @records.dataclass
        class Shared:
            values: list[int] = []  # noqa: RUF012 (what is refused)

    with pytest.raises(TypeError):
        records.dataclass(order=True)
