"""The peer's worker: a Celery task that computes a workbook with `formulas` and gives back every formula cell."""

import os
import re

from celery import Celery

REDIS = os.environ["BENCH_REDIS"]

app = Celery("bench", broker=f"{REDIS}/0", backend=f"{REDIS}/1")
app.conf.update(worker_prefetch_multiplier=1, task_acks_late=True, result_expires=600)

_CELL = re.compile(r"'\[[^\]]*\]([^']*)'!([A-Z]+\d+)")


@app.task
def calculate(path: str) -> dict[str, float | str]:
    """Reference -> value, of every cell of the solution."""
    import formulas  # in memory after the first task of each worker

    solution = formulas.ExcelModel().loads(path).finish().calculate()
    os.unlink(path)
    cells = {}
    for key, found in solution.items():
        if match := _CELL.fullmatch(str(key)):
            value = found.value[0, 0]
            cells[f"{match[1]}!{match[2]}".upper()] = value if isinstance(value, str) else float(value)
    return cells
