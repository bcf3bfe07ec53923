"""Workers killed on the real queues and table while jobs run: every job ends well, and every place is given back.

The thousands of schedules are in ``tests/chaos``; this one shows that the emulator's queues, table and processes agree.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from sheetrun.aws.clients import Clients
from sheetrun.aws.table import DynamoLedger
from sheetrun.local import Running, up
from sheetrun.local.emulator import ROOT
from tests.conftest import PARAMETERS
from tests.e2e.conftest import Client, workbook
from tests.e2e.receiver import receiving
from tests.e2e.test_expiry import sweep, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

#: A worker that vanished is missed after a few seconds; nobody's tries run out.
QUICK = {
    "StepSeconds": "10",
    "ExecuteSeconds": "5",
    "ExecuteFunctionSeconds": "10",
    "LeaseMarginSeconds": "1",
    "PatienceSeconds": "1",
    "WebhookSeconds": "3",
    "MaxAttempts": "10",
    "WebhookSchedule": "0,1,1,1,1,1,1,1,1,1",
}
JOBS, KILLS = 4, 8


@pytest.fixture
def frail() -> Iterator[Running]:
    with up(port=0, parameters={**PARAMETERS, **QUICK}) as running:
        yield running


def workers(running: Running) -> list[int]:
    """Processes of the functions behind the API."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = dict(pair.partition(b"=")[::2] for pair in (place / "environ").read_bytes().split(b"\0"))
            ours = said.get(b"TMPDIR", b"").startswith(str(running.log.parent).encode())
            if ours and said.get(b"AWS_LAMBDA_FUNCTION_NAME", b"sheetrun-api") != b"sheetrun-api":
                found.append(int(place.name))
    return sorted(found)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="workers are found in /proc")
def test_workers_killed_again_and_again_cost_nobody_a_job(frail: Running) -> None:
    client = Client(frail.url, frail.key)
    session = boto3.Session(region_name=frail.region, **ROOT)
    aws: Any = lambda name: session.client(name, endpoint_url=frail.aws_endpoint)  # noqa: E731
    chance = random.Random(6)
    with receiving() as receiver:
        jobs = [client.submit({"filename": "a.xlsx", "webhook_url": receiver.url + "/"}) for _ in range(JOBS)]
        for job in jobs:
            client.upload(job, workbook())
        killed = 0
        while killed < KILLS:
            alive = workers(frail)
            if alive:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(alive), signal.SIGKILL)
                    killed += 1
            time.sleep(chance.choice((0.05, 0.2, 0.5)))

        def ended() -> bool:
            sweep_if_it_lives(aws)
            return all(not client.job(job["id"])["running"] for job in jobs)

        until(ended, "a job never ended")
        assert [client.job(job["id"])["state"] for job in jobs] == ["succeeded"] * JOBS

        def told() -> bool:
            sweep_if_it_lives(aws)
            return {json.loads(one.body)["data"]["id"] for one in receiver.got} == {job["id"] for job in jobs}

        until(told, "somebody was not told")
        ids = {(json.loads(one.body)["data"]["id"], one.headers["webhook-id"]) for one in receiver.got}
        assert len(ids) == JOBS
    clients = Clients(endpoint=frail.aws_endpoint, session=session)
    ledger = DynamoLedger(clients, frail.table, patience=timedelta(seconds=1))
    assert (ledger.running(), ledger.under_way(), ledger.under_way("local")) == (0, 0, 0)
    assert all(load.running == load.waiting == 0 for load in ledger.loads())


def sweep_if_it_lives(aws: Any) -> None:
    """Its worker may have been one of those that were killed: the next call starts another."""
    with suppress(AssertionError):
        sweep(aws)
