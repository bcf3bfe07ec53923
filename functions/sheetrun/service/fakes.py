"""The ports in memory, for tests here and for whoever embeds the use cases: conditional like the real ones."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetrun.jobs.chunks import Chunk, Tally
from sheetrun.jobs.errors import Full, Raced, StepRetryable
from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job
from sheetrun.jobs.limits import MICROSECONDS, Admission, BucketPolicy, Spend, take
from sheetrun.jobs.transitions import Change
from sheetrun.service.ids import ulid
from sheetrun.service.ports import Answer, ApiKey, Batch, Depth, JobFilter, Load, Page, Reservation, Room, queue_name

KEPT = timedelta(hours=24)
RUNNING = timedelta(seconds=30)


class FakeClock:
    """Stands still until told; ``sleep`` moves it."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    advance = sleep


class FakeIds:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def job_id(self, now: datetime) -> str:
        self.count += 1
        return f"job_{ulid(now, self.count.to_bytes(10, 'big'))}"

    def batch_id(self, now: datetime) -> str:
        self.count += 1
        return f"batch_{ulid(now, self.count.to_bytes(10, 'big'))}"

    def derived_job_id(self, now: datetime, seed: str) -> str:
        return f"job_{ulid(now, hashlib.sha256(seed.encode()).digest()[:10])}"

    def token(self, size: int) -> str:
        self.count += 1
        return base64.urlsafe_b64encode(self.count.to_bytes(size, "big")).rstrip(b"=").decode()

    def jitter(self) -> float:
        return 0.5


class FakeLog:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.lines.append(("info", event, facts))

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append(("warning", event, facts))

    def error(self, event: str, **facts: Any) -> None:
        self.lines.append(("error", event, facts))


class MemoryTable:
    """Ledger, keys, limits and idempotency in dictionaries, behind one lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.jobs: dict[str, Job] = {}
        self._chunks: dict[tuple[str, int], Chunk] = {}
        self._tallies: dict[str, Tally] = {}
        self._events: dict[str, list[Event]] = defaultdict(list)
        self._outbox: dict[tuple[str, str], Dispatch] = {}
        self._batches: dict[str, Batch] = {}
        self._keys: dict[str, ApiKey] = {}
        self._buckets: dict[tuple[str, str], int] = {}
        self._answers: dict[tuple[str, str], tuple[Reservation, datetime]] = {}
        self._limits: dict[str, dict[str, int]] = {}
        self._served: dict[str, datetime] = {}
        self._days: dict[tuple[str, int], tuple[int, int]] = {}
        self.patience = timedelta(seconds=60)
        self._written: dict[tuple[str, str], datetime] = {}
        self.untold: dict[tuple[str, int], datetime] = {}  #: ends of jobs that no receiver was looked for
        self.bodies: dict[str, dict[int, str]] = defaultdict(dict)  #: of webhooks, by job and event

    def chunk(self, job_id: str, number: int) -> Chunk | None:
        with self._lock:
            return self._chunks.get((job_id, number))

    def chunks(self, job_id: str) -> Mapping[int, Chunk]:
        with self._lock:
            return {number: chunk for (owner, number), chunk in self._chunks.items() if owner == job_id}

    def save_chunk(self, chunk: Chunk, *, expires_at: datetime) -> None:
        with self._lock:
            current = self._chunks.get((chunk.job_id, chunk.number))
            if (current.rev if current is not None else 0) != chunk.rev - 1:
                raise Raced(f"chunk {chunk.number} is not at {chunk.rev - 1} any more")
            self._chunks[chunk.job_id, chunk.number] = chunk
            if chunk.done:
                before = self.tally(chunk.job_id)
                self._tallies[chunk.job_id] = Tally(
                    chunks=before.chunks + 1,
                    scenarios=before.scenarios + chunk.scenarios,
                    failed=before.failed + chunk.failed,
                )

    def tally(self, job_id: str) -> Tally:
        with self._lock:
            return self._tallies.get(job_id, Tally())

    def create(self, change: Change, *, most: int, most_of_client: int, spend: Spend | None = None) -> None:
        with self._lock:
            if change.job.id in self.jobs:
                raise Raced(f"{change.job.id} exists")
            if self.under_way() >= most:
                raise Full("service", most)
            if self.under_way(change.job.client) >= most_of_client:
                raise Full("client", most_of_client)
            self._spend(spend)
            self._write(change)

    def get(self, job_id: str) -> Job | None:
        with self._lock:
            return self.jobs.get(job_id)

    def save(self, before: Job, change: Change, *, room: Room | None = None, spend: Spend | None = None) -> None:
        with self._lock:
            current = self.jobs.get(before.id)
            if current is None or current.rev != before.rev:
                raise Raced(f"{before.id} is not at {before.rev} any more")
            if change.job.admitted and not before.admitted:
                if room is None:
                    raise ValueError("a job is admitted only where there is room")
                if self.running() >= room.most:
                    raise Full("running", room.most)
                if self.load(before.client).running >= room.most_of_client:
                    raise Full("running_client", room.most_of_client)
                assert change.job.not_before is not None
                self._served[before.client] = change.job.not_before
            self._spend(spend)
            self._write(change)

    def _spend(self, spend: Spend | None) -> None:
        if spend is None:
            return
        uploads, size = self.spent(spend.client, spend.day)
        if uploads + spend.uploads > spend.most_uploads:
            raise Full("uploads", spend.most_uploads)
        if size + spend.bytes > spend.most_bytes:
            raise Full("bytes", spend.most_bytes)
        self._days[(spend.client, spend.day)] = (uploads + spend.uploads, size + spend.bytes)

    def spent(self, client: str, day: int) -> tuple[int, int]:
        with self._lock:
            return self._days.get((client, day), (0, 0))

    def give_back(self, spend: Spend) -> None:
        with self._lock:
            uploads, size = self.spent(spend.client, spend.day)
            self._days[(spend.client, spend.day)] = (uploads - spend.uploads, size - spend.bytes)

    def running(self) -> int:
        with self._lock:
            return sum(job.admitted for job in self.jobs.values())

    def load(self, client: str) -> Load:
        with self._lock:
            mine = [job for job in self.jobs.values() if job.client == client]
            return Load(
                client=client,
                running=sum(job.admitted for job in mine),
                waiting=sum(job.in_line for job in mine),
                served=self._served.get(client),
            )

    def loads(self) -> Sequence[Load]:
        with self._lock:
            counts: dict[str, list[int]] = {client: [0, 0] for client in self._served}
            for job in self.jobs.values():
                if job.admitted or job.in_line:
                    count = counts.setdefault(job.client, [0, 0])
                    count[job.in_line] += 1
            return [
                Load(client=client, running=running, waiting=waiting, served=self._served.get(client))
                for client, (running, waiting) in counts.items()
            ]

    def first_in_line(self, client: str) -> str | None:
        with self._lock:
            line = [
                (job.turn_at or job.created_at, job.id)
                for job in self.jobs.values()
                if job.in_line and job.client == client
            ]
        return min(line)[1] if line else None

    def tidy(self, load: Load) -> None:
        self._served.pop(load.client, None)

    def _write(self, change: Change) -> None:
        self.jobs[change.job.id] = Job.from_document(change.job.document())
        self._events[change.job.id].extend(change.events)
        self.untold.update({(change.job.id, event.number): event.at for event in change.events if event.ends})
        if change.dispatch is not None:
            place = (change.dispatch.job_id, change.dispatch.id)
            self._outbox[place] = change.dispatch
            last = change.events[-1].at if change.events else datetime.min.replace(tzinfo=UTC)
            self._written[place] = max(last, change.job.not_before or last)

    def events(self, job_id: str, *, after: int, limit: int) -> list[Event]:
        with self._lock:
            return [event for event in self._events[job_id] if event.number > after][:limit]

    def page(self, client: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page:
        with self._lock:
            found = [
                job
                for job in sorted(self.jobs.values(), key=lambda job: job.id, reverse=True)
                if job.client == client and (after is None or job.id < after) and wanted.holds(job)
            ]
        page = tuple(found[:limit])
        return Page(page, page[-1].id if len(found) > limit else None)

    def due(self, now: datetime, *, limit: int) -> list[str]:
        with self._lock:
            waiting = sorted((job.due_at(self.patience), job.id) for job in self.jobs.values())
        return [job_id for due, job_id in waiting if due <= now][:limit]

    def outbox(self, job_id: str) -> list[Dispatch]:
        with self._lock:
            return [dispatch for (owner, _), dispatch in sorted(self._outbox.items()) if owner == job_id]

    def unsent(self, before: datetime, *, limit: int) -> list[Dispatch]:
        with self._lock:
            return [d for place, d in sorted(self._outbox.items()) if self._written[place] < before][:limit]

    def sent(self, dispatch: Dispatch) -> None:
        with self._lock:
            self._outbox.pop((dispatch.job_id, dispatch.id), None)

    def delete(self, job: Job) -> None:
        with self._lock:
            current = self.jobs.get(job.id)
            if current is None or current.rev != job.rev:
                raise Raced(f"{job.id} changed")
            del self.jobs[job.id]
            self._events.pop(job.id, None)
            self._tallies.pop(job.id, None)
            self._chunks = {place: chunk for place, chunk in self._chunks.items() if place[0] != job.id}
            self.bodies.pop(job.id, None)
            self.untold = {place: at for place, at in self.untold.items() if place[0] != job.id}
            for place in [place for place in self._outbox if place[0] == job.id]:
                del self._outbox[place]

    def under_way(self, client: str | None = None) -> int:
        with self._lock:
            return sum(1 for job in self.jobs.values() if not job.ended and client in (None, job.client))

    def check(self) -> None:
        return None

    def put_batch(self, batch: Batch) -> Batch:
        with self._lock:
            return self._batches.setdefault(batch.id, batch)

    def get_batch(self, batch_id: str) -> Batch | None:
        return self._batches.get(batch_id)

    def jobs_of(self, batch: Batch) -> Sequence[Job]:
        with self._lock:
            return [self.jobs[job_id] for job_id in batch.job_ids if job_id in self.jobs]

    def drop_batch(self, batch_id: str) -> None:
        self._batches.pop(batch_id, None)

    def put_key(self, key: ApiKey) -> None:
        with self._lock:
            self._keys[key.id] = key

    def get_key(self, key_id: str) -> ApiKey | None:
        with self._lock:
            return self._keys.get(key_id)

    def list_keys(self, client: str) -> Sequence[ApiKey]:
        with self._lock:
            return [key for key in self._keys.values() if key.client == client]

    def touch_key(self, key_id: str, now: datetime, *, unless_after: datetime) -> None:
        with self._lock:
            key = self._keys.get(key_id)
            if key is not None and (key.last_used_at is None or key.last_used_at <= unless_after):
                self._keys[key_id] = replace(key, last_used_at=now)

    def clients(self, *, after: str | None, limit: int) -> Sequence[str]:
        with self._lock:
            return [name for name in sorted({key.client for key in self._keys.values()}) if name > (after or "")][
                :limit
            ]

    def limits_of(self, client: str) -> Mapping[str, int]:
        with self._lock:
            return dict(self._limits.get(client, {}))

    def set_limits(self, client: str, limits: Mapping[str, int | None]) -> None:
        with self._lock:
            self._limits[client] = {name: value for name, value in limits.items() if value is not None}

    def client_exists(self, client: str) -> bool:
        return bool(self.list_keys(client))

    def take(self, owner: str, policy: BucketPolicy, now: datetime, *, cost: int = 1) -> Admission:
        with self._lock:
            moment = int(now.timestamp() * MICROSECONDS)
            admission = take(policy, self._buckets.get((owner, policy.name), 0), moment, cost=cost)
            self._buckets[(owner, policy.name)] = admission.full_at
            return admission

    def peek(self, owner: str, policy: BucketPolicy, now: datetime) -> Admission:
        with self._lock:
            return take(policy, self._buckets.get((owner, policy.name), 0), int(now.timestamp() * MICROSECONDS), cost=0)

    def reserve(self, owner: str, key: str, *, fingerprint: str, subject: str, now: datetime) -> Reservation:
        with self._lock:
            known = self._answers.get((owner, key))
            if known is not None:
                reservation, at = known
                if reservation.answer is not None and now < at + KEPT:
                    return reservation
                if reservation.answer is None and now < at + RUNNING:
                    return reservation
                if reservation.answer is None and reservation.fingerprint == fingerprint:
                    subject = reservation.subject
            fresh = Reservation(fresh=True, subject=subject, fingerprint=fingerprint)
            self._answers[(owner, key)] = (replace(fresh, fresh=False), now)
            return fresh

    def answer(self, owner: str, key: str, answer: Answer, now: datetime) -> None:
        with self._lock:
            reservation, _ = self._answers[(owner, key)]
            self._answers[(owner, key)] = (replace(reservation, answer=answer), now)

    def forget(self, owner: str, key: str) -> None:
        with self._lock:
            self._answers.pop((owner, key), None)


class MemoryQueues:
    """Messages in lists; ``down`` makes every send fail, ``deaf`` those to the deliver function."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Dispatch]] = []
        self.down = False
        self.deaf = False
        self.delays: list[tuple[str, str, int]] = []
        self.posted: list[tuple[dict[str, Any], int]] = []  #: to the deliver function, with their delays

    def post(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        if self.down or self.deaf:
            raise StepRetryable("queue_unavailable", "the queue did not take the message")
        self.posted.append((dict(message), delay))

    def send(self, dispatch: Dispatch) -> None:
        if self.down:
            raise StepRetryable("queue_unavailable", "the queue did not take the message")
        self.messages.append((queue_name(dispatch.step, dispatch.priority), dispatch))

    def put_off(self, source: str, receipt: str, seconds: int) -> None:
        self.delays.append((source, receipt, seconds))

    def take(self) -> Dispatch | None:
        return self.messages.pop(0)[1] if self.messages else None

    def depth(self) -> Depth:
        counts: dict[str, int] = defaultdict(int)
        for name, _ in self.messages:
            counts[name] += 1
        return Depth(counts, 0)

    def check(self) -> None:
        if self.down:
            raise StepRetryable("queue_unavailable", "the queue does not answer")
