"""Errors and array constants of a formula as Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.literal import literal
from sheetrun.compiler.scriptnames import Names
from sheetrun.formula import nodes
from sheetrun.runtime.cells import ERROR_CODES

_ERROR_NAMES: Final = {
    "#NULL!": "NULL_ERROR",
    "#DIV/0!": "DIV0_ERROR",
    "#VALUE!": "VALUE_ERROR",
    "#REF!": "REF_ERROR",
    "#NAME?": "NAME_ERROR",
    "#NUM!": "NUM_ERROR",
    "#N/A": "NA_ERROR",
    "#SPILL!": "SPILL_ERROR",
    "#CALC!": "CALC_ERROR",
}


def error_text(code: str, names: Names) -> str:
    """An error value. Raises CannotCompile for a code that Excel does not have."""
    known = _ERROR_NAMES.get(code)
    if known is not None:
        return names.imported(known)
    if code not in ERROR_CODES:
        raise CannotCompile("not_supported", f"the error {code} is not known")
    return names.call("ExcelError", literal(code))


def array_text(rows: Any, cell: Callable[[Any], str], names: Names) -> str:
    """``{1,2;3,4}``; ``cell`` writes one of its values."""
    lines = [", ".join(map(cell, row)) for row in rows]
    if any(isinstance(value, nodes.Error) for row in rows for value in row):  # names: no constant of the code
        return names.call("text_array", f"[{', '.join(f'[{line}]' for line in lines)}]")
    comma = "," if len(rows[0]) == 1 else ""
    text = ", ".join(f"({line}{comma})" for line in lines)
    return names.call("text_array", f"({text}{',' if len(lines) == 1 else ''})")
