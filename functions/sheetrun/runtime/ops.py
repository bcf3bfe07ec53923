"""Excel's operators for scalars and arrays, and the conversions that a script writes around values.

The operands of ``+ - *`` in a script are numbers already (``s.n[...]``, ``num(x)``): a float, an ExcelError or a float64
array whose NaNs carry errors; there the Python operators do. What needs more is here. Arrays of different shapes pair up
as in Excel: one row or column repeats, what is beyond the smaller array is #N/A.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Final

import numpy as np

from sheetrun.runtime import powers
from sheetrun.runtime.cells import LOGICAL, NUMBER, Numbers
from sheetrun.runtime.coerce import to_number, to_text
from sheetrun.runtime.compare import compare, compare_arrays, equal_arrays, ordered_numbers, same_number
from sheetrun.runtime.errors import DIV0, NUM, VALUE, ExcelError
from sheetrun.runtime.noise import cleared, is_noise
from sheetrun.runtime.refops import spread
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.tails import Tailed, any_tailed, numbers_of, over, settled
from sheetrun.runtime.values import Arr, Erring, Scalar, Value, common_shape, erring

_BOX_DIV0: Final = float(DIV0)
_BOX_NUM: Final = float(NUM)


def num(value: Value) -> Any:
    """A value as an operand of arithmetic: a float, an ExcelError, or a float64 array."""
    kind = type(value)
    if kind is float or kind is np.ndarray:
        return value
    if kind is Arr:
        return erring(value.num)
    if kind is Erring:
        return value
    if kind is Tailed:
        return numbers_of(value)
    if kind is Ref:
        array = value.whole()
        return num(array.cell(0, 0) if array.size == 1 else array)
    if kind is Refs or _functions(value):  # there is no arithmetic on unions and 3-D references
        return VALUE
    return to_number(value)


def _functions(value: Value) -> bool:
    """Whether a value is a function or an array of them, and no reference."""
    return callable(value) or hasattr(value, "arr")


def _operand(value: Value) -> Value:
    """A value as an operand of a comparison or of ``&``."""
    value = spread(value)
    return VALUE if type(value) is not Tailed and _functions(value) else value


def _paired(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands, at least one an array, as float64 arrays or floats of shapes that NumPy can pair."""
    a = float(a) if isinstance(a, ExcelError) else a
    b = float(b) if isinstance(b, ExcelError) else b
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape != b.shape:
        (h, w), (i, j) = a.shape, b.shape
        if (h != i and 1 not in (h, i)) or (w != j and 1 not in (w, j)):
            shape = common_shape((a, b))
            return Arr(a).expanded(shape).num, Arr(b).expanded(shape).num
    return a, b


def plus(a: Value, b: Value) -> Any:
    """``a + b`` where the types or shapes are not known."""
    a, b = num(a), num(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = _paired(a, b)
    return a + b


def minus(a: Value, b: Value) -> Any:
    a, b = num(a), num(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = _paired(a, b)
    return a - b


def times(a: Value, b: Value) -> Any:
    a, b = num(a), num(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = _paired(a, b)
    return a * b


def add(a: Value, b: Value) -> Any:
    """``a + b`` as the last operation of a formula: a result that is only noise becomes 0 (see ``noise``).

    Microsoft, "Floating-point arithmetic may give inaccurate results in Excel".
    """
    a, b = num(a), num(b)
    if type(a) is float and type(b) is float:
        total = a + b
        return 0.0 if is_noise(total, a) else total
    return _snapped(plus(a, b), a)


def sub(a: Value, b: Value) -> Any:
    """``a - b`` as the last operation of a formula (see ``add``)."""
    a, b = num(a), num(b)
    if type(a) is float and type(b) is float:
        total = a - b
        return 0.0 if is_noise(total, a) else total
    return _snapped(minus(a, b), a)


def _snapped(total: Any, a: Any) -> Any:
    if type(total) is Tailed:
        return total if total.counts else over(_snapped, total, a)
    if not isinstance(total, np.ndarray):
        return total
    if isinstance(a, np.ndarray) and a.shape != total.shape:
        a = Arr(a).expanded(total.shape).num
    return total if isinstance(a, ExcelError) else cleared(total, a)


def div(a: Value, b: Value) -> Any:
    """``a / b``; by zero #DIV/0!."""
    if type(a) is float and type(b) is float:
        return a / b if b != 0.0 else DIV0
    a, b = num(a), num(b)
    if any_tailed(a, b):
        return over(div, *(settled(a, b) if type(a) is Tailed and a.counts else (a, b)))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = _paired(a, b)
        with np.errstate(all="ignore"):
            out = np.divide(a, b)
        zero = np.equal(b, 0.0)
        if np.any(zero):
            out = np.where(zero & ~np.isnan(a), _BOX_DIV0, np.where(np.isnan(a), a, out)).view(Erring)
        return out
    if isinstance(a, ExcelError):
        return a
    if isinstance(b, ExcelError):
        return b
    return a / b if b != 0.0 else DIV0


def power(a: Value, b: Value) -> Any:
    """``a ^ b``: 0^0 is #NUM!, 0 to a negative power #DIV/0!, a negative base needs an integer exponent."""
    a, b = num(a), num(b)
    if any_tailed(a, b):
        return over(power, a, b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = _paired(a, b)
        return power_arrays(np.asarray(a), np.asarray(b))
    if isinstance(a, ExcelError):
        return a
    if isinstance(b, ExcelError):
        return b
    return raised(a, b)


def raised(base: float, exponent: float) -> float | ExcelError:
    """``base ^ exponent`` for two floats; a negative base has powers that are whole or one over an odd number."""
    if base == 0.0:
        if exponent == 0.0:
            return NUM
        if exponent < 0.0:
            return DIV0
    if base < 0.0 and 0.0 < abs(exponent) <= 1.0 and odd_root(exponent):  # (-8)^(1/3) is -2
        return -powers.power(-base, exponent)
    try:
        out = powers.power(base, exponent)
    except (OverflowError, ValueError):
        return NUM
    return out if math.isfinite(out) else NUM


def odd_root(exponent: Any) -> Any:
    """Whether an exponent (or each of an array) is one over an odd whole number."""
    n = np.round(1.0 / exponent)
    return (n % 2.0 == 1.0) & (1.0 / n == exponent)


def power_arrays(a: Numbers, b: Numbers) -> Numbers:
    with np.errstate(all="ignore"):
        out = powers.powers(a, b)
        roots = (a < 0.0) & odd_root(b)
        if roots.any():
            out = np.where(roots, -powers.powers(-a, b), out)
    a, b = np.broadcast_arrays(a, b)
    wrong = ~np.isfinite(out) | (a == 0.0) | np.isnan(a) | np.isnan(b)  # to NumPy NaN ** 0 and 1 ** NaN are 1
    if wrong.any():
        out = np.where(~np.isfinite(out), _BOX_NUM, out)
        out = np.where((a == 0.0) & (b == 0.0), _BOX_NUM, out)
        out = np.where((a == 0.0) & (b < 0.0), _BOX_DIV0, out)
        out = np.where(np.isnan(b), b, out)
        out = np.where(np.isnan(a), a, out).view(Erring)
    return out


def concat(a: Value, b: Value, *more: Value) -> Value:
    """``a & b & …``."""
    for following in more:
        a, b = concat(a, b), following
    if type(a) is str and type(b) is str:
        return a + b if len(a) + len(b) <= 32767 else VALUE
    a, b = _operand(a), _operand(b)
    if any_tailed(a, b):
        return over(concat, a, b)
    if isinstance(a, Arr | np.ndarray) or isinstance(b, Arr | np.ndarray):
        left, right = Arr.of(a), Arr.of(b)
        shape = common_shape((left, right))
        pairs = zip(left.expanded(shape), right.expanded(shape), strict=True)
        return Arr.flat((_joined(x, y) for x, y in pairs), shape)
    return _joined(a, b)


def _joined(a: Scalar, b: Scalar) -> str | ExcelError:
    left, right = to_text(a), to_text(b)
    if isinstance(left, ExcelError):
        return left
    if isinstance(right, ExcelError):
        return right
    return left + right if len(left) + len(right) <= 32767 else VALUE


def eq(a: Value, b: Value) -> Value:
    """``a = b``."""
    if type(a) is float and type(b) is float:
        return a == b or same_number(a, b)
    return _compared(a, b, np.equal)


def ne(a: Value, b: Value) -> Value:
    """``a <> b``."""
    if type(a) is float and type(b) is float:
        return not (a == b or same_number(a, b))
    return _compared(a, b, np.not_equal)


def lt(a: Value, b: Value) -> Value:
    """``a < b``."""
    if type(a) is float and type(b) is float:
        return a < b and not same_number(a, b)
    return _compared(a, b, np.less)


def le(a: Value, b: Value) -> Value:
    """``a <= b``."""
    if type(a) is float and type(b) is float:
        return a <= b or same_number(a, b)
    return _compared(a, b, np.less_equal)


def gt(a: Value, b: Value) -> Value:
    """``a > b``."""
    if type(a) is float and type(b) is float:
        return a > b and not same_number(a, b)
    return _compared(a, b, np.greater)


def ge(a: Value, b: Value) -> Value:
    """``a >= b``."""
    if type(a) is float and type(b) is float:
        return a >= b or same_number(a, b)
    return _compared(a, b, np.greater_equal)


def _compared(a: Value, b: Value, operation: np.ufunc) -> Value:
    a, b = _operand(a), _operand(b)
    if any_tailed(a, b):
        return over(partial(_compared, operation=operation), a, b)
    if isinstance(a, Arr | np.ndarray) or isinstance(b, Arr | np.ndarray):
        left, right = Arr.of(a), Arr.of(b)
        if not _pairs(left.shape, right.shape):
            shape = common_shape((left, right))
            left, right = left.expanded(shape), right.expanded(shape)
        return _compared_arrays(left, right, operation)
    if isinstance(a, ExcelError):
        return a
    if isinstance(b, ExcelError):
        return b
    return bool(operation(compare(a, b), 0))


def _compared_arrays(left: Arr, right: Arr, operation: np.ufunc) -> Arr:
    """For shapes that NumPy can pair."""
    if left.plain() and right.plain():
        holds = ordered_numbers(left.num, right.num, operation, bool(operation(0, 0)))
        bad = np.isnan(left.num) | np.isnan(right.num)
    elif operation in (np.equal, np.not_equal):
        same, bad = equal_arrays(left, right)
        holds = same if operation is np.equal else ~same
    else:
        order, bad = compare_arrays(left, right)
        holds = operation(order, 0.0)
    if not bad.any():
        return Arr.logicals(holds)
    shape = holds.shape
    first = np.broadcast_to(np.where(left.errors(), left.num, 0.0), shape)
    second = np.broadcast_to(right.num, shape)
    out = np.where(bad, np.where(np.isnan(first), first, second), holds.astype(np.float64))
    return Arr(out, np.where(bad, NUMBER, LOGICAL).astype(np.int32))


def _pairs(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return all(x == y or 1 in (x, y) for x, y in zip(a, b, strict=True))
