"""``dataclass``, made in a quarter of the time: a program's start makes a hundred of them (decision 25).

The standard library compiles six functions for each class. Here it is one, ``__init__``; the others are the same for all
classes, or made of ``attrgetter``. What comes out is a dataclass to ``dataclasses.fields``, ``replace`` and ``asdict``, to
``copy``, ``pickle`` and ``match``, and to type checkers. Only the parameters below exist: no order, no ``InitVar``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, eq=True, frozen=False, kw_only=False, slots=False):
        """As the standard library's."""

        def make(kind):
            return _make(kind, eq=eq, frozen=frozen, kw_only=kw_only, slots=slots)

        return make if cls is None else make(cls)


def _make(cls: type, *, eq: bool, frozen: bool, kw_only: bool, slots: bool) -> type:
    own = _own_fields(cls, kw_only)
    fields: dict[str, Field[Any]] = {}
    for base in cls.__mro__[:0:-1]:
        fields.update(getattr(base, "__dataclass_fields__", {}))
    fields.update(own)
    made: dict[str, Any] = {"__dataclass_fields__": fields, "__init__": _init(cls, list(fields.values()), frozen)}
    given = vars(cls)
    if "__repr__" not in given:
        made["__repr__"] = _repr
    if "__match_args__" not in given:
        made["__match_args__"] = tuple(f.name for f in fields.values() if f.init and not f.kw_only)
    if eq:
        made |= _comparison(given, fields, frozen)
    if frozen:
        made |= {"__setattr__": _refuse_setting, "__delattr__": _refuse_deleting}
        if slots and "__getstate__" not in given:
            made |= {"__getstate__": _get_state, "__setstate__": _set_state}
    if not slots:
        for name in own:
            if own[name].default is not MISSING:
                setattr(cls, name, own[name].default)
            elif name in given:  # field(…) without a default
                delattr(cls, name)
        for name, value in made.items():
            setattr(cls, name, value)
        return cls
    inherited = {slot for base in cls.__mro__[1:-1] for slot in getattr(base, "__slots__", ())}
    kept = {name: value for name, value in given.items() if name not in own and name not in ("__dict__", "__weakref__")}
    made["__slots__"] = tuple(name for name in fields if name not in inherited)
    made["__qualname__"] = cls.__qualname__
    new: type = type(cls)(cls.__name__, cls.__bases__, kept | made)
    return new


def _own_fields(cls: type, kw_only: bool) -> dict[str, Field[Any]]:
    """The fields that the class itself declares. Raises TypeError, ValueError."""
    given = vars(cls)
    fields: dict[str, Field[Any]] = {}
    for name, told in cls.__annotations__.items():
        text = told if isinstance(told, str) else repr(told)
        if text.removeprefix("typing.").startswith("ClassVar"):
            continue
        if "InitVar" in text:
            raise TypeError(f"{cls.__name__}.{name}: there is no InitVar here")
        default = given.get(name, MISSING)
        if isinstance(default, Field):
            field = default
        else:
            field = dataclasses.field(default=default)
        if field.default is not MISSING and type(field.default).__hash__ is None:
            raise ValueError(f"{cls.__name__}.{name}: a default that can change: use default_factory")
        field.name = name
        field.type = told
        if field.kw_only is MISSING:
            field.kw_only = kw_only
        field._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
        fields[name] = field
    return fields


def _init(cls: type, fields: list[Field[Any]], frozen: bool) -> Any:
    """The one function that is compiled."""
    known: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__, "__name__": cls.__module__}
    places: dict[bool, list[str]] = {False: [], True: []}
    body = []
    for number, field in enumerate(fields):
        name = field.name
        value: str | None = name
        if field.default is not MISSING:
            known[f"_default{number}"] = field.default
            places[field.kw_only is True] += [f"{name}=_default{number}"] * field.init
            value = name if field.init else f"_default{number}"
        elif field.default_factory is not MISSING:
            known[f"_factory{number}"] = field.default_factory
            places[field.kw_only is True] += [f"{name}=_missing"] * field.init
            fresh = f"_factory{number}()"
            value = f"{fresh} if {name} is _missing else {name}" if field.init else fresh
        elif field.init:
            places[field.kw_only is True].append(name)
        else:
            value = None
        if value is not None:
            body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ["self", *places[False], *(["*", *places[True]] if places[True] else [])]
    text = f"def __init__({', '.join(parameters)}):\n " + ("\n ".join(body) or "pass")
    found: dict[str, Any] = {}
    exec(text, known, found)  # names of fields, no other text  # nosec B102
    init = found["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _comparison(given: Any, fields: dict[str, Field[Any]], frozen: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    compared = [field for field in fields.values() if field.compare]
    if "__eq__" not in given:
        key = _key([field.name for field in compared])

        def equals(self: Any, other: Any) -> Any:
            return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

        made["__eq__"] = equals
    if given.get("__hash__") is None:  # not said, or taken away because there is an __eq__
        made["__hash__"] = None
        if frozen:
            hashed = _key([field.name for field in compared if field.hash is not False])
            made["__hash__"] = lambda self: hash(hashed(self))
    return made


def _key(names: list[str]) -> Any:
    """What gives the values of these fields as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


@recursive_repr()
def _repr(self: Any) -> str:
    told = (f"{f.name}={getattr(self, f.name)!r}" for f in self.__dataclass_fields__.values() if f.repr)
    return f"{type(self).__qualname__}({', '.join(told)})"


def _is_frozen(instance: object, name: str) -> bool:
    kind = type(instance)
    return "__dataclass_fields__" in vars(kind) or name in kind.__dataclass_fields__  # type: ignore[attr-defined]


def _refuse_setting(self: object, name: str, value: object) -> None:
    if _is_frozen(self, name):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _refuse_deleting(self: object, name: str) -> None:
    if _is_frozen(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)
