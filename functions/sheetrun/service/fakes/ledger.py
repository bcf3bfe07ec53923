"""Jobs in memory: their states, events, messages and parts, what they count, and batches of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sheetrun.jobs.changes import Change
from sheetrun.jobs.chunks import Chunk, Tally
from sheetrun.jobs.errors import Full, Raced
from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job
from sheetrun.jobs.limits import Spend
from sheetrun.service.fakes.locked import Locked
from sheetrun.service.ports import Batch, JobFilter, Load, Page, Room


class MemoryLedger(Locked):
    """``Ledger``, ``Chunks`` and ``Batches``."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, Job] = {}
        self.patience = timedelta(seconds=60)
        self.untold: dict[tuple[str, int], datetime] = {}  #: ends of jobs that no receiver was looked for
        self.bodies: dict[str, dict[int, str]] = defaultdict(dict)  #: of webhooks, by job and event
        self._events: dict[str, list[Event]] = defaultdict(list)
        self._outbox: dict[tuple[str, str], Dispatch] = {}
        self._written: dict[tuple[str, str], datetime] = {}  #: when a message went into the outbox
        self._served: dict[str, datetime] = {}
        self._days: dict[tuple[str, int], tuple[int, int]] = {}
        self._chunks: dict[tuple[str, int], Chunk] = {}
        self._tallies: dict[str, Tally] = {}
        self._batches: dict[str, Batch] = {}

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
