"""An engine for the commands that compute: it answers as it is told, in the place of ``sheetrun.service.local``."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from sheetrun.service.scenarios import OWN

REPORT = {
    "formulas": 1204,
    "compared": 1190,
    "matched": 1190,
    "mismatched": 0,
    "volatile": 14,
    "unsupported": 0,
    "duration_ms": {"execute": 3},
    "mismatches": [],
    "errors": [],
}


class Run:
    def __init__(self, given: Mapping[str, Any], report: dict[str, Any]) -> None:
        self.given, self.report = dict(given), report

    def cells(self) -> dict[str, Any]:
        return {"Out!A1": 12.5, "Out!A2": {"error": "#N/A"}, **self.given}

    def get(self, reference: str) -> Any:
        return {"NPV": 12.5, "Out!A1:B2": [[1, "a"], [None, True]]}.get(reference, self.given.get(reference))

    def workbook_bytes(self) -> bytes:
        return b"PK recalculated"


class Model:
    workbook = types.SimpleNamespace(settings=types.SimpleNamespace(date1904=True))

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report

    def run(
        self,
        given: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        now: datetime | None = None,
        seed: int = 0,
    ) -> Run:
        clock = {} if now is None else {"now": str(now), "seed": seed}
        return Run({**(given or {}), **clock}, self.report)

    def scenarios(self, inputs: Mapping[str, Any], outputs: list[str], *, on_progress: Any) -> Any:
        count = len(next(iter(inputs.values())))
        rows = [{name: values[i] for name, values in inputs.items() if values[i] is not OWN} for i in range(count)]
        found = [[Run(row, self.report).get(name) for row in rows] for name in outputs]
        on_progress(count, count, "scenarios computed")
        return types.SimpleNamespace(in_turn="it reads what only the run can tell", column=found.__getitem__)

    def script(self) -> str:
        return "print('ünï')\n"


Engine = Callable[..., None]


def pretended(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Puts the engine in place; what is given sets what it answers: a report, or an error to raise."""
    local = types.ModuleType("sheetrun.service.local")
    state: dict[str, Any] = {"report": REPORT, "error": None}

    def open_model(path: str) -> Model:
        if state["error"] is not None:
            raise state["error"]
        return Model(state["report"])

    local.open_model = open_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sheetrun.service.local", local)
    monkeypatch.setattr("sheetrun.service.local", local, raising=False)
    return lambda **changes: state.update(changes)
