"""A job through the pipeline, with everything that can happen on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sheetrun.jobs.errors import StepRetryable
from sheetrun.jobs.states import State, Step
from sheetrun.runtime.inputs import InputError
from sheetrun.sandbox.errors import Cancelled
from sheetrun.service.steps import Again, Done
from sheetrun.workbook.errors import UnsupportedFormat
from tests.support import XLSX, Bench, FakeCompute
from tests.unit.service.test_watch import busy


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


def test_priority_picks_the_queue(bench: Bench) -> None:
    made = bench.submit({"filename": "a.xlsx", "priority": "high"})
    bench.upload(made)
    assert bench.queues.messages[0][0] == "parse-high"


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
