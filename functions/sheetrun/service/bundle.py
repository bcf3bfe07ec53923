"""The bundle of a job: script, data, runtime and a test, as a zip that runs on a laptop with Python alone."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import sheetrun
from sheetrun.runtime.payload import RunInput

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the same bundle for the same job, byte for byte
_README: Final = """# {name} as a Python program

    pip install -r requirements.txt
    python model.py                         all formula cells
    python model.py --get 'SHEET!A1'        one cell, or a range
    python model.py --set 'SHEET!B2=0.07'   with another input; repeat as needed
    python model.py --json                  as JSON
    python check.py                         compares every cell with the values that Excel stored

`model.py` is the program: each block under its range and its formula in Excel. `model.data` holds the workbook's
constants. `sheetrun/runtime` is what the program imports: Excel's values, operators and functions.
"""
_CHECK: Final = '''"""Compares what model.py computes with the values that Excel stored in the workbook."""

import json
import subprocess
import sys
from pathlib import Path

here = Path(__file__).parent
expected = json.loads((here / "expected.json").read_text())
printed = subprocess.run([sys.executable, str(here / "model.py"), "--json"], capture_output=True, text=True, check=True)
computed = json.loads(printed.stdout)


def same(a, b):
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (a, b))
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b)) if numbers else a == b and type(a) is type(b)


wrong = [cell for cell, value in expected.items() if cell in computed and not same(computed[cell], value)]
for cell in wrong[:20]:
    print(f"{cell}: {computed[cell]!r}, Excel has {expected[cell]!r}")
print(f"{len(expected) - len(wrong)} of {len(expected)} cells are as in Excel")
sys.exit(1 if wrong else 0)
'''


def make_bundle(filename: str, script: str, data: RunInput, expected: Mapping[str, Any]) -> bytes:
    """The zip. ``expected``: the cells that can be compared, with the values that Excel stored."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:

        def add(name: str, content: str | bytes) -> None:
            bundle.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)

        add("model.py", script)
        add("model.data", data.to_bytes())
        add("expected.json", json.dumps(expected))
        add("check.py", _CHECK)
        add("requirements.txt", f"numpy=={version('numpy')}\n")
        add("README.md", _README.format(name=re.sub(r"[^\w .()-]", "_", filename) or "The workbook"))
        root = Path(sheetrun.__file__).parent
        add("sheetrun/__init__.py", (root / "__init__.py").read_bytes())
        for path in sorted((root / "runtime").rglob("*.py")):
            add(f"sheetrun/{path.relative_to(root).as_posix()}", path.read_bytes())
    return out.getvalue()
