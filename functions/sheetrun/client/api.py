"""``Client``: everything a service offers, as methods with types. Sync; safe to share between threads."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from sheetrun.client.answers import job_of, result_of
from sheetrun.client.batches import Batch, BatchItem, settle_names
from sheetrun.client.errors import BadAnswer, JobFailed, NotConfigured, SheetrunError
from sheetrun.client.following import changes, story
from sheetrun.client.jobrequests import job_request, scenarios_request
from sheetrun.client.letters import DeadLettersApi
from sheetrun.client.modelcalls import ModelCalls
from sheetrun.client.operator import Operator
from sheetrun.client.receivers import WebhooksApi
from sheetrun.client.retrying import RetryPolicy
from sheetrun.client.routes import batch_route, job_route, model_route, result_route
from sheetrun.client.session import Session
from sheetrun.client.store import Store, save
from sheetrun.client.stream import stream
from sheetrun.client.transport import Request, Transport
from sheetrun.client.upload import open_source
from sheetrun.client.values import CellValue, Event, Job, job_id, jobs_of

#: What can be submitted: a path, bytes (with a filename), or an open binary file.
File = str | os.PathLike[str] | bytes | BinaryIO


class Client(ModelCalls):
    """A service at ``url`` (``https://…/v1``), spoken to with ``key``.

    Without arguments, ``SHEETRUN_URL`` and ``SHEETRUN_KEY`` are used. Times are in seconds. Every method raises
    ``ApiError`` (the service said no), ``ConnectionFailed`` (no answer) or ``BadAnswer`` (not a Sheetrun service);
    requests are repeated as ``retry`` says before that.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        transport: Transport | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
        session: Session | None = None,
    ) -> None:
        if session is None:
            url = url or os.environ.get("SHEETRUN_URL", "")
            if not url:
                raise NotConfigured("no service address")
            session = Session(
                url, key or os.environ.get("SHEETRUN_KEY"), transport=transport, retry=retry, timeout=timeout
            )
        self._session = session
        self._timeout = timeout
        self._store = Store(session, timeout)
        self.webhooks = WebhooksApi(session)  #: endpoints, deliveries, replay
        self.dead_letters = DeadLettersApi(session)  #: for operators

    def __repr__(self) -> str:
        return f"<Client {self._session.base}>"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes kept connections."""
        self._session.close()

    @property
    def operator(self) -> Operator:
        """Clients, their keys and limits, for a key with the operate scope."""
        return Operator(self._session)

    # Jobs

    def submit(
        self,
        file: File,
        *,
        filename: str | None = None,
        kind: str | None = None,
        task: str | None = None,
        inputs: Mapping[str, CellValue] | None = None,
        outputs: Sequence[str] | None = None,
        priority: str | None = None,
        webhook_url: str | None = None,
        deadline_seconds: int | None = None,
        retain_seconds: int | None = None,
        metadata: Mapping[str, str] | None = None,
        replaces: str | Job | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Creates a job and uploads its file; the job is then on its way.

        ``inputs`` and ``outputs`` are references: ``Inputs!B2``, a defined name, ``Table[Column]``. An
        ``idempotency_key`` of your own makes a repeated call (after a crash, say) find the same job for 24 hours.
        ``replaces``: a model that this workbook is the next version of.
        Also raises FileUnreadable and UploadRejected.
        """
        source = open_source(file, filename)
        request = job_request(
            source,
            kind=kind,
            task=task,
            inputs=inputs,
            outputs=outputs,
            priority=priority,
            webhook_url=webhook_url,
            deadline_seconds=deadline_seconds,
            retain_seconds=retain_seconds,
            metadata=metadata,
            replaces=None if replaces is None else job_id(replaces),
        )
        answer, _ = self._session.call("POST", "/jobs", body=request, idempotency_key=idempotency_key or _new_key())
        job = self._job(answer)
        if job.state == "awaiting_upload":  # a replayed answer may be of a job that has its file already
            self._store.upload(source, answer.get("upload"), job.id)
        return job

    def job(self, job: str | Job) -> Job:
        """The job as it is now."""
        return self._job(self._session.call("GET", job_route(job))[0])

    def wait(
        self,
        job: str | Job,
        timeout: float | None = None,
        on_progress: Callable[[Job], object] | None = None,
        *,
        check: bool = True,
    ) -> Job:
        """The job when it has ended. ``on_progress`` is called with the job at first and whenever it has changed.

        Raises JobFailed when it has no results (not with ``check=False``), WaitTimeout after ``timeout`` seconds.
        """
        # Without an ear for what happens on the way, one request may be held until the end.
        quiet = on_progress is None
        for latest in changes(self._session, job_route(job), timeout, self._timeout, quiet=quiet):
            if on_progress is not None:
                on_progress(latest)
        if check and not latest.succeeded:
            raise JobFailed(latest)
        return latest

    def jobs(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        batch: str | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        page_size: int | None = None,
    ) -> Iterator[Job]:
        """All jobs that pass the filters, newest first; pages are asked for as they are needed."""
        query = {
            "state": state,
            "kind": kind,
            "batch": batch,
            "created_after": created_after,
            "created_before": created_before,
            "limit": page_size,
        }
        for page in self._session.pages("/jobs", query):
            yield from map(self._job, jobs_of(page))

    def cancel(self, job: str | Job) -> Job:
        """Stops a job: one that waits at once, one that runs as soon as its worker lets go. 409 when it has ended."""
        return self._job(self._session.call("POST", f"{job_route(job)}/cancel")[0])

    def retry(self, job: str | Job) -> Job:
        """Runs a failed job again from the stage that failed."""
        return self._job(self._session.call("POST", f"{job_route(job)}/retry", idempotency_key=_new_key())[0])

    def events(self, job: str | Job, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The job's story from event number ``after`` on; with ``follow``, until the job has ended."""
        return story(
            self._session,
            job_route(job),
            after=after,
            follow=follow,
            request_timeout=self._timeout,
            ended=lambda: self.job(job).ended,
        )

    def stream(self, job: str | Job, *, after: int = 0) -> Iterator[Event]:
        """The same story as server-sent events; comes back by itself, and ends when the job has ended."""
        return stream(self._session, f"{job_route(job)}/events", after=after, timeout=self._timeout)

    # Results

    def fetch(self, job: str | Job, name: str = "values", to: str | os.PathLike[str] | None = None) -> bytes:
        """A result by its name: values, workbook, script, bundle, report, graph, results, ``plots/…``.

        With ``to``, it is written to that file (whole, or not at all) and b"" comes back: its size is no matter then.
        """
        with self._store.result(result_route(job, name)) as response:
            if to is None:
                return response.read()
            save(response, to)
            return b""

    def values(self, job: str | Job) -> Mapping[str, CellValue]:
        """The calculated cells: reference -> value."""
        document = result_of(self.fetch(job, "values"), self._session.base, "values are")
        cells = document.get("cells", document)
        if not isinstance(cells, dict):
            raise BadAnswer(self._session.base, 200, "and its values are not an object")
        return cells

    def results(self, job: str | Job) -> Mapping[str, Any]:
        """What the analyses of a dataset found, by task; ``dataset`` tells the file's form, rows and columns."""
        return result_of(self.fetch(job, "results"), self._session.base, "results are")

    # Batches

    def submit_batch(self, items: Sequence[BatchItem | File], *, idempotency_key: str | None = None) -> Batch:
        """Up to 100 jobs in one call; their files are uploaded one after another.

        A file that the object store refuses fails that job alone: its error is in ``Batch.upload_errors``.
        """
        prepared = settle_names(items)
        sources = {item.custom_id: open_source(item.file, item.filename) for item in prepared}
        requests = [
            {"custom_id": item.custom_id, **job_request(sources[item.custom_id], **item.options())} for item in prepared
        ]
        key = idempotency_key or _new_key()
        answer, _ = self._session.call("POST", "/batches", body={"jobs": requests}, idempotency_key=key)
        errors: dict[str, SheetrunError] = {}
        for raw in jobs_of(answer):
            job = self._job(raw)
            source = sources.get(job.custom_id or "")
            if source is None or job.state != "awaiting_upload":
                continue
            try:
                self._store.upload(source, raw.get("upload"), job.id)
            except SheetrunError as error:
                errors[job.custom_id or ""] = error
        return replace(Batch.of(answer), upload_errors=errors)

    def batch(self, batch: str | Batch) -> Batch:
        """Counts by state, and the first page of its jobs (``jobs(batch=…)`` gives all)."""
        return Batch.of(self._session.call("GET", batch_route(batch))[0])

    def wait_batch(
        self,
        batch: str | Batch,
        timeout: float | None = None,
        on_progress: Callable[[Batch], object] | None = None,
        *,
        interval: float = 1.0,
    ) -> Batch:
        """The batch when all its jobs have ended, in whatever way. Raises TimeoutError after ``timeout`` seconds."""
        start = self._session.monotonic()
        while True:
            latest = self.batch(batch)
            if on_progress is not None:
                on_progress(latest)
            if latest.ended:
                return latest
            if timeout is not None and self._session.monotonic() - start >= timeout:
                raise TimeoutError(f"{latest.id} still runs after {timeout:g} s")
            self._session.sleep(interval)

    def batch_results(self, batch: str | Batch) -> list[Mapping[str, Any]]:
        """For each job that has results: custom_id, id, state, filename, and where the results are, by name."""
        return self._session.lines(f"{batch_route(batch)}/results")

    def batch_errors(self, batch: str | Batch) -> list[Mapping[str, Any]]:
        """For each job that ended without results: custom_id, id, state, filename and error."""
        return self._session.lines(f"{batch_route(batch)}/errors")

    def cancel_batch(self, batch: str | Batch) -> Batch:
        """Cancels all that has not ended."""
        return Batch.of(self._session.call("POST", f"{batch_route(batch)}/cancel")[0])

    def retry_batch(self, batch: str | Batch) -> Batch:
        """Retries what has failed, and only that."""
        return Batch.of(self._session.call("POST", f"{batch_route(batch)}/retry", idempotency_key=_new_key())[0])

    # Models

    def scenarios(
        self,
        model: str | Job,
        scenarios: Sequence[Mapping[str, CellValue]] | None = None,
        *,
        grid: Mapping[str, Sequence[CellValue]] | None = None,
        sample: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
        file: File | None = None,
        filename: str | None = None,
        count: int | None = None,
        seed: int | None = None,
        skip: int | None = None,
        correlations: Sequence[tuple[str, str, float]] | None = None,
        outputs: Sequence[str] | None = None,
        version: int | None = None,
        priority: str | None = None,
        webhook_url: str | None = None,
        deadline_seconds: int | None = None,
        retain_seconds: int | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """A job that calculates the model many times: a list of inputs, a grid (every combination), a sample
        (``{"Inputs!B2": {"normal": [0.07, 0.01]}}`` with ``count`` and ``seed``), or a CSV or Parquet ``file``.

        Its results: ``csv``, ``parquet``, ``summary``, ``report``. Raises ValueError unless exactly one of the four is
        given.
        """
        if sum(way is not None for way in (scenarios, grid, sample, file)) != 1:
            raise ValueError("give one of scenarios, grid, sample and file")
        source = None if file is None else open_source(file, filename)
        body = scenarios_request(
            source,
            scenarios=scenarios,
            grid=grid,
            sample=sample,
            count=count,
            seed=seed,
            skip=skip,
            correlations=correlations,
            outputs=outputs,
            version=version,
            priority=priority,
            webhook_url=webhook_url,
            deadline_seconds=deadline_seconds,
            retain_seconds=retain_seconds,
            metadata=metadata,
        )
        route = f"{model_route(model)}/scenarios"
        answer, _ = self._session.call("POST", route, body=body, idempotency_key=idempotency_key or _new_key())
        job = self._job(answer)
        if source is not None and job.state == "awaiting_upload":
            self._store.upload(source, answer.get("upload"), job.id)
        return job

    def summary(self, job: str | Job) -> Mapping[str, Any]:
        """What the scenarios of a job say together: moments, percentiles, histograms, sensitivities, failures."""
        return result_of(self.fetch(job, "summary"), self._session.base, "summary is")

    # Operations

    def health(self) -> Mapping[str, Any]:
        """The service's own word on itself, healthy or not; needs no key."""
        request = Request(
            "GET", self._session.address("/health"), {"Accept": "application/json"}, timeout=self._timeout
        )
        response = self._session.transport.send(request)
        try:
            document = json.loads(response.content())
        except ValueError:
            document = None
        if response.status not in (200, 503) or not isinstance(document, dict):
            raise BadAnswer(request.url, response.status, "which is no health report")
        return document

    def capacity(self) -> Mapping[str, Any]:
        """Running and queued jobs and the limits, for this client and for the whole service."""
        return self._session.call("GET", "/capacity")[0]

    def metrics(self) -> str:
        """Prometheus' text format; needs the scope ``operate``."""
        url = self._session.address("/metrics")
        return (
            self._session.send(Request("GET", url, {"Accept": "text/plain"}, timeout=self._timeout)).content().decode()
        )

    def limits(self) -> Mapping[str, Any]:
        """This client's buckets: limit, remaining, reset."""
        return self._session.call("GET", "/limits")[0]

    def _job(self, answer: Mapping[str, Any]) -> Job:
        return job_of(answer, self._session.base)


def _new_key() -> str:
    return str(uuid.uuid4())
