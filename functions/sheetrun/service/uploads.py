"""A file has arrived: the door. Notifications may come late, twice, or for things that are none of ours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from sheetrun.jobs.arrival import created, refused, uploaded, uploaded_and_admitted
from sheetrun.jobs.changes import Change
from sheetrun.jobs.errors import Conflict, Full, NotFound, Raced, Rejected, StepRetryable
from sheetrun.jobs.job import Job, Problem
from sheetrun.jobs.limits import Spend, spend_of
from sheetrun.jobs.states import State
from sheetrun.records import dataclass
from sheetrun.service.allowances import Allowances
from sheetrun.service.blobs import Blobs, Stat
from sheetrun.service.changes import change_job, send_now
from sheetrun.service.line import Line
from sheetrun.service.ports import Clock, Ids, Keys, Ledger, Log, Queues, Room
from sheetrun.service.requests import JobRequest, job_request
from sheetrun.service.submit import new_job
from sheetrun.settings import Settings

CLIENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_UPLOAD = re.compile(r"uploads/([a-z0-9][a-z0-9_-]{0,62})/(job_[0-9A-HJKMNP-TV-Z]{26})/source")
_INBOX = re.compile(r"inbox/([a-z0-9][a-z0-9_-]{0,62})/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a notification says. Only ``key`` is believed; the rest tells two drops on one key apart."""

    key: str
    at: datetime
    etag: str = ""
    sequencer: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """Takes files in."""

    ledger: Ledger
    keys: Keys
    blobs: Blobs
    queues: Queues
    clock: Clock
    ids: Ids
    settings: Settings
    log: Log
    allowances: Allowances
    line: Line

    def arrived(self, arrival: Arrival) -> str | None:
        """The id of the job that the file belongs to; None when it belongs to nobody."""
        if match := _UPLOAD.fullmatch(arrival.key):
            job = self.ledger.get(match[2])
            if job is None:
                # The row is there before the form is given out: this file came after its job was deleted.
                self.blobs.delete(arrival.key)
            return self._accept(job, match[2])
        if match := _INBOX.fullmatch(arrival.key):
            return self._dropped(arrival, match[1], match[2])
        self.log.warning("arrival_ignored", why="the key is not of a kind that becomes a job")
        return None

    def accept(self, job_id: str) -> str | None:
        """Looks at the object of an expected upload and queues the job, or ends it with the reason."""
        return self._accept(self.ledger.get(job_id), job_id)

    def _accept(self, job: Job | None, job_id: str) -> str | None:
        if job is None:
            self.log.warning("arrival_ignored", job_id=job_id, why="no such job")
            return None
        stat = self.blobs.head(job.source_key)
        if stat is None:
            return None
        problem = self._look(job, stat)
        if problem is None and job.state is State.AWAITING_UPLOAD and self._start(job, stat):
            return job.id
        if problem is None:
            problem = self._queue(job, stat)
        if problem is not None:
            self._refuse(job.id, problem)
        self.line.advance()
        return job.id

    def _start(self, job: Job, stat: Stat) -> bool:
        """Whether the job has a place at once: nobody stands in line, and there is room."""
        room = self.line.room(job.client)
        if room is None:
            return False
        try:
            change = self._uploaded(job, stat, room)
        except Full:
            return False  # no place after all, or no bytes: the line, or the reason
        if change is not None:
            send_now(self.ledger, self.queues, change, self.log)
        return change is not None and change.job.admitted

    def _queue(self, job: Job, stat: Stat) -> Problem | None:
        """The job stands in line; or why it may not: its client has spent its bytes of the day."""
        try:
            self._uploaded(job, stat, None)
        except Full as full:
            return Problem(
                code="quota_exceeded",
                title="The client's bytes of the day are spent",
                detail=f"With its {stat.size} bytes, more than {full.limit} were uploaded since midnight UTC.",
                stage="intake",
            )
        return None

    def _uploaded(self, job: Job, stat: Stat, room: Room | None) -> Change | None:
        """The write that takes the file in, into a place where there is ``room`` for it. Raises ``Full``."""
        now = self.clock.now()
        aging = timedelta(seconds=self.settings.aging_seconds)
        become = uploaded if room is None else uploaded_and_admitted
        # An announced size was counted when the job was made.
        size = stat.size if job.size is None else 0
        _, change = change_job(
            self.ledger,
            job.id,
            lambda current: become(current, now, size=stat.size, etag=stat.etag, aging=aging),
            known=job,
            spend=spend_of(job.client, self.allowances.of(job.client), now, size=size),
            room=room,
        )
        if change is not None:
            self.log.info("upload_accepted", job_id=job.id, size=stat.size)
        return change

    def _refuse(self, job_id: str, problem: Problem) -> None:
        def decide(current: Job) -> Change | None:
            waits = current.state is State.AWAITING_UPLOAD
            return refused(current, self.clock.now(), problem) if waits else None

        _, change = change_job(self.ledger, job_id, decide)
        send_now(self.ledger, self.queues, change, self.log)
        if change is not None:
            self.log.info("upload_refused", job_id=job_id, code=problem.code)

    def _look(self, job: Job, stat: Stat) -> Problem | None:
        """What can be said without opening the file. What kind of file it is, the next step tells by its exact name."""
        if stat.size > job.max_bytes:
            return _refusal("file_too_large", f"The file has {stat.size} bytes, over the limit of {job.max_bytes}.")
        if stat.size == 0:
            return _refusal("empty_file", "The file is empty.")
        if job.state is State.AWAITING_UPLOAD and job.size is not None and stat.size != job.size:
            return _refusal(
                "size_mismatch", f"The file has {stat.size} bytes, and {job.size} were announced; send it again."
            )
        if job.sha256 is not None and self.blobs.sha256(job.source_key) != job.sha256:
            # The upload form asks the store to check; a file in parts, or in an emulator, is checked only here.
            return _refusal("checksum_mismatch", "The file is not the one whose SHA-256 was announced; send it again.")
        return None

    def _dropped(self, arrival: Arrival, client: str, name: str) -> str | None:
        """A file that another system put under ``inbox/``: a job with no API call."""
        if not self.keys.client_exists(client):
            self.log.warning("drop_ignored", client=client, why="no such client")
            return None
        stat = self.blobs.head(arrival.key)
        if stat is None:
            return None
        seed = f"{arrival.key}\n{stat.etag}\n{arrival.sequencer}"
        job_id = self.ids.derived_job_id(arrival.at, seed)
        now = self.clock.now()
        request, problem = self._drop_request(name, stat)
        job = new_job(client, request, job_id=job_id, now=now, settings=self.settings, key=arrival.key)
        spend = spend_of(client, self.allowances.of(client), now, uploads=1, size=stat.size)
        try:
            self._create(created(job, now), spend)
        except Raced:
            self.log.info("drop_known", job_id=job_id)
        except Full as full:
            if full.gate not in ("uploads", "bytes"):
                raise StepRetryable("at_capacity", full.detail) from None
            # Nobody waits for an answer: the job itself tells that the day's quota is spent.
            self._create(created(job, now), None)
            problem = Problem(
                code="quota_exceeded",
                title="The client's quota of the day is spent",
                detail=f"More than {full.limit} {full.gate} since midnight UTC.",
                stage="intake",
            )
        if problem is not None:
            reason = problem
            _, change = change_job(self.ledger, job_id, lambda current: refused(current, now, reason))
            send_now(self.ledger, self.queues, change, self.log)
            return job_id
        return self.accept(job_id)

    def _create(self, change: Change, spend: Spend | None) -> None:
        most = self.settings.max_jobs
        self.ledger.create(change, most=most, most_of_client=most, spend=spend)

    def _drop_request(self, name: str, stat: Stat) -> tuple[JobRequest, Problem | None]:
        """The object's metadata plays the part of the request; a wrong one ends the job with the reason."""
        body: dict[str, object] = {"filename": name.rsplit("/", 1)[-1], "size": stat.size}
        for header in ("kind", "task", "priority", "webhook-url"):
            if header in stat.metadata:
                body[header.replace("-", "_")] = stat.metadata[header]
        try:
            return job_request(body, self.settings), None
        except Rejected as rejection:
            plain = job_request({"filename": "dropped.xlsx"}, self.settings)
            named = replace(plain, filename=str(body["filename"])[:255] or plain.filename, size=stat.size)
            return named, _refusal(rejection.code, rejection.detail)

    def complete(self, job: Job) -> Job:
        """A multipart upload's parts are all there: puts them together. The notification does the rest."""
        if job.upload_id is None:
            raise Conflict("This job is not uploaded in parts.", code="not_multipart")
        if self.blobs.head(job.source_key) is None:
            self.blobs.complete_multipart(job.source_key, job.upload_id)
        self.accept(job.id)
        there = self.ledger.get(job.id)
        if there is None:
            raise NotFound(f"There is no job {job.id}.", code="job_not_found")
        return there


def _refusal(code: str, detail: str) -> Problem:
    return Problem(code=code, title="The file was refused", detail=detail, stage="intake")
