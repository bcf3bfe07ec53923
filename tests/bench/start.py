"""What a function's start costs: the imports of each, and the size of its package. ``make sizes`` prints the table.

Nothing here fails for a time: budgets are printed beside the figures.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sheetrun.local import packages

from .catalogue import ROOT
from .measure import ONE_THREAD, run

BUILT: Final = ROOT / ".aws-sam" / "build"  #: where `sam build` leaves the packages
IMPORT_BUDGETS: Final = {"api": 150}  #: ms
SIZE_BUDGETS: Final = {"api": 25}  #: MB, unzipped
LARGEST: Final = packages.LARGEST / 1e6  #: MB that AWS Lambda takes
PAGE: Final = ROOT / "docs" / "benchmarks.md"
TITLE: Final = "## Start of the functions"
TIMES: Final = 5

#: What a function imports when it is first called, besides its ``app.py``.
FIRST_CALL: Final = {
    "api": "sheetrun.service.web.assembly",
    "intake": "sheetrun.service.batches",
    "parse": "sheetrun.service.compute, sheetrun.service.steps, sheetrun.service.work",
    "generate": "sheetrun.service.compute, sheetrun.service.steps, sheetrun.service.work",
    "execute": "sheetrun.service.compute, sheetrun.service.steps, sheetrun.service.work, sheetrun.sandbox.warm",
    "calculate": "sheetrun.service.web.assembly, sheetrun.service.web.calls, sheetrun.sandbox.warm",
    "sweep": "sheetrun.service.sweep",
    "deliver": "sheetrun.service.batches, sheetrun.service.courier, sheetrun.aws.sender",
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
    first_call: float | None  #: with ``app``
    size: float | None


def measure_all() -> list[Start]:
    """The functions, then the floors. Raises RuntimeError when one cannot be imported.

    They run in turn, so that a busy moment is one of all; a round before the five writes the bytecode.
    """
    names = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    programs = {name: _program(_APP.format(function=name), FIRST_CALL.get(name)) for name in names}
    programs |= {f"({floor} alone)": _program(f"import {floor}", None) for floor in FLOORS}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(TIMES + 1):
        for name, program in programs.items():
            times[name].append(_imports(name, program))
    starts = []
    for name, found in times.items():
        app, first_call = (statistics.median(column) for column in zip(*found[1:], strict=True))
        starts.append(Start(name, app, first_call if name in FIRST_CALL else None, _size(name)))
    return starts


def _program(app: str, modules: str | None) -> str:
    return _PROGRAM.format(app=app, first_call=f"import {modules}" if modules else "")


def _imports(name: str, program: str) -> tuple[float, float]:
    sample = run([sys.executable, "-c", program], environment=ONE_THREAD)
    if sample.failure:
        raise RuntimeError(f"{name}: {sample.failure}")
    app, first_call = (1000 * float(word) for word in sample.output.split())
    return app, first_call


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
        called = "–" if start.first_call is None else f"{start.first_call:.0f}"
        time = IMPORT_BUDGETS.get(start.function, "–")
        most = "–" if start.first_call is None else f"{SIZE_BUDGETS.get(start.function, LARGEST):.0f}"
        lines.append(f"| {start.function} | {start.app:.0f} | {called} | {time} | {size} | {most} |")
    return lines


def over(starts: Sequence[Start]) -> list[str]:
    """A line for each budget that does not hold."""
    found = []
    for start in starts:
        budget = IMPORT_BUDGETS.get(start.function)
        spent = start.app if start.first_call is None else start.first_call
        if budget and spent > budget:
            found.append(f"{start.function}: {spent:.0f} ms of imports, over {budget} ms")
        most = SIZE_BUDGETS.get(start.function, LARGEST)
        if start.size and start.size > most:
            found.append(f"{start.function}: {start.size:.1f} MB unzipped, over {most:.0f} MB")
    return found


def section(starts: Sequence[Start]) -> list[str]:
    """The table with what is over its budget, as the page has it."""
    return [*table(starts), "", *(f"- Over budget: {line}." for line in over(starts))]


def main() -> None:
    """``--write`` puts the table into the page too, which else `make bench` does with all the others."""
    starts = measure_all()
    print("\n".join(section(starts)))
    if "--write" in sys.argv[1:]:
        page = PAGE.read_text(encoding="utf-8")
        body = "\n".join([TITLE, "", *section(starts), "", ""])
        PAGE.write_text(re.sub(f"{TITLE}\n.*?(?=## )", lambda _: body, page, flags=re.S), encoding="utf-8")


if __name__ == "__main__":
    main()
