"""Batches: all or none, counts of states, cancel and retry of many."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sheetrun.workbook.errors import DamagedWorkbook
from tests.support import XLSX, Bench, FakeCompute


def body(count: int) -> dict[str, Any]:
    return {"jobs": [{"filename": f"{place}.xlsx", "custom_id": f"c{place}"} for place in range(count)]}


def test_many_jobs_in_one_call(bench: Bench) -> None:
    status, headers, batch = bench.call("POST", "/v1/batches", body(3))
    assert status == 202
    assert headers["location"].endswith(f"/v1/batches/{batch['id']}")
    assert headers["ratelimit"].startswith('"jobs";r=597')
    assert [job["custom_id"] for job in batch["jobs"]] == ["c0", "c1", "c2"]
    assert all(job["upload"]["method"] == "POST" for job in batch["jobs"])
    assert batch["counts"] == {"total": 3, "awaiting_upload": 3}
    for job in batch["jobs"][:2]:
        bench.upload(job)
    bench.run_all()
    _, _, found = bench.call("GET", f"/v1/batches/{batch['id']}")
    assert found["counts"] == {"total": 3, "awaiting_upload": 1, "succeeded": 2}
    assert found["running"] is True
    listed = bench.call("GET", "/v1/jobs", query={"batch": batch["id"]})[2]["jobs"]
    assert len(listed) == 3


def test_a_page_at_a_time(bench: Bench) -> None:
    _, _, batch = bench.call("POST", "/v1/batches", body(5))
    path = f"/v1/batches/{batch['id']}"
    _, headers, first = bench.call("GET", path, query={"limit": "2"})
    assert [job["custom_id"] for job in first["jobs"]] == ["c0", "c1"]
    assert 'rel="next"' in headers["link"]
    _, headers, rest = bench.call("GET", path, query={"limit": "9", "after": first["after"]})
    assert [job["custom_id"] for job in rest["jobs"]] == ["c2", "c3", "c4"]
    assert "link" not in headers
    assert bench.call("GET", path, query={"after": "job_x"})[0] == 422
    assert bench.call("GET", path, query={"after": "7"})[2]["jobs"] == []
    assert len(bench.call("GET", path, query={"after": ""})[2]["jobs"]) == 5


def test_cancel_and_retry_touch_only_whom_they_concern(bench: Bench) -> None:
    def refuse(_: Any) -> None:
        raise DamagedWorkbook("cut off")

    _, _, batch = bench.call("POST", "/v1/batches", body(3))
    path = f"/v1/batches/{batch['id']}"
    bench.compute = FakeCompute(on_parse=refuse)
    bench.upload(batch["jobs"][0])
    bench.run_all()
    bench.compute = FakeCompute()
    bench.upload(batch["jobs"][1], XLSX)
    bench.run_all()
    _, _, again = bench.call("POST", f"{path}/retry")
    assert again["counts"] == {"total": 3, "awaiting_upload": 1, "queued": 1, "succeeded": 1}
    bench.run_all()
    _, _, stopped = bench.call("POST", f"{path}/cancel")
    assert stopped["counts"] == {"total": 3, "cancelled": 1, "succeeded": 2}
    assert bench.call("POST", f"{path}/cancel")[2]["code"] == "nothing_to_do"
    assert bench.call("POST", f"{path}/retry")[0] == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"jobs": []},
        {"jobs": {}},
        {"jobs": [{"filename": "a.xlsx"}]},
        {"jobs": [{"filename": "a.xlsx", "custom_id": "a\nb"}]},
        {"jobs": [{"filename": "a.xlsx", "custom_id": "a"}, {"filename": "b.xlsx", "custom_id": "a"}]},
        {"jobs": [{"filename": "a.xls", "custom_id": "a"}]},
        {"jobs": [7]},
        body(101),
    ],
)
def test_what_does_not_validate_makes_nothing(bench: Bench, wrong: Any) -> None:
    assert bench.call("POST", "/v1/batches", wrong)[0] == 422
    assert bench.table.jobs == {}


def test_all_or_none_when_there_is_no_place_for_all() -> None:
    bench = Bench(max_client_jobs=2)
    status, _, problem = bench.call("POST", "/v1/batches", body(3))
    assert (status, problem["code"]) == (429, "quota_exceeded")
    limits = bench.call("GET", "/v1/limits")[2]["limits"]
    assert [one["remaining"] for one in limits if one["name"] == "uploads"] == [100_000]
    assert bench.table.under_way() == 0
    assert bench.call("POST", "/v1/batches", body(2))[0] == 202


def test_the_same_key_makes_one_batch(bench: Bench) -> None:
    headers = {"Idempotency-Key": "k"}
    first = bench.call("POST", "/v1/batches", body(2), headers=headers)[2]
    assert bench.call("POST", "/v1/batches", body(2), headers=headers)[2] == first
    assert len(bench.table.jobs) == 2


def test_another_clients_batch_is_not_there(bench: Bench) -> None:
    _, _, batch = bench.call("POST", "/v1/batches", body(1))
    other = bench.access.create("rival")
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        assert bench.call(method, f"/v1/batches/{batch['id']}{path}", key=other)[0] == 404


def test_manifests_of_results_and_of_errors(bench: Bench) -> None:
    def refuse(_: Any) -> None:
        raise DamagedWorkbook("cut off")

    _, _, batch = bench.call("POST", "/v1/batches", body(4))
    bench.compute = FakeCompute(on_parse=refuse)
    bench.upload(batch["jobs"][0])
    bench.run_all()
    bench.compute = FakeCompute()
    bench.upload(batch["jobs"][1])
    bench.run_all()
    bench.call("POST", f"/v1/jobs/{batch['jobs'][2]['id']}/cancel")

    def lines(name: str) -> list[dict[str, Any]]:
        path = batch["urls"][name].removeprefix("https://api.example.com/v")
        status, headers, text = bench.call("GET", path)
        assert (status, headers["content-type"]) == (200, "application/jsonl; charset=utf-8")
        return [json.loads(line) for line in text.splitlines()]

    (result,) = lines("results")
    assert (result["custom_id"], result["state"]) == ("c1", "succeeded")
    assert result["results"]["values"].endswith(f"/v1/jobs/{result['id']}/results/values")
    errors = {line["custom_id"]: line for line in lines("errors")}
    assert errors.keys() == {"c0", "c2"}  # the fourth has not ended
    assert errors["c0"]["error"]["detail"] == "cut off"
    assert (errors["c2"]["state"], errors["c2"]["error"]) == ("cancelled", None)


def test_uploads_of_a_batch_expire_at_their_second(bench: Bench) -> None:
    _, _, batch = bench.call("POST", "/v1/batches", {"jobs": [{"filename": "a.xlsx", "custom_id": "a"}]})
    bench.clock.advance(900)
    assert bench.call("GET", f"/v1/batches/{batch['id']}")[2]["counts"] == {"total": 1, "expired": 1}
