"""Datasets through the pipeline: what is one, what a request for one may say, and what comes out of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.jobs.job import Job
from sheetrun.service.analysis import Analysis
from sheetrun.service.references import is_reference
from sheetrun.service.steps import Message
from sheetrun.service.uploads import Arrival
from sheetrun.service.work import Compute, StepWork
from tests.support import XLSX, Bench

CSV = b"id,amount,region\n" + b"".join(b"%d,%d.5,%s\n" % (n, n % 7, (b"North", b"South")[n % 2]) for n in range(40))


@pytest.mark.parametrize(
    ("body", "kind", "task"),
    [
        ({"filename": "a.csv"}, "dataset", "profile"),
        ({"filename": "A.PARQUET"}, "dataset", "profile"),
        ({"filename": "a.jsonl", "task": "outliers"}, "dataset", "outliers"),
        ({"filename": "a.xlsx"}, "workbook", "recalculate"),
        ({"filename": "a.xlsx", "kind": "dataset"}, "dataset", "profile"),
        ({"filename": "a.xlsx", "task": "correlations"}, "dataset", "correlations"),
    ],
)
def test_the_kind_follows_from_the_suffix_unless_the_request_says(
    bench: Bench, body: dict[str, Any], kind: str, task: str
) -> None:
    job = bench.submit(body)
    assert (job["kind"], job["task"]) == (kind, task)


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"filename": "a.csv", "kind": "workbook"}, "filename", "unsupported_format"),
        ({"filename": "a.pdf"}, "filename", "unsupported_format"),
        ({"filename": "a.pdf", "kind": "dataset"}, "filename", "unsupported_format"),
        ({"filename": "a.json"}, "filename", "unsupported_format"),
        ({"filename": "a.csv", "task": "recalculate"}, "task", "choice"),
        ({"filename": "a.xlsx", "kind": "workbook", "task": "profile"}, "task", "choice"),
        ({"filename": "a.csv", "inputs": {"A1": 1}}, "inputs", "not_for_datasets"),
        ({"filename": "a.csv", "outputs": ["A1"]}, "outputs", "not_for_datasets"),
    ],
)
def test_what_does_not_go_together_is_422(bench: Bench, body: dict[str, Any], path: str, code: str) -> None:
    status, _, problem = bench.call("POST", "/v1/jobs", body)
    assert status == 422
    assert [(error["path"], error["code"]) for error in problem["errors"]] == [(path, code)]


def run_all(bench: Bench) -> None:
    def compute_of(job: Job) -> Compute:
        return Analysis(job.task)

    work = StepWork(compute_of, bench.blobs, bench.settings, bench.log)
    while (dispatch := bench.queues.take()) is not None:
        message = Message(job_id=dispatch.job_id, step=dispatch.step, number=dispatch.number)
        bench.runner().run(message, getattr(work, message.step.value), remaining=60)


def test_a_dataset_goes_through_the_pipeline(bench: Bench) -> None:
    bench = Bench(execute_memory_bytes=2 * 2**30)
    job = bench.submit({"filename": "orders.csv"})
    bench.upload(job, CSV)
    run_all(bench)
    done = bench.job(job["id"])
    assert done["state"] == "succeeded", done["error"]
    assert done["report"]["rows"] == 40
    assert {"results", "script", "report", "plots/distribution_01.png", "plots/correlations.png"} <= set(
        done["urls"]["results"]
    )
    for name in done["urls"]["results"]:
        status, headers, _ = bench.call("GET", f"/v1/jobs/{job['id']}/results/{name}")
        assert status == 302
        key = headers["location"].removeprefix("memory://bucket/").partition("?")[0]
        assert bench.blobs.objects[key][0]
    script = bench.blobs.get(bench.table.jobs[job["id"]].results["script"]).decode()
    assert "def outliers(" in script


def test_a_file_that_is_no_dataset_fails_with_its_reason(bench: Bench) -> None:
    job = bench.submit({"filename": "orders.jsonl"})
    bench.upload(job, b'{"a": 1}\n[2]\n')
    run_all(bench)
    error = bench.job(job["id"])["error"]
    assert (error["stage"], error["code"]) == ("parse", "bad_json")
    assert error["errors"][0]["cell"] == "line 2"


def test_a_drop_with_a_task_is_a_dataset(bench: Bench) -> None:
    for name, metadata in (("a.csv", {}), ("b.xlsx", {"task": "data_quality"}), ("c.xlsx", {"kind": "dataset"})):
        key = f"inbox/acme/{name}"
        bench.blobs.upload(key, XLSX, metadata)
        made = bench.world.door.arrived(Arrival(key=key, at=bench.clock.now()))
        assert made is not None
        assert bench.job(made)["kind"] == "dataset"


def test_another_size_than_was_announced_is_refused(bench: Bench) -> None:
    job = bench.submit({"filename": "a.xlsx", "size": len(XLSX)})
    assert job["upload"]["fields"]["policy"] == f"{len(XLSX)}..{len(XLSX)}"
    bench.upload(job, XLSX + b"more")
    assert bench.job(job["id"])["error"]["code"] == "size_mismatch"
    same = bench.submit({"filename": "a.xlsx", "size": len(XLSX)})
    bench.upload(same)
    assert bench.job(same["id"])["state"] == "queued"


@pytest.mark.parametrize(
    "text",
    [
        *("A1", "Sheet!A1", "'It''s a'!B2:C9", "Sheet (2)!A1", "$A$1:$B$9", "A:C", "3:5", "=Main!B2", " B2 "),
        *("Rate", "Ünïcode.Näme_1", "_x", "\\back", "Data-1!A1", "Q1!Rate"),
        *("Sales[Unit Price]", "Sales[[#Totals],[Qty]]"),
    ],
)
def test_references_are_known_by_their_form(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text", ["", " ", "A1+B1", "SUM(A1)", "'open!A1", "a b", "!A1", "A1,B1", "x\n", "A1\x00", "{1}"]
)
def test_what_is_no_reference_is_refused_with_all_others(bench: Bench, text: str) -> None:
    assert not is_reference(text)
    body = {"filename": "a.xlsx", "inputs": {text or "'": 1}, "outputs": ["A1", text or "'"]}
    status, _, problem = bench.call("POST", "/v1/jobs", body)
    assert status == 422
    assert [error["code"] for error in problem["errors"]] == ["bad_reference", "bad_reference"]


@given(st.text(max_size=600))
def test_any_text_is_judged(text: str) -> None:
    assert is_reference(text) in (True, False)
