"""No route shows a client anything of another's, and none works without its scope: route by route, from OpenAPI.

A new route that is not known here fails: whoever adds it says what it is about.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sheetrun.service.access import SCOPES
from sheetrun.service.letters import Letter, Source
from sheetrun.service.uploads import Arrival
from tests.support import Bench


def no_sandbox(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing here comes to be computed")


BENCH = Bench()  # only to know the routes
BENCH.with_calls(no_sandbox)
DOCUMENT: dict[str, Any] = BENCH.call("GET", "/v1/openapi.json", key=None)[2]
OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=f"{method.upper()} {path}")
    for path, methods in sorted(DOCUMENT["paths"].items())
    for method, operation in sorted(methods.items())
]
SCOPE_OF = {(route.method, route.template.replace("+}", "}")): route.scope for route in BENCH.api.router.routes}


#: Of routes that read their body before they look for what it is about.
BODIES: dict[str, dict[str, Any]] = {
    "calculate": {},
    "goal-seek": {"output": "S!B1", "target": 1, "input": "S!A1"},
    "data-table": {"row": {"S!A1": [1]}, "outputs": ["S!B1"]},
}


class House:
    """Two clients; alice has one of everything, marked so that it can be recognised anywhere."""

    MARK = "alices-secret"

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.with_calls(no_sandbox)
        self.alice = self.bench.access.create("alice")
        self.bob = self.bench.access.create("bob")
        self.operator = self.bench.access.create("operator", scopes=SCOPES)
        hook = {"url": f"https://hooks.example.com/{self.MARK}"}
        self.hook = self.bench.call("POST", "/v1/webhooks", hook, key=self.alice)[2]
        body = {"filename": f"{self.MARK}.xlsx", "metadata": {"note": self.MARK}}
        self.job = self.bench.submit(body, key=self.alice)
        self.bench.upload(self.job)
        self.bench.run_all()
        self.bench.deliver_all()
        deliveries = self.bench.call("GET", f"/v1/webhooks/{self.hook['id']}/deliveries", key=self.alice)[2]
        self.delivery = deliveries["deliveries"][0]["id"]
        now = self.bench.clock.now()
        self.letter = Letter(
            id="letter-1", source=Source.STEP, at=now, expires_at=now + timedelta(days=1), body=self.MARK
        )
        self.bench.world.letters.keep(self.letter)
        batch = {"jobs": [{**body, "custom_id": self.MARK}]}
        self.batch = self.bench.call("POST", "/v1/batches", batch, key=self.alice)[2]
        self.key = self.bench.table.list_keys("alice")[0].id

    def path(self, template: str) -> str:
        """The route about what is alice's."""
        things = {
            "/v1/jobs/{id}": self.job["id"],
            "/v1/models/{id}": self.job["id"],
            "/v1/batches/{id}": self.batch["id"],
            "/v1/webhooks/{id}": self.hook["id"],
            "/v1/dead-letters/{id}": self.letter.id,
        }
        for begin, thing in things.items():
            if template.startswith(begin):
                template = template.replace("{id}", thing)
        path = template.replace("{client}", "alice").replace("{key}", self.key).replace("{name}", "values")
        path = path.replace("{delivery}", self.delivery)
        assert "{" not in path, f"say in {__file__} what {template} is about"
        return path

    def traces(self) -> list[str]:
        """What of alice's must be in no answer to anybody else."""
        own = [self.job["id"], self.batch["id"], self.hook["id"], self.delivery]
        return [self.MARK, self.alice, self.hook["secret"], *own]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a_client_sees_nothing_of_anothers(method: str, path: str, operation: dict[str, Any]) -> None:
    house = House()
    before = {name: job.rev for name, job in house.bench.table.jobs.items()}
    body = {"filename": "bobs.xlsx"} if method == "POST" and "{" not in path else BODIES.get(path.rpartition("/")[2])
    status, headers, answer = house.bench.call(method, house.path(path), body, key=house.bob)
    told = json.dumps([headers, answer])
    for trace in house.traces():
        allowed = told.count(house.path(path)) * house.path(path).count(trace)  # what bob asked for himself
        echoed = answer.get("detail", "").count(trace) if isinstance(answer, dict) and status == 404 else 0
        assert told.count(trace) <= allowed + echoed, trace
    if "{" in path:
        assert status in (403, 404)
    changed = {name for name, job in house.bench.table.jobs.items() if before.get(name, job.rev) != job.rev}
    assert changed == set()
    assert house.bench.access.caller(house.alice).client == "alice"


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a_key_opens_what_its_scopes_say_and_nothing_else(method: str, path: str, operation: dict[str, Any]) -> None:
    house = House()
    needed = SCOPE_OF[(method, path)]
    target = house.path(path)
    if needed is None:
        assert operation["security"] == []
        assert house.bench.call(method, target, key=None)[0] == 200
        return
    assert house.bench.call(method, target, key=None)[0] == 401
    others = house.bench.access.create("alice", scopes=SCOPES - {needed})
    status, _, problem = house.bench.call(method, target, {}, key=others)
    assert (status, problem["code"], problem["scope"]) == (403, "missing_scope", needed)
    only = house.bench.access.create("alice", scopes=frozenset({needed}))
    assert house.bench.call(method, target, {}, key=only)[0] not in (401, 403)


def test_a_link_to_a_result_names_nothing_but_that_result() -> None:
    house = House()
    status, headers, _ = house.bench.call("GET", f"/v1/jobs/{house.job['id']}/results/values", key=house.alice)
    assert status == 302
    assert house.job["id"] in headers["location"]
    assert headers["cache-control"] == "private, no-store"
    upload = house.bench.submit(key=house.bob)["upload"]
    assert upload["fields"]["key"].startswith("uploads/bob/")


def test_a_drop_belongs_to_the_client_whose_folder_it_is_in() -> None:
    house = House()
    house.bench.blobs.upload("inbox/bob/a.xlsx", b"PK", {"client": "alice"})
    job_id = house.bench.world.door.arrived(Arrival(key="inbox/bob/a.xlsx", at=house.bench.clock.now()))
    assert job_id is not None
    assert house.bench.call("GET", f"/v1/jobs/{job_id}", key=house.alice)[0] == 404
    assert house.bench.call("GET", f"/v1/jobs/{job_id}", key=house.bob)[0] == 200
