"""What a generated analysis script imports besides pandas and NumPy."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["main", "number", "of_type", "text"]

_LONGEST = 200  # characters of a text in the results

Analysis = Callable[[Any, dict[str, str]], dict[str, Any]]


def of_type(columns: Mapping[str, str], *types: str) -> list[str]:
    """The names of the columns of these types, in their order."""
    return [name for name, kind in columns.items() if kind in types]


def number(value: Any) -> float | int | None:
    """A finite number as JSON has it; None for anything else."""
    found = float(value)
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def text(value: Any) -> str:
    """A value as a short text: dates without a time of midnight."""
    shown = str(value).removesuffix(" 00:00:00")
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def main(tasks: Mapping[str, Analysis], columns: Mapping[str, str], read: Mapping[str, Any]) -> None:
    """A script run by hand: ``python analysis.py data.csv [results.json]``."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(f"usage: {Path(sys.argv[0]).name} FILE [RESULTS.json]")
    from sheetrun.datasets.frames import read_frame, schema_of, table_of

    schema = schema_of(columns, read)
    frame = read_frame(table_of(Path(sys.argv[1]).read_bytes(), schema), schema)
    results = json.dumps(
        {name: task(frame, dict(columns)) for name, task in tasks.items()}, indent=1, ensure_ascii=False
    )
    if len(sys.argv) == 3:
        Path(sys.argv[2]).write_text(results + "\n", encoding="utf-8")
    else:
        print(results)
