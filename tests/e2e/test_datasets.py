"""Datasets over HTTP against the embedded service, with IAM enforced: every format, wrong files, drops, inputs."""

from __future__ import annotations

import io
import time
from typing import Any

import openpyxl
import pandas as pd
import pytest
import requests

from tests.e2e.conftest import Client, workbook
from tests.elsewhere import Service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

FRAME = pd.DataFrame(
    {"id": range(1, 41), "amount": [n % 7 + 0.5 for n in range(39)] + [900.0], "region": ["North", "South"] * 20}
)


def as_csv() -> bytes:
    return FRAME.to_csv(index=False).encode()


def as_jsonl() -> bytes:
    return str(FRAME.to_json(orient="records", lines=True)).encode()


def as_parquet() -> bytes:
    out = io.BytesIO()
    FRAME.to_parquet(out)
    return out.getvalue()


def as_xlsx() -> bytes:
    book = openpyxl.Workbook()
    for row in [list(FRAME.columns), *FRAME.itertuples(index=False)]:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def result(client: Client, job: dict[str, Any], name: str) -> requests.Response:
    link = client.call("GET", job["urls"]["results"][name])
    assert link.status_code == 302
    return requests.get(link.headers["Location"], timeout=30)


@pytest.mark.parametrize(
    ("filename", "data", "task"),
    [
        ("orders.csv", as_csv(), "profile"),
        ("orders.jsonl", as_jsonl(), "outliers"),
        ("orders.parquet", as_parquet(), "statistical_summary"),
        ("orders.xlsx", as_xlsx(), "data_quality"),
    ],
)
def test_every_format_gives_results_a_script_and_a_report(
    client: Client, filename: str, data: bytes, task: str
) -> None:
    made = client.submit({"filename": filename, "kind": "dataset", "task": task, "size": len(data)})
    assert client.upload(made, data).status_code == 204
    job = client.until(made["id"])
    assert job["state"] == "succeeded", job["error"]
    assert job["report"]["rows"] == 40
    results = result(client, job, "results").json()
    assert results["dataset"]["rows"] == 40
    assert (task in results) or task == "profile"
    compile(result(client, job, "script").text, "analysis.py", "exec")
    assert "<html" in result(client, job, "report").text
    if task == "profile":
        assert set(results) == {
            *("dataset", "statistical_summary", "data_quality", "correlations", "distributions", "outliers")
        }
        plots = [name for name in job["urls"]["results"] if name.startswith("plots/")]
        assert plots
        picture = result(client, job, plots[0])
        assert picture.content.startswith(b"\x89PNG")
        assert picture.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("filename", "data", "code"),
    [
        ("a.csv", b"\x00\x01\x02\x03" * 100, "binary_file"),
        ("a.jsonl", b'{"a": 1}\nnot json\n', "bad_json"),
        ("a.parquet", b"PAR1" + bytes(64) + b"PAR1", "bad_parquet"),
        ("a.csv", b"name,amount\n", "no_rows"),
    ],
)
def test_a_wrong_file_fails_with_its_reason(client: Client, filename: str, data: bytes, code: str) -> None:
    made = client.submit({"filename": filename})
    assert client.upload(made, data).status_code == 204
    job = client.until(made["id"])
    assert (job["state"], job["error"]["code"], job["error"]["stage"]) == ("failed", code, "parse")


def test_a_drop_with_a_task_is_analyzed(client: Client, service: Service, aws: Any) -> None:
    aws("s3").put_object(
        Bucket=service.bucket, Key="inbox/local/dropped.xlsx", Body=as_xlsx(), Metadata={"task": "correlations"}
    )
    end = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while not found and time.monotonic() < end:
        found = client.call("GET", "/v1/jobs", params={"kind": "dataset", "limit": 5}).json()["jobs"]
        found = [job for job in found if job["filename"] == "dropped.xlsx"]
    assert found[0]["task"] == "correlations"
    assert client.until(found[0]["id"])["state"] == "succeeded"


def test_inputs_that_are_not_there_are_told_before_anything_runs(client: Client) -> None:
    made = client.submit(
        {"filename": "a.xlsx", "inputs": {"Nope!A1": 1, "Sheet!A1": 2, "Rate": 3}, "outputs": ["B99999999"]}
    )
    client.upload(made, workbook())
    job = client.until(made["id"])
    assert (job["state"], job["error"]["code"], job["error"]["stage"]) == ("failed", "invalid_inputs", "generate")
    assert [error["cell"] for error in job["error"]["errors"]] == ["Nope!A1", "Rate", "B99999999"]


def test_another_size_than_was_announced_is_refused(client: Client) -> None:
    data = as_csv()
    made = client.submit({"filename": "orders.csv", "size": len(data) + 1})
    assert client.upload(made, data).status_code == 400  # by the store: the form allows this size and no other
    assert client.upload(made, data + b"\n").status_code == 204
    assert client.until(made["id"])["state"] == "succeeded"
