"""Every transition, and the rules that keep doubled, late and zombie workers out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sheetrun.jobs import arrival, claims, overdue
from sheetrun.jobs.claims import Busy, Claimed, GivenUp, Stale
from sheetrun.jobs.errors import Conflict, Stopped
from sheetrun.jobs.job import Job, Problem, Progress, instant, rfc3339
from sheetrun.jobs.states import ALLOWED, ENDED, Priority, State, Step
from tests.submitted import submitted

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
LEASE = timedelta(seconds=60)
AGING = timedelta(seconds=300)
PATIENCE = timedelta(seconds=60)
BROKEN = Problem(code="x", title="X", detail="x", stage="parse")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def fresh() -> Job:
    return arrival.created(submitted(NOW, retain_seconds=100), NOW).job


def in_line() -> Job:
    change = arrival.uploaded(fresh(), NOW, size=5, etag="e", aging=AGING)
    assert change is not None
    assert change.dispatch is None
    assert change.job.in_line
    return change.job


def queued() -> Job:
    """With a place among the running jobs."""
    change = arrival.admitted(in_line(), NOW)
    assert change is not None
    assert change.dispatch is not None
    assert change.dispatch.message() == {"job_id": "job_1", "step": "parse", "epoch": 1}
    return change.job


def claimed(job: Job, at: datetime = NOW, *, attempts: int = 3) -> Job:
    assert job.step is not None
    decision = claims.claim(job, job.step, job.dispatch, at, lease=LEASE, max_attempts=attempts)
    assert isinstance(decision, Claimed)
    return decision.change.job


def done(job: Job, at: datetime = NOW) -> Job:
    return claims.step_done(job, job.epoch, at, artefacts={"a": "k"}, duration_ms=7, facts={}).job


def executing() -> Job:
    return claimed(done(claimed(done(claimed(queued())))))


def test_the_whole_way() -> None:
    job = executing()
    assert job.state is State.EXECUTING
    assert job.epoch == 3
    assert job.dispatch == 3
    change = claims.succeeded(
        job, 3, later(9), results={"values": "k"}, report={"formulas": 1}, duration_ms=5, partially=False
    )
    assert change.job.state is State.SUCCEEDED
    assert change.job.expires_at == later(109)
    assert [event.type for event in change.events] == ["job.succeeded"]
    assert list(change.job.timestamps) == [
        "awaiting_upload",
        "queued",
        "parsing",
        "generating",
        "executing",
        "succeeded",
    ]


def test_a_job_in_line_is_admitted_once_and_in_time() -> None:
    assert arrival.admitted(queued(), NOW) is None
    assert arrival.admitted(fresh(), NOW) is None
    assert arrival.admitted(in_line(), later(3600)) is None
    assert in_line().due_at(PATIENCE) == later(3600)
    assert overdue.swept(in_line(), later(3599), patience=PATIENCE, max_attempts=3) is None
    late = overdue.swept(in_line(), later(3600), patience=PATIENCE, max_attempts=3)
    assert late is not None
    assert late.job.state is State.EXPIRED


def test_the_place_in_line_is_the_time_put_back_by_the_priority() -> None:
    turns = []
    for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW):
        change = arrival.uploaded(fresh().evolve(priority=priority), NOW, size=5, etag="e", aging=AGING)
        assert change is not None
        turns.append(change.job.turn_at)
    assert turns == [NOW, NOW + AGING, NOW + 2 * AGING]


def test_uploaded_twice_is_uploaded_once() -> None:
    assert arrival.uploaded(queued(), NOW, size=5, etag="e", aging=AGING) is None


def test_a_message_that_comes_twice_finds_the_step_held() -> None:
    job = claimed(queued())
    decision = claims.claim(job, Step.PARSE, 1, later(20), lease=LEASE, max_attempts=3)
    assert decision == Busy(41)


def test_a_message_of_a_step_that_is_done_is_stale() -> None:
    job = done(claimed(queued()))
    assert isinstance(claims.claim(job, Step.PARSE, 1, NOW, lease=LEASE, max_attempts=3), Stale)


def test_a_message_from_before_a_new_one_was_sent_is_stale() -> None:
    job = claimed(queued())
    change = overdue.swept(job, later(61), patience=PATIENCE, max_attempts=3)
    assert change is not None
    assert change.dispatch is not None
    assert change.dispatch.number == 2
    assert isinstance(claims.claim(change.job, Step.PARSE, 1, later(61), lease=LEASE, max_attempts=3), Stale)
    assert isinstance(claims.claim(change.job, Step.PARSE, 2, later(61), lease=LEASE, max_attempts=3), Claimed)


def test_a_zombie_cannot_finish() -> None:
    zombie = claimed(queued())
    heir = claimed(zombie, later(61))
    assert heir.epoch == zombie.epoch + 1
    with pytest.raises(Stopped):
        claims.step_done(heir, zombie.epoch, later(62), artefacts={}, duration_ms=1, facts={})
    with pytest.raises(Stopped):
        claims.heartbeat(heir, zombie.epoch, later(62), lease=LEASE, progress=Progress())


def test_cancel_at_once_when_nobody_works() -> None:
    change = arrival.cancel(queued(), later(1))
    assert change is not None
    assert change.job.state is State.CANCELLED
    assert change.events[0].data["was_running"] is False


def test_cancel_a_running_job_in_two_moves() -> None:
    job = claimed(queued())
    change = arrival.cancel(job, later(1))
    assert change is not None
    assert change.job.state is State.CANCELLING
    assert arrival.cancel(change.job, later(1)) is None
    with pytest.raises(Stopped):
        claims.heartbeat(change.job, job.epoch, later(2), lease=LEASE, progress=Progress())
    final = claims.let_go(change.job, job.epoch, later(2))
    assert final is not None
    assert final.job.state is State.CANCELLED
    assert final.events[0].data["was_running"] is True


@pytest.mark.parametrize("how", ["done", "failed", "released", "succeeded"])
def test_a_worker_that_ends_a_cancelled_job_ends_it_as_cancelled(how: str) -> None:
    job = claimed(queued())
    change = arrival.cancel(job, later(1))
    assert change is not None
    job = change.job
    ways = {
        "done": lambda: claims.step_done(job, job.epoch, later(2), artefacts={}, duration_ms=1, facts={}),
        "failed": lambda: claims.failed(job, job.epoch, later(2), BROKEN),
        "released": lambda: claims.released(job, job.epoch, later(2), delay=5),
        "succeeded": lambda: claims.succeeded(
            job, job.epoch, later(2), results={}, report={}, duration_ms=1, partially=False
        ),
    }
    assert ways[how]().job.state is State.CANCELLED


def test_cancel_after_the_end_is_a_conflict() -> None:
    change = arrival.cancel(queued(), NOW)
    assert change is not None
    with pytest.raises(Conflict) as caught:
        arrival.cancel(change.job, NOW)
    assert caught.value.code == "job_ended"


def test_released_waits_and_the_same_message_claims_again() -> None:
    job = claimed(queued())
    change = claims.released(job, job.epoch, later(1), delay=60)
    assert change.job.not_before == later(61)
    assert change.dispatch is None
    again = claims.claim(change.job, Step.PARSE, 1, later(61), lease=LEASE, max_attempts=3)
    assert isinstance(again, Claimed)
    assert again.change.job.attempts == {"parse": 2}


def test_attempts_run_out() -> None:
    job = claimed(queued(), attempts=1)
    decision = claims.claim(job, Step.PARSE, 1, later(61), lease=LEASE, max_attempts=1)
    assert isinstance(decision, GivenUp)
    assert decision.change.job.state is State.FAILED
    assert decision.change.job.error is not None
    assert decision.change.job.error.code == "attempts_exhausted"


def test_retry_goes_on_from_the_stage_that_failed() -> None:
    job = executing()
    failed = claims.failed(job, job.epoch, later(5), BROKEN).job
    assert not failed.admitted
    change = arrival.retry(failed, later(10), aging=AGING)
    assert change.job.in_line
    assert change.job.error is None
    assert change.job.attempts == {"parse": 1, "generate": 1}
    again = arrival.admitted(change.job, later(11))
    assert again is not None
    change = again
    assert change.dispatch is not None
    assert change.dispatch.step is Step.EXECUTE
    assert claimed(change.job, later(11)).state is State.EXECUTING


def test_retry_of_what_did_not_fail_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        arrival.retry(queued(), NOW, aging=AGING)


def test_retry_without_an_upload_is_a_conflict() -> None:
    change = arrival.refused(fresh(), NOW, BROKEN)
    assert change is not None
    with pytest.raises(Conflict) as caught:
        arrival.retry(change.job, NOW, aging=AGING)
    assert "submit it again" in caught.value.detail


def test_an_upload_that_never_comes_expires() -> None:
    assert overdue.swept(fresh(), later(59), patience=PATIENCE, max_attempts=3) is None
    looked = overdue.swept(fresh(), later(60), patience=PATIENCE, max_attempts=3)
    assert looked is not None
    assert looked.job.state is State.AWAITING_UPLOAD
    assert looked.job.due_at(PATIENCE) == later(120)
    change = overdue.swept(fresh(), later(900), patience=PATIENCE, max_attempts=3)
    assert change is not None
    assert change.job.state is State.EXPIRED


def test_a_deadline_before_the_start_expires_and_after_it_times_out() -> None:
    waiting = overdue.swept(queued(), later(3600), patience=PATIENCE, max_attempts=3)
    assert waiting is not None
    assert waiting.job.state is State.EXPIRED
    begun = overdue.swept(claimed(queued()), later(3600), patience=PATIENCE, max_attempts=3)
    assert begun is not None
    assert begun.job.state is State.TIMED_OUT
    late = claims.claim(claimed(queued()), Step.PARSE, 1, later(3600), lease=LEASE, max_attempts=3)
    assert isinstance(late, GivenUp)
    assert late.change.job.state is State.TIMED_OUT


def test_sweep_leaves_a_worker_alone_until_its_lease_ends() -> None:
    job = claimed(queued())
    assert overdue.swept(job, later(59), patience=PATIENCE, max_attempts=3) is None
    assert overdue.swept(job, later(60), patience=PATIENCE, max_attempts=3) is not None


def test_sweep_sends_a_message_that_waited_very_long_again_under_its_number() -> None:
    job = queued()
    assert overdue.swept(job, later(899), patience=PATIENCE, max_attempts=3) is None
    change = overdue.swept(job, later(900), patience=PATIENCE, max_attempts=3)
    assert change is not None
    assert change.dispatch is not None
    assert change.dispatch.number == job.dispatch
    assert isinstance(claims.claim(change.job, Step.PARSE, 1, later(901), lease=LEASE, max_attempts=3), Claimed)
    assert change.job.attempts == {}


def test_nothing_leads_out_of_an_end_but_retry() -> None:
    for state, sources in ALLOWED.items():
        for source in ENDED & sources:
            assert state is State.QUEUED
            assert source in (State.FAILED, State.TIMED_OUT)


def test_a_document_reads_back_as_the_same_job() -> None:
    job = executing().evolve(error=BROKEN, report={"formulas": 3}, progress=Progress(done=1, total=2, message="m"))
    assert Job.from_document(job.document()) == job
    assert Job.from_document({**job.document(), "of_a_newer_version": 1}) == job


def test_times_sort_as_text() -> None:
    assert rfc3339(NOW) == "2026-01-31T09:30:00.000Z"
    assert instant("2026-01-31T10:30:00+01:00") == NOW
    with pytest.raises(ValueError, match="offset"):
        instant("2026-01-31T10:30:00")
