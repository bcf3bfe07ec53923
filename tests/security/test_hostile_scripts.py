"""Scripts that a hostile workbook would like to be: each is refused before anything of it runs."""

from __future__ import annotations

import pytest

from sheetrun.sandbox.allowlist import GENERATED, Policy, check
from sheetrun.sandbox.errors import Crashed, ForbiddenSyntax
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.warm import WarmRunner

HEAD = "from sheetrun.runtime.api import SUM, cells\n"

HOSTILE = [
    # what to import
    "import os",
    "import os as SUM",
    "import sheetrun.runtime",
    "import numpy as np",
    "from os import system",
    "from . import secrets",
    "from .. import runtime",
    "from sheetrun import client",
    "from sheetrun.sandbox import server",
    "from sheetrun.runtimes import x",
    "from sheetrun.runtime import cells",
    "from sheetrun.runtime.cells import struct",
    "from sheetrun.runtime.api.deeper import x",
    "from sheetrun.runtime.api import *",
    "from sheetrun.runtime.api import _private",
    "from sheetrun.runtime.api import SUM as _SUM",
    "from sheetrun.runtime.api import __builtins__",
    "def f():\n    import os",
    "def f():\n    from sheetrun.runtime.api import SUM",
    "if 1:\n    from sheetrun.runtime.api import MAX",
    # the well-known builtins: called, passed on, renamed, shadowed
    *[f"{name}('1')" for name in ("eval", "exec", "open", "compile", "input", "print", "type", "vars", "dir", "id")],
    *[f"{name}(SUM, 'x')" for name in ("getattr", "setattr", "delattr", "hasattr", "isinstance", "issubclass")],
    *[f"{name}()" for name in ("globals", "locals", "breakpoint", "help", "exit", "quit", "object", "super", "iter")],
    "__import__('os')",
    "__builtins__",
    "__build_class__",
    "__loader__",
    "__spec__",
    "__name__",
    "x = __name__",
    "SUM(eval)",
    "SUM(key=eval)",
    "x = [eval]",
    "x = {'a': open}",
    "x = lambda: eval",
    "def f(a=eval): return a",
    "def f(a: eval): return a",
    "x: eval = 1",
    "[e for e in [eval]]",
    "eval = 1",
    "def eval(): return 1",
    "def f(eval): return 1",
    "lambda eval: 1",
    "for open in [1]: pass",
    "[1 for open in [1]]",
    "range = 1",
    "def range(): return 1",
    "SUM = cells",
    "def SUM(): return 1",
    "def f(SUM): return SUM(1)",
    "for SUM in [1]: pass",
    # attributes
    "().__class__",
    "().__class__.__bases__[0].__subclasses__()",
    "SUM.__globals__",
    "SUM.__globals__['os'].system('true')",
    "SUM.__code__",
    "(lambda: 0).__code__",
    "'{0.__class__}'.format(SUM)",
    "'{}'.format_map({})",
    "'a'.join(['b'])",
    "cells.num",
    "SUM._private",
    "SUM.mro",
    "SUM.gi_frame",
    "SUM.f_back",
    "SUM.tb_frame",
    "SUM.x = 1",
    "SUM.x += 1",
    "del SUM.x",
    "for SUM.x in [1]: pass",
    "[0 for SUM.x in [1]]",
    # calls of what is not a name
    "(lambda: 1)()",
    "[SUM][0]()",
    "SUM(1)(2)",
    "(SUM or cells)(1)",
    "x = SUM\nx()",
    "def f(g): return g()",
    "SUM(**{'a': 1})",
    # statements
    "while 1: pass",
    "try:\n    1\nexcept: 2",
    "try:\n    1\nfinally: 2",
    "with cells: pass",
    "class A: pass",
    "class A(metaclass=SUM): pass",
    "global x",
    "def f():\n    global x\n    x = 1",
    "def f():\n    x = 1\n    def g():\n        nonlocal x",
    "def f():\n    def g(): return 1",
    "del SUM",
    "raise SUM",
    "assert SUM",
    "async def f(): pass",
    "async def f():\n    await SUM(1)",
    "def f(): yield 1",
    "def f(): yield from [1]",
    "(x := 1)",
    "match 1:\n    case _: pass",
    "match SUM:\n    case cells(a=1): pass",
    "@SUM\ndef f(): pass",
    "@SUM(1)\ndef f(): pass",
    "@(lambda f: f)\ndef f(): pass",
    # names
    "_ = 1",
    "_x = 1",
    "__x__ = 1",
    "x = _",
    "def _f(): pass",
    "def f(_a): pass",
    "def f(*_a): pass",
    "def f(**_a): pass",
    "lambda _: 1",
    "for _ in [1]: pass",
    "SUM(_a=1)",
    "SUM(__class__=1)",
    "x = unknown",
    "unknown()",
    "ｅｖａｌ('1')",  # NFKC makes it eval
    "x = ﹍",
    # constants and text
    "x = b'bytes'",
    "x = 1j",
    "x = ...",
    "f'{SUM}'",
    "f'{SUM.__class__}'",
    "f'{SUM!r:{cells}}'",
    "x = {**{}}",
    # the guard, bent
    "if __name__ != '__main__': pass",
    "if __name__ == '__main__' or SUM: pass",
    "if __name__ == SUM: pass",
    "if SUM == __name__: pass",
    "def f():\n    if __name__ == '__main__': pass",
    "if __name__ == '__main__' == SUM: pass",
    "if __name__ == '__main__':\n    eval('1')",
    "if __name__ == '__main__':\n    import os",
    "if 1: pass\nelse:\n    eval('1')",
    "if eval('1'): pass",
    "if 1:\n    def f(): pass",
    # not Python at all
    "x = ",
    "def",
    "x\x00",
    "(" * 500 + ")" * 500,
    "-" * 100_000 + "1",
    "x = " + "[" * 300,
    "\tx = 1\n        y = 2",
    "\ud800",
    "9" * 10_000,
    "# -*- coding: nonsense -*-\nx = 'ok'\neval(x)",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:60])
def test_refused(text: str) -> None:
    with pytest.raises(ForbiddenSyntax) as caught:
        check(HEAD + text + "\n")
    assert caught.value.line >= 1


def test_the_table_holds_only_what_is_refused_for_its_own_sake() -> None:
    check(HEAD)


@pytest.mark.parametrize("text", ["import os\n", "x = ().__class__\n", "x = '\ud800'\n"])
def test_a_refused_script_is_not_executed(runner: WarmRunner, text: str) -> None:
    loud = "from sheetrun.runtime.api import SUM\n" + text + "while True: pass\n"
    with pytest.raises(ForbiddenSyntax) as caught:
        runner.run(Job(loud, preload=()))
    assert caught.value.line == 2


def test_the_line_is_the_first_that_is_wrong() -> None:
    with pytest.raises(ForbiddenSyntax) as caught:
        check(HEAD + "x = 1\ny = eval(x)\nimport os\n")
    assert caught.value.line == 3
    assert "eval" in caught.value.detail


def test_names_can_be_told_one_by_one() -> None:
    policy = Policy(names=frozenset({"SUM", "cells"}))
    check(HEAD, policy)
    with pytest.raises(ForbiddenSyntax, match="import of os from"):
        check("from sheetrun.runtime.api import os\n", policy)


def test_what_the_check_let_through_would_still_find_no_builtin(runner: WarmRunner) -> None:
    """The namespace of a checked script holds the allow-listed builtins alone, so a hole in the check opens nothing."""
    lax = Policy(
        names=None, builtins=GENERATED.builtins | {"eval"}, nodes=GENERATED.nodes | {"Try", "ExceptHandler", "Raise"}
    )
    script = "def run_payload(payload, progress):\n    return eval('open')\n"
    with pytest.raises(Crashed, match="NameError"):
        runner.run(Job(script, policy=lax, preload=()))
    smuggled = script.replace("'open'", "'__import__(\"os\")'")
    with pytest.raises(Crashed, match="ImportError"):
        runner.run(Job(smuggled, policy=lax, preload=()))


@pytest.mark.parametrize("name", ["entries", "sheetrun", "Any"])
def test_only_what_the_runtime_offers_can_be_imported(runner: WarmRunner, name: str) -> None:
    """What its module merely uses is not in its ``__all__``."""
    script = "from sheetrun.runtime.api import {}\ndef run_payload(payload, progress):\n    return payload\n"
    with pytest.raises(Crashed, match="does not offer"):
        runner.run(Job(script.format(name)))
    assert runner.run(Job(script.format("SUM, add"), b"x")).payload == b"x"
