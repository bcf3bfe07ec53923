"""Metrics that Prometheus reads, lines of the log that CloudWatch measures, dead letters and their second chance."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sheetrun.jobs.errors import StepRetryable
from sheetrun.service.burying import Undertaker
from sheetrun.service.fakes import FakeClock
from sheetrun.service.log import JsonLog
from sheetrun.service.metrics import METRICS, family
from sheetrun.service.outgoing import Sent
from tests.support import XLSX, Bench


def undertaker(bench: Bench) -> Undertaker:
    return Undertaker(bench.operations, bench.operations, bench.sweeper(), bench.clock, bench.ids, bench.log)


def samples(bench: Bench) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    status, headers, text = bench.call("GET", "/v1/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for metric in text_string_to_metric_families(text):
        assert metric.documentation
        assert metric.type in ("gauge", "counter")
        for sample in metric.samples:
            found[(sample.name, tuple(sample.labels.items()))] = sample.value
    return found


def test_metrics_are_read_by_prometheus(bench: Bench) -> None:
    assert samples(bench)[("sheetrun_jobs_under_way", ())] == 0
    bench.call("POST", "/v1/webhooks", {"url": "https://hooks.example.com/"})
    bench.sender.answer = lambda url: Sent(status=503)
    for _ in range(2):
        made = bench.submit()
        bench.clock.advance(1.5)
        bench.upload(made)
        bench.run_all()
    waiting = bench.submit()
    bench.upload(waiting)
    for _ in range(2):
        bench.deliver_all()
    found = samples(bench)
    assert found[("sheetrun_jobs_under_way", ())] == 1
    assert found[("sheetrun_queue_messages", (("queue", "parse-normal"),))] == 1
    assert found[("sheetrun_jobs_ended_total", (("state", "succeeded"),))] == 2
    assert found[("sheetrun_job_seconds_total", (("state", "succeeded"),))] == 3
    assert found[("sheetrun_stage_runs_total", (("stage", "execute"),))] == 2
    assert found[("sheetrun_webhook_attempts_total", (("outcome", "5xx"),))] == 2


def test_an_end_that_is_told_twice_is_counted_once(bench: Bench) -> None:
    made = bench.submit()
    bench.call("POST", f"/v1/jobs/{made['id']}/cancel")
    bench.queues.posted *= 3
    bench.deliver_all()
    assert samples(bench)[("sheetrun_jobs_ended_total", (("state", "cancelled"),))] == 1


def test_labels_are_escaped() -> None:
    lines = family("a_total", "counter", "A.", [({"b": 'x"\\\ny'}, 1.5)])
    (metric,) = text_string_to_metric_families("\n".join(lines) + "\n")
    assert metric.samples[0].labels == {"b": 'x"\\\ny'}


def test_lines_are_json_and_some_are_metrics() -> None:
    out = io.StringIO()
    log = JsonLog(function="execute", stage="dev", clock=FakeClock(), trace=lambda: "Root=1-a", stream=out)
    log.info("step_done", job_id="job_1", step="execute", duration_ms=12)
    log.warning("step_failed", job_id="job_1", step="execute", code="timed_out")
    log.info("upload_accepted", job_id="job_1")
    first, second, third = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["job_id"] == "job_1"
    assert first["trace"] == "Root=1-a"
    assert first["at"].startswith("2026-01-31T09:30:00")
    declared = first["_aws"]["CloudWatchMetrics"][0]
    assert declared == {
        "Namespace": "Sheetrun",
        "Dimensions": [["stage", "event", "step"]],
        "Metrics": [{"Name": "duration_ms", "Unit": "Milliseconds"}],
    }
    assert first["_aws"]["Timestamp"] == 1769851800000
    assert second["count"] == 1
    assert "_aws" not in third


@pytest.mark.parametrize("event", sorted(METRICS))
def test_every_metric_follows_the_embedded_format(event: str) -> None:
    out = io.StringIO()
    metric = METRICS[event]
    facts: dict[str, Any] = dict.fromkeys(metric.dimensions, "a")
    facts |= {name: 1 for name in metric.values if name != "count"}
    JsonLog(function="api", stage="dev", clock=FakeClock(), stream=out).info(event, **facts)
    line = json.loads(out.getvalue())
    for declared in line["_aws"]["CloudWatchMetrics"]:
        for names in declared["Dimensions"]:
            assert all(isinstance(line[name], str) for name in names)
        for one in declared["Metrics"]:
            assert isinstance(line[one["Name"]], int)
            assert one["Unit"] in ("Milliseconds", "Seconds", "Count")


def test_requests_are_measured_by_route_and_not_by_path(bench: Bench) -> None:
    bench.call("GET", "/v1/jobs/job_nobody")
    bench.call("GET", "/v1/nothing")
    told = [facts["route"] for _, event, facts in bench.log.lines if event == "request"]
    assert told == ["GET /v1/jobs/{id}", "none"]


# ---- dead letters ---------------------------------------------------------------------------------------------------


def listed(bench: Bench, **query: str) -> list[dict[str, Any]]:
    status, _, page = bench.call("GET", "/v1/dead-letters", query=query)
    assert status == 200
    found: list[dict[str, Any]] = page["dead_letters"]
    return found


def test_a_steps_dead_letter_ends_its_job_and_a_redrive_resumes_it(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    dispatch = bench.queues.take()
    assert dispatch is not None
    undertaker(bench).bury(json.dumps(dispatch.message()), 3)
    assert bench.job(made["id"])["error"]["code"] == "dead_letter"
    (letter,) = listed(bench)
    assert (letter["source"], letter["job"], letter["receives"]) == ("step", made["id"], 3)
    assert letter["message"]["step"] == "parse"
    status, _, result = bench.call("POST", "/v1/dead-letters/redrive", {"ids": [letter["id"]]})
    assert (status, result) == (200, {"redriven": [letter["id"]], "skipped": []})
    assert listed(bench) == []
    bench.run_all()
    assert bench.job(made["id"])["state"] == "succeeded"
    assert samples(bench)[("sheetrun_dead_letters_total", (("source", "step"),))] == 1


def test_deliveries_and_arrivals_come_back_too(bench: Bench) -> None:
    made = bench.submit()
    key = f"uploads/acme/{made['id']}/source"
    bench.blobs.upload(key, XLSX)
    note = {"Records": [{"eventName": "ObjectCreated:Post", "s3": {"object": {"key": key}}}]}
    for body in (
        note,
        {"job_id": made["id"], "event": 2},
        {"client": "a", "endpoint": "w", "delivery": "d", "number": 1},
    ):
        undertaker(bench).bury(json.dumps(body), 5)
        bench.clock.advance(1)
    assert [letter["source"] for letter in listed(bench)] == ["deliver", "deliver", "intake"]
    bench.queues.posted.clear()
    status, _, result = bench.call("POST", "/v1/dead-letters/redrive")
    assert (status, len(result["redriven"]), result["skipped"]) == (200, 3, [])
    assert bench.job(made["id"])["state"] == "queued"
    assert [message for message, _ in bench.queues.posted] == [
        {"client": "a", "endpoint": "w", "delivery": "d", "number": 1},
        {"job_id": made["id"], "event": 2},
    ]


def test_what_cannot_be_redriven_stays_with_its_reason(bench: Bench) -> None:
    for body in ("{", "[]", '{"step": "dance"}', json.dumps({"job_id": "job_0", "step": "parse", "epoch": 1})):
        undertaker(bench).bury(body, 1)
    letters = listed(bench)
    assert sorted(letter["source"] for letter in letters) == ["step", "unknown", "unknown", "unknown"]
    _, _, result = bench.call("POST", "/v1/dead-letters/redrive", {})
    assert result["redriven"] == []
    assert {one["code"] for one in result["skipped"]} == {"job_not_found", "not_ours"}
    for letter in letters:
        assert bench.call("DELETE", f"/v1/dead-letters/{letter['id']}")[0] == 204
    assert listed(bench) == []
    assert bench.call("DELETE", f"/v1/dead-letters/{letters[0]['id']}")[0] == 404


def test_dead_letters_are_the_operators(bench: Bench) -> None:
    key = bench.access.create("acme", scopes=frozenset({"submit", "read"}))
    for method, path in (
        ("GET", "/v1/dead-letters"),
        ("POST", "/v1/dead-letters/redrive"),
        ("DELETE", "/v1/dead-letters/dead_1"),
        ("GET", "/v1/metrics"),
    ):
        assert bench.call(method, path, key=key)[0] == 403
        assert bench.call(method, path, key=None)[0] == 401


@pytest.mark.parametrize("body", [[], {"id": "a"}, {"ids": []}, {"ids": [1]}, {"ids": "a"}, {"ids": ["a"] * 101}])
def test_redrives_that_do_not_validate(bench: Bench, body: Any) -> None:
    assert bench.call("POST", "/v1/dead-letters/redrive", body)[0] == 422


def test_a_redrive_of_what_is_not_there(bench: Bench) -> None:
    assert bench.call("POST", "/v1/dead-letters/redrive", {"ids": ["dead_none"]})[0] == 404


def test_pages_of_letters_and_their_time(bench: Bench) -> None:
    for _ in range(3):
        undertaker(bench).bury("{}", 1)
        bench.clock.advance(1)
    _, headers, first = bench.call("GET", "/v1/dead-letters", query={"limit": "2"})
    assert 'rel="next"' in headers["link"]
    assert len(first["dead_letters"]) == 2
    assert len(listed(bench, limit="2", after=first["after"])) == 1
    bench.clock.advance(15 * 86_400)
    assert listed(bench) == []


def test_a_table_that_does_not_answer_brings_the_letter_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(letter: object) -> None:
        raise StepRetryable("table_unavailable", "no")

    monkeypatch.setattr(bench.operations, "keep", broken)
    with pytest.raises(StepRetryable):
        undertaker(bench).bury("{}", 1)
