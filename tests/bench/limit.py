"""What the machine gives: the chain workbook written by hand in NumPy, for many values of its first parameter.

``python -m tests.bench.limit ROWS SCENARIOS LOW HIGH`` prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .inputs import PARAMETERS, chain_inputs

CHUNK: Final = 32  #: scenarios at once: what they touch stays in the cache


def chain(a: Any, b: Any, p: Sequence[Any]) -> Any:
    """The last column (see ``books.CHAIN``)."""
    c = a * p[0] + b
    d = c + p[1]
    e = c * d - p[2]
    f = (d + e) / p[3]
    g = f * 2 - e / 3 + p[9]
    h = np.where(g > p[4], g, f)
    i = h * p[5] + g * p[6]
    j = np.copysign(np.floor(np.abs(i) * 1e4 + 0.5) / 1e4, i)  # half away from zero, as Excel's ROUND
    k = np.maximum(np.maximum(j, c), d) - np.minimum(e, f)
    return k / (p[8] + np.abs(j)) + c


def main(rows: int, count: int, low: float, high: float) -> None:
    a, b = map(np.array, chain_inputs(rows))
    values = np.linspace(low, high, count)
    results = np.empty((count, rows))
    started = time.process_time()
    for at in range(0, count, CHUNK):
        results[at : at + CHUNK] = chain(a, b, (values[at : at + CHUNK, None], *PARAMETERS[1:]))
    cpu = time.process_time() - started
    cells = {f"Model!L{row}": float(results[-1, row - 2]) for row in range(2, rows + 2)}
    print(json.dumps({"count": count, "cpu": cpu, "cells": cells}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
