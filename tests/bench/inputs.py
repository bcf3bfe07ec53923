"""The inputs of the chain workbooks, for those who write them and those who compute them by hand."""

from __future__ import annotations

from typing import Final

#: Params!B1:B10.
PARAMETERS: Final = (1.07, 3.5, 2.25, 4.0, 50.0, 0.5, 0.25, 4.0, 1.0, 12.0)


def wave(row: int) -> float:
    """A number that looks random and is the same everywhere."""
    return ((row * 7919) % 1000) / 10


def chain_inputs(rows: int) -> tuple[list[float], list[float]]:
    """The columns A and B."""
    return [(row % 97) + 0.5 for row in range(rows)], [wave(row) for row in range(rows)]
