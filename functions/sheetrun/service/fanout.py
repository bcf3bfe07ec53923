"""Scenarios of a job over many functions: a plan from a measured rate, chunks that count once, one merge at the end.

See ``jobs.chunks`` for the way of a job. What is done here may be done twice or be cut off anywhere: the plan is settled
by the first claim that parks the job, a chunk by the write that finishes it, the results by the job's last claim.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import field
from datetime import timedelta
from functools import partial
from typing import Final

from sheetrun.datasets.tables import Joined
from sheetrun.jobs import claims
from sheetrun.jobs.changes import Change
from sheetrun.jobs.chunks import Chunk, Fan, Spent, claim_chunk, finish_chunk, missing, release_chunk
from sheetrun.jobs.errors import NotFound, Raced, StepFailed, StepRetryable, Stopped
from sheetrun.jobs.events import Dispatch
from sheetrun.jobs.job import Job, Problem, Progress
from sheetrun.jobs.limits import backoff
from sheetrun.jobs.states import Kind, Step
from sheetrun.records import dataclass
from sheetrun.report.scenarios import render_scenarios
from sheetrun.sandbox.limits import Limits
from sheetrun.service.blobs import Blobs
from sheetrun.service.changes import change_job, send_now
from sheetrun.service.line import Line
from sheetrun.service.ports import Chunks, Clock, Ledger, Log, Queues
from sheetrun.service.scenario_work import FAILURE, Opened, Opener, Piece, Run, Settled, input_kinds, kind_of
from sheetrun.service.steps import Again, Done, Made, Message, Outcome, Parked, Workplace
from sheetrun.service.summary import Summary
from sheetrun.service.work import FILES, Reasons
from sheetrun.settings import Settings

_CELLS: Final = 4_000_000  #: inputs and outputs of one chunk: what bounds its memory (12 bytes each, a few times)
_FIRST: Final = 64  #: scenarios of the first trial
_TRIED: Final = 0.5  #: seconds after which a trial tells the rate
_WORTH: Final = 4.0  #: seconds that a chunk should take at least: below, sending it costs more than it brings
_OPEN: Final = 2  #: jobs whose models a process keeps


@dataclass(frozen=True, slots=True)
class Fanout:
    """For the function that executes. ``drive`` is a job's step, ``chunk`` does the message of one chunk."""

    ledger: Ledger
    chunks: Chunks
    blobs: Blobs
    queues: Queues
    clock: Clock
    settings: Settings
    log: Log
    line: Line
    opener: Opener
    run: Run
    _open: OrderedDict[tuple[str, str | None], Opened] = field(default_factory=OrderedDict)

    # ---- the job's step ------------------------------------------------------------------------------------------

    def drive(self, place: Workplace) -> Made:
        """Plans, sends what is missing, or merges: whatever the job needs now."""
        job = place.job
        with Reasons(Step.EXECUTE, job, self.log, place.raise_reason):
            artefacts: dict[str, str] = {}
            if job.fan is None:
                opened, settled, fan = self._plan(place)
                artefacts = {"settled": f"jobs/{job.id}/work/{job.epoch}/settled.json"}
                self.blobs.put(artefacts["settled"], settled.to_bytes(), content_type="application/json")
                job = job.evolve(fan=fan, artefacts={**job.artefacts, **artefacts})
                self._keep(job, opened)
                if fan.chunks == 1:
                    self._alone(job, opened, settled, place)
            assert job.fan is not None
            tally = self.chunks.tally(job.id)
            if tally.chunks >= job.fan.chunks:
                return self._merge(job, place)
        progress = _progress(tally.scenarios, job.fan.count)
        return Made(artefacts=artefacts, parked=Parked(fan=job.fan, progress=progress, then=self._send_missing))

    def _plan(self, place: Workplace) -> tuple[Opened, Settled, Fan]:
        """Computes the first scenarios, more and more of them until their rate is known."""
        job = place.job
        now = self.clock.now().replace(tzinfo=None)
        place.report(0, 0, "Reading the scenarios.")
        opened = self.opener.open(job, None, now=now, seconds=place.seconds, cancelled=place.stopped)
        count = opened.draws.count
        if count > self.settings.max_scenarios:
            told = f"{count:,} scenarios; at most {self.settings.max_scenarios:,} can be computed at once."
            raise StepFailed("too_many_scenarios", told)
        width = len(opened.draws.references) + len(opened.prepared.outputs)
        largest = max(1, _CELLS // width)
        place.report(0, count, "Measuring the rate.")
        run = partial(self.run, cancelled=place.stopped)
        tried = 1 if opened.prepared.lanes is None else min(_FIRST, count)
        while True:
            begun = self.clock.monotonic()
            table = opened.compute(0, tried, run=run, limits=self._limits(place.seconds))
            seconds = max(1e-6, self.clock.monotonic() - begun)
            if seconds >= _TRIED or tried == min(count, largest):
                break
            tried = min(count, largest, tried * 16)
        kinds = {name: kind_of(table, index) for index, name in enumerate(opened.prepared.outputs)}
        settled = Settled(
            now=now,
            outputs=tuple(opened.prepared.outputs),
            in_turn=table.in_turn,
            inputs=input_kinds(opened.draws),
            kinds=kinds,
        )
        fan = plan(count, tried / seconds, largest, self.settings)
        facts = {"rate": round(tried / seconds, 1), "chunks": fan.chunks, "size": fan.size, "in_turn": table.in_turn}
        self.log.info("scenarios_planned", job_id=job.id, scenarios=count, **facts)
        return opened, settled, fan

    def _alone(self, job: Job, opened: Opened, settled: Settled, place: Workplace) -> None:
        """A job of one chunk is done by its first claim: no message, no second function."""
        claimed = self._claim(job, 0, place.seconds)
        if claimed is None:
            return
        run, limits = partial(self.run, cancelled=place.stopped), self._limits(place.seconds)
        assert job.fan is not None
        self._finish(job, claimed, opened.piece(settled, *job.fan.span(0), run=run, limits=limits))

    def _send_missing(self, job: Job) -> None:
        """After the job was parked. What is done by then is seen here, or sees the parked job: so nobody waits."""
        assert job.fan is not None
        now = self.clock.now()
        try:
            for number in missing(job.fan, self.chunks.chunks(job.id), now):
                self._send(job, number)
            self._gather(job)
        except StepRetryable as problem:
            self.log.warning("chunks_deferred", job_id=job.id, why=problem.code)

    def _send(self, job: Job, number: int) -> None:
        step = job.step or Step.EXECUTE
        self.queues.send(Dispatch(job_id=job.id, step=step, number=job.dispatch, priority=job.priority, chunk=number))

    # ---- a chunk --------------------------------------------------------------------------------------------------

    def chunk(self, message: Message, *, remaining: float) -> Outcome:
        """``remaining``: seconds until the function is stopped from outside."""
        job = self.ledger.get(message.job_id)
        assert message.chunk is not None
        if job is None or job.ended or job.fan is None or message.chunk >= job.fan.chunks:
            return Done()
        known = self.chunks.chunk(job.id, message.chunk)
        if known is not None and known.done:  # perhaps its worker died before it could send the next one
            self._after(job, message.chunk)
            return Done()
        seconds = self._seconds(job, remaining)
        claimed = self._claim(job, message.chunk, seconds)
        if claimed is None:
            return Done()
        self.log.info("chunk_begun", job_id=job.id, chunk=claimed.number, attempt=claimed.attempts)
        stop = _Stop(self.ledger, self.clock, job)
        try:
            piece = self._compute(job, claimed, seconds, stop)
        except Stopped as stopped:
            self.log.info("chunk_stopped", job_id=job.id, chunk=claimed.number, why=stopped.detail)
            self._release(job, claimed)
            return Done()
        except StepFailed as failure:
            self._fail(job, failure)
            return Done()
        except StepRetryable as fault:
            self.log.warning("chunk_faulted", job_id=job.id, chunk=claimed.number, code=fault.code)
            self._release(job, claimed)
            return Again(backoff(claimed.attempts, self.settings.retry_delays))
        self._finish(job, claimed, piece)
        self._after(job, claimed.number)
        return Done()

    def _seconds(self, job: Job, remaining: float) -> float:
        seconds = min(float(self.settings.execute_seconds), remaining - self.settings.lease_margin_seconds)
        if job.deadline_at is not None:
            seconds = min(seconds, (job.deadline_at - self.clock.now()).total_seconds())
        return max(0.1, seconds)

    def _claim(self, job: Job, number: int, seconds: float) -> Chunk | None:
        """The chunk, ours until its lease ends; None when there is nothing to do. A chunk whose workers vanished again
        and again ends the job."""
        chunk = self.chunks.chunk(job.id, number) or Chunk(job_id=job.id, number=number)
        lease = timedelta(seconds=seconds + 2 * self.settings.lease_margin_seconds)
        most = self.settings.max_attempts
        claimed = claim_chunk(chunk, self.clock.now(), round_=job.round, lease=lease, max_attempts=most)
        if isinstance(claimed, Spent):
            told = f"A chunk of scenarios stopped without an answer {claimed.attempts} times: out of memory, or killed."
            self._fail(
                job, StepFailed("attempts_exhausted", told, title="A chunk did not come to an end"), retryable=True
            )
            return None
        if claimed is None:
            return None
        try:
            self.chunks.save_chunk(claimed, expires_at=job.expires_at)
        except Raced:
            return None
        return claimed

    def _compute(self, job: Job, chunk: Chunk, seconds: float, stop: _Stop) -> Piece:
        with Reasons(Step.EXECUTE, job, self.log, stop.raise_reason):
            settled = Settled.from_bytes(self.blobs.get(job.artefacts["settled"]))
            opened = self._opened(job, settled, seconds, stop)
            assert job.fan is not None
            run, limits = partial(self.run, cancelled=stop), self._limits(seconds)
            return opened.piece(settled, *job.fan.span(chunk.number), run=run, limits=limits)

    def _finish(self, job: Job, mine: Chunk, piece: Piece) -> None:
        """Pieces first, under the claim's own name; then the one write that makes them count."""
        for name, data, content_type in _files(piece):
            self.blobs.put(_piece_key(job, mine, name), data, content_type=content_type)
        assert job.fan is not None
        first, end = job.fan.span(mine.number)
        try:
            done = finish_chunk(mine, mine, scenarios=end - first, failed=piece.failed)
            self.chunks.save_chunk(done, expires_at=job.expires_at)
        except Raced as late:
            self.log.info("chunk_refused", job_id=job.id, chunk=mine.number, why=late.detail)
            return
        self.log.info("chunk_done", job_id=job.id, chunk=mine.number, scenarios=end - first)

    def _after(self, job: Job, number: int) -> None:
        """The next chunk of the line; how far the job is; and when this was the last one, the job's own message."""
        assert job.fan is not None
        try:
            following = job.fan.following(number)
            # Somebody who claimed it needs no message: so a doubled one does not double all that come after it.
            if following is not None and self.chunks.chunk(job.id, following) is None:
                self._send(job, following)
            self._gather(job)
        except StepRetryable as problem:  # the next drive sends it
            self.log.warning("chunks_deferred", job_id=job.id, why=problem.code)

    def _gather(self, job: Job) -> None:
        assert job.fan is not None
        tally, now = self.chunks.tally(job.id), self.clock.now()
        over = tally.chunks >= job.fan.chunks
        pause = timedelta(seconds=self.settings.heartbeat_seconds)

        def decide(current: Job) -> Change | None:
            if over:
                return claims.gathered(current, now)
            if current.not_before is not None and now - current.not_before < pause:
                return None
            return claims.counted(current, now, _progress(tally.scenarios, job.fan.count if job.fan else 0))

        try:
            _, change = change_job(self.ledger, job.id, decide)
        except NotFound:
            return
        send_now(self.ledger, self.queues, change, self.log)

    def _release(self, job: Job, chunk: Chunk) -> None:
        try:
            self.chunks.save_chunk(release_chunk(chunk), expires_at=job.expires_at)
        except (Raced, StepRetryable) as late:
            self.log.info("chunk_refused", job_id=job.id, chunk=chunk.number, why=late.detail)

    def _fail(self, job: Job, failure: StepFailed, *, retryable: bool = False) -> None:
        problem = Problem(
            code=failure.code,
            title=failure.title,
            detail=failure.detail,
            stage=Step.EXECUTE.value,
            retryable=retryable or failure.timed_out,
            errors=failure.errors,
        )
        self.log.warning("step_failed", job_id=job.id, step=Step.EXECUTE.value, code=failure.code)
        now, late = self.clock.now(), failure.timed_out
        _, change = change_job(
            self.ledger, job.id, lambda current: claims.chunk_failed(current, now, problem, timed_out=late)
        )
        send_now(self.ledger, self.queues, change, self.log)
        self.line.advance()

    def _limits(self, seconds: float) -> Limits:
        limit = min(seconds, float(self.settings.execute_seconds))
        return Limits(wall_seconds=limit, cpu_seconds=limit, memory_bytes=self.settings.execute_memory_bytes)

    def _opened(self, job: Job, settled: Settled, seconds: float, stop: Callable[[], bool]) -> Opened:
        key = job.id, job.artefacts["settled"]
        if key not in self._open:
            self._keep(job, self.opener.open(job, settled, now=settled.now, seconds=seconds, cancelled=stop))
        return self._open[key]

    def _keep(self, job: Job, opened: Opened) -> None:
        self._open[job.id, job.artefacts["settled"]] = opened
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)

    # ---- the end --------------------------------------------------------------------------------------------------

    def _merge(self, job: Job, place: Workplace) -> Made:
        """Pieces into one Parquet and one CSV file, and what they say together; one piece in memory at a time."""
        settled = Settled.from_bytes(self.blobs.get(job.artefacts["settled"]))
        assert job.fan is not None
        fan, found = job.fan, self.chunks.chunks(job.id)
        keys = {name: f"jobs/{job.id}/results/{job.epoch}/{file}" for name, file in FILES[Kind.SCENARIOS].items()}
        summary = Summary(settled.inputs, {name: settled.kinds[name] for name in settled.outputs}, fan.count)
        with ExitStack() as files:
            whole = files.enter_context(self.blobs.writing(keys["parquet"], content_type=_PARQUET))
            text = files.enter_context(self.blobs.writing(keys["csv"], content_type=_CSV))
            joined = Joined(settled.fields, whole, text)
            for number in range(fan.chunks):
                place.report(fan.count, fan.count, f"Merging: {number:,} of {fan.chunks:,} chunks")
                chunk = found[number]
                columns = joined.add(
                    self.blobs.get(_piece_key(job, chunk, "parquet")), self.blobs.get(_piece_key(job, chunk, "csv"))
                )
                summary.add(columns, columns[FAILURE])
            joined.close()
        document = {**summary.document(), "in_turn": settled.in_turn}
        self.blobs.put(keys["summary"], json.dumps(document, allow_nan=False).encode(), content_type="application/json")
        page = render_scenarios(job.filename, document).encode()
        self.blobs.put(keys["report"], page, content_type="text/html; charset=utf-8")
        report = {
            "scenarios": document["scenarios"],
            "failed": document["failed"],
            "chunks": fan.chunks,
            "in_turn": settled.in_turn,
        }
        return Made(results=keys, report=report)


_PARQUET: Final = "application/vnd.apache.parquet"
_CSV: Final = "text/csv; charset=utf-8"


class _Stop:
    """Whether a chunk's worker must let go: the job has ended meanwhile. Asked often, it looks once a second."""

    def __init__(self, ledger: Ledger, clock: Clock, job: Job) -> None:
        self._ledger, self._clock, self._job = ledger, clock, job
        self._last = clock.monotonic()
        self._over = False

    def __call__(self) -> bool:
        now = self._clock.monotonic()
        if not self._over and now - self._last >= 1.0:
            self._last = now
            current = self._ledger.get(self._job.id)
            late = self._job.deadline_at is not None and self._clock.now() >= self._job.deadline_at
            self._over = late or current is None or current.ended
        return self._over

    def raise_reason(self) -> None:
        if self._over:
            raise Stopped("the job has ended")


def plan(count: int, rate: float, largest: int, settings: Settings) -> Fan:
    """``rate``: scenarios a second, measured. A chunk takes about ``chunk_seconds``, less where that gives more functions
    something to do, and has at most ``largest`` scenarios."""
    most = min(rate * settings.chunk_seconds, largest)
    fair = max(count / settings.chunk_window, rate * _WORTH)
    size = max(1, min(count, int(min(most, fair))))
    chunks = math.ceil(count / size)
    return Fan(count=count, size=math.ceil(count / chunks), chunks=chunks, window=min(settings.chunk_window, chunks))


def _progress(done: int, count: int) -> Progress:
    return Progress(done=done, total=count, message=f"{done:,} of {count:,} scenarios")


def _files(piece: Piece) -> tuple[tuple[str, bytes, str], ...]:
    return ("parquet", piece.parquet, _PARQUET), ("csv", piece.csv, _CSV)


def _piece_key(job: Job, chunk: Chunk, name: str) -> str:
    return f"jobs/{job.id}/work/chunks/{chunk.number:06d}-{chunk.epoch}.{name}"
