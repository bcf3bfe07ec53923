"""The names of a script: of its functions, sheets, variables, lists and LAMBDAs, each with one meaning."""

from __future__ import annotations

import builtins
from dataclasses import field
from functools import lru_cache
from typing import Final

from sheetrun.compiler.literal import identifier
from sheetrun.records import dataclass
from sheetrun.runtime.api import RUNTIME_NAMES

_PYTHON: Final = frozenset({"exit", "quit", "copyright", "credits", "license", "help", "steps", "book", "r", "c"})


@dataclass(slots=True)
class ScriptNames:
    """The names of a whole script: none means two things anywhere in it.

    Functions, aliases of sheets and defined LAMBDAs have one name each; variables of formulas may share theirs.
    """

    taken: set[str] = field(default_factory=lambda: _own_names())
    variables: set[str] = field(default_factory=set)
    locals: dict[str, object] = field(default_factory=dict)  #: names within functions -> what they stand for
    sheets: dict[int, str] = field(default_factory=dict)  #: index -> alias
    lambdas: dict[str, str] = field(default_factory=dict)  #: key of a defined LAMBDA -> name

    def new(self, text: str, fallback: str) -> str:
        """A name for a function, an alias or a LAMBDA."""
        name = identifier(text, self.taken | self.variables, fallback)
        self.taken.add(name)
        return name

    def local(self, text: str, meaning: object) -> str:
        """A name within a function of the script; another function may use it for the same thing."""
        base = text
        number = 2
        while True:
            name = text if self.locals.get(text) == meaning else identifier(text, self.taken | {"_"}, "line")
            if self.locals.setdefault(name, meaning) == meaning:
                self.taken.add(name)
                return name
            text = f"{base}_{number}"
            number += 1

    def defined(self, key: str) -> str:
        """The name of a defined LAMBDA."""
        known = self.lambdas.get(key)
        if known is None:
            known = self.lambdas[key] = self.new(key.partition("!")[2], "function")
        return known

    def variable(self, text: str, bound: set[str]) -> str:
        """A name for a variable of a formula, different from those that are ``bound`` around it."""
        name = identifier(text, self.taken | bound | {"_"}, "x")
        self.variables.add(name)
        return name


@dataclass(slots=True)
class Names:
    """Names used in one function of the script: aliases of sheets, functions to import."""

    script: ScriptNames
    aliases: dict[int, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    lambdas: dict[str, str] = field(default_factory=dict)  #: defined LAMBDAs that it calls: key -> local name

    def imported(self, name: str) -> str:
        """A name of the runtime, for use."""
        self.imports.add(name)
        return name

    def call(self, function: str, *args: str) -> str:
        """A call of a function of the runtime."""
        return f"{self.imported(function)}({', '.join(args)})"

    def defined(self, key: str) -> str:
        """The name of a defined LAMBDA, for use."""
        name = self.lambdas[key] = self.script.defined(key)
        return name


def _own_names() -> set[str]:
    return set(reserved())


@lru_cache(maxsize=1)
def reserved() -> frozenset[str]:
    """Names that a script must not give to anything of its own: Python's builtins and what it may import."""
    return (
        frozenset(dir(builtins)) | frozenset(RUNTIME_NAMES) | _PYTHON
    )  # Excel's functions are in capitals, names never


def function_name(name: str) -> str:
    """The name under which a script imports an Excel function."""
    return name.replace(".", "_")
