"""Excel's error values as Python values, and the two ways in which a function gives up.

An ``ExcelError`` is a *value*: it travels through arithmetic (``NA + 1`` is ``NA``, the left one wins) and fits into
a number array as a NaN that carries its code. Exceptions are for control flow inside the runtime:

Stop (Exception)
├── Raised        a function's result is this error value; whoever called it turns it into the value (``invocation``)
├── Unsupported   the cell cannot be computed here, for the reason given; it keeps Excel's cached value
└── Circular      the cell needs its own result (``failures``); ``solving`` computes it by iteration, or keeps the value
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from sheetrun.runtime.cells import ERROR_CODES, box, unbox


class ExcelError:
    """One error value; there is one object per code, so ``is`` compares."""

    __slots__ = ("_boxed", "code", "number")
    _known: ClassVar[dict[str, ExcelError]] = {}

    #: NumPy leaves ``array + error`` to __radd__ below.
    __array_ufunc__ = None

    code: str
    number: int
    _boxed: float

    def __new__(cls, code: str) -> ExcelError:
        known = cls._known.get(code)
        if known is None:
            known = super().__new__(cls)
            known.code, known.number, known._boxed = code, ERROR_CODES[code], box(code)
            cls._known[code] = known
        return known

    def __reduce__(self) -> tuple[type[ExcelError], tuple[str]]:
        return ExcelError, (self.code,)

    def __repr__(self) -> str:
        return self.code

    def __float__(self) -> float:
        return self._boxed

    def _travel(self, other: Any) -> Any:
        """The result of arithmetic with an error is the error, in the other side's shape."""
        shape = getattr(other, "shape", None)
        if shape is None:
            return self
        import numpy as np

        return np.full(shape, self._boxed)

    def _second(self, other: Any) -> Any:
        """The error stands on the right: errors already in the left array come first."""
        shape = getattr(other, "shape", None)
        if shape is None:
            return self
        import numpy as np

        return np.where(np.isnan(other), other, self._boxed)

    __add__ = __sub__ = __mul__ = _travel
    __radd__ = __rsub__ = __rmul__ = _second

    def __neg__(self) -> ExcelError:
        return self

    def __pos__(self) -> ExcelError:
        return self

    def __bool__(self) -> bool:
        raise TypeError(f"{self.code} used as a condition")


NULL: Final = ExcelError("#NULL!")
DIV0: Final = ExcelError("#DIV/0!")
VALUE: Final = ExcelError("#VALUE!")
REF: Final = ExcelError("#REF!")
NAME: Final = ExcelError("#NAME?")
NUM: Final = ExcelError("#NUM!")
NA: Final = ExcelError("#N/A")
SPILL: Final = ExcelError("#SPILL!")
CALC: Final = ExcelError("#CALC!")


def error_of(boxed: float) -> ExcelError:
    """The error value that a NaN stands for."""
    return ExcelError(unbox(boxed))


class Stop(Exception):
    """Base of what ends a computation early."""


class Raised(Stop):
    """A function's result is an error value."""

    def __init__(self, error: ExcelError) -> None:
        super().__init__(error.code)
        self.error = error


class Unsupported(Stop):
    """The cell cannot be computed: ``code`` is stable (``external_link``), ``detail`` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


def demand(holds: bool) -> None:
    """#NUM! unless a condition on the arguments holds."""
    if not holds:
        raise Raised(NUM)
