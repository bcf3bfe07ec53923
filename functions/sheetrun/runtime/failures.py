"""Why cells could not be computed: they keep Excel's cached values, and a run's report says so."""

from __future__ import annotations

from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.runtime.errors import Stop, Unsupported


@dataclass(slots=True)
class Failure:
    """Cells that could not be computed and keep Excel's cached value."""

    sheet: str
    span: Span
    code: str
    detail: str


class Circular(Stop):
    """A cell needs itself."""


def describe(error: Exception) -> tuple[str, str]:
    """(code, detail) of why a cell could not be computed."""
    if isinstance(error, Unsupported):
        return error.code, error.detail
    if isinstance(error, Circular):
        return "circular_reference", "the formula needs its own result and iterative calculation is off"
    if isinstance(error, MemoryError):
        return "out_of_memory", "the formula's result does not fit into memory"
    return "internal_error", f"{type(error).__name__}: {error}"
