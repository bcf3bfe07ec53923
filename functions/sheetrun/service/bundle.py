"""The bundle of a job: a module, data, runtime and a test, as a zip that runs on a laptop with Python alone.

::

    model.py          the front: typed inputs and outputs, ``calculate``, and a command line
    formulas.py       the generated script
    model.data        the workbook's constants
    expected.json     the values that Excel stored, of the cells that were proved
    test_model.py     compares them, by itself or with pytest
    sheetrun/         the runtime with what its values are made by, and nothing else of the library
"""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import sheetrun
from sheetrun.compiler.literal import comment, literal
from sheetrun.runtime.payload import RunInput
from sheetrun.runtime.standalone import quoted

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the same bundle for the same job, byte for byte
_FIELDS: Final = 500  #: inputs, and outputs, that have a type of their own; any cell can be named all the same
_TYPES: Final = {"number": "float", "date": "float", "text": "str", "boolean": "bool"}

_OWN_START: Final = '\nif __name__ == "__main__":\n    main(STEPS, __file__)\n'  #: of a script that is its own front

_README: Final = """# {name} as a Python program

Python 3.11 or newer, and NumPy:

    pip install -r requirements.txt
    python model.py                             all formula cells
    python model.py --set {set} --get {get}     with another input; repeat as needed
    python model.py --json                      as JSON
    python test_model.py                        compares every cell with the values that Excel stored

As a module:

    from model import calculate, cells

    calculate()                                 the outputs, as the workbook has them
    calculate({{{input!r}: {value}}})
    cells([{output!r}], {{{input!r}: {value}}})

Inputs and outputs are cells (`Sheet!A1`, a range, a defined name); `Inputs` and `Outputs` in `model.py` list those that
the workbook names, with their types. `formulas.py` is the program: each block under its range and its formula in Excel.
`model.data` holds the workbook's constants. `sheetrun/runtime` is what the program imports: Excel's values, operators
and functions.
"""

_FRONT: Final = '''"""{title} as a Python function, made by Sheetrun.

    python model.py --set {set} --get {get}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict, cast

from formulas import STEPS
from sheetrun.runtime.calling import CellError, Program, Value
from sheetrun.runtime.standalone import main

#: Cells that the workbook's formulas read, with their labels and values. Any other cell may be set as well.
Inputs = TypedDict(
    "Inputs",
    {{{inputs}}},
    total=False,
)

#: What the workbook computes and nothing in it reads.
Outputs = TypedDict(
    "Outputs",
    {{{outputs}}},
)

_PROGRAM = Program(STEPS, Path(__file__).with_suffix(".data"))


def calculate(inputs: Inputs | Mapping[str, Value] | None = None) -> Outputs:
    """The outputs, computed with some inputs changed. Raises ``sheetrun.runtime.inputs.InputError``."""
    return cast(Outputs, _PROGRAM.calculate(inputs, Outputs.__annotations__))


def cells(references: Iterable[str], inputs: Inputs | Mapping[str, Value] | None = None) -> dict[str, Any]:
    """Any cells, ranges (lists of rows) or names, computed likewise."""
    return _PROGRAM.calculate(inputs, references)


if __name__ == "__main__":
    main(STEPS, __file__)
'''

_TEST: Final = '''"""Compares what model.py computes with the values that Excel stored in the workbook."""

import json
from pathlib import Path

from model import cells

EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))


def same(ours, excel):
    """Numbers within 1e-9 relative; texts, logicals and errors exactly."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (ours, excel))
    if numbers:
        return abs(ours - excel) <= 1e-9 * max(abs(ours), abs(excel))
    return ours == excel and type(ours) is type(excel)


def different():
    computed = cells(EXPECTED)
    return [(cell, computed[cell], value) for cell, value in EXPECTED.items() if not same(computed[cell], value)]


def test_every_cell_is_as_excel_stored_it():
    assert different() == []


if __name__ == "__main__":
    wrong = different()
    for cell, ours, excel in wrong[:20]:
        print(f"{cell}: {ours!r}, Excel has {excel!r}")
    print(f"{len(EXPECTED) - len(wrong):,} of {len(EXPECTED):,} cells are as in Excel")
    raise SystemExit(1 if wrong else 0)
'''


def make_bundle(
    filename: str,
    script: str,
    data: RunInput,
    expected: Mapping[str, Any],
    *,
    inputs: Sequence[Mapping[str, Any]] = (),
    outputs: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """The zip. ``expected``: the cells that can be compared, with the values that Excel stored. ``inputs``,
    ``outputs``: as ``GET /v1/models/{id}`` tells them (reference, name, label, type, value, shape)."""
    example_in, example_out = _example(inputs, expected, data), _example(outputs, expected, data)
    value = next((cell["value"] for cell in inputs if cell["reference"] == example_in), 1)
    example = {"set": shlex.quote(f"{example_in}={value}"), "get": shlex.quote(example_out)}
    title = re.sub(r"[^\w .()-]", "_", filename) or "The workbook"
    out = io.BytesIO()
    out.write(_runtime())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as bundle:
        add = partial(_add, bundle)
        front = _FRONT.format(
            title=comment(title),
            **example,
            inputs=_fields(inputs, ""),
            outputs=_fields(outputs, " | CellError"),
        )
        add("model.py", front)
        add("formulas.py", script.removesuffix(_OWN_START))
        add("model.data", data.to_bytes())
        add("expected.json", json.dumps(expected))
        add("test_model.py", _TEST)
        add("requirements.txt", f"numpy=={_numpy()}\n")
        add("README.md", _README.format(name=title, input=example_in, output=example_out, value=value, **example))
    return out.getvalue()


@cache
def _runtime() -> bytes:
    """A zip of the runtime, to which a job's own files are added: it is the same in each, and a hundred files."""
    root = Path(sheetrun.__file__).parent
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        _add(bundle, "sheetrun/__init__.py", (root / "runtime" / "__init__.py").read_bytes())
        for path in (root / "records.py", *sorted((root / "runtime").rglob("*.py"))):
            _add(bundle, f"sheetrun/{path.relative_to(root).as_posix()}", path.read_bytes())
    return out.getvalue()


@cache
def _numpy() -> str:
    return version("numpy")


def _add(bundle: zipfile.ZipFile, name: str, content: str | bytes) -> None:
    bundle.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def _example(cells: Sequence[Mapping[str, Any]], expected: Mapping[str, Any], data: RunInput) -> str:
    """A reference to show; of a workbook without names for what it takes, any cell will do."""
    known = [str(cell["reference"]) for cell in cells if cell.get("type") == "number"]
    plain = (name for name in (*known, *expected) if re.fullmatch(r"[\w .!:$'()-]+", name))  # no markup, no line end
    return next(plain, f"{quoted(data.sheets[0].name)}!A1")


def _fields(cells: Sequence[Mapping[str, Any]], also: str) -> str:
    lines = []
    for cell in cells[:_FIELDS]:
        kind = _TYPES.get(str(cell.get("type")))
        annotation = "Value" if kind is None else f"{kind}{also}"
        value = cell.get("value")
        if "shape" in cell:
            annotation, value = "list[list[Value]]", None
        about = [str(cell.get("name") or ""), str(cell.get("label") or ""), "" if value is None else f"{value!s:.60}"]
        told = ", ".join(part for part in about if part)
        lines.append(
            f"        {literal(str(cell['reference']))}: {annotation},{f'  # {comment(told)}' if told else ''}"
        )
    return "\n" + "\n".join(lines) + "\n    " if lines else ""
