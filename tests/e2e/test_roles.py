"""Each function's role is the least that works: take any right out of it, and a call that was seen would have failed.

The emulator enforces the roles, and writes down what it allowed (``tests/recording.py``). This test walks the ways that need
the rarer rights; then every right of every statement must have been needed by a call that no other statement allows.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import requests

from sheetrun.aws.clients import Clients
from sheetrun.aws.table import DynamoLedger
from sheetrun.jobs.changes import Change
from sheetrun.jobs.job import Job
from sheetrun.jobs.states import State, Step
from sheetrun.local.emulator import ROOT
from sheetrun.service.access import SCOPES, Access
from tests.e2e.conftest import SECONDS, Client, workbook
from tests.e2e.receiver import receiving
from tests.e2e.rights import statements, unneeded, uses
from tests.e2e.test_expiry import sweep, until
from tests.e2e.test_faults import queue
from tests.e2e.test_models import loan, made, post
from tests.elsewhere import Service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def operator(client: Client, access: Access) -> Client:
    """A client of its own, one of whose jobs runs at a time: the end of one sends the next on its way."""
    name = f"roles{time.monotonic_ns()}"
    found = Client(client.url, access.create(name, scopes=SCOPES))
    assert found.call("PUT", f"/v1/clients/{name}/limits", json={"running_jobs": 1}).status_code == 200
    return found


@pytest.fixture
def ledger(service: Service) -> DynamoLedger:
    """The table as root writes it: jobs in states that are hard to meet by chance."""
    clients = Clients(endpoint=service.aws_endpoint, session=boto3.Session(region_name=service.region, **ROOT))
    return DynamoLedger(clients, service.table, patience=timedelta(seconds=2))


def put(ledger: DynamoLedger, job_id: str, **changes: Any) -> Job:
    job = ledger.get(job_id)
    assert job is not None
    changed = job.evolve(rev=job.rev + 1, **changes)
    ledger.save(job, Change(changed))
    return changed


def test_no_right_can_be_taken_away(operator: Client, service: Service, aws: Any, ledger: DynamoLedger) -> None:
    everything = statements(aws("iam"))
    assert len({one.role for one in everything}) == 8
    _usual_ways(operator)
    _models(operator)
    _messages_for_busy_workers(operator, aws, ledger)
    _what_time_ends(operator, aws, ledger)
    _uploads_in_parts_and_late(operator, aws)
    _drops_and_dead_letters(operator, service, aws)
    assert service.log is not None
    book = service.log.parent / "decisions.jsonl"
    left: list[str] = []

    def all_needed() -> bool:
        left[:] = unneeded(everything, uses(book))
        if left:
            sweep(aws)
        return not left

    try:
        until(all_needed, "")
    except AssertionError:
        raise AssertionError("nothing would fail without:\n" + "\n".join(left)) from None


def _usual_ways(operator: Client) -> None:
    """A job with everything, results fetched; jobs that fail in each step, one tried again; a receiver that fails first."""
    whole = operator.submit({"filename": "a.xlsx", "outputs": ["Sheet!B1"], "inputs": {"Sheet!A1": 5}})
    operator.upload(whole, workbook())
    operator.until(whole["id"], "succeeded")
    link = operator.call("GET", f"/v1/jobs/{whole['id']}/results/values").headers["Location"]
    assert requests.get(link, timeout=SECONDS).status_code == 200
    jobs = [operator.submit() for _ in range(3)]
    for job in jobs:
        operator.upload(job, workbook())
    for job in jobs:
        operator.until(job["id"], "succeeded")
    broken = operator.submit()
    operator.upload(broken, b"PK\x03\x04 nothing")
    operator.until(broken["id"], "failed")
    wrong = operator.submit({"filename": "a.xlsx", "inputs": {"Nowhere!A1": 5}})
    operator.upload(wrong, workbook())
    operator.until(wrong["id"], "failed")
    assert operator.call("POST", f"/v1/jobs/{wrong['id']}/retry").status_code == 202
    operator.until(wrong["id"], "failed")
    assert operator.call("GET", "/v1/jobs").status_code == 200
    with receiving() as receiver:
        receiver.answer = lambda path: 204 if len(receiver.got) > 1 else 500
        told = operator.submit({"filename": "a.xlsx", "webhook_url": receiver.url + "/"})
        assert operator.call("POST", f"/v1/jobs/{told['id']}/cancel").status_code == 202
        receiver.wait(2)


def _models(operator: Client) -> None:
    """A model described, called, and computed for many scenarios."""
    model = made(operator, loan())
    assert operator.call("GET", f"/v1/models/{model}").status_code == 200
    post(operator, model, "calculate", inputs={"Inputs!B1": 0.12}, outputs=["Model!B2"])
    sample = {"sample": {"Inputs!B1": {"normal": [0.06, 0.01]}}, "count": 2000, "outputs": ["Model!B1"]}
    answer = operator.call("POST", f"/v1/models/{model}/scenarios", json=sample)
    assert answer.status_code == 202, answer.text
    operator.until(answer.json()["id"], "succeeded")


def _messages_for_busy_workers(operator: Client, aws: Any, ledger: DynamoLedger) -> None:
    """A message of a step that another worker holds is put off; of one that is over, its job's outbox is looked at."""
    for step, state, name in (
        (Step.PARSE, State.PARSING, "ParseNormalQueue"),
        (Step.GENERATE, State.GENERATING, "GenerateQueue"),
        (Step.EXECUTE, State.EXECUTING, "ExecuteNormalQueue"),
    ):
        made = operator.submit()
        held = datetime.now(UTC) + timedelta(seconds=4)
        put(ledger, made["id"], state=state, step=step, dispatch=1, epoch=1, lease_until=held)
        for number in (1, 99):
            body = json.dumps({"job_id": made["id"], "step": step.value, "epoch": number})
            aws("sqs").send_message(QueueUrl=queue(aws, name), MessageBody=body)


def _what_time_ends(operator: Client, aws: Any, ledger: DynamoLedger) -> None:
    """A deadline that passed, an upload whose notification is still to come, a message that was never sent."""
    late = operator.submit()
    past = datetime.now(UTC) - timedelta(seconds=5)
    put(
        ledger,
        late["id"],
        state=State.GENERATING,
        step=Step.GENERATE,
        dispatch=1,
        deadline_at=past,
        not_before=past,
        started=True,
    )
    vanished = operator.submit()
    put(ledger, vanished["id"], state=State.GENERATING, step=Step.GENERATE, dispatch=7, epoch=1, lease_until=past)
    sweep(aws)
    operator.until(late["id"], "timed_out")
    operator.submit()
    time.sleep(2.1)  # longer than the sweep's patience
    sweep(aws)


def _uploads_in_parts_and_late(operator: Client, aws: Any) -> None:
    parts = operator.submit({"filename": "b.xlsx", "size": 150 * 2**20, "retain_seconds": 1})
    assert operator.call("POST", f"/v1/jobs/{parts['id']}/upload/complete").status_code == 409
    late = operator.submit({"filename": "a.xlsx", "retain_seconds": 1})
    for job in (parts, late):
        assert operator.call("POST", f"/v1/jobs/{job['id']}/cancel").status_code == 202
    until(lambda: all(_gone(operator, job["id"]) for job in (parts, late)), "still readable")
    sweep(aws)
    operator.upload(late, workbook())


def _gone(operator: Client, job_id: str) -> bool:
    return operator.call("GET", f"/v1/jobs/{job_id}").status_code == 404


def _drops_and_dead_letters(operator: Client, service: Service, aws: Any) -> None:
    """A file dropped with a wrong wish; a notification of a file that is not there; one that was given up, sent again."""
    mine = operator.submit()
    name = mine["client"]
    aws("s3").put_object(Bucket=service.bucket, Key=f"inbox/{name}/x.xlsx", Body=b"x", Metadata={"priority": "bogus"})
    note = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": f"uploads/{name}/{mine['id']}/source"}}}
    again = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": f"inbox/{name}/x.xlsx"}}}
    aws("sqs").send_message(QueueUrl=queue(aws, "IntakeQueue"), MessageBody=json.dumps({"Records": [note]}))
    letters = queue(aws, "IntakeDeadLetters")
    aws("sqs").send_message(QueueUrl=letters, MessageBody=json.dumps({"Records": [again]}))
    until(lambda: bool(operator.call("GET", "/v1/dead-letters").json()["dead_letters"]), "no letter was kept")
    assert operator.call("POST", "/v1/dead-letters/redrive", json={}).status_code == 200
