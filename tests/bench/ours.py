"""Sheetrun computes one workbook in this process. It prints one JSON object.

``python -m tests.bench.ours run FILE CELL…``                         the cells, with no sandbox
``python -m tests.bench.ours report FILE``                            how many cells are as Excel stored them
``python -m tests.bench.ours phases FILE``                            where the CPU time goes, in ms
``python -m tests.bench.ours sweep FILE COUNT INPUT LOW HIGH CELL…``  scenarios in one call, the last one's cells
"""

from __future__ import annotations

import time

BORN = time.process_time()

import json  # noqa: E402 (what is imported from here on is counted)
import resource  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import Any  # noqa: E402

from sheetrun.service.local import open_model  # noqa: E402

AGAIN = "again"


def run(path: str, references: Sequence[str]) -> dict[str, Any]:
    computed = open_model(path).run(sandboxed=False)
    return {"cells": {name: computed.get(name) for name in references}}


def report(path: str) -> dict[str, Any]:
    found = open_model(path).run(sandboxed=False).report
    return {name: found[name] for name in ("formulas", "compared", "matched", "volatile", "unsupported", "stale")}


def phases(path: str) -> dict[str, float]:
    """The way of ``Model.run``, step by step; then the same script on the same data once more."""
    marks = [("python", BORN), ("import", time.process_time())]

    def mark(name: str) -> None:
        marks.append((name, time.process_time()))

    model = open_model(path)
    mark("read")
    script = model.compiled()
    mark("compile")
    from sheetrun.runtime.host import run_payload
    from sheetrun.runtime.payload import RunOutput
    from sheetrun.sandbox.allowlist import check, not_collecting
    from sheetrun.service.proof import prove
    from sheetrun.service.rundata import run_input
    from sheetrun.service.scripts import SCRIPT_POLICY

    payload = run_input(model.workbook, script.text).to_bytes()
    mark("data")
    check(script.text, SCRIPT_POLICY)
    mark("check")
    namespace: dict[str, Any] = {"__name__": "model", "__file__": "<model>"}
    exec(compile(script.text, "<model>", "exec"), namespace)
    mark("load")
    output = RunOutput.from_bytes(run_payload(namespace, payload))
    mark("run")
    with not_collecting():
        prove(model.workbook, output, script.refused, script.volatile, script.needs)
    mark("prove")
    run_payload(namespace, payload)
    mark(AGAIN)
    before = 0.0
    found = {}
    for name, at in marks:
        found[name], before = 1000 * (at - before), at
    return found


def sweep(path: str, count: int, target: str, low: float, high: float, outputs: Sequence[str]) -> dict[str, Any]:
    """``cpu``: of the whole call, with its sandbox and the first run of the workbook; ``inside``: from the first input
    that is put in to the last result, on one core."""
    import numpy as np

    model = open_model(path)
    model.compiled()
    before = _cpu()
    table = model.scenarios({target: np.linspace(low, high, count)}, outputs)
    cpu = _cpu() - before
    cells = {name: table.column(i)[-1] for i, name in enumerate(outputs)}
    return {"count": count, "cpu": cpu, "inside": table.seconds, "in_turn": table.in_turn, "cells": cells}


def _cpu() -> float:
    """Of this process and of those that it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(arguments: Sequence[str]) -> None:
    task, path, *rest = arguments
    if task == "sweep":
        count, target, low, high, *outputs = rest
        found = sweep(path, int(count), target, float(low), float(high), outputs)
    elif task == "run":
        found = run(path, rest)
    else:
        found = {"report": report, "phases": phases}[task](path)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
