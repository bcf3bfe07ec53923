"""Scenarios of a model on the running service: each form, chunks over functions, results, cancel."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import openpyxl
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import requests

from tests.e2e.conftest import SECONDS, Client

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def model(client: Client) -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Model"
    for place, value in {"A1": "Growth", "B1": 0.02, "A2": "Price", "B2": 100, "A3": "Worth", "A4": "Share"}.items():
        sheet[place] = value
    sheet["B3"], sheet["B4"] = "=B2*(1+B1)^10", "=1/(B2-100)"
    out = io.BytesIO()
    book.save(out)
    job = client.submit()
    assert client.upload(job, out.getvalue()).status_code == 204
    assert client.until(job["id"])["state"] == "succeeded"
    return str(job["id"])


def scenarios(client: Client, model: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.call("POST", f"/v1/models/{model}/scenarios", json=body)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def result(client: Client, job: dict[str, Any], name: str) -> bytes:
    answer = client.call("GET", job["urls"]["results"][name])
    assert answer.status_code == 302, answer.text
    return requests.get(answer.headers["Location"], timeout=SECONDS).content


def test_a_list(client: Client, model: str) -> None:
    job = scenarios(client, model, {"scenarios": [{"Model!B1": 0}, {"Model!B2": 200}, {}]})
    done = client.until(job["id"])
    assert (done["kind"], done["state"], done["model"]) == ("scenarios", "succeeded", model)
    rows = list(csv.DictReader(io.StringIO(result(client, done, "csv").decode())))
    assert [float(row["Model!B3"]) for row in rows] == pytest.approx([100, 200 * 1.02**10, 100 * 1.02**10])
    assert [row["failure"] for row in rows] == ["Model!B4: #DIV/0!", "", "Model!B4: #DIV/0!"]
    assert done["report"]["failed"] == 2
    assert b"<svg" in result(client, done, "report")


def test_a_sample_over_several_functions(client: Client, model: str) -> None:
    sample = {"Model!B1": {"normal": [0.02, 0.01]}, "Model!B2": {"triangular": [90, 100, 130]}}
    count = 200_000
    body = {"sample": sample, "count": count, "seed": 3, "correlations": [["Model!B1", "Model!B2", 0.5]]}
    job = scenarios(client, model, {**body, "outputs": ["Model!B3"]})
    seen = set()
    while (now := client.job(job["id"]))["running"]:
        seen.add((now["progress"]["done"], now["progress"]["total"]))
    assert now["state"] == "succeeded", now["error"]
    assert now["progress"]["done"] == count
    assert seen <= {(done, total) for done, total in seen if total in (0, count) and 0 <= done <= count}
    table = parquet.read_table(io.BytesIO(result(client, now, "parquet")))
    assert table.num_rows == count
    columns = {name: table.column(name).to_numpy() for name in ("scenario", "Model!B1", "Model!B2", "Model!B3")}
    np.testing.assert_array_equal(columns["scenario"], np.arange(1, count + 1))
    np.testing.assert_allclose(columns["Model!B3"], columns["Model!B2"] * (1 + columns["Model!B1"]) ** 10, rtol=1e-9)
    summary = json.loads(result(client, now, "summary"))
    assert summary["outputs"]["Model!B3"]["mean"] == pytest.approx(float(columns["Model!B3"].mean()))
    assert summary["outputs"]["Model!B3"]["percentiles"]["p95"] == pytest.approx(np.percentile(columns["Model!B3"], 95))
    assert {one["input"] for one in summary["tornado"]["Model!B3"]} == {"Model!B1", "Model!B2"}


def test_an_uploaded_parquet_file(client: Client, model: str) -> None:
    table = arrow.table({"Model!B2": np.arange(1.0, 501.0)})
    out = io.BytesIO()
    parquet.write_table(table, out)
    job = scenarios(client, model, {"filename": "mine.parquet", "size": len(out.getvalue()), "outputs": ["Model!B3"]})
    assert client.upload(job, out.getvalue()).status_code == 204
    done = client.until(job["id"])
    assert done["state"] == "succeeded", done["error"]
    got = parquet.read_table(io.BytesIO(result(client, done, "parquet")))
    np.testing.assert_allclose(got.column("Model!B3").to_numpy(), np.arange(1.0, 501.0) * 1.02**10)


def test_what_goes_wrong_is_told(client: Client, model: str) -> None:
    job = scenarios(client, model, {"scenarios": [{"Nope!B2": 1}]})
    done = client.until(job["id"], "failed")
    assert done["error"]["code"] == "unknown_sheet"
    assert done["error"]["errors"][0]["cell"] == "Nope!B2"
    job = scenarios(client, model, {"filename": "mine.csv"})
    assert client.upload(job, b"Model!B2\n1\n2,3\n").status_code == 204
    done = client.until(job["id"], "failed")
    assert (done["error"]["code"], "Line 3" in done["error"]["detail"]) == ("bad_csv", True)
    answer = client.call("POST", f"/v1/models/{model}/scenarios", json={"sample": {"A1": {"normal": [0, 1]}}})
    assert answer.status_code == 422


def test_a_cancelled_one_stops(client: Client, model: str) -> None:
    body = {"sample": {"Model!B1": {"uniform": [0, 1]}}, "count": 15_000_000, "outputs": ["Model!B3"]}
    job = scenarios(client, model, body)
    client.until(job["id"], "executing")
    assert client.call("POST", f"/v1/jobs/{job['id']}/cancel").status_code == 202
    assert client.until(job["id"], "cancelled")["state"] == "cancelled"
