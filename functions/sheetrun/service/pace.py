"""How often Python looks for cycles of garbage: rarely, in a process that makes millions of objects that all stay."""

from __future__ import annotations

import gc
from typing import Final

#: New objects between two looks; 700 is Python's own. Trees and units of a workbook have no cycles among them.
_OBJECTS: Final = 500_000


def collect_rarely() -> None:
    """For a program's start: at Python's own pace, reading and compiling a large workbook takes half as long again."""
    gc.set_threshold(_OBJECTS, 20, 50)
