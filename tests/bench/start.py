"""What a function's start costs: the imports of each, and the size of its package. ``make sizes`` prints the table.

Nothing here fails for a time: budgets are printed beside the figures.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .catalogue import ROOT
from .measure import ONE_THREAD, run

BUILT: Final = ROOT / ".aws-sam" / "build"  #: where `sam build` leaves the packages
IMPORT_BUDGETS: Final = {"api": 150}  #: ms
SIZE_BUDGETS: Final = {"api": 25}  #: MB, unzipped
TIMES: Final = 5

#: What a function imports when it is first called, besides its ``app.py``.
FIRST_CALL: Final = {
    "api": "sheetrun.service.web.assembly",
    "intake": "sheetrun.service.batches",
    "parse": "sheetrun.service.compute, sheetrun.service.steps, sheetrun.service.work",
    "generate": "sheetrun.service.compute, sheetrun.service.steps, sheetrun.service.work",
    "execute": "sheetrun.service.compute, sheetrun.service.steps, sheetrun.service.work, sheetrun.sandbox.warm",
    "sweep": "sheetrun.service.sweep",
}

#: As Lambda does it: the file is loaded by its path, once, in a fresh interpreter.
_PROGRAM: Final = """\
import time
started = time.process_time()
{app}
loaded = time.process_time()
{first_call}
print(loaded - started, time.process_time() - started)
"""
_APP: Final = """\
import importlib.util
spec = importlib.util.spec_from_file_location("app", "functions/{function}/app.py")
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""
#: For comparison: what others' imports cost here.
FLOORS: Final = ("boto3", "numpy")


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds of CPU above a bare interpreter; MB of the unzipped package, None before `sam build`."""

    function: str
    app: float
    first_call: float
    size: float | None


def measure_all() -> list[Start]:
    """The functions, then two floors. Raises RuntimeError when one cannot be imported."""
    found = []
    for function in sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py")):
        names = FIRST_CALL.get(function)
        app, first_call = _imports(_APP.format(function=function), f"import {names}" if names else "")
        found.append(Start(function, app, first_call, _size(function)))
    return found + [Start(f"({name} alone)", *_imports(f"import {name}", ""), None) for name in FLOORS]


def _imports(app: str, first_call: str) -> tuple[float, float]:
    """The median of five; one run before them writes the bytecode."""
    program = _PROGRAM.format(app=app, first_call=first_call)
    samples = [run([sys.executable, "-c", program], environment=ONE_THREAD) for _ in range(TIMES + 1)][1:]
    for sample in samples:
        if sample.failure:
            raise RuntimeError(f"{app.strip()}: {sample.failure}")
    times = [[1000 * float(word) for word in sample.output.split()] for sample in samples]
    loaded, called = (statistics.median(column) for column in zip(*times, strict=True))
    return loaded, called


def _size(function: str) -> float | None:
    folder = BUILT / f"{function.capitalize()}Function"
    if not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def table(starts: Sequence[Start]) -> list[str]:
    """Markdown."""
    lines = [
        "| function | imports of app.py, ms | with those of the first call, ms | budget, ms | unzipped, MB | budget, MB |",
        "|---|---|---|---|---|---|",
    ]
    for start in starts:
        size = "–" if start.size is None else f"{start.size:.1f}"
        most = [str(budgets.get(start.function, "–")) for budgets in (IMPORT_BUDGETS, SIZE_BUDGETS)]
        lines.append(
            f"| {start.function} | {start.app:.0f} | {start.first_call:.0f} | {most[0]} | {size} | {most[1]} |"
        )
    return lines


def over(starts: Sequence[Start]) -> list[str]:
    """A line for each budget that does not hold."""
    found = []
    for start in starts:
        budget = IMPORT_BUDGETS.get(start.function)
        if budget and start.first_call > budget:
            found.append(f"{start.function}: {start.first_call:.0f} ms of imports, over {budget} ms")
        budget = SIZE_BUDGETS.get(start.function)
        if budget and start.size and start.size > budget:
            found.append(f"{start.function}: {start.size:.1f} MB unzipped, over {budget} MB")
    return found


def main() -> None:
    starts = measure_all()
    print("\n".join([*table(starts), *(f"over budget: {line}" for line in over(starts))]))


if __name__ == "__main__":
    main()
