"""Models called over HTTP, computed for real in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from sheetrun.runtime.calls import run_calls
from sheetrun.runtime.scenarios import run_lanes
from sheetrun.sandbox.allowlist import check
from sheetrun.sandbox.job import Job, Result
from sheetrun.service import compute
from sheetrun.service.calling import ENTRY, LANES
from sheetrun.service.scripts import SCRIPT_POLICY
from sheetrun.service.web.openapi import document as openapi
from tests.support import Bench, whole

from .files import File

JOBS: list[Job] = []


HOSTS = {ENTRY: run_calls, LANES: run_lanes}


def here(job: Job, limits: Any, **_: Any) -> Result:
    """Runs a call's script in this process, after the check that a sandbox makes."""
    JOBS.append(job)
    check(job.script, job.policy or SCRIPT_POLICY)
    namespace: dict[str, Any] = {"__name__": "model", "__file__": "model.py"}
    exec(compile(job.script, "model.py", "exec"), namespace)
    found = HOSTS[job.entry](namespace, job.payload)
    return Result(whole(found), b"", b"", 0.0, 0.0, 0, (), {})


def loan(path: Path, *, factor: int = 12, rate: float = 0.06, names: bool = True) -> bytes:
    file = File(path / "loan.xlsx")
    sheet = file.sheet(
        "Inputs", {"A1": "Rate", "A2": "Months", "A3": "Amount", "A4": "Kind", "B4": "fixed", "A5": "On"}
    )
    sheet.write("B1", rate, file.book.add_format({"num_format": "0.00%"}))
    sheet.write("B2", 24)
    sheet.write("B3", 1000)
    sheet.write("B5", True)
    sheet.write("B6", 45000, file.book.add_format({"num_format": "yyyy-mm-dd"}))
    sheet.data_validation("B1", {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1})
    cells: dict[str, Any] = {
        "A1": "Payment",
        "B1": f"=-PMT(Inputs!B1/{factor},Inputs!B2,Inputs!B3)",
        "A2": "Interest",
        "B2": "=B1*Inputs!B2-Inputs!B3",
        "A3": "Text",
        "B3": '=Inputs!B4&IF(Inputs!B5,"!","?")',
        "A4": "Year",
        "B4": "=YEAR(Inputs!B6)",
        "A5": "Broken",
        "B5": "=NOSUCH(Inputs!B1)",
        "D1": "=1+1",
        "E1": "=D1*2",
    }
    for row in range(10, 14):
        cells[f"A{row}"] = row
        cells[f"B{row}"] = f"=A{row}*Inputs!$B$1"
    cells["B14"] = "=SUM(B10:B13)"
    file.sheet("Model", cells, {"B5": 7, "B3": "fixed!"})
    if names:
        file.book.define_name("Rate", "=Inputs!$B$1")
    file.book.close()
    return file.path.read_bytes()


class Called:
    """A bench with one model."""

    def __init__(self, data: bytes, **body: Any) -> None:
        self.bench = Bench()
        self.bench.compute = compute
        self.bench.with_calls(here)
        self.schemas = openapi("https://a.example", self.bench.settings)["components"]
        self.id = self.add(data, **body)

    def add(self, data: bytes, **body: Any) -> str:
        job = self.bench.submit({"filename": "loan.xlsx", **body})
        self.bench.upload(job, data)
        self.bench.run_all()
        return str(job["id"])

    def post(self, what: str, schema: str = "Problem", status: int = 200, **body: Any) -> dict[str, Any]:
        found, _, answer = self.bench.call("POST", f"/v1/models/{self.id}/{what}", body)
        assert found == status, answer
        document = answer if isinstance(answer, dict) else json.loads(answer)
        Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": self.schemas}).validate(document)
        return document

    def calculate(self, **body: Any) -> dict[str, Any]:
        return self.post("calculate", "Calculated", **body)

    def refused(self, what: str = "calculate", **body: Any) -> dict[str, str]:
        """Code by cell or path."""
        problem = self.post(what, status=422, **body)
        return {error.get("cell") or error["path"]: error["code"] for error in problem["errors"]}


def payment(rate: float, months: int = 24, amount: float = 1000.0) -> float:
    return amount * (rate / 12) / (1 - (1 + rate / 12) ** -months)
