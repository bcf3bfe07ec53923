"""Models over HTTP, without their computing: description, versions, what replaces what."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from sheetrun.service.web.openapi import document as openapi
from tests.support import INTERFACE, Bench


def made(bench: Bench, **body: Any) -> str:
    job = bench.submit({"filename": "model.xlsx", **body})
    bench.upload(job)
    bench.run_all()
    return str(job["id"])


def test_a_succeeded_job_is_a_model(bench: Bench) -> None:
    model = made(bench)
    job = bench.call("GET", f"/v1/jobs/{model}")[2]
    assert job["model"] == model
    assert job["urls"]["model"].endswith(f"/v1/models/{model}")
    status, _, body = bench.call("GET", f"/v1/models/{model}")
    assert status == 200
    assert (body["id"], body["version"], body["job"]) == (model, 1, model)
    assert body["inputs"] == INTERFACE["inputs"]
    assert body["outputs"] == INTERFACE["outputs"]
    Draft202012Validator(body["schema"]).validate({"inputs": {"S!A1": 3, "Rate": 3}})
    described = openapi("https://a.example", bench.settings)["components"]
    Draft202012Validator({"$ref": "#/components/schemas/Model", "components": described}).validate(body)
    status, _, own = bench.call("GET", f"/v1/models/{model}/openapi.json")
    assert status == 200
    assert list(own["paths"]) == [f"/v1/models/{model}/calculate"]


def test_what_is_no_model_says_why(bench: Bench) -> None:
    waiting = bench.submit()
    status, headers, body = bench.call("GET", f"/v1/models/{waiting['id']}")
    assert (status, body["code"], headers["retry-after"]) == (409, "not_finished", "1")
    bench.call("POST", f"/v1/jobs/{waiting['id']}/cancel")
    status, _, body = bench.call("GET", f"/v1/models/{waiting['id']}")
    assert (status, body["code"], body["state"]) == (404, "no_model", "cancelled")
    data = bench.submit({"filename": "a.csv"})
    for other in ("job_none", data["id"]):
        status, _, body = bench.call("GET", f"/v1/models/{other}")
        assert (status, body["code"]) == (404, "model_not_found")
    rival = bench.access.create("rival")
    status, _, body = bench.call("GET", f"/v1/models/{made(bench)}", key=rival)
    assert (status, body["code"]) == (404, "model_not_found")


def test_a_new_upload_keeps_the_address(bench: Bench) -> None:
    first = made(bench)
    waiting = bench.submit({"filename": "model2.xlsx", "replaces": first})
    assert waiting["model"] == first
    assert bench.call("GET", f"/v1/models/{first}")[2]["version"] == 1, "the new one has not succeeded yet"
    bench.upload(waiting)
    bench.run_all()
    body = bench.call("GET", f"/v1/models/{first}")[2]
    assert (body["id"], body["version"], body["job"], body["filename"]) == (first, 2, waiting["id"], "model2.xlsx")
    pinned = bench.call("GET", f"/v1/models/{first}", query={"version": "1"})[2]
    assert (pinned["version"], pinned["job"]) == (1, first)
    own = bench.call("GET", f"/v1/models/{waiting['id']}")[2]
    assert (own["id"], own["version"]) == (first, 2)
    third = made(bench, replaces=waiting["id"])
    listed = bench.call("GET", f"/v1/models/{first}/versions")[2]
    assert [each["version"] for each in listed["versions"]] == [3, 2, 1]
    assert (listed["id"], listed["current"], listed["versions"][0]["job"]) == (first, 3, third)
    assert bench.call("GET", f"/v1/models/{third}", query={"version": "2"})[2]["job"] == waiting["id"]
    status, _, body = bench.call("GET", f"/v1/models/{first}", query={"version": "4"})
    assert (status, body["code"]) == (404, "no_such_version")
    assert bench.call("GET", f"/v1/models/{first}", query={"version": "0"})[0] == 422


def test_a_version_that_failed_is_passed_over(bench: Bench) -> None:
    first = made(bench)
    broken = bench.submit({"filename": "b.xlsx", "replaces": first})
    bench.call("POST", f"/v1/jobs/{broken['id']}/cancel")
    assert bench.call("GET", f"/v1/models/{first}")[2]["version"] == 1
    status, _, body = bench.call("GET", f"/v1/models/{first}", query={"version": "2"})
    assert (status, body["code"]) == (404, "no_model")
    assert bench.call("GET", f"/v1/models/{first}/versions")[2]["versions"][0]["state"] == "cancelled"


def test_only_a_model_of_ones_own_can_be_replaced(bench: Bench) -> None:
    first = made(bench)
    rival = bench.access.create("rival")
    for key, model in ((rival, first), (bench.key, "job_none"), (bench.key, bench.submit()["id"])):
        status, _, body = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "replaces": model}, key=key)
        assert (status, body["code"]) == (422, "not_a_model"), model
        assert body["errors"][0]["path"] == "replaces"
    for wrong in ({"filename": "a.xlsx", "replaces": 3}, {"filename": "a.csv", "replaces": first}):
        assert bench.call("POST", "/v1/jobs", wrong)[0] == 422


def test_the_address_lives_as_long_as_its_last_version(bench: Bench) -> None:
    first = made(bench, retain_seconds=60)
    made(bench, replaces=first, retain_seconds=100_000)
    bench.clock.advance(5000)
    assert bench.call("GET", f"/v1/models/{first}")[2]["version"] == 2
    bench.clock.advance(200_000)
    assert bench.call("GET", f"/v1/models/{first}")[0] == 404


def test_what_another_function_computes_is_known_by_its_methods(bench: Bench) -> None:
    status, headers, _ = bench.call("GET", f"/v1/models/{made(bench)}/calculate")
    assert (status, headers["allow"]) == (405, "POST")
    assert bench.call("PUT", "/v1/models/x/diff")[1]["allow"] == "GET"
    assert bench.call("POST", "/v1/models/x/calculate", {})[0] == 404
