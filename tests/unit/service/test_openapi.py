"""The OpenAPI document says what the service does: same routes, and answers that fit its schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sheetrun.service.burying import Undertaker
from tests.support import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def document(bench: Bench) -> dict[str, Any]:
    status, _, found = bench.call("GET", "/v1/openapi.json", key=None)
    assert status == 200
    loaded: dict[str, Any] = found
    return loaded


def test_every_route_is_described_and_nothing_else(bench: Bench, document: dict[str, Any]) -> None:
    bench.with_calls(lambda *_, **__: None)  # another function's routes: the document is of them all
    served = {
        (route.template.replace("+}", "}"), route.method.lower(), route.scope is None)
        for route in bench.api.router.routes
    }
    described = {
        (path, method, operation.get("security") == [])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert described == served


def test_operation_ids_are_unique_and_references_resolve(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].rsplit("/", 1)[-1] in document["components"]["schemas"]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)


def fits(document: dict[str, Any], path: str, method: str, status: int, value: Any) -> None:
    content = document["paths"][path][method]["responses"][str(status)]["content"]
    schema = next(iter(content.values()))["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def test_answers_fit_their_schemas(bench: Bench, document: dict[str, Any]) -> None:
    status, _, job = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "metadata": {"a": "b"}})
    fits(document, "/v1/jobs", "post", status, job)
    status, _, large = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "size": 200 * 2**20})
    fits(document, "/v1/jobs", "post", status, large)
    bench.upload(job)
    bench.run_all()
    one = f"/v1/jobs/{job['id']}"
    for path, template in [
        (one, "/v1/jobs/{id}"),
        ("/v1/jobs", "/v1/jobs"),
        (f"{one}/events", "/v1/jobs/{id}/events"),
        ("/v1/health", "/v1/health"),
        ("/v1/capacity", "/v1/capacity"),
        ("/v1/limits", "/v1/limits"),
    ]:
        status, _, value = bench.call("GET", path)
        fits(document, template, "get", status, value)
    status, _, value = bench.call("GET", "/v1/jobs/none")
    fits(document, "/v1/jobs/{id}", "get", status, value)
    status, _, value = bench.call("POST", "/v1/jobs", {"filename": 1})
    fits(document, "/v1/jobs", "post", status, value)
    bench.upload(bench.submit(), b"no")
    status, _, value = bench.call("GET", "/v1/jobs")
    fits(document, "/v1/jobs", "get", status, value)


def test_the_page_needs_no_key(bench: Bench) -> None:
    status, headers, text = bench.call("GET", "/v1/docs", key=None)
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "openapi.json" in text


def test_answers_about_webhooks_and_dead_letters_fit_too(bench: Bench, document: dict[str, Any]) -> None:
    one = "/v1/webhooks/{id}"
    _, _, made = bench.call("POST", "/v1/webhooks", {"url": "https://hooks.example.com/"})
    fits(document, "/v1/webhooks", "post", 201, made)
    job = bench.submit()
    bench.call("POST", f"/v1/jobs/{job['id']}/cancel")
    for _ in range(2):
        bench.deliver_all()
    root = f"/v1/webhooks/{made['id']}"
    fits(document, "/v1/webhooks", "get", 200, bench.call("GET", "/v1/webhooks")[2])
    fits(document, one, "get", 200, bench.call("GET", root)[2])
    fits(document, f"{one}/secret", "get", 200, bench.call("GET", f"{root}/secret")[2])
    fits(document, f"{one}/rotate", "post", 200, bench.call("POST", f"{root}/rotate")[2])
    fits(document, f"{one}/enable", "post", 200, bench.call("POST", f"{root}/enable")[2])
    fits(document, f"{one}/test", "post", 202, bench.call("POST", f"{root}/test")[2])
    log = bench.call("GET", f"{root}/deliveries")[2]
    fits(document, f"{one}/deliveries", "get", 200, log)
    line = next(one for one in log["deliveries"] if one["attempts"])
    path = f"{one}/deliveries/{{delivery}}"
    fits(document, path, "get", 200, bench.call("GET", f"{root}/deliveries/{line['id']}")[2])
    fits(document, f"{path}/replay", "post", 202, bench.call("POST", f"{root}/deliveries/{line['id']}/replay")[2])
    schema = document["webhooks"]["jobEnded"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    told = json.loads(bench.sender.sent[0][1])
    Draft202012Validator({**schema, "components": document["components"]}).validate(told)
    undertaker = Undertaker(bench.operations, bench.operations, bench.sweeper(), bench.clock, bench.ids, bench.log)
    undertaker.bury("{}", 1)
    fits(document, "/v1/dead-letters", "get", 200, bench.call("GET", "/v1/dead-letters")[2])
    fits(document, "/v1/dead-letters/redrive", "post", 200, bench.call("POST", "/v1/dead-letters/redrive")[2])
    fits(document, "/v1/health", "get", 200, bench.call("GET", "/v1/health", key=None)[2])
