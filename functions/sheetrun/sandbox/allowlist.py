"""Says whether a script keeps to the vocabulary of generated scripts, before anything of it is executed.

Everything that is not listed is refused: node types, imports, attributes, and which names may be called. The check
knows nothing about what values are; it makes sure that a script can only combine what its runtime gives it. It is the
first of several layers, not the only one.
"""

from __future__ import annotations

import ast
import builtins
import gc
import keyword
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Final

from sheetrun.records import dataclass

from .errors import ForbiddenSyntax

#: Names that a script can neither bind nor use unless its policy lists them: a variable that shadows a builtin in one
#: function would let another function of the same script reach the real one.
RESERVED: Final = frozenset(dir(builtins)) | {"exit", "quit", "copyright", "credits", "license", "help"}

_GUARD: Final = "__main__"
_NODES: Final = frozenset(
    """
    Module Expr Assign AnnAssign AugAssign FunctionDef arguments arg Return If For Pass Break Continue Import ImportFrom
    alias Lambda Call keyword Name Attribute Subscript Slice Constant Tuple List Dict Set BinOp UnaryOp BoolOp Compare
    IfExp ListComp SetComp DictComp GeneratorExp comprehension Starred
    """.split()  # noqa: SIM905 (forty quotes less)
)
_BUILTINS: Final = frozenset(
    ("range", "len", "float", "int", "bool", "str", "min", "max", "abs", "zip", "enumerate", "tuple", "list", "dict")
)
_CONSTANTS: Final = (str, int, float, bool, type(None))


def usable_name(name: str) -> bool:
    """Whether a generated script may bind this name (the compiler asks, so that the two never disagree)."""
    return (
        name.isidentifier()
        and not name.startswith("_")
        and not keyword.iskeyword(name)
        and not keyword.issoftkeyword(name)
        and name not in RESERVED
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """The vocabulary of a script. All sets hold plain strings, so that a policy can travel as JSON."""

    #: Types of syntax node, by their names in ``ast``. Operators and contexts need not be listed.
    nodes: frozenset[str] = _NODES
    #: Modules of ``from module import name``; "package.*" means the package and all below it.
    modules: frozenset[str] = frozenset({"__future__", "sheetrun.runtime.api"})
    #: Names that may be imported from them; None: every name without a leading underscore.
    names: frozenset[str] | None = None
    #: ``import module as name`` statements, written "numpy as np".
    aliases: frozenset[str] = frozenset()
    #: Attributes that may be read. They are never written.
    attributes: frozenset[str] = frozenset()
    builtins: frozenset[str] = _BUILTINS
    decorators: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, list[str] | None]:
        """Plain lists, sorted; ``from_json`` takes them back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: None if value is None else sorted(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, list[str] | None]) -> Policy:
        return cls(**{name: None if value is None else frozenset(value) for name, value in values.items()})  # type: ignore[arg-type]

    def allows_module(self, module: str) -> bool:
        if module in self.modules:
            return True
        parts = module.split(".")
        return any(".".join(parts[:count]) + ".*" in self.modules for count in range(1, len(parts) + 1))


GENERATED: Final = Policy()


def check(source: str, policy: Policy = GENERATED) -> None:
    """Raises ``ForbiddenSyntax`` with the first line that is not allowed."""
    with not_collecting():
        check_tree(parse(source), policy)


@contextmanager
def not_collecting() -> Iterator[None]:
    """While trees grow, of syntax or of formulas: they have no cycles, and looking for them takes far longer."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def parse(source: str) -> ast.Module:
    """Raises ``ForbiddenSyntax`` for text that is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence": the script is not ours to warn about
            return ast.parse(source, "model.py")
    except SyntaxError as error:
        raise ForbiddenSyntax(error.lineno or 1, f"not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise ForbiddenSyntax(1, f"not Python that can be parsed: {error or type(error).__name__}") from None


def check_tree(tree: ast.Module, policy: Policy = GENERATED) -> None:
    """As ``check``, for a tree that ``parse`` gave."""
    _Walk(policy).run(tree)


class _Walk:
    """One pass over the tree with a stack of its own: names are noted on the way and judged at the end."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.loads: dict[str, int] = {}  # name -> first line where it is used
        self.stores: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self.imported: dict[str, int] = {}
        self.defined: dict[str, int] = {}
        self.keywords: dict[str, int] = {}
        self.attributes: dict[str, int] = {}
        self.faults: list[tuple[int, str]] = []
        self.top: set[int] = set()
        self.special: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
            ast.FunctionDef: self._function,
            ast.arguments: self._arguments,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.keyword: self._keyword,
            ast.Dict: self._dict,
            ast.If: self._if,
            ast.comprehension: self._comprehension,
        }

    def run(self, tree: ast.Module) -> None:
        self.top = set(map(id, tree.body))
        plans = self._plans()
        stack: list[Any] = [tree]
        pop, push, extend = stack.pop, stack.append, stack.extend
        loads, calls, stores, attributes = self.loads, self.calls, self.stores, self.attributes
        special = self.special
        Name, Constant, Call, Attribute, Load = ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Load
        while stack:
            node = pop()
            kind = type(node)
            if kind is Name:
                names = loads if type(node.ctx) is Load else stores
                if node.id not in names:
                    names[node.id] = node.lineno
                continue
            plan = plans.get(kind)
            if plan is None:
                self._fault(node, f"{kind.__name__} is not allowed")
                continue
            if kind is Constant:
                if type(node.value) not in _CONSTANTS:
                    self._fault(node, f"a {type(node.value).__name__} constant is not allowed")
                continue
            if kind is Call:
                target = node.func
                if type(target) is Name:
                    calls.setdefault(target.id, node.lineno)
                elif type(target) is not Attribute:
                    self._fault(node, "only a name can be called")
            elif kind is Attribute:
                attributes.setdefault(node.attr, node.lineno)
                if type(node.ctx) is not Load:
                    self._fault(node, "an attribute can only be read")
            elif (operands := special.get(kind)) is not None:
                extend(operands(node))
                continue
            for field in plan:
                value = getattr(node, field)
                if type(value) is list:
                    extend(value)
                elif value is not None:
                    push(value)
        self._judge()
        if self.faults:
            raise ForbiddenSyntax(*min(self.faults))

    def _plans(self) -> dict[type, tuple[str, ...]]:
        """Which fields of each permitted node type hold nodes. Operators and contexts need no look."""
        silent = {
            "ctx",
            "op",
            "ops",
            "type_comment",
            "type_ignores",
            "attr",
            "arg",
            "id",
            "kind",
            "simple",
            "conversion",
        }
        plans: dict[type, tuple[str, ...]] = {}
        for name in self.policy.nodes:
            kind = getattr(ast, name)
            plans[kind] = tuple(field for field in kind._fields if field not in silent)
        return plans

    def _fault(self, node: Any, detail: str) -> None:
        self.faults.append((getattr(node, "lineno", 1), detail))

    # ---- node types with more to them than their children

    def _function(self, node: ast.FunctionDef) -> Iterator[ast.AST]:
        if id(node) not in self.top:
            self._fault(node, "a function can only be defined at the top level")
        if getattr(node, "type_params", None):
            self._fault(node, "type parameters are not allowed")
        for decorator in node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not isinstance(target, ast.Name) or target.id not in self.policy.decorators:
                self._fault(decorator, "this decorator is not allowed")
        self.defined.setdefault(node.name, node.lineno)
        yield node.args
        yield from node.decorator_list
        if node.returns is not None:
            yield node.returns
        yield from node.body

    def _arguments(self, node: ast.arguments) -> Iterator[ast.AST]:
        single = [arg for arg in (node.vararg, node.kwarg) if arg is not None]
        for arg in (*node.posonlyargs, *node.args, *node.kwonlyargs, *single):
            self.stores.setdefault(arg.arg, arg.lineno)
            if arg.annotation is not None:
                yield arg.annotation
        yield from node.defaults
        yield from (default for default in node.kw_defaults if default is not None)

    def _import(self, node: ast.Import) -> Iterator[ast.AST]:
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if f"{alias.name} as {bound}" not in self.policy.aliases or id(node) not in self.top:
                self._fault(node, f"import {alias.name} is not allowed")
            self.imported.setdefault(bound, node.lineno)
        return iter(())

    def _import_from(self, node: ast.ImportFrom) -> Iterator[ast.AST]:
        module = node.module or ""
        if node.level or not self.policy.allows_module(module):
            self._fault(node, f"import from {'.' * node.level}{module} is not allowed")
        if id(node) not in self.top:
            self._fault(node, "imports belong at the top level")
        allowed = self.policy.names
        for alias in node.names:
            if alias.name == "*" or (allowed is not None and module != "__future__" and alias.name not in allowed):
                self._fault(node, f"import of {alias.name} from {module} is not allowed")
            self.keywords.setdefault(alias.name, node.lineno)  # no leading underscore here either
            self.imported.setdefault(alias.asname or alias.name, node.lineno)
        return iter(())

    def _keyword(self, node: ast.keyword) -> Iterator[ast.AST]:
        if node.arg is None:
            self._fault(node, "** in a call is not allowed")
        else:
            self.keywords.setdefault(node.arg, node.lineno)
        yield node.value

    def _dict(self, node: ast.Dict) -> Iterator[ast.AST]:
        for key in node.keys:
            if key is None:
                self._fault(node, "** in a dict is not allowed")
            else:
                yield key
        yield from node.values

    def _comprehension(self, node: ast.comprehension) -> Iterator[ast.AST]:
        if node.is_async:
            self._fault(node.target, "async is not allowed")
        yield node.target
        yield node.iter
        yield from node.ifs

    def _if(self, node: ast.If) -> Iterator[ast.AST]:
        if not self._is_guard(node):
            yield node.test
        yield from node.body
        yield from node.orelse

    def _is_guard(self, node: ast.If) -> bool:
        """``if __name__ == "__main__":`` at the top level: the one place where ``__name__`` may stand."""
        test = node.test
        return (
            id(node) in self.top
            and isinstance(test, ast.Compare)
            and isinstance(test.left, ast.Name)
            and test.left.id == "__name__"
            and len(test.ops) == 1
            and isinstance(test.ops[0], ast.Eq)
            and isinstance(test.comparators[0], ast.Constant)
            and test.comparators[0].value == _GUARD
        )

    # ---- what only the whole script tells

    def _judge(self) -> None:
        policy = self.policy
        fault = self.faults.append
        for attribute, line in self.attributes.items():
            if attribute not in policy.attributes or attribute.startswith("_"):
                fault((line, f"attribute {attribute} is not allowed"))
        for group in (self.loads, self.stores, self.imported, self.defined, self.keywords):
            for name, line in group.items():
                if name.startswith("_") and not (group is self.loads and name == "__file__"):
                    fault((line, f"name {name} is not allowed"))
        callable_names = self.imported.keys() | self.defined.keys() | policy.builtins
        for name, line in self.calls.items():
            if name not in callable_names:
                fault((line, f"call of {name} is not allowed"))
        for name, line in self.stores.items():
            if name in callable_names:
                fault((line, f"{name} is a function here and cannot be given another value"))
            elif name in RESERVED:
                fault((line, f"name {name} is not allowed"))
        for name, line in self.defined.items():
            if name in RESERVED or name in self.imported:
                fault((line, f"a function cannot be called {name}"))
        known = callable_names | self.stores.keys() | {"__file__"}
        for name, line in self.loads.items():
            if name not in known:
                fault((line, f"name {name} is not allowed" if name in RESERVED else f"name {name} is not known"))
