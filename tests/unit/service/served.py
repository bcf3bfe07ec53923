"""The service with a real model in it, for scenarios: chunks of ten, two at a time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from sheetrun.service import compute
from sheetrun.service.steps import Message
from tests.support import Bench, run_here
from tests.unit.service.files import File

MODEL = {"A1": "Rate", "B1": 2, "A2": "Result", "B2": "=10*B1", "A3": "Inverse", "B3": "=1/(B1-3)", "A4": "Word"}


class Served(Bench):
    """With a real model in it; chunks of ten scenarios, two at a time."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(**{"chunk_window": 2, "heartbeat_seconds": 1, **settings})
        file = File(folder / "book.xlsx")
        file.sheet("Model", {**MODEL, "B4": '=IF(B1>2,"high","low")'}, {"B2": 20, "B3": -1, "B4": "low"})
        file.book.close()
        self.compute = _InProcess()
        job = self.submit()
        self.upload(job, file.path.read_bytes())
        self.run_all()
        self.model = str(job["id"])
        assert self.job(self.model)["state"] == "succeeded"

    def scenarios(self, body: dict[str, Any], status: int = 202) -> dict[str, Any]:
        got, _, job = self.call("POST", f"/v1/models/{self.model}/scenarios", body)
        assert got == status, job
        found: dict[str, Any] = job
        return found

    def result(self, job_id: str, name: str) -> bytes:
        job = self.table.get(job_id)
        assert job is not None
        return self.blobs.get(job.results[name])

    def table_of(self, job_id: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = parquet.read_table(io.BytesIO(self.result(job_id, "parquet"))).to_pydict()
        return found

    def message(self) -> Message:
        """The next one, which there is."""
        found = self.next_message()
        assert found is not None
        return found

    def chunk_messages(self) -> list[int]:
        return [dispatch.chunk for _, dispatch in self.queues.messages if dispatch.chunk is not None]


class _InProcess:
    """The real compute, with no sandbox."""

    parse = staticmethod(compute.parse)
    generate = staticmethod(compute.generate)

    @staticmethod
    def execute(*parts: Any, **options: Any) -> Any:
        return compute.execute(*parts, **{**options, "run": run_here})


def sample(count: int, **more: Any) -> dict[str, Any]:
    return {"sample": {"Model!B1": {"uniform": [0, 10]}}, "count": count, "seed": 7, **more}
