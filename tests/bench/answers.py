"""Who computed what: the values that engines printed, compared with each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

CLOSE: Final = 1e-9  #: relative


@dataclass(frozen=True, slots=True)
class Difference:
    cell: str
    ours: Any
    theirs: Any


def of_json(output: str) -> dict[str, Any]:
    """What the programs of this folder print: the last line."""
    cells: dict[str, Any] = json.loads(output.strip().splitlines()[-1])["cells"]
    return cells


def of_lines(output: str, cells: Sequence[str]) -> dict[str, Any]:
    """What ``sheetrun run --get`` prints: a line for each cell."""
    return dict(zip(cells, output.splitlines(), strict=True))


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """Cells that are not the same, or that one of the two does not have."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    pairs = [Difference(name, ours.get(name), theirs.get(name)) for name in names]
    return [pair for pair in pairs if not same(pair.ours, pair.theirs)]


def same(a: Any, b: Any) -> bool:
    """Numbers within 1e-9 of the larger one, everything else exactly."""
    left, right = _number(a), _number(b)
    if left is None or right is None:
        return str(a) == str(b)
    return abs(left - right) <= CLOSE * max(abs(left), abs(right))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
