"""Sheetrun: spreadsheets as programs, compiled to Python and proved against Excel."""

from __future__ import annotations

TYPE_CHECKING = False  # as in ``typing``, which every command would have to import first
if TYPE_CHECKING:
    from pathlib import Path

    from sheetrun.client.notebook import Workbook

__version__ = "0.1.0"


def load(path: str | Path) -> Workbook:
    """A workbook to calculate with, here and with no service (see ``client.notebook``)."""
    from sheetrun.client import notebook

    return notebook.load(path)
