"""What is late, lost or past its time, and how the sweep, or a look at it, finds it."""

from __future__ import annotations

from typing import Any

import pytest

from sheetrun.jobs.states import State, Step
from sheetrun.service.steps import Message
from sheetrun.service.uploads import Arrival
from tests.support import XLSX, Bench, FakeCompute


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
