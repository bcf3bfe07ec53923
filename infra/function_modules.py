"""Writes runtime/functions/where.py: which module registers which function, so that a start need not look for it.

python infra/function_modules.py            writes the table
python infra/function_modules.py --check    exit code 1 when it is not what this would write
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Final

import sheetrun.runtime.functions as functions
from sheetrun.runtime.registry import entries

TABLE: Final = Path(functions.__file__).with_name("where.py")
_HEAD: Final = '''"""Which module registers which functions. Written by infra/function_modules.py (`make docs`)."""

from __future__ import annotations

from typing import Final

#: A module at the start of a line, and the functions that it registers, in Excel's spelling.
WHERE: Final = """
'''


def table() -> str:
    """The text of the table."""
    modules: dict[str, list[str]] = {}
    for entry in entries():
        modules.setdefault(entry.plain.__module__.rpartition(".")[2], []).append(entry.name)
    lines = []
    for module, names in sorted(modules.items()):
        lines += textwrap.wrap(f"{module} {' '.join(sorted(names))}", 110, subsequent_indent="    ")
    return _HEAD + "\n".join(lines) + '\n"""\n'


def main() -> int:
    text = table()
    if "--check" in sys.argv:
        return int(TABLE.read_text(encoding="utf-8") != text)
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
