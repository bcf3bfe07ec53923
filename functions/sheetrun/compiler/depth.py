"""How deep an expression may be for Python to read it."""

from __future__ import annotations

import ast
from typing import Final

from sheetrun.compiler.errors import CannotCompile

_SPARE: Final = 10  # parentheses that the script puts around an expression
_DEEPEST: Final = 450  # levels of syntax tree that Python's compiler walks with room to spare


def check_depth(text: str) -> None:
    """Python reads no more than 200 nested parentheses, and long chains of operators exhaust its stack."""
    try:
        tree = ast.parse(f"{'(' * _SPARE}{text}{')' * _SPARE}", mode="eval")
    except (SyntaxError, RecursionError, MemoryError):
        raise CannotCompile("too_deep", "the formula is nested too deeply") from None
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise CannotCompile("too_deep", "the formula has too long a chain of operators")
