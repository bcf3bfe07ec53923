"""The state machine under arbitrary orders of messages, crashes, cancels and sweeps: a model check by random walks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sheetrun.jobs import arrival, claims, overdue
from sheetrun.jobs.changes import Change
from sheetrun.jobs.chunks import Fan
from sheetrun.jobs.claims import Claimed, GivenUp
from sheetrun.jobs.errors import Conflict, Stopped
from sheetrun.jobs.events import Dispatch
from sheetrun.jobs.job import Problem, Progress
from sheetrun.jobs.states import ALLOWED, Priority, State, Step
from tests.submitted import submitted

START = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
PATIENCE = timedelta(seconds=60)
ATTEMPTS = 3
FAN = Fan(count=40, size=10, chunks=4, window=2)


class Machine(RuleBasedStateMachine):
    """Messages are never taken away: every one may be delivered again at any time. Workers never forget their claim."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.messages: list[Dispatch] = []
        self.workers: list[int] = []
        self.finished: list[tuple[Step, int]] = []
        self.events: list[int] = []
        self.ends = 0
        deadlines = {"upload_expires_at": START + timedelta(seconds=600)}
        job = submitted(START, priority=Priority.HIGH, **deadlines)
        change = arrival.created(job, self.now)
        self.job = change.job
        self.events += [event.number for event in change.events]

    def apply(self, change: Change | None) -> None:
        if change is None:
            return
        before = self.job
        assert change.job.rev == before.rev + 1
        if change.job.state is not before.state:
            assert before.state in ALLOWED[change.job.state]
        if change.job.ended and not before.ended:
            self.ends += 1
        self.job = change.job
        self.events += [event.number for event in change.events]
        if change.dispatch is not None:
            self.messages.append(change.dispatch)

    @rule(seconds=st.sampled_from([1, 10, 31, 61, 700]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def upload(self) -> None:
        self.apply(arrival.uploaded(self.job, self.now, size=1, etag="e", aging=PATIENCE))

    @rule()
    def admit(self) -> None:
        self.apply(arrival.admitted(self.job, self.now))

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.messages))
        decision = claims.claim(self.job, message.step, message.number, self.now, lease=LEASE, max_attempts=ATTEMPTS)
        if isinstance(decision, Claimed):
            self.apply(decision.change)
            assert self.job.epoch not in self.workers
            self.workers.append(self.job.epoch)
        elif isinstance(decision, GivenUp):
            self.apply(decision.change)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), how=st.sampled_from(["finish", "fail", "release", "beat", "let go", "park"]))
    def a_worker_writes(self, data: st.DataObject, how: str) -> None:
        epoch = data.draw(st.sampled_from(self.workers))
        step = self.job.step
        try:
            if how == "finish" and step is Step.EXECUTE:
                change: Change | None = claims.succeeded(
                    self.job, epoch, self.now, results={}, report={}, duration_ms=1, partially=False
                )
            elif how == "finish":
                change = claims.step_done(self.job, epoch, self.now, artefacts={}, duration_ms=1, facts={})
            elif how == "park":
                change = claims.parked(
                    self.job, epoch, self.now, fan=FAN, progress=Progress(done=0, total=40), artefacts={}
                )
            elif how == "fail":
                problem = Problem(code="x", title="X", detail="x", stage="s")
                change = claims.failed(self.job, epoch, self.now, problem)
            elif how == "release":
                change = claims.released(self.job, epoch, self.now, delay=1)
            elif how == "beat":
                change = claims.heartbeat(self.job, epoch, self.now, lease=LEASE, progress=Progress())
            else:
                change = claims.let_go(self.job, epoch, self.now)
        except Stopped:
            job = self.job
            assert job.ended or epoch != job.epoch or job.state is State.CANCELLING or job.lease_until is None
            return
        if change is not None and how == "finish" and step is not None and self.job.state is not State.CANCELLING:
            self.finished.append((step, epoch))
        self.apply(change)

    @rule(done=st.integers(1, 40))
    def chunks_tell_how_far_they_are(self, done: int) -> None:
        before = self.job.progress.done
        self.apply(claims.counted(self.job, self.now, Progress(done=done, total=40)))
        assert not self.job.parked or self.job.progress.done >= before

    @rule()
    def the_last_chunk_is_done(self) -> None:
        self.apply(claims.gathered(self.job, self.now))
        assert not self.job.parked

    @precondition(lambda self: self.job.parked)
    @rule()
    def a_chunk_cannot_be_done(self) -> None:
        problem = Problem(code="x", title="X", detail="x", stage="execute", retryable=True)
        self.apply(claims.chunk_failed(self.job, self.now, problem))
        assert self.job.ended

    @rule()
    def sweep(self) -> None:
        self.apply(overdue.swept(self.job, self.now, patience=PATIENCE, max_attempts=ATTEMPTS))

    @rule()
    def cancel(self) -> None:
        try:
            self.apply(arrival.cancel(self.job, self.now))
        except Conflict:
            assert self.job.ended

    @rule()
    def retry(self) -> None:
        try:
            self.apply(arrival.retry(self.job, self.now, aging=PATIENCE))
        except Conflict:
            return
        self.finished = [(step, epoch) for step, epoch in self.finished if step is not self.job.step]

    @invariant()
    def events_are_numbered_without_gaps(self) -> None:
        assert self.events == list(range(1, len(self.events) + 1))
        assert self.job.events == len(self.events)

    @invariant()
    def no_step_is_done_twice(self) -> None:
        steps = [step for step, _ in self.finished]
        assert len(steps) == len(set(steps))

    @invariant()
    def only_a_job_with_a_place_is_worked_on(self) -> None:
        assert not (self.job.ended and self.job.admitted)
        assert self.job.admitted or self.job.lease_until is None

    @invariant()
    def nobody_holds_a_parked_job(self) -> None:
        assert not self.job.parked or (self.job.lease_until is None and self.job.admitted)

    @invariant()
    def nobody_holds_an_ended_job(self) -> None:
        assert not (self.job.ended and self.job.lease_until is not None)

    @invariant()
    def time_alone_brings_every_job_to_its_end(self) -> None:
        job, now = self.job, self.now
        for _ in range(100):
            if job.ended:
                return
            now = max(now, job.due_at(PATIENCE)) + timedelta(seconds=1)
            change = overdue.swept(job, now, patience=PATIENCE, max_attempts=ATTEMPTS)
            if change is not None:
                job = change.job
        raise AssertionError(f"{job.state} never ends")


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
