"""A job through the pipeline, with everything that can happen on the way."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from sheetrun.jobs.errors import StepRetryable
from sheetrun.jobs.states import State, Step
from sheetrun.runtime.inputs import InputError
from sheetrun.sandbox.errors import Cancelled
from sheetrun.service import compute
from sheetrun.service.steps import Again, Done, Message
from sheetrun.service.uploads import Arrival
from sheetrun.workbook.errors import UnsupportedFormat
from tests.support import XLSX, Bench, FakeCompute
from tests.unit.service.test_watch import busy


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_from_upload_to_result(bench: Bench) -> None:
    made = bench.submit({"filename": "model.xlsx", "inputs": {"A1": 2}, "outputs": ["B1"]})
    bench.upload(made)
    bench.run_all()
    job = bench.job(made["id"])
    assert job["state"] == "succeeded"
    assert job["running"] is False
    assert job["progress"]["percent"] == 100.0
    assert job["attempts"] == {"parse": 1, "generate": 1, "execute": 1}
    assert set(job["report"]["duration_ms"]) == {"parse", "generate", "execute"}
    assert job["size"] == len(XLSX)
    assert bench.compute.seen[0]["inputs"] == {"A1": 2}
    assert bench.compute.seen[0]["outputs"] == ["B1"]
    assert sorted(job["urls"]["results"]) == ["script", "values"]
    status, headers, _ = bench.call("GET", f"/v1/jobs/{made['id']}/results/values")
    assert status == 302
    assert f"jobs/{made['id']}/results/" in headers["location"]
    assert bench.table.outbox(made["id"]) == []


def test_cells_that_could_not_be_computed_make_it_partial(bench: Bench) -> None:
    bench.compute = FakeCompute(errors=({"cell": "A!B1", "code": "unsupported", "detail": "no such function"},))
    made = bench.submit()
    bench.upload(made)
    bench.run_all()
    job = bench.job(made["id"])
    assert job["state"] == "partially_succeeded"
    assert job["report"]["errors"][0]["cell"] == "A!B1"


def test_a_bad_file_fails_at_once_with_its_reason(bench: Bench) -> None:
    def refuse(_: Any) -> None:
        raise UnsupportedFormat("it is encrypted; remove the password", code="encrypted_workbook")

    bench.compute = FakeCompute(on_parse=refuse)
    made = bench.submit()
    bench.upload(made)
    bench.run_all()
    job = bench.job(made["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == "encrypted_workbook"
    assert job["error"]["stage"] == "parse"
    assert job["attempts"] == {"parse": 1}


def test_a_bug_is_told_as_one_and_its_text_is_not(bench: Bench) -> None:
    def crash(_: Any) -> None:
        raise KeyError("salary of Alice")

    bench.compute = FakeCompute(on_execute=crash)
    made = bench.submit()
    bench.upload(made)
    bench.run_all()
    error = bench.job(made["id"])["error"]
    assert error["code"] == "internal_error"
    assert "Alice" not in str(error)
    assert "Alice" not in str(bench.log.lines)


def test_a_faulty_dependency_is_tried_again_with_backoff_and_then_given_up() -> None:
    bench = Bench(retry_delays=(5, 10), max_attempts=3)

    def unavailable(_: Any) -> None:
        raise StepRetryable("store_unavailable", "the store answered SlowDown")

    bench.compute = FakeCompute(on_parse=unavailable)
    made = bench.submit()
    bench.upload(made)
    message = bench.next_message()
    assert message is not None
    assert bench.step(message) == Again(5)
    assert bench.step(message) == Again(10)
    assert bench.step(message) == Done()
    job = bench.job(made["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == "store_unavailable"
    assert job["error"]["retryable"] is True
    assert job["attempts"] == {"parse": 3}
    status, _, again = bench.call("POST", f"/v1/jobs/{made['id']}/retry")
    assert status == 202
    assert again["state"] == "queued"
    bench.compute = FakeCompute()
    bench.run_all()
    assert bench.job(made["id"])["state"] == "succeeded"


def test_a_doubled_message_does_nothing(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    message = bench.next_message()
    assert message is not None
    bench.step(message)
    before = bench.table.get(made["id"])
    assert bench.step(message) == Done()
    assert bench.table.get(made["id"]) == before


def test_a_message_while_another_worker_has_the_step_comes_back(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    message = bench.next_message()
    assert message is not None
    outcomes = []
    bench.compute = FakeCompute(on_parse=lambda _: outcomes.append(bench.step(message)))
    assert bench.step(message, remaining=60) == Done()
    assert outcomes == [Again(66)]


def test_cancel_while_it_runs_stops_the_work(bench: Bench) -> None:
    made = bench.submit()

    def cancelled_meanwhile(progress: Any) -> None:
        status, _, job = bench.call("POST", f"/v1/jobs/{made['id']}/cancel")
        assert status == 202
        assert job["state"] == "cancelling"
        bench.clock.advance(2)
        progress(1, 10, "block 1 of 10")
        raise AssertionError("the work went on")

    bench.compute = FakeCompute(on_execute=cancelled_meanwhile)
    bench.upload(made)
    bench.run_all()
    assert bench.job(made["id"])["state"] == "cancelled"


@pytest.mark.parametrize("step", ["parse", "generate", "execute"])
def test_work_that_tells_no_progress_is_cut_off_too(bench: Bench, step: str) -> None:
    made = bench.submit()

    def deaf(_: Any) -> None:
        assert bench.call("POST", f"/v1/jobs/{made['id']}/cancel")[0] == 202
        bench.clock.advance(2)
        busy()

    bench.compute = FakeCompute(**{f"on_{step}": deaf})
    bench.upload(made)
    bench.run_all()
    job = bench.job(made["id"])
    assert job["state"] == "cancelled"
    _, _, story = bench.call("GET", f"/v1/jobs/{made['id']}/events")
    assert story["events"][-1]["data"] == {"state": "cancelled", "was_running": True}
    assert bench.table.under_way() == 0


@pytest.mark.parametrize(("seconds", "code"), [(61, "deadline_exceeded"), (31, "time_limit")])
def test_time_cuts_off_too(bench: Bench, seconds: int, code: str) -> None:
    made = bench.submit({"filename": "a.xlsx", "deadline_seconds": 60})

    def deaf(_: Any) -> None:
        bench.clock.advance(seconds)
        busy()

    bench.compute = FakeCompute(on_generate=deaf)
    bench.upload(made)
    for _ in range(2):
        message = bench.next_message()
        assert message is not None
        bench.step(message, remaining=30)
    job = bench.job(made["id"])
    assert (job["state"], job["error"]["code"], job["error"]["stage"]) == ("timed_out", code, "generate")


def test_a_sandbox_that_asks_whether_to_stop_is_told(bench: Bench) -> None:
    """As ``compute.execute`` does: it asks again and again, and raises its own error once it was told."""
    made = bench.submit()

    class Asking(FakeCompute):
        def execute(self, *args: Any, **options: Any) -> Any:
            assert options["cancelled"]() is False
            bench.call("POST", f"/v1/jobs/{made['id']}/cancel")
            bench.clock.advance(1)
            assert options["cancelled"]() is True
            raise Cancelled

    bench.compute = Asking()
    bench.upload(made)
    bench.run_all()
    assert bench.job(made["id"])["state"] == "cancelled"


def test_progress_is_seen_in_the_unit_of_the_stage(bench: Bench) -> None:
    made = bench.submit()
    seen = []

    def half(progress: Any) -> None:
        bench.clock.advance(2)
        progress(5, 10, "block 5 of 10")
        seen.append(bench.job(made["id"])["progress"])

    bench.compute = FakeCompute(on_execute=half)
    bench.upload(made)
    bench.run_all()
    assert seen == [{"stage": "executing", "done": 2, "total": 3, "percent": 83.3, "message": "block 5 of 10"}]


def test_a_worker_that_was_given_up_cannot_finish(bench: Bench) -> None:
    made = bench.submit()

    def too_slow(_: Any) -> None:
        bench.clock.advance(100)
        bench.sweeper().sweep(seconds=5)
        bench.compute = FakeCompute()
        message = bench.next_message()
        assert message is not None
        bench.step(message)

    bench.compute = FakeCompute(on_parse=too_slow)
    bench.upload(made)
    message = bench.next_message()
    assert message is not None
    bench.step(message, remaining=30)
    job = bench.table.get(made["id"])
    assert job is not None
    assert job.step is Step.GENERATE
    assert job.attempts == {"parse": 2}
    assert job.artefacts["model"].endswith("/2/model.bin")
    bench.run_all()
    assert bench.job(made["id"])["state"] == "succeeded"


def test_the_deadline_stops_the_work(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "deadline_seconds": 60})

    def slow(progress: Any) -> None:
        bench.clock.advance(61)
        progress(1, 2, "on it")

    bench.compute = FakeCompute(on_execute=slow)
    bench.upload(made)
    bench.run_all()
    job = bench.job(made["id"])
    assert job["state"] == "timed_out"
    assert job["error"]["code"] == "deadline_exceeded"
    assert bench.compute.seen[0]["timeout"] <= 60


def test_a_message_that_no_queue_took_is_sent_by_the_sweep(bench: Bench) -> None:
    made = bench.submit()
    bench.queues.down = True
    bench.upload(made)
    assert bench.next_message() is None
    bench.queues.down = False
    bench.clock.advance(61)
    bench.sweeper().sweep(seconds=5)
    bench.run_all()
    assert bench.job(made["id"])["state"] == "succeeded"


def test_a_missed_notification_is_found_by_the_sweep(bench: Bench) -> None:
    made = bench.submit()
    bench.blobs.upload(f"uploads/acme/{made['id']}/source", XLSX)
    bench.clock.advance(61)
    bench.sweeper().sweep(seconds=5)
    bench.run_all()
    assert bench.job(made["id"])["state"] == "succeeded"


def test_an_upload_that_never_came_expires_and_is_deleted_in_time(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "retain_seconds": 10})
    bench.clock.advance(901)
    bench.sweeper().sweep(seconds=5)
    assert bench.job(made["id"])["state"] == "expired"
    bench.clock.advance(11)
    assert bench.call("GET", f"/v1/jobs/{made['id']}")[0] == 404
    bench.sweeper().sweep(seconds=5)
    assert bench.table.get(made["id"]) is None


def test_an_upload_expires_at_its_second_though_no_sweep_came(bench: Bench) -> None:
    made = [bench.submit() for _ in range(3)]
    bench.clock.advance(899)
    assert bench.job(made[0]["id"])["state"] == "awaiting_upload"
    bench.clock.advance(1)
    job = bench.job(made[0]["id"])
    assert (job["state"], job["error"]["code"]) == ("expired", "upload_never_came")
    _, _, page = bench.call("GET", "/v1/jobs", query={"state": "awaiting_upload"})
    assert page["jobs"] == []
    _, _, page = bench.call("GET", "/v1/jobs")
    assert [job["state"] for job in page["jobs"]] == ["expired"] * 3
    assert bench.call("POST", f"/v1/jobs/{made[1]['id']}/cancel")[2]["code"] == "job_ended"
    assert bench.table.under_way() == 0


def test_a_file_that_is_there_is_taken_though_its_notification_never_came(bench: Bench) -> None:
    made = bench.submit()
    bench.blobs.upload(f"uploads/acme/{made['id']}/source", XLSX)
    bench.clock.advance(901)
    assert bench.job(made["id"])["state"] == "queued"


def test_a_deadline_holds_at_its_second_though_no_sweep_came(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "deadline_seconds": 60})
    bench.upload(made)
    bench.clock.advance(60)
    assert bench.job(made["id"])["state"] == "expired"
    bench.run_all()
    assert bench.job(made["id"])["state"] == "expired"


def test_a_file_that_comes_after_its_job_was_deleted_is_deleted_too(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "retain_seconds": 1})
    bench.upload(made)
    bench.run_all()
    bench.clock.advance(2)
    bench.sweeper().sweep(seconds=5)
    key = f"uploads/acme/{made['id']}/source"
    bench.blobs.upload(key, XLSX)  # with the same form, which is still good
    assert bench.world.door.arrived(Arrival(key=key, at=bench.clock.now())) is None
    assert key not in bench.blobs.objects


def test_parts_of_an_upload_that_was_not_completed_are_deleted(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "size": 200 * 2**20, "retain_seconds": 1})
    assert bench.blobs.parts
    bench.clock.advance(901)
    bench.sweeper().sweep(seconds=5)
    bench.clock.advance(2)
    bench.sweeper().sweep(seconds=5)
    assert bench.table.get(made["id"]) is None
    assert not bench.blobs.parts


def test_what_is_past_its_time_is_deleted_whole(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "retain_seconds": 5, "outputs": ["A1"]})
    bench.upload(made)
    bench.run_all()
    assert any(made["id"] in key for key in bench.blobs.objects)
    bench.clock.advance(6)
    done = bench.sweeper().sweep(seconds=5)
    assert done["deleted"] == 1
    assert not any(made["id"] in key for key in bench.blobs.objects)
    assert bench.table.events(made["id"], after=0, limit=10) == []


def test_dead_letters_end_the_job_but_not_one_that_went_on(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    message = bench.next_message()
    assert message is not None
    bench.sweeper().dead_letter(Message(job_id=made["id"], step=Step.PARSE, number=99))
    assert bench.job(made["id"])["state"] == "queued"
    bench.sweeper().dead_letter(message)
    job = bench.job(made["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == "dead_letter"
    bench.sweeper().dead_letter(Message(job_id="job_none", step=Step.PARSE, number=1))


def test_a_dead_letter_leaves_a_job_alone_whose_worker_vanished_while_it_has_tries_left(bench: Bench) -> None:
    """Each time that a message finds the step taken counts as a delivery, so it may be dead before its job is."""
    made = bench.submit()
    bench.upload(made)
    message = bench.next_message()
    assert message is not None

    def die(_: Any) -> None:
        raise SystemExit

    bench.compute = FakeCompute(on_parse=die)
    with pytest.raises(SystemExit):
        bench.step(message)
    bench.clock.advance(3600)
    bench.sweeper().dead_letter(message)
    bench.compute = FakeCompute()
    assert bench.table.get(made["id"]).state is State.PARSING  # type: ignore[union-attr]


def test_priority_picks_the_queue(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "priority": "high"})
    bench.upload(made)
    assert bench.queues.messages[0][0] == "parse-high"


def test_the_door_refuses_an_empty_file(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made, b"")
    job = bench.job(made["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == "empty_file"
    assert bench.next_message() is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello, world", "text_file"),
        (b"<!doctype html><html></html>", "html"),
        (b"%PDF-1.7", "pdf"),
        (b"PK\x03\x04 and no more", "truncated_zip"),
        (b"\x00\x01\x02", "not_a_workbook"),
    ],
)
def test_each_kind_of_other_file_is_told_by_its_own_code(bench: Bench, data: bytes, code: str) -> None:
    bench.compute = compute  # type: ignore[assignment]  # the real one
    made = bench.submit()
    bench.upload(made, data)
    bench.run_all()
    job = bench.job(made["id"])
    assert (job["state"], job["error"]["stage"]) == ("failed", "parse")
    assert job["error"]["code"] == code
    assert job["attempts"] == {"parse": 1}


def test_an_input_that_fails_is_named_in_the_errors(bench: Bench) -> None:
    def refuse(_: Any) -> None:
        raise InputError("unknown_sheet", "there is no sheet 'Nope'", "Nope!A1")

    bench.compute = FakeCompute(on_execute=refuse)
    made = bench.submit()
    bench.upload(made)
    bench.run_all()
    error = bench.job(made["id"])["error"]
    assert error["code"] == "unknown_sheet"
    assert error["errors"] == [{"cell": "Nope!A1", "code": "unknown_sheet", "detail": "there is no sheet 'Nope'"}]


def test_a_file_with_another_checksum_is_refused(bench: Bench) -> None:
    digest = base64.b64encode(hashlib.sha256(XLSX).digest()).decode()
    good, bad = (bench.submit({"filename": "a.xlsx", "sha256": digest}) for _ in range(2))
    bench.upload(good)
    bench.upload(bad, XLSX + b"!")
    assert bench.job(good["id"])["state"] == "queued"
    assert bench.job(bad["id"])["error"]["code"] == "checksum_mismatch"


def drop(bench: Bench, key: str, data: bytes = XLSX, **metadata: str) -> str | None:
    stat = bench.blobs.upload(key, data, metadata)
    return bench.world.door.arrived(Arrival(key=key, at=bench.clock.now(), etag=stat.etag, sequencer="1"))


def test_a_file_dropped_in_the_inbox_becomes_a_job(bench: Bench) -> None:
    first = drop(bench, "inbox/acme/2026/model one.xlsx", priority="low")
    again = drop(bench, "inbox/acme/2026/model one.xlsx", priority="low")
    assert first is not None
    assert again == first
    assert bench.queues.messages[0][0] == "parse-low"
    bench.run_all()
    job = bench.job(first)
    assert job["filename"] == "model one.xlsx"
    assert job["state"] == "succeeded"


def test_a_drop_with_wrong_metadata_fails_with_the_reason(bench: Bench) -> None:
    job_id = drop(bench, "inbox/acme/a.xlsx", priority="urgent")
    assert job_id is not None
    assert "priority" in bench.job(job_id)["error"]["detail"]
    job_id = drop(bench, "inbox/acme/old.xls")
    assert job_id is not None
    assert bench.job(job_id)["error"]["code"] == "unsupported_format"


def test_a_drop_for_nobody_is_ignored(bench: Bench) -> None:
    assert drop(bench, "inbox/stranger/a.xlsx") is None
    assert drop(bench, "elsewhere/a.xlsx") is None
    assert bench.table.jobs == {}


def test_a_file_that_was_replaced_after_it_was_accepted_is_not_computed(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    bench.blobs.upload(f"uploads/acme/{made['id']}/source", XLSX + b"other")
    bench.run_all()
    assert bench.job(made["id"])["error"]["code"] == "source_changed"


def test_a_lease_outlives_its_function(bench: Bench) -> None:
    made = bench.submit()
    seen = []
    bench.compute = FakeCompute(on_parse=lambda _: seen.append(bench.table.get(made["id"])))
    bench.upload(made)
    message = bench.next_message()
    assert message is not None
    bench.step(message, remaining=30)
    assert seen[0] is not None
    assert seen[0].lease_until == bench.clock.now() + timedelta(seconds=35)
    assert seen[0].state is State.PARSING
