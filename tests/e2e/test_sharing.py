"""Many clients on one service, with IAM enforced: turns, limits, keys, links, and requests that come twice at once."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sheetrun.service.access import Access
from tests.e2e.conftest import Client, workbook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@dataclass
class Newcomer(Client):
    """A client that nobody else is; its limits can be set before any worker has seen it."""

    name: str = ""


@pytest.fixture
def newcomer(client: Client, access: Access) -> Newcomer:
    name = f"new-{secrets.token_hex(4)}"
    return Newcomer(client.url, access.create(name), name)


def sent(client: Client, content: bytes | None = None, **body: Any) -> str:
    job = client.submit({"filename": "model.xlsx", **body})
    assert client.upload(job, content or workbook()).status_code == 204
    return str(job["id"])


def begun(client: Client, job_id: str) -> str:
    return str(client.until(job_id)["timestamps"]["parsing"])


def test_one_clients_crowd_does_not_hold_up_anothers_job(newcomer: Newcomer, client: Client, access: Access) -> None:
    long = workbook(20_000)  # to compute it takes longer than to send it
    crowd = [sent(newcomer, long) for _ in range(12)]
    other = Client(client.url, access.create(f"other-{secrets.token_hex(4)}"))
    one = begun(other, sent(other))
    later = [job_id for job_id in crowd if begun(newcomer, job_id) > one]
    assert len(later) >= 2  # twelve came before it, and it did not wait for them


def test_high_passes_low_among_a_clients_own_jobs(newcomer: Newcomer, client: Client) -> None:
    limits = f"/v1/clients/{newcomer.name}/limits"
    assert client.call("PUT", limits, json={"running_jobs": 1}).status_code == 200
    first, *rest = [sent(newcomer, priority="low") for _ in range(5)]
    high = sent(newcomer, priority="high")
    order = sorted((begun(newcomer, job_id), job_id) for job_id in (first, *rest, high))
    places = [job_id for _, job_id in order]
    assert places.index(high) < places.index(rest[-1])
    assert [job_id for job_id in places if job_id in rest] == rest
    capacity = newcomer.call("GET", "/v1/capacity").json()["client"]
    assert (capacity["running"], capacity["queued"], capacity["running_limit"]) == (0, 0, 1)


def test_a_limit_of_a_day_is_exact_under_many_callers(newcomer: Newcomer, client: Client) -> None:
    limits = f"/v1/clients/{newcomer.name}/limits"
    assert client.call("PUT", limits, json={"uploads_per_day": 5}).status_code == 200
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: newcomer.call("POST", "/v1/jobs", json={"filename": "a.xlsx"}), range(20)))
    assert Counter(answer.status_code for answer in answers) == {202: 5, 429: 15}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["violated-policies"] == ["uploads"]
    assert int(refused.headers["Retry-After"]) > 0
    assert '"uploads";r=0' in refused.headers["RateLimit"]


def test_one_idempotency_key_at_once_from_many_makes_one_job(newcomer: Newcomer) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"filename": "once.xlsx"}

    def ask(_: int) -> requests.Response:
        return newcomer.call("POST", "/v1/jobs", json=body, headers=headers)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(12)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(made) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    assert ask(0).headers["Idempotency-Replayed"] == "true"
    assert [job["id"] for job in newcomer.call("GET", "/v1/jobs").json()["jobs"]] == list(made)


def test_a_link_opens_what_it_was_made_for_and_nothing_else(newcomer: Newcomer, client: Client) -> None:
    mine, others = sent(newcomer), sent(client)
    links = {}
    for who, job_id in ((newcomer, mine), (client, others)):
        job = who.until(job_id)
        links[job_id] = who.call("GET", job["urls"]["results"]["values"]).headers["Location"]
    assert requests.get(links[mine], timeout=30).status_code == 200
    path, _, signature = links[mine].partition("?")
    other_path = links[others].partition("?")[0]
    assert path != other_path
    assert requests.get(f"{other_path}?{signature}", timeout=30).status_code == 403
    assert requests.get(path, timeout=30).status_code == 403
    assert requests.put(links[mine], data=b"x", timeout=30).status_code == 403
    assert newcomer.call("GET", f"/v1/jobs/{others}/results/values").status_code == 404


def test_keys_are_made_by_the_command_and_end_when_revoked(client: Client) -> None:
    name = f"by-command-{secrets.token_hex(4)}"
    environment = {**os.environ, "SHEETRUN_URL": client.url, "SHEETRUN_KEY": client.key}

    def sheetrun(*words: str) -> str:
        command = [sys.executable, "-m", "sheetrun.client.cli", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    reader = Client(client.url, sheetrun("keys", "create", name, "--scope", "read").strip())
    assert reader.call("GET", "/v1/jobs").json()["jobs"] == []
    assert reader.call("POST", "/v1/jobs", json={"filename": "a.xlsx"}).json()["code"] == "missing_scope"
    assert reader.call("GET", f"/v1/clients/{name}/keys").status_code == 403
    (key,) = [json.loads(line) for line in sheetrun("keys", "list", name, "--json").splitlines()]
    assert key["last_used_at"] is not None
    made = json.loads(sheetrun("keys", "rotate", name, key["id"], "--json"))
    assert Client(client.url, made["key"]).call("GET", "/v1/jobs").status_code == 200
    assert sheetrun("keys", "revoke", name, made["id"]).split()[2] == "revoked"
    assert name in sheetrun("keys", "list").splitlines()
    assert sheetrun("limits", name, "--set", "running_jobs=2").count("\n") == 6
