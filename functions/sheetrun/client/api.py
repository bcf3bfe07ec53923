"""``Client``: everything a service offers, as methods with types. Sync; safe to share between threads."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urljoin

from sheetrun.client.batches import Batch, BatchItem, settle_names
from sheetrun.client.errors import BadAnswer, JobFailed, NotConfigured, SheetrunError, UploadRejected, WaitTimeout
from sheetrun.client.letters import DeadLettersApi
from sheetrun.client.modelcalls import ModelCalls
from sheetrun.client.operator import Operator
from sheetrun.client.receivers import WebhooksApi
from sheetrun.client.retrying import RetryPolicy
from sheetrun.client.session import Session
from sheetrun.client.stream import stream
from sheetrun.client.transport import Request, Response, Transport
from sheetrun.client.upload import Form, Part, Source, open_source, store_error
from sheetrun.client.values import CellValue, Event, Job, job_id, jobs_of

#: What can be submitted: a path, bytes (with a filename), or an open binary file.
File = str | os.PathLike[str] | bytes | BinaryIO

_HOLD = 20.0  # seconds that one long poll may be held (the contract allows 25)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


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
        request = _job_request(
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
        job = _job(answer, self._session.base)
        if job.state == "awaiting_upload":  # a replayed answer may be of a job that has its file already
            self._upload(source, answer.get("upload"), job.id)
        return job

    def job(self, job: str | Job) -> Job:
        """The job as it is now."""
        answer, _ = self._session.call("GET", f"/jobs/{_segment(job_id(job))}")
        return _job(answer, self._session.base)

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
        route = f"/jobs/{_segment(job_id(job))}"
        start = self._session.monotonic()
        etag: str | None = None
        # Without an ear for what happens on the way, one request may be held until the end.
        hold = 0.0 if on_progress is not None else min(_HOLD, _HOLD if timeout is None else timeout)
        until = {} if on_progress is not None else {"until": "ended"}
        latest: Job | None = None
        while True:
            asked = self._session.monotonic()
            answer, response = self._session.call(
                "GET",
                route,
                query={"wait": f"{hold:.0f}", **until} if hold >= 1 else None,
                headers={"If-None-Match": etag} if etag else None,
                timeout=self._timeout + hold,
            )
            if response.status != 304:
                news = _job(answer, self._session.base)
                if on_progress is not None and (latest is None or news.raw != latest.raw):
                    on_progress(news)
                latest, etag = news, response.headers.get("etag")
                if latest.ended:
                    if check and not latest.succeeded:
                        raise JobFailed(latest)
                    return latest
            now = self._session.monotonic()
            left = float("inf") if timeout is None else timeout - (now - start)
            if left <= 0 and latest is not None:
                raise WaitTimeout(latest, timeout or 0.0)
            if hold and now - asked < 0.05:
                self._session.sleep(min(0.25, left))  # a service that does not hold must not be asked in a busy loop
            hold = min(_HOLD, max(1.0, left))

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
            yield from (_job(item, self._session.base) for item in jobs_of(page))

    def cancel(self, job: str | Job) -> Job:
        """Stops a job: one that waits at once, one that runs as soon as its worker lets go. 409 when it has ended."""
        answer, _ = self._session.call("POST", f"/jobs/{_segment(job_id(job))}/cancel")
        return _job(answer, self._session.base)

    def retry(self, job: str | Job) -> Job:
        """Runs a failed job again from the stage that failed."""
        answer, _ = self._session.call("POST", f"/jobs/{_segment(job_id(job))}/retry", idempotency_key=_new_key())
        return _job(answer, self._session.base)

    def events(self, job: str | Job, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The job's story from event number ``after`` on; with ``follow``, until the job has ended."""
        route = f"/jobs/{_segment(job_id(job))}/events"
        position = after
        while True:
            asked = self._session.monotonic()
            hold = _HOLD if follow else None
            page, _ = self._session.call(
                "GET", route, query={"after": position, "wait": hold and int(hold)}, timeout=self._timeout + (hold or 0)
            )
            events = [Event.of(item) for item in jobs_of(page, "events")]
            for event in events:
                yield event
                position = max(position, event.id)
            if not events:
                if not follow or self.job(job).ended:
                    return
                if self._session.monotonic() - asked < 0.05:
                    self._session.sleep(0.25)
            elif follow and events[-1].ends and self.job(job).ended:
                return

    def stream(self, job: str | Job, *, after: int = 0) -> Iterator[Event]:
        """The same story as server-sent events; comes back by itself, and ends when the job has ended."""
        return stream(self._session, f"/jobs/{_segment(job_id(job))}/events", after=after, timeout=self._timeout)

    # Results

    def fetch(self, job: str | Job, name: str = "values", to: str | os.PathLike[str] | None = None) -> bytes:
        """A result by its name: values, workbook, script, bundle, report, graph, results, ``plots/…``.

        With ``to``, it is written to that file (whole, or not at all) and b"" comes back: its size is no matter then.
        """
        with self._result(job, name) as response:
            if to is None:
                return response.read()
            target = Path(to)
            partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
            try:
                with partial.open("wb") as file:
                    for chunk in response.chunks():
                        file.write(chunk)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            return b""

    def values(self, job: str | Job) -> Mapping[str, CellValue]:
        """The calculated cells: reference -> value."""
        document = json.loads(self.fetch(job, "values"))
        cells = document.get("cells", document) if isinstance(document, dict) else None
        if not isinstance(cells, dict):
            raise BadAnswer(self._session.base, 200, "and its values are not an object")
        return cells

    def results(self, job: str | Job) -> Mapping[str, Any]:
        """What the analyses of a dataset found, by task; ``dataset`` tells the file's form, rows and columns."""
        document = json.loads(self.fetch(job, "results"))
        if not isinstance(document, dict):
            raise BadAnswer(self._session.base, 200, "and its results are not an object")
        return document

    def _result(self, job: str | Job, name: str) -> Response:
        url = self._session.address(f"/jobs/{_segment(job_id(job))}/results/{quote(name, safe='/')}")
        response = self._session.send(Request("GET", url, {"Accept": "*/*"}, timeout=self._timeout))
        for _ in range(3):
            if response.status not in _REDIRECTS:
                return response
            response.content()
            url = urljoin(url, response.headers.get("location", ""))
            response = self._store(Request("GET", url, timeout=self._timeout), job_id(job), "the result")
        raise BadAnswer(url, response.status, "one redirect too many")

    # Uploads

    def _upload(self, source: Source, upload: object, job: str) -> None:
        if not isinstance(upload, Mapping) or not isinstance(upload.get("method"), str):
            raise BadAnswer(self._session.base, 202, "and the job has no upload")
        if upload["method"] == "MULTIPART":
            self._upload_parts(source, upload, job)
            return
        form = Form({str(k): str(v) for k, v in upload.get("fields", {}).items()}, source)
        request = Request("POST", str(upload["url"]), {"Content-Type": form.content_type}, form, self._timeout)
        self._store(request, job, "the upload").content()

    def _upload_parts(self, source: Source, upload: Mapping[str, Any], job: str) -> None:
        size = int(upload["part_size"])
        for part in upload["parts"]:
            number = int(part["number"])
            body = Part(source, (number - 1) * size, size)
            response = self._store(Request("PUT", str(part["url"]), {}, body, self._timeout), job, "the upload")
            response.content()
        complete = self._session.link(str(upload["complete_url"]))
        self._session.call("POST", complete, repeatable=True, timeout=self._timeout + 60)

    def _store(self, request: Request, job: str, what: str) -> Response:
        def failed(response: Response) -> SheetrunError | None:
            if response.status < 400:
                return None
            code, message = store_error(response.content())
            if what == "the upload":
                return UploadRejected(response.status, code, message, job)
            return BadAnswer(request.url.partition("?")[0], response.status, f"{what} cannot be had: {message or code}")

        return self._session.attempt(lambda: self._session.transport.send(request), failed=failed)

    # Batches

    def submit_batch(self, items: Sequence[BatchItem | File], *, idempotency_key: str | None = None) -> Batch:
        """Up to 100 jobs in one call; their files are uploaded one after another.

        A file that the object store refuses fails that job alone: its error is in ``Batch.upload_errors``.
        """
        prepared = settle_names(items)
        sources = {item.custom_id: open_source(item.file, item.filename) for item in prepared}
        requests = [
            {"custom_id": item.custom_id, **_job_request(sources[item.custom_id], **item.options())}
            for item in prepared
        ]
        key = idempotency_key or _new_key()
        answer, _ = self._session.call("POST", "/batches", body={"jobs": requests}, idempotency_key=key)
        errors: dict[str, SheetrunError] = {}
        for raw in jobs_of(answer):
            job = _job(raw, self._session.base)
            source = sources.get(job.custom_id or "")
            if source is None or job.state != "awaiting_upload":
                continue
            try:
                self._upload(source, raw.get("upload"), job.id)
            except SheetrunError as error:
                errors[job.custom_id or ""] = error
        return replace(Batch.of(answer), upload_errors=errors)

    def batch(self, batch: str | Batch) -> Batch:
        """Counts by state, and the first page of its jobs (``jobs(batch=…)`` gives all)."""
        return Batch.of(self._session.call("GET", _batch_route(batch))[0])

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
        return self._session.lines(f"{_batch_route(batch)}/results")

    def batch_errors(self, batch: str | Batch) -> list[Mapping[str, Any]]:
        """For each job that ended without results: custom_id, id, state, filename and error."""
        return self._session.lines(f"{_batch_route(batch)}/errors")

    def cancel_batch(self, batch: str | Batch) -> Batch:
        """Cancels all that has not ended."""
        return Batch.of(self._session.call("POST", f"{_batch_route(batch)}/cancel")[0])

    def retry_batch(self, batch: str | Batch) -> Batch:
        """Retries what has failed, and only that."""
        return Batch.of(self._session.call("POST", f"{_batch_route(batch)}/retry", idempotency_key=_new_key())[0])

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
        uploaded = {} if source is None else {"filename": source.filename, "size": source.size, "sha256": source.sha256}
        body = uploaded | _given(
            scenarios=[dict(row) for row in scenarios] if scenarios is not None else None,
            grid={name: list(values) for name, values in grid.items()} if grid is not None else None,
            sample=sample,
            count=count,
            seed=seed,
            skip=skip,
            correlations=[list(one) for one in correlations] if correlations is not None else None,
            outputs=list(outputs) if outputs is not None else None,
            version=version,
            priority=priority,
            webhook_url=webhook_url,
            deadline_seconds=deadline_seconds,
            retain_seconds=retain_seconds,
            metadata=dict(metadata) if metadata is not None else None,
        )
        route = f"/models/{_segment(job_id(model))}/scenarios"
        answer, _ = self._session.call("POST", route, body=body, idempotency_key=idempotency_key or _new_key())
        job = _job(answer, self._session.base)
        if source is not None and job.state == "awaiting_upload":
            self._upload(source, answer.get("upload"), job.id)
        return job

    def summary(self, job: str | Job) -> Mapping[str, Any]:
        """What the scenarios of a job say together: moments, percentiles, histograms, sensitivities, failures."""
        document = json.loads(self.fetch(job, "summary"))
        if not isinstance(document, dict):
            raise BadAnswer(self._session.base, 200, "and its summary is not an object")
        return document

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


def _new_key() -> str:
    return str(uuid.uuid4())


def _segment(text: str) -> str:
    if not text:
        raise ValueError("an id is needed")
    return quote(text, safe="")


def _batch_route(batch: str | Batch) -> str:
    return f"/batches/{_segment(batch.id if isinstance(batch, Batch) else batch)}"


def _job(raw: Mapping[str, Any], address: str) -> Job:
    try:
        return Job.of(raw)
    except KeyError as error:
        raise BadAnswer(address, 200, f"and the job has no {error}") from None


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _job_request(source: Source, **options: Any) -> dict[str, Any]:
    for name in ("inputs", "metadata"):
        if options.get(name) is not None:
            options[name] = dict(options[name])
    if options.get("outputs") is not None:
        options["outputs"] = list(options["outputs"])
    return {"filename": source.filename, "size": source.size, "sha256": source.sha256, **_given(**options)}
