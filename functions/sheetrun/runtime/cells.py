"""How cell values are stored in arrays: the one encoding that reader, runtime and comparison share.

A rectangle of cells is two arrays of the same shape:

    num  float64   the value as a number: itself; 1.0/0.0 of a logical; 0.0 of an empty cell; an *error* as a NaN that
                   carries its code; of a text what Excel's coercion makes of it (the number it reads as, else #VALUE!)
    tag  int32     what the cell is: NUMBER (also an error), EMPTY, LOGICAL, or TEXT + id into a pool of strings;
                   negative: a formula that has not been computed yet (PENDING - its step)

So arithmetic on a range is arithmetic on ``num`` with no look at the types: IEEE NaNs keep their payload through
add, subtract, multiply and divide, as Excel's errors travel. Functions that do tell types apart look at ``tag``.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Tags = NDArray[np.int32]
Mask = NDArray[np.bool_]

NUMBER: Final = 0
EMPTY: Final = 1
LOGICAL: Final = 2
TEXT: Final = 16
PENDING: Final = -1

#: Error codes as in ERROR.TYPE (Microsoft: "ERROR.TYPE function"), in the order Excel numbers them.
ERROR_CODES: Final = {
    "#NULL!": 1,
    "#DIV/0!": 2,
    "#VALUE!": 3,
    "#REF!": 4,
    "#NAME?": 5,
    "#NUM!": 6,
    "#N/A": 7,
    "#GETTING_DATA": 8,
    "#SPILL!": 9,
    "#CONNECT!": 10,
    "#BLOCKED!": 11,
    "#UNKNOWN!": 12,
    "#FIELD!": 13,
    "#CALC!": 14,
    "#EXTERNAL!": 19,
    "#BUSY!": 20,
    "#PYTHON!": 21,
    "#TIMEOUT!": 22,
}
ERROR_NAMES: Final = {number: code for code, number in ERROR_CODES.items()}

_QUIET_NAN: Final = 0x7FF8_0000_0000_0000
_PAYLOAD: Final = 0xFF
_DEFAULT_ERROR: Final = ERROR_CODES["#NUM!"]  # a NaN without a code comes from inf - inf: Excel says #NUM!


def box(code: str) -> float:
    """The NaN that carries an error code."""
    return float(struct.unpack("<d", struct.pack("<Q", _QUIET_NAN | ERROR_CODES[code]))[0])


def unbox(value: float) -> str:
    """The error code that a NaN carries."""
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return ERROR_NAMES.get(bits & _PAYLOAD, "#NUM!")


def error_numbers(num: Numbers) -> NDArray[np.int64]:
    """For an array of NaNs, the error number of each (a NaN without a code is #NUM!)."""
    codes = num.astype(np.float64, order="C").view(np.int64) & _PAYLOAD
    codes[codes == 0] = _DEFAULT_ERROR
    return codes
