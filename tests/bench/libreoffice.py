"""LibreOffice as a peer, where `soffice` is on the machine: it converts a workbook, and recalculates it on the way.

So its time includes writing the copy. The values are read from that copy afterwards, off the clock.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .catalogue import CACHE, Book
from .measure import Task, run

COLUMN: Final = "LibreOffice"
_PROFILE: Final = CACHE / "soffice"
_COPIES: Final = CACHE / "recalculated"
#: "Always" of Tools → Options → Calc → Formula → Recalculation on File Load.
_SETTINGS: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""


def task(book: Book) -> Task | None:
    """None where there is no LibreOffice."""
    program = shutil.which("soffice")
    if program is None:
        return None
    settings = _PROFILE / "user" / "registrymodifications.xcu"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(_SETTINGS, encoding="utf-8")
    profile = f"-env:UserInstallation={_PROFILE.as_uri()}"
    quiet = ("--headless", "--norestore", "--nologo")
    command = (program, profile, *quiet, "--convert-to", "xlsx", "--outdir", str(_COPIES), str(book.path))
    return Task(book.name, COLUMN, command, finish=lambda: _values(_COPIES / book.path.name, book.probes))


def _values(path: Path, cells: Sequence[str]) -> str:
    """Empty when there is no copy, whatever the exit code said. In a process of its own: this one stays small."""
    output = run([sys.executable, "-m", "tests.bench.libreoffice", str(path), *cells]).output
    path.unlink(missing_ok=True)
    return output


def _read(path: str, cells: Sequence[str]) -> str:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    found = {}
    for reference in cells:
        sheet, _, cell = reference.rpartition("!")
        ((value,),) = book[sheet].iter_rows(*_bounds(cell), values_only=True)
        found[reference] = value
    return json.dumps({"cells": found}, default=str)


def _bounds(cell: str) -> tuple[int, int, int, int]:
    """(min_row, max_row, min_col, max_col)."""
    from openpyxl.utils.cell import coordinate_to_tuple

    row, column = coordinate_to_tuple(cell)
    return row, row, column, column


if __name__ == "__main__":
    print(_read(sys.argv[1], sys.argv[2:]))
