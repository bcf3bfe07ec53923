"""The commands about more than one job: batches, keys and limits, against a service in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sheetrun.client import BadAnswer, Request, Response
from sheetrun.client.cli import main
from tests.unit.client.service import Scripted, awaiting, client_of, problem

KEY = {
    "id": "k-1",
    "client": "acme",
    "prefix": "sr_k-1_",
    "name": "ci",
    "scopes": ["read", "submit"],
    "active": True,
    "created_at": "2026-01-31T09:00:00.000Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": "2026-01-31T09:30:00.000Z",
}
KEYS = "service/v1/clients/acme/keys"


def batch(**counts: int) -> dict[str, Any]:
    return {"id": "batch_1", "counts": {"total": sum(counts.values()), **counts}, "jobs": []}


def test_a_batch_is_submitted_in_one_call(
    service: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text("a,b\n1,2\n")
    asked: list[Request] = []

    def create(request: Request) -> Response:
        asked.append(request)
        jobs = [awaiting(custom_id=one["custom_id"]) for one in request.json()["jobs"]]
        return Response.of_json(202, {**batch(awaiting_upload=2), "jobs": jobs})

    service.on("POST service/v1/batches", create).on("POST store/uploads", Response(204))
    files = [str(path) for path in paths]
    assert main(["submit", "--batch", *files, "--kind", "dataset", "--task", "outliers"]) == 0
    assert capsys.readouterr().out == "batch_1\n"
    sent = asked[0].json()["jobs"]
    assert [(one["custom_id"], one["kind"], one["task"]) for one in sent] == [(f, "dataset", "outliers") for f in files]

    service.on(
        "GET service/v1/batches/batch_1",
        Response.of_json(200, batch(queued=1, succeeded=1)),
        Response.of_json(200, batch(failed=1, succeeded=1)),
    )
    assert main(["submit", "--batch", *files, "--wait"]) == 1
    assert capsys.readouterr().out == "2 jobs: 1 failed, 1 succeeded  batch_1\n"
    service.on("POST store/uploads", Response(403, {}, b"no"))
    assert main(["submit", "--batch", *files]) == 1
    assert f"{files[0]}: " in capsys.readouterr().err
    assert main(["submit", "--batch", *files, "--wait", "--get", "A1"]) == 2


def test_a_batch_is_looked_at_stopped_and_retried(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    one = "service/v1/batches/batch_1"
    service.on(f"GET {one}", lambda _: Response.of_json(200, batch(succeeded=2)))
    service.on(f"POST {one}/cancel", Response.of_json(202, batch(cancelled=2)))
    service.on(f"POST {one}/retry", Response.of_json(202, batch(queued=2)))
    assert main(["batch", "batch_1", "--wait"]) == 0
    assert main(["batch", "batch_1", "--cancel"]) == 0
    assert main(["batch", "batch_1", "--retry", "--wait"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 jobs: 2 succeeded  batch_1",
        "2 jobs: 2 cancelled  batch_1",
        "2 jobs: 2 succeeded  batch_1",
    ]
    lines = [{"custom_id": "a", "results": {"values": "u"}}, {"custom_id": "ü\u2028", "results": {}}]
    body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    service.on(f"GET {one}/results", Response(200, {"content-type": "application/jsonl"}, body))
    service.on(f"GET {one}/errors", Response(200, {}, b""))
    assert main(["batch", "batch_1", "--results"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]] == lines
    assert main(["batch", "batch_1", "--errors"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("body", [b"<html>", b"[1]\n"])
def test_a_manifest_that_is_none_is_named_so(body: bytes) -> None:
    client, _ = client_of(Scripted().on("GET service/v1/batches/b/results", Response(200, {}, body)))
    with pytest.raises(BadAnswer):
        client.batch_results("b")


def test_keys_are_made_listed_rotated_and_revoked(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Request] = []

    def make(request: Request) -> Response:
        asked.append(request)
        return Response.of_json(201, {**KEY, "key": "sr_k-1_secret"})

    service.on(f"POST {KEYS}", make).on(f"POST {KEYS}/k-1/rotate", make)
    assert main(["keys", "create", "acme", "--scope", "read", "--name", "ci", "--days", "9"]) == 0
    out, err = capsys.readouterr()
    assert out == "sr_k-1_secret\n"
    assert "k-1 of acme (read, submit); it is not shown again" in err
    assert asked[0].json() == {"scopes": ["read"], "name": "ci", "days": 9}
    assert main(["keys", "rotate", "acme", "k-1", "--overlap", "60", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["key"] == "sr_k-1_secret"
    assert asked[1].json() == {"overlap_seconds": 60}
    service.on(f"GET {KEYS}", Response.of_json(200, {"keys": [KEY, {**KEY, "id": "k-2", "active": False}]}))
    assert main(["keys", "list", "acme"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "k-1  read,submit  active  used 2026-01-31 09:30 UTC  ci",
        "k-2  read,submit  expired  used 2026-01-31 09:30 UTC  ci",
    ]
    gone = {**KEY, "active": False, "revoked_at": KEY["created_at"], "last_used_at": None, "name": ""}
    service.on(f"DELETE {KEYS}/k-1", Response.of_json(200, gone))
    assert main(["keys", "revoke", "acme", "k-1"]) == 0
    assert capsys.readouterr().out == "k-1  read,submit  revoked\n"
    pages = [{"clients": [{"client": "acme"}], "after": "acme"}, {"clients": [{"client": "local"}], "after": None}]
    service.on("GET service/v1/clients", *(Response.of_json(200, page) for page in pages))
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out == "acme\nlocal\n"
    service.on(f"POST {KEYS}", problem(403, "missing_scope", "This key has no 'operate' scope."))
    assert main(["keys", "create", "acme"]) == 1
    assert "operate" in capsys.readouterr().err


def test_limits_are_shown_and_set(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    quotas = [
        {"name": "jobs", "unit": "requests", "limit": 600, "remaining": 599, "window_seconds": 60, "reset": 1},
        {"name": "running-jobs", "unit": "jobs", "limit": 4, "remaining": 4, "window_seconds": None},
    ]
    service.on("GET service/v1/limits", Response.of_json(200, {"limits": quotas}))
    assert main(["limits"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "jobs            599 of 600 requests left, per 60 s",
        "running-jobs    4 of 4 jobs left",
    ]
    asked: list[Any] = []

    def put(request: Request) -> Response:
        asked.append(request.json())
        return Response.of_json(200, {"client": "acme", "limits": quotas})

    service.on("PUT service/v1/clients/acme/limits", put)
    service.on("GET service/v1/clients/acme", Response.of_json(200, {"client": "acme", "limits": quotas[:1]}))
    assert main(["limits", "acme", "--set", "running_jobs=4", "--set", "bytes_per_day=standard"]) == 0
    assert asked == [{"running_jobs": 4, "bytes_per_day": None}]
    assert main(["limits", "acme", "--json"]) == 0
    assert main(["limits", "--set", "running_jobs=4"]) == 2
    assert main(["limits", "acme", "--set", "running_jobs=few"]) == 2
