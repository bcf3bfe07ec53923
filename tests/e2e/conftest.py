"""A client of the running service, as anybody would write one, and workbooks to send."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import boto3
import openpyxl
import pytest
import requests

from sheetrun.aws.accounts import DynamoKeys
from sheetrun.aws.clients import Clients
from sheetrun.local.emulator import ROOT
from sheetrun.service.access import Access
from sheetrun.service.ids import SystemClock, SystemIds
from tests.elsewhere import Service

SECONDS = 60


def workbook(rows: int = 10) -> bytes:
    """A column of numbers and its double; the cached values are missing, as in a file that Excel never opened."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, rows + 1):
        sheet.cell(row, 1, row)
        sheet.cell(row, 2, f"=A{row}*2")
    sheet.cell(rows + 1, 2, f"=SUM(B1:B{rows})")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass
class Client:
    """Talks HTTP and nothing else."""

    url: str
    key: str

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"x-api-key": self.key, **options.pop("headers", {})}
        url = path if path.startswith("http") else self.url + path
        return requests.request(method, url, headers=headers, timeout=SECONDS, allow_redirects=False, **options)

    def submit(self, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.call("POST", "/v1/jobs", json=body or {"filename": "model.xlsx"})
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def upload(self, job: dict[str, Any], data: bytes) -> requests.Response:
        upload = job["upload"]
        return requests.post(upload["url"], data=upload["fields"], files={"file": data}, timeout=SECONDS)

    def job(self, job_id: str, **query: Any) -> dict[str, Any]:
        answer = self.call("GET", f"/v1/jobs/{job_id}", params=query)
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def until(self, job_id: str, *states: str) -> dict[str, Any]:
        """Waits until the job is in one of the states, or at any end when none is named."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            job = self.job(job_id, wait=5)
            if job["state"] in states or (not states and not job["running"]):
                return job
            assert job["running"], f"ended as {job['state']}: {job['error']}"
        raise AssertionError(f"still {job['state']}")


@pytest.fixture(scope="session")
def client(service: Service) -> Client:
    return Client(service.url, service.key)


@pytest.fixture(scope="session")
def access(service: Service) -> Access:
    """The operator's side: makes keys."""
    clients = Clients(endpoint=service.aws_endpoint, session=boto3.Session(region_name=service.region, **ROOT))
    return Access(DynamoKeys(clients, service.table), SystemClock(), SystemIds())


@pytest.fixture(scope="session")
def aws(service: Service) -> Any:
    """boto3 clients with all rights, by name."""
    session = boto3.Session(region_name=service.region, **ROOT)
    return lambda name: session.client(name, endpoint_url=service.aws_endpoint)
