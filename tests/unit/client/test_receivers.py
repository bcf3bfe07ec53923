"""``client.webhooks``, ``client.dead_letters`` and the stream of events, against a service in memory; and their commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.client import BadAnswer, Request, Response, verify_webhook
from sheetrun.client.cli import main
from sheetrun.client.stream import messages
from sheetrun.client.transport import HttpTransport
from sheetrun.service.signing import signed_headers
from tests.support import Bench

from .service import Scripted, client_of, query

ENDPOINT = {
    "id": "whk_1",
    "url": "https://hooks.example.com/",
    "events": ["job.failed"],
    "description": "mine",
    "of_jobs": False,
    "status": "enabled",
    "disabled_reason": None,
    "failing_since": None,
    "paused_until": None,
}
DELIVERY = {
    "id": "dlv_1",
    "endpoint": "whk_1",
    "webhook_id": "msg_1",
    "type": "job.failed",
    "job": "job_1",
    "status": "failed",
    "reason": "attempts_exhausted",
    "next_attempt_at": None,
    "created_at": "2026-01-31T09:30:00.000Z",
    "attempts": [
        {"at": "2026-01-31T09:30:00.000Z", "status_code": 500, "error": None, "duration_ms": 12, "response": "no"},
        {
            "at": "2026-01-31T09:30:05.000Z",
            "status_code": None,
            "error": "timeout",
            "duration_ms": 20000,
            "response": "",
        },
    ],
}
LETTER = {
    "id": "dead_1",
    "source": "step",
    "job": "job_1",
    "at": "2026-01-31T09:30:00.000Z",
    "message": {"step": "parse"},
}


def scripted() -> Scripted:
    one = "service/v1/webhooks/whk_1"
    known = {**ENDPOINT, "secret": "whsec_b", "previous": [{"secret": "whsec_a", "until": "x"}]}

    def page(request: Request) -> Response:
        if "after" in query(request):
            return Response.of_json(200, {"webhooks": [{**ENDPOINT, "id": "whk_2"}], "after": None})
        return Response.of_json(200, {"webhooks": [ENDPOINT], "after": "whk_1"})

    return (
        Scripted()
        .on("POST service/v1/webhooks", lambda _: Response.of_json(201, {**ENDPOINT, "secret": "whsec_a"}))
        .on("GET service/v1/webhooks", page)
        .on(f"GET {one}", lambda _: Response.of_json(200, {**ENDPOINT, "paused_until": "2026-01-31T09:30:00.000Z"}))
        .on(f"DELETE {one}", lambda _: Response(204))
        .on(f"GET {one}/secret", lambda _: Response.of_json(200, known))
        .on(f"POST {one}/rotate", lambda _: Response.of_json(200, known))
        .on(f"POST {one}/enable", lambda _: Response.of_json(200, ENDPOINT))
        .on(f"POST {one}/test", lambda _: Response.of_json(202, {**DELIVERY, "status": "pending", "attempts": []}))
        .on(f"GET {one}/deliveries", lambda _: Response.of_json(200, {"deliveries": [DELIVERY], "after": None}))
        .on(f"GET {one}/deliveries/dlv_1", lambda _: Response.of_json(200, DELIVERY))
        .on(f"POST {one}/deliveries/dlv_1/replay", lambda _: Response.of_json(202, {**DELIVERY, "status": "pending"}))
        .on("GET service/v1/dead-letters", lambda _: Response.of_json(200, {"dead_letters": [LETTER], "after": None}))
        .on(
            "POST service/v1/dead-letters/redrive",
            lambda _: Response.of_json(
                200, {"redriven": ["dead_1"], "skipped": [{"id": "dead_2", "code": "not_ours", "detail": "…"}]}
            ),
        )
        .on("DELETE service/v1/dead-letters/dead_1", lambda _: Response(204))
        .on("GET service/v1/metrics", lambda _: Response(200, {"content-type": "text/plain"}, b"a 1\n"))
    )


def test_endpoints() -> None:
    client, sent = client_of(scripted())
    made = client.webhooks.create("https://hooks.example.com/", events=["job.failed"], description="mine")
    assert (made.id, made.secret, made.enabled, made.events) == ("whk_1", "whsec_a", True, ("job.failed",))
    assert "whsec_a" not in repr(made), "a secret is not printed by accident"
    assert len(sent.requests[0].headers["Idempotency-Key"]) == 36
    assert [one.id for one in client.webhooks.list()] == ["whk_1", "whk_2"]
    assert client.webhooks.get(made).paused_until is not None
    assert client.webhooks.secrets("whk_1").all == ("whsec_b", "whsec_a")
    assert client.webhooks.rotate(made, overlap_seconds=60).current == "whsec_b"
    assert sent.requests[-1].json() == {"overlap_seconds": 60}
    assert client.webhooks.enable(made).enabled
    client.webhooks.delete(made)
    with pytest.raises(ValueError, match="id"):
        client.webhooks.get("")


def test_deliveries() -> None:
    client, sent = client_of(scripted())
    assert client.webhooks.test("whk_1").status == "pending"
    (found,) = client.webhooks.deliveries("whk_1", status="failed")
    assert query(sent.requests[-1]) == {"status": "failed"}
    assert [(one.status_code, one.error) for one in found.attempts] == [(500, None), (None, "timeout")]
    assert client.webhooks.delivery("whk_1", found) == found
    assert client.webhooks.replay("whk_1", found).status == "pending"


def test_dead_letters_and_metrics() -> None:
    client, _ = client_of(scripted())
    (letter,) = client.dead_letters.list()
    assert (letter.source, letter.job, letter.message) == ("step", "job_1", {"step": "parse"})
    result = client.dead_letters.redrive(["dead_1", "dead_2"])
    assert (result.done, dict(result.skipped)) == (("dead_1",), {"dead_2": "not_ours"})
    client.dead_letters.drop(letter)
    assert client.metrics() == "a 1\n"


def test_what_the_service_signs_the_client_verifies() -> None:
    secret = "whsec_" + "A" * 43 + "="
    clock = Bench().clock
    headers = signed_headers([secret], "msg_1", '{"type":"a"}', clock.now())
    assert verify_webhook(b'{"type":"a"}', headers, secret, now=clock.now().timestamp()) == {"type": "a"}


# ---- commands -------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    service = scripted()
    monkeypatch.setenv("SHEETRUN_URL", "http://service.test/v1")
    monkeypatch.setenv("SHEETRUN_KEY", "key-1")
    monkeypatch.setattr(HttpTransport, "send", lambda self, request: service(request))
    return service


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["webhooks"], ["whk_1  enabled  https://hooks.example.com/", "whk_2  enabled  https://hooks.example.com/"]),
        (
            ["webhooks", "create", "https://hooks.example.com/"],
            ["whk_1  enabled  https://hooks.example.com/", "whsec_a"],
        ),
        (["webhooks", "delete", "whk_1"], []),
        (["webhooks", "secret", "whk_1"], ["whsec_b", "whsec_a"]),
        (["webhooks", "rotate", "whk_1"], ["whsec_b"]),
        (["webhooks", "enable", "whk_1"], ["whk_1  enabled  https://hooks.example.com/"]),
        (["webhooks", "test", "whk_1"], ["dlv_1  2026-01-31T09:30:00Z  job.failed  job_1  pending"]),
        (
            ["webhooks", "deliveries", "whk_1"],
            ["dlv_1  2026-01-31T09:30:00Z  job.failed  job_1  failed  500 timeout"],
        ),
        (
            ["webhooks", "replay", "whk_1", "dlv_1"],
            ["dlv_1  2026-01-31T09:30:00Z  job.failed  job_1  pending  500 timeout"],
        ),
        (["dead-letters"], ['dead_1  2026-01-31T09:30:00Z  step  job_1  {"step": "parse"}']),
        (["dead-letters", "drop", "dead_1"], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_commands(served: Scripted, capsys: pytest.CaptureFixture[str], words: list[str], told: list[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == told


def test_commands_speak_json_too(served: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhooks", "deliveries", "whk_1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == DELIVERY
    assert main(["dead-letters", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == LETTER


def test_a_redrive_that_leaves_something_says_so(served: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "redrive"]) == 1
    out, err = capsys.readouterr()
    assert out == "dead_1  sent once more\n"
    assert "dead_2: not_ours" in err


@pytest.mark.parametrize(
    "words", [["webhooks", "create"], ["webhooks", "dance"], ["webhooks", "replay", "whk_1"], ["dead-letters", "drop"]]
)
def test_wrong_usage(served: Scripted, words: list[str]) -> None:
    assert main(words) == 2


# ---- streams --------------------------------------------------------------------------------------------------------


def sse(*events: int, retry: int = 10) -> Response:
    text = f"retry: {retry}\n\n"
    for number in events:
        text += f'id: {number}\nevent: job.x\ndata: {{"id": {number}, "type": "job.x", "at": null, "data": {{}}}}\n\n'
    return Response(200, {"content-type": "text/event-stream; charset=utf-8"}, text.encode())


def test_a_stream_comes_back_where_it_was_until_nothing_follows() -> None:
    route = "GET service/v1/jobs/job_1/events"
    service = Scripted().on(route, sse(1, 2), sse(), sse(2, 3), Response(204))
    client, sent = client_of(service)
    assert [event.id for event in client.stream("job_1")] == [1, 2, 3]
    assert [request.headers.get("Last-Event-ID") for request in sent.requests] == [None, "2", "2", "3"]
    assert all(request.headers["Accept"] == "text/event-stream" for request in sent.requests)


def test_what_is_no_stream() -> None:
    client, _ = client_of(Scripted().on("GET service/v1/jobs/job_1/events", lambda _: Response.of_json(200, {})))
    with pytest.raises(BadAnswer):
        list(client.stream("job_1"))
    broken = Response(200, {"content-type": "text/event-stream"}, b"data: {\n\n")
    client, _ = client_of(Scripted().on("GET service/v1/jobs/job_1/events", broken))
    with pytest.raises(BadAnswer):
        list(client.stream("job_1"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data: a\n\n", [("message", "a", None)]),
        ("data: a\r\rdata:b\r\n\r\n", [("message", "a", None), ("message", "b", None)]),
        ("\ufeffdata: a\n\n", [("message", "a", None)]),
        (": note\n\ndata\n\n", [("message", "", None)]),
        ("id: 7\nevent: x\ndata: a\ndata:  b\n\n", [("x", "a\n b", "7")]),
        ("data: a\n", []),
        ("id: a\0b\ndata: c\nnothing: d\n\n", [("message", "c", None)]),
        ("data: ü\n\n", [("message", "ü", None)]),
    ],
)
def test_streams_are_read_as_the_standard_says(text: str, found: list[tuple[str, str, Any]]) -> None:
    for size in (1, 3, 100):
        whole = text.encode()
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert [(one.event, one.data, one.id) for one in messages(chunks)] == found


@given(st.binary(max_size=80), st.integers(1, 7))
def test_any_bytes_are_read_alike_however_they_are_cut(data: bytes, size: int) -> None:
    def cut(width: int) -> Iterator[bytes]:
        for at in range(0, len(data), width):
            yield data[at : at + width]

    assert list(messages(cut(size))) == list(messages(cut(80)))
