"""The fakes and the AWS adapters keep the same promises. The adapters run against the embedded AWS."""

from __future__ import annotations

import secrets
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from sheetrun.aws.blobs import S3Blobs
from sheetrun.aws.clients import Clients
from sheetrun.aws.queues import SqsQueues
from sheetrun.jobs import arrival, claims
from sheetrun.jobs.changes import Change
from sheetrun.jobs.claims import Claimed
from sheetrun.jobs.errors import Conflict, Raced, StepFailed, StepRetryable
from sheetrun.jobs.events import Dispatch
from sheetrun.jobs.limits import BucketPolicy
from sheetrun.jobs.states import Priority, State, Step
from sheetrun.local.emulator import ROOT
from sheetrun.service.blobs import Blob
from sheetrun.service.ports import Answer, ApiKey, Batch, JobFilter
from tests.contract.ports import MANY, NOW, PATIENCE, Ports, admit, create, ended, lined_up

# Far from now, so that the schedule of the running service leaves these jobs alone.
from tests.elsewhere import Service


def test_a_job_is_read_as_it_was_written(ports: Ports) -> None:
    job = create(ports)
    assert ports.ledger.get(job.id) == job
    assert ports.ledger.get("job_unknown") is None
    with pytest.raises(Raced):
        ports.ledger.create(Change(job), most=MANY, most_of_client=MANY)


def test_a_write_needs_the_version_that_was_read(ports: Ports) -> None:
    job = create(ports)
    change = arrival.uploaded(job, NOW, size=3, etag="e", aging=PATIENCE)
    assert change is not None
    ports.ledger.save(job, change)
    with pytest.raises(Raced):
        ports.ledger.save(job, change)
    assert ports.ledger.get(job.id) == change.job
    change = admit(ports, change.job)
    claim = claims.claim(change.job, Step.PARSE, 1, NOW, lease=PATIENCE, max_attempts=3)
    assert isinstance(claim, Claimed)
    ports.ledger.save(change.job, claim.change)
    beat = claims.heartbeat(claim.change.job, 1, NOW, lease=PATIENCE, progress=claim.change.job.progress)
    ports.ledger.save(claim.change.job, beat)
    with pytest.raises(Raced):
        ports.ledger.save(claim.change.job, beat)


def test_of_many_who_claim_at_once_one_wins(ports: Ports) -> None:
    change = admit(ports, lined_up(ports, create(ports)))
    claim = claims.claim(change.job, Step.PARSE, 1, NOW, lease=PATIENCE, max_attempts=3)
    assert isinstance(claim, Claimed)

    def attempt(_: int) -> bool:
        try:
            ports.ledger.save(change.job, claim.change)
        except Raced:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_events_and_the_outbox_are_written_with_the_job(ports: Ports) -> None:
    job = create(ports)
    change = admit(ports, lined_up(ports, job))
    events = ports.ledger.events(job.id, after=0, limit=10)
    assert [(event.number, event.type) for event in events] == [(1, "job.created"), (2, "job.queued")]
    assert [event.number for event in ports.ledger.events(job.id, after=1, limit=10)] == [2]
    assert ports.ledger.events(job.id, after=0, limit=1) == events[:1]
    assert ports.ledger.events(job.id, after=2**31, limit=1) == []
    assert ports.ledger.outbox(job.id) == [change.dispatch]
    assert change.dispatch in ports.ledger.unsent(NOW + timedelta(seconds=1), limit=100)
    assert change.dispatch not in ports.ledger.unsent(NOW - timedelta(seconds=1), limit=100)
    assert change.dispatch is not None
    ports.ledger.sent(change.dispatch)
    ports.ledger.sent(change.dispatch)
    assert ports.ledger.outbox(job.id) == []


def test_jobs_come_by_client_newest_first_in_pages(ports: Ports) -> None:
    jobs = [create(ports, NOW + timedelta(seconds=second)) for second in range(5)]
    ids = [job.id for job in reversed(jobs)]
    first = ports.ledger.page(ports.client, JobFilter(), after=None, limit=2)
    assert [job.id for job in first.jobs] == ids[:2]
    second = ports.ledger.page(ports.client, JobFilter(), after=first.after, limit=3)
    assert [job.id for job in second.jobs] == ids[2:]
    assert second.after is None
    since = JobFilter(created_after=jobs[2].created_at)
    assert [job.id for job in ports.ledger.page(ports.client, since, after=None, limit=9).jobs] == ids[:2]
    none = JobFilter(states=frozenset({State.FAILED}))
    assert ports.ledger.page(ports.client, none, after=None, limit=9).jobs == ()
    assert ports.ledger.page("nobody", JobFilter(), after=None, limit=9).jobs == ()
    before = JobFilter(created_after=jobs[4].created_at, created_before=jobs[0].created_at)
    assert ports.ledger.page(ports.client, before, after=None, limit=9).jobs == ()
    assert ports.ledger.page(ports.client, since, after=ids[4], limit=9).jobs == ()


def test_what_is_due_is_found_and_deleting_is_whole(ports: Ports) -> None:
    job = create(ports)
    assert job.id not in ports.ledger.due(NOW + timedelta(seconds=59), limit=1000)
    assert job.id in ports.ledger.due(NOW + timedelta(seconds=61), limit=1000)
    change = admit(ports, lined_up(ports, job))
    with pytest.raises(Raced):
        ports.ledger.delete(job)
    ports.ledger.delete(ended(ports, change.job))
    assert ports.ledger.get(job.id) is None
    assert ports.ledger.outbox(job.id) == []
    assert ports.ledger.events(job.id, after=0, limit=10) == []


def test_keys(ports: Ports) -> None:
    key = ApiKey(
        id=secrets.token_hex(5), client=ports.client, secret_hash="h", scopes=frozenset({"read"}), created_at=NOW
    )
    assert not ports.keys.client_exists(ports.client)
    ports.keys.put_key(key)
    assert ports.keys.get_key(key.id) == key
    assert ports.keys.get_key("none") is None
    assert ports.keys.client_exists(ports.client)
    minute = timedelta(minutes=1)
    for seconds, expected in ((0, 0), (59, 0), (60, 60)):  # once a minute, whoever asks
        now = NOW + timedelta(seconds=seconds)
        ports.keys.touch_key(key.id, now, unless_after=now - minute)
        found = ports.keys.get_key(key.id)
        assert found is not None
        assert found.last_used_at == NOW + timedelta(seconds=expected)
    ports.keys.touch_key("none", NOW, unless_after=NOW)
    assert ports.keys.get_key("none") is None
    assert ports.keys.clients(after=None, limit=10**6).count(ports.client) == 1
    assert ports.client not in ports.keys.clients(after=ports.client, limit=10**6)
    assert [item.id for item in ports.keys.list_keys(ports.client)] == [key.id]


def test_batches(ports: Ports) -> None:
    jobs = [create(ports) for _ in range(3)]
    batch = Batch(
        id=f"batch_{ports.client}",
        client=ports.client,
        created_at=NOW,
        expires_at=NOW + PATIENCE,
        job_ids=(jobs[2].id, "job_gone", jobs[0].id),
    )
    assert ports.batches.put_batch(batch) == batch
    assert ports.batches.put_batch(replace(batch, job_ids=())) == batch
    assert ports.batches.get_batch(batch.id) == batch
    assert list(ports.batches.jobs_of(batch)) == [jobs[2], jobs[0]]
    assert list(ports.batches.jobs_of(replace(batch, job_ids=()))) == []
    ports.batches.drop_batch(batch.id)
    assert ports.batches.get_batch(batch.id) is None


def test_a_bucket_never_gives_more_than_it_has(ports: Ports) -> None:
    policy = BucketPolicy(name="jobs", quota=10, window=60)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ports.limits.take(ports.client, policy, NOW), range(30)))
    assert sum(answer.admitted for answer in answers) == 10
    assert sorted(answer.remaining for answer in answers if answer.admitted) == list(range(10))
    assert {answer.retry_after for answer in answers if not answer.admitted} == {6}
    assert ports.limits.peek(ports.client, policy, NOW).remaining == 0
    assert ports.limits.take(ports.client, policy, NOW + timedelta(seconds=6)).admitted


def test_idempotency(ports: Ports) -> None:
    store, owner = ports.idempotency, ports.client
    first = store.reserve(owner, "k", fingerprint="f", subject="job_1", now=NOW)
    assert (first.fresh, first.subject) == (True, "job_1")
    second = store.reserve(owner, "k", fingerprint="f", subject="job_2", now=NOW)
    assert (second.fresh, second.answer) == (False, None)
    died = store.reserve(owner, "k", fingerprint="f", subject="job_3", now=NOW + timedelta(seconds=31))
    assert (died.fresh, died.subject) == (True, "job_1")
    answer = Answer(status=202, headers={"Location": "x"}, body="{}")
    store.answer(owner, "k", answer, NOW)
    assert store.reserve(owner, "k", fingerprint="f", subject="job_4", now=NOW + timedelta(hours=23)).answer == answer
    assert store.reserve(owner, "k", fingerprint="f", subject="job_5", now=NOW + timedelta(hours=25)).fresh
    store.forget(owner, "k")
    assert store.reserve(owner, "k", fingerprint="g", subject="job_6", now=NOW).subject == "job_6"


def test_of_many_with_one_key_one_is_first(ports: Ports) -> None:
    def attempt(number: int) -> bool:
        return ports.idempotency.reserve(ports.client, "k", fingerprint="f", subject=f"job_{number}", now=NOW).fresh

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_objects(ports: Ports) -> None:
    key = f"jobs/{ports.client}/work/a b+ü.bin"
    assert ports.blobs.head(key) is None
    with pytest.raises(StepFailed):
        ports.blobs.get(key)
    ports.put(key, b"0123456789")
    stat = ports.blobs.head(key)
    assert stat is not None
    assert stat.size == 10
    assert ports.blobs.get(key, etag=stat.etag) == b"0123456789"
    with pytest.raises(StepFailed) as caught:
        ports.blobs.get(key, etag="0" * 32)
    assert caught.value.code == "source_changed"
    ports.put(f"jobs/{ports.client}/other", b"x")
    assert ports.blobs.delete_all(f"jobs/{ports.client}/") == 2
    assert ports.blobs.head(key) is None
    ports.blobs.delete(key)


def test_several_objects_at_once(ports: Ports) -> None:
    keys = [f"jobs/{ports.client}/{number}" for number in range(12)]
    ports.blobs.put_all([Blob(key, key.encode(), "text/plain") for key in keys])
    stat = ports.blobs.head(keys[3])
    assert stat is not None
    wanted = [(key, stat.etag if key == keys[3] else None) for key in reversed(keys)]
    assert ports.blobs.get_all(wanted) == [key.encode() for key in reversed(keys)]
    assert ports.blobs.get_all([]) == []
    ports.blobs.put_all([])
    with pytest.raises(StepFailed) as caught:
        ports.blobs.get_all([(keys[0], None), (keys[1], stat.etag), (keys[2], None)])
    assert caught.value.code == "source_changed"
    assert ports.blobs.delete_all(f"jobs/{ports.client}/") == 12


def test_an_upload_in_parts_needs_parts(ports: Ports) -> None:
    key = f"uploads/{ports.client}/x"
    upload_id = ports.blobs.start_multipart(key)
    with pytest.raises(Conflict):
        ports.blobs.complete_multipart(key, upload_id)


def test_messages(ports: Ports) -> None:
    for step in Step:
        ports.queues.send(Dispatch(job_id="job_1", step=step, number=1, priority=Priority.LOW))
    waiting = {name: count for name, count in ports.queues.depth().waiting.items() if count}
    assert waiting == {"parse-low": 1, "generate": 1, "execute-low": 1}
    ports.queues.check()
    ports.ledger.check()
    ports.blobs.check()


@pytest.mark.e2e
def test_parts_are_put_together_by_the_store(service: Service, clients: Clients) -> None:
    blobs = S3Blobs(clients, service.bucket)
    key = "jobs/contract/parts"
    upload_id = blobs.start_multipart(key)
    for number, data in ((1, b"a" * 5 * 2**20), (2, b"b")):
        url = blobs.presign_part(key, upload_id, number, seconds=60)
        urllib.request.urlopen(urllib.request.Request(url, data=data, method="PUT")).close()
    blobs.complete_multipart(key, upload_id)
    blobs.abort_multipart(key, upload_id)  # it is complete: nothing to abort
    assert blobs.head(key) is not None
    stat = blobs.head(key)
    assert stat is not None
    assert stat.size == 5 * 2**20 + 1


@pytest.mark.e2e
def test_a_dependency_that_does_not_answer_is_retryable() -> None:
    clients = Clients(endpoint="http://127.0.0.1:9", session=boto3.Session(region_name="us-east-1", **ROOT))
    with pytest.raises(StepRetryable):
        SqsQueues(clients, {"generate": "http://127.0.0.1:9/q"}).check()
