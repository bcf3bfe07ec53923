"""The variables of LET and LAMBDA: what each is called in the code, around the part that is being written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.scriptnames import ScriptNames


class Variables:
    """Of one formula. True once there has been one in it."""

    def __init__(self, names: ScriptNames) -> None:
        self._names = names
        self._bound: dict[str, list[str]] = {}  #: casefolded -> its names in the code, innermost last
        self._taken = {"r", "c", "book"}

    def __bool__(self) -> bool:
        return bool(self._bound)

    @contextmanager
    def bound(self, *names: str) -> Iterator[list[str]]:
        """Their names in the code, each another one than those of all variables before."""
        variables = [self._bind(name) for name in names]
        try:
            yield variables
        finally:
            for name in names:
                self._bound[name.casefold()].pop()

    def of(self, name: str) -> str:
        """What a variable is called here. Raises CannotCompile for a name that stands for nothing."""
        bound = self._bound.get(name.casefold())
        if not bound:
            raise CannotCompile("unknown_name", f"the name {name} is not defined")
        return bound[-1]

    def _bind(self, name: str) -> str:
        variable = self._names.variable(name, self._taken)
        self._taken.add(variable)
        self._bound.setdefault(name.casefold(), []).append(variable)
        return variable
