"""Clients and keys: made, listed, rotated with overlap, revoked; a client's own limits; when a key was last used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sheetrun.jobs.job import instant
from tests.support import Bench

KEYS = "/v1/clients/acme/keys"


def ask(bench: Bench, key: str) -> int:
    bench.clock.advance(31)  # what is remembered of keys is forgotten
    return bench.call("GET", "/v1/limits", key=key)[0]


def test_a_key_is_shown_once_and_stored_as_a_hash(bench: Bench) -> None:
    status, headers, made = bench.call("POST", "/v1/clients/new/keys", {"name": "ci", "days": 2})
    assert (status, headers["cache-control"]) == (201, "no-store")
    assert made["key"].startswith(made["prefix"])
    assert made["scopes"] == ["read", "submit"]
    assert ask(bench, made["key"]) == 200
    assert bench.call("GET", "/v1/metrics", key=made["key"])[0] == 403
    _, _, listed = bench.call("GET", "/v1/clients/new/keys")
    assert [one["id"] for one in listed["keys"]] == [made["id"]]
    secret = made["key"].removeprefix(made["prefix"])
    assert secret not in str(listed)
    assert secret not in str(vars(bench.table))
    bench.clock.advance(2 * 86_400)
    assert ask(bench, made["key"]) == 401


def test_a_rotated_key_works_on_for_the_overlap(bench: Bench) -> None:
    _, _, old = bench.call("POST", KEYS, {"scopes": ["read"], "name": "ci"})
    status, _, new = bench.call("POST", f"{KEYS}/{old['id']}/rotate", {"overlap_seconds": 100})
    assert status == 201
    assert (new["scopes"], new["name"]) == (["read"], "ci")
    assert [ask(bench, key["key"]) for key in (old, new)] == [200, 200]
    bench.clock.advance(100)
    assert [ask(bench, key["key"]) for key in (old, new)] == [401, 200]
    assert bench.call("POST", f"{KEYS}/{old['id']}/rotate")[2]["code"] == "key_not_active"
    status, _, third = bench.call("POST", f"{KEYS}/{new['id']}/rotate")
    assert status == 201
    _, _, listed = bench.call("GET", KEYS)
    ends = {one["id"]: one["expires_at"] for one in listed["keys"]}
    assert instant(ends[new["id"]]) - bench.clock.now() == timedelta(days=1)
    assert ends[third["id"]] is None


def test_a_revoked_key_opens_nothing(bench: Bench) -> None:
    _, _, made = bench.call("POST", KEYS, {})
    status, _, revoked = bench.call("DELETE", f"{KEYS}/{made['id']}")
    assert (status, revoked["active"]) == (200, False)
    assert ask(bench, made["key"]) == 401
    again = bench.call("DELETE", f"{KEYS}/{made['id']}")[2]
    assert again["revoked_at"] == revoked["revoked_at"]


def test_a_key_of_another_client_is_not_there(bench: Bench) -> None:
    _, _, made = bench.call("POST", "/v1/clients/other/keys", {})
    for method, path in (("DELETE", f"{KEYS}/{made['id']}"), ("POST", f"{KEYS}/{made['id']}/rotate")):
        status, _, problem = bench.call(method, path)
        assert (status, problem["code"]) == (404, "key_not_found")
    assert bench.call("GET", "/v1/clients/nobody/keys")[2]["code"] == "client_not_found"


def test_the_same_idempotency_key_makes_one_key_and_shows_it_once(bench: Bench) -> None:
    headers = {"Idempotency-Key": "once"}
    first = bench.call("POST", KEYS, {"name": "a"}, headers=headers)[2]
    status, told, second = bench.call("POST", KEYS, {"name": "a"}, headers=headers)
    assert (status, told["idempotency-replayed"]) == (201, "true")
    assert second == {**first, "key": None}
    assert len(bench.call("GET", KEYS)[2]["keys"]) == 2  # and the operator's own


@pytest.mark.parametrize(
    ("path", "body", "fault"),
    [
        (KEYS, {"scopes": []}, "scopes"),
        (KEYS, {"scopes": ["admin"]}, "scopes"),
        (KEYS, {"days": 0}, "days"),
        (KEYS, {"name": "x" * 129}, "name"),
        (KEYS, {"client": "x"}, "client"),
        ("/v1/clients/acme/limits", {"running_jobs": 0}, "running_jobs"),
        ("/v1/clients/acme/limits", {"nonsense": 1}, "nonsense"),
    ],
)
def test_what_does_not_validate_is_422(bench: Bench, path: str, body: dict[str, Any], fault: str) -> None:
    status, _, problem = bench.call("PUT" if path.endswith("limits") else "POST", path, body)
    assert status == 422
    assert [error["path"] for error in problem["errors"]] == [fault]


def test_a_name_that_is_none_is_422(bench: Bench) -> None:
    assert bench.call("POST", "/v1/clients/Not%20a%20name/keys", {})[0] == 422


def test_clients_are_listed_by_page(bench: Bench) -> None:
    for name in ("b", "c", "d"):
        bench.access.create(name)
    first = bench.call("GET", "/v1/clients", query={"limit": "2"})
    assert [one["client"] for one in first[2]["clients"]] == ["acme", "b"]
    assert 'rel="next"' in first[1]["link"]
    rest = bench.call("GET", "/v1/clients", query={"limit": "2", "after": first[2]["after"]})
    assert ([one["client"] for one in rest[2]["clients"]], rest[2]["after"]) == (["c", "d"], None)


def test_an_operator_gives_a_client_limits_of_its_own(bench: Bench) -> None:
    other = bench.access.create("other")
    status, _, client = bench.call("PUT", "/v1/clients/other/limits", {"requests_per_minute": 1, "uploads_per_day": 2})
    assert (status, client["own"]) == (200, {"requests_per_minute": 1, "uploads_per_day": 2})
    assert client["allowance"]["jobs_under_way"] == 1000
    bench.submit(key=other)
    assert bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"}, key=other)[2]["violated-policies"] == ["jobs"]
    bench.submit()
    bench.clock.advance(60)
    bench.submit(key=other)
    bench.clock.advance(60)
    status, headers, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"}, key=other)
    assert (status, problem["violated-policies"], problem["limit"]) == (429, ["uploads"], 2)
    assert int(headers["retry-after"]) == 14 * 3600 + 28 * 60  # until midnight UTC
    assert '"uploads";r=0;t=' in headers["ratelimit"]
    client = bench.call("PUT", "/v1/clients/other/limits", {"uploads_per_day": None})[2]
    assert client["own"] == {"requests_per_minute": 1}
    bench.clock.advance(60)
    bench.submit(key=other)


def test_bytes_of_a_day_are_counted_as_announced_or_as_they_come(bench: Bench) -> None:
    bench.call("PUT", "/v1/clients/acme/limits", {"bytes_per_day": 100})
    bench.submit({"filename": "a.xlsx", "size": 60})
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "size": 41})
    assert (status, problem["violated-policies"], problem["remaining"]) == (429, ["bytes"], 40)
    small, large = bench.submit(), bench.submit()
    bench.upload(small, b"x" * 30)
    assert bench.job(small["id"])["state"] == "queued"
    bench.upload(large, b"x" * 30)
    assert bench.job(large["id"])["error"]["code"] == "quota_exceeded"
    bench.clock.advance(86_400)
    bench.submit({"filename": "a.xlsx", "size": 100})


def test_use_of_a_key_is_noted_once_a_minute(bench: Bench) -> None:
    noted: list[Any] = []
    touch = bench.table.touch_key
    bench.table.touch_key = lambda *words, **more: (noted.append(words), touch(*words, **more))[1]  # type: ignore[method-assign]
    for _ in range(50):
        bench.call("GET", "/v1/limits")
    assert len(noted) == 1
    bench.clock.advance(59)
    bench.call("GET", "/v1/limits")
    assert len(noted) == 1
    bench.clock.advance(1)
    bench.call("GET", "/v1/limits")
    assert len(noted) == 2
    (key,) = bench.call("GET", KEYS)[2]["keys"]
    assert instant(key["last_used_at"]) == bench.clock.now()
