"""Runs a step so that one statement that cannot be computed does not stop the others.

At first the step runs as it is written. Only when it fails, a second version is made from its source, in which every
statement that stores a result is wrapped: what fails keeps Excel's cached value and is recorded, the rest goes on.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sheetrun.runtime.address import Span
from sheetrun.runtime.alike import alike
from sheetrun.runtime.errors import Raised
from sheetrun.runtime.tracks import Track

if TYPE_CHECKING:
    from sheetrun.runtime.book import Book
    from sheetrun.runtime.sheet import Sheet
    from sheetrun.runtime.steps import Step


def run_guarded(book: Book, step: Step) -> None:
    """Computes (or, for a solved step, defines) what the step stands for."""
    try:
        step.function(book)
    except Exception as error:
        try:
            guarded = _guarded(step.function)
        except (OSError, SyntaxError):
            for name, span in step.targets:
                book.keep(book[name], span, error)
            return
        guarded(book)


def part_of(function: Any, wants: Callable[[str, str], bool]) -> Any:
    """A step's function, guarded, without the statements that store only ranges that are not wanted.

    ``wants(sheet, address)``. Loops stay whole. Raises OSError or SyntaxError when there is no source.
    """
    return _guarded(function, wants)


def _guarded(function: Any, wants: Callable[[str, str], bool] | None = None) -> Any:
    """The function again, each of its storing statements in a ``try``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise SyntaxError("not a function")
    definition.decorator_list = []
    body = definition.body if wants is None else _wanted(definition.body, wants)
    definition.body = [_wrapped(s) for s in body]
    ast.fix_missing_locations(tree)
    names = dict(function.__globals__)
    names["_failed_statement"] = failed_statement
    if "together" in names:  # cell by cell, so that one does not stop the others
        names["together"] = alike
    names["_Failure"] = Exception  # a sandbox may have taken the builtins away
    code = compile(tree, "<guarded>", "exec")
    exec(code, names)  # the script itself, where it runs  # nosec B102
    return names[definition.name]


def _wanted(body: list[ast.stmt], wants: Callable[[str, str], bool]) -> list[ast.stmt]:
    sheets: dict[str, str] = {}  #: alias -> sheet, of ``s = book["Sheet"]``
    kept = []
    for statement in body:
        match statement:
            case ast.Assign([ast.Name(alias)], ast.Subscript(_, ast.Constant(str(sheet)))):
                sheets[alias] = sheet
        match _stored(statement):
            case ast.Name(alias), ast.Constant(str(address)) if alias in sheets and not wants(sheets[alias], address):
                continue
        kept.append(statement)
    return kept


def _wrapped(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.For | ast.If):
        statement.body = [_wrapped(s) for s in statement.body]
        statement.orelse = [_wrapped(s) for s in statement.orelse]
        return statement
    place = _stored(statement)
    if place is None:
        return statement
    sheet, key = place
    handler = ast.ExceptHandler(
        type=ast.Name("_Failure", ast.Load()),
        name="_error",
        body=[
            ast.Expr(
                ast.Call(ast.Name("_failed_statement", ast.Load()), [sheet, key, ast.Name("_error", ast.Load())], [])
            )
        ],
    )
    return ast.Try(body=[statement], handlers=[handler], orelse=[], finalbody=[])


def _stored(statement: ast.stmt) -> tuple[ast.expr, ast.expr] | None:
    """(sheet, key) of ``s[key] = …``, ``s.spill(key, …)`` and ``s.define(key, …)``."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        target = statement.targets[0]
        return _load(target.value), _load(target.slice)
    if (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
        and statement.value.func.attr in ("spill", "define", "define_array", "define_spill", "data_table")
    ):
        return statement.value.func.value, statement.value.args[0]
    return None


def _load(node: ast.expr) -> ast.expr:
    """The expression again, to be read."""
    return ast.parse(ast.unparse(node), mode="eval").body


def failed_statement(sheet: Sheet | Track, key: Any, error: Exception) -> None:
    """What to do with the range of a statement that failed: an error value is its result, else it keeps the cached one."""
    from sheetrun.runtime.address import span_of

    if isinstance(sheet, Track):
        sheet[key] = _failed_cell(sheet, key, error)
        return
    span: Span = span_of(key)[0]
    if isinstance(error, Raised):
        sheet[key] = error.error
        return
    sheet.book.keep(sheet, span, error)


def _failed_cell(track: Track, index: int, error: Exception) -> Any:
    """What a cell of a loop shows when its formula failed."""
    if isinstance(error, Raised):
        return error.error
    row, col = track.place(index)
    track.sheet.book.keep(track.sheet, Span(row, col, row, col), error)
    return track.sheet.cell(row, col)
