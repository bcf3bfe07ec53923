"""What belongs to a client, in the same table as its jobs (``aws.table``): keys, batches, buckets, stored answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sheetrun.aws.adapter import OnTable
from sheetrun.aws.clients import dependency
from sheetrun.aws.items import Item, read_job
from sheetrun.jobs.errors import StepRetryable
from sheetrun.jobs.job import Job, instant, rfc3339
from sheetrun.jobs.limits import MICROSECONDS, Admission, BucketPolicy, take, taken
from sheetrun.service.ports import Answer, ApiKey, Batch, Reservation

KEPT = timedelta(hours=24)  #: an answer
RUNNING = timedelta(seconds=30)  #: a call that has not answered by then has died
TRIES = 20


class DynamoKeys(OnTable):
    """``service.ports.Keys``."""

    def put_key(self, key: ApiKey) -> None:
        document = {
            "client": key.client,
            "hash": key.secret_hash,
            "scopes": sorted(key.scopes),
            "name": key.name,
            "created_at": rfc3339(key.created_at),
            "expires_at": None if key.expires_at is None else rfc3339(key.expires_at),
            "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
        }
        item: Item = {
            "pk": {"S": f"KEY#{key.id}"},
            "sk": {"S": "META"},
            "doc": {"S": json.dumps(document)},
            "g1pk": {"S": f"KEYS#{key.client}"},
            "g1sk": {"S": key.id},
        }
        if key.last_used_at is not None:
            item["used"] = {"S": rfc3339(key.last_used_at)}
        with dependency("table"):
            self._db.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"CLIENT#{key.client}"}, "sk": {"S": "META"}},
                UpdateExpression="SET g1pk = :clients, g1sk = :client",
                ExpressionAttributeValues={":clients": {"S": "CLIENTS"}, ":client": {"S": key.client}},
            )
            self._db.put_item(TableName=self._table, Item=item)

    def get_key(self, key_id: str) -> ApiKey | None:
        item = self._read(f"KEY#{key_id}", "META")
        return None if item is None else _key(item)

    def list_keys(self, client: str) -> Sequence[ApiKey]:
        with dependency("table"):
            items = self._db.query(
                TableName=self._table,
                IndexName="by-client",
                KeyConditionExpression="g1pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"KEYS#{client}"}},
            )["Items"]
        return [_key(item) for item in items]

    def touch_key(self, key_id: str, now: datetime, *, unless_after: datetime) -> None:
        with dependency("table"):
            try:
                self._db.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "META"}},
                    UpdateExpression="SET used = :now",
                    ConditionExpression="attribute_exists(pk) AND (attribute_not_exists(used) OR used <= :before)",
                    ExpressionAttributeValues={":now": {"S": rfc3339(now)}, ":before": {"S": rfc3339(unless_after)}},
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                return  # another worker noted it

    def client_exists(self, client: str) -> bool:
        return self._read(f"CLIENT#{client}", "META") is not None

    def clients(self, *, after: str | None, limit: int) -> Sequence[str]:
        with dependency("table"):
            items = self._db.query(
                TableName=self._table,
                IndexName="by-client",
                KeyConditionExpression="g1pk = :pk AND g1sk > :after",
                ExpressionAttributeValues={":pk": {"S": "CLIENTS"}, ":after": {"S": after or " "}},
                Limit=min(limit, 1000),
            )["Items"]
        return [item["g1sk"]["S"] for item in items]

    def limits_of(self, client: str) -> Mapping[str, int]:
        item = self._read(f"CLIENT#{client}", "LIMITS")
        return {} if item is None else json.loads(item["doc"]["S"])

    def set_limits(self, client: str, limits: Mapping[str, int | None]) -> None:
        document = {name: value for name, value in limits.items() if value is not None}
        item: Item = {
            "pk": {"S": f"CLIENT#{client}"},
            "sk": {"S": "LIMITS"},
            "doc": {"S": json.dumps(document)},
        }
        with dependency("table"):
            self._db.put_item(TableName=self._table, Item=item)


def _key(item: Mapping[str, Any]) -> ApiKey:
    document = json.loads(item["doc"]["S"])
    used = item.get("used")
    return ApiKey(
        id=item["pk"]["S"].removeprefix("KEY#"),
        client=document["client"],
        secret_hash=document["hash"],
        scopes=frozenset(document["scopes"]),
        name=document["name"],
        created_at=instant(document["created_at"]),
        expires_at=_maybe(document["expires_at"]),
        revoked_at=_maybe(document["revoked_at"]),
        last_used_at=None if used is None else instant(used["S"]),
    )


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


class DynamoBatches(OnTable):
    """``service.ports.Batches``."""

    def put_batch(self, batch: Batch) -> Batch:
        document = {
            "client": batch.client,
            "created_at": rfc3339(batch.created_at),
            "expires_at": rfc3339(batch.expires_at),
            "jobs": list(batch.job_ids),
        }
        item: Item = {
            "pk": {"S": f"BATCH#{batch.id}"},
            "sk": {"S": "META"},
            "doc": {"S": json.dumps(document)},
            "ttl": {"N": str(int(batch.expires_at.timestamp()))},
        }
        with dependency("table"):
            try:
                self._db.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")
            except self._db.exceptions.ConditionalCheckFailedException:
                known = self.get_batch(batch.id)
                if known is not None:
                    return known
        return batch

    def get_batch(self, batch_id: str) -> Batch | None:
        item = self._read(f"BATCH#{batch_id}", "META")
        if item is None:
            return None
        document = json.loads(item["doc"]["S"])
        return Batch(
            id=batch_id,
            client=document["client"],
            created_at=instant(document["created_at"]),
            expires_at=instant(document["expires_at"]),
            job_ids=tuple(document["jobs"]),
        )

    def jobs_of(self, batch: Batch) -> Sequence[Job]:
        left: Any = [{"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "META"}} for job_id in batch.job_ids]
        found: dict[str, Job] = {}
        while left:
            request: Any = {self._table: {"Keys": left, "ConsistentRead": True}}
            with dependency("table"):
                answer = self._db.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(self._table, []):
                job = read_job(item)
                found[job.id] = job
            unread: Any = answer.get("UnprocessedKeys", {})
            left = unread.get(self._table, {}).get("Keys", [])
        return [found[job_id] for job_id in batch.job_ids if job_id in found]

    def drop_batch(self, batch_id: str) -> None:
        with dependency("table"):
            self._db.delete_item(TableName=self._table, Key={"pk": {"S": f"BATCH#{batch_id}"}, "sk": {"S": "META"}})


class DynamoLimits(OnTable):
    """``service.ports.Limits``: one conditional addition. Callers at the same instant do not make each other try again.

    ::

        the bucket is     condition                       then
        filling           now <= full_at <= now + room    full_at + cost
        full, or new      full_at < now, or none          now + cost
        otherwise it is empty, and nothing is written

    The item that a failed condition gives back tells which of the three it is; only a bucket that began to fill in
    between is asked once more.
    """

    def take(self, owner: str, policy: BucketPolicy, now: datetime, *, cost: int = 1) -> Admission:
        moment = _microseconds(now)
        full_at: int | None = moment  # most buckets that are asked are filling
        for _ in range(TRIES):
            filling = full_at is not None and full_at >= moment
            if filling and not take(policy, full_at or 0, moment, cost=cost).admitted:
                return take(policy, full_at or 0, moment, cost=cost)
            written, full_at = self._add(owner, policy, moment, cost, filling=filling)
            if written:
                return taken(policy, full_at or 0, moment)
        raise StepRetryable("contended", "the bucket changed again and again")

    def peek(self, owner: str, policy: BucketPolicy, now: datetime) -> Admission:
        item = self._read(f"CLIENT#{owner}", f"BUCKET#{policy.name}")
        return take(policy, _full_at(item) or 0, _microseconds(now), cost=0)

    def _add(self, owner: str, policy: BucketPolicy, now: int, cost: int, *, filling: bool) -> tuple[bool, int | None]:
        """Whether it was written, and when the bucket is full now."""
        needed = policy.filling(cost)
        values: Item = {":now": {"N": str(now)}, ":ttl": {"N": str(now // MICROSECONDS + 2 * policy.window)}}
        if filling:
            update, condition = "SET full_at = full_at + :needed, #ttl = :ttl", "full_at BETWEEN :now AND :last"
            values |= {":needed": {"N": str(needed)}, ":last": {"N": str(now + policy.window * MICROSECONDS - needed)}}
        else:
            update, condition = "SET full_at = :full, #ttl = :ttl", "attribute_not_exists(full_at) OR full_at < :now"
            values[":full"] = {"N": str(now + needed)}
        with dependency("table"):
            try:
                answer = self._db.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"CLIENT#{owner}"}, "sk": {"S": f"BUCKET#{policy.name}"}},
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#ttl": "ttl"},
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._db.exceptions.ConditionalCheckFailedException as failed:
                there: Any = failed.response.get("Item")
                return False, _full_at(there)
        return True, _full_at(answer["Attributes"])


def _full_at(item: Mapping[str, Any] | None) -> int | None:
    found = None if item is None else item.get("full_at")
    return None if found is None else int(found["N"])


def _microseconds(now: datetime) -> int:
    return int(now.timestamp() * MICROSECONDS)


class DynamoIdempotency(OnTable):
    """``service.ports.Idempotency``."""

    def reserve(self, owner: str, key: str, *, fingerprint: str, subject: str, now: datetime) -> Reservation:
        """One conditional write decides who is first; the loser reads what is there."""
        pk = _pk(owner, key)
        for _ in range(TRIES):
            known = self._read(pk, "META")
            if known is not None:
                reservation, until = _reservation(known)
                if now < until:
                    return reservation
                if reservation.answer is None and reservation.fingerprint == fingerprint:
                    subject = reservation.subject
            if self._first(pk, known, fingerprint=fingerprint, subject=subject, now=now):
                return Reservation(fresh=True, subject=subject, fingerprint=fingerprint)
        raise StepRetryable("contended", "too many requests with one Idempotency-Key at one instant")

    def _first(
        self, pk: str, known: Mapping[str, Any] | None, *, fingerprint: str, subject: str, now: datetime
    ) -> bool:
        item: Item = {
            "pk": {"S": pk},
            "sk": {"S": "META"},
            "fingerprint": {"S": fingerprint},
            "subject": {"S": subject},
            "until": {"S": rfc3339(now + RUNNING)},
            "ttl": {"N": str(int((now + KEPT).timestamp()))},
        }
        condition: Item = {"ConditionExpression": "attribute_not_exists(pk)"}
        if known is not None:
            condition = {
                "ConditionExpression": "#until = :until",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": {":until": known["until"]},
            }
        with dependency("table"):
            try:
                self._db.put_item(TableName=self._table, Item=item, **condition)
            except self._db.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def answer(self, owner: str, key: str, answer: Answer, now: datetime) -> None:
        document = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        with dependency("table"):
            self._db.update_item(
                TableName=self._table,
                Key={"pk": {"S": _pk(owner, key)}, "sk": {"S": "META"}},
                UpdateExpression="SET doc = :doc, #until = :until, #ttl = :ttl",
                ExpressionAttributeNames={"#until": "until", "#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":doc": {"S": json.dumps(document, ensure_ascii=False)},
                    ":until": {"S": rfc3339(now + KEPT)},
                    ":ttl": {"N": str(int((now + KEPT).timestamp()))},
                },
            )

    def forget(self, owner: str, key: str) -> None:
        with dependency("table"):
            self._db.delete_item(TableName=self._table, Key={"pk": {"S": _pk(owner, key)}, "sk": {"S": "META"}})


def _pk(owner: str, key: str) -> str:
    return f"IDEM#{owner}#{hashlib.sha256(key.encode()).hexdigest()}"


def _reservation(item: Mapping[str, Any]) -> tuple[Reservation, datetime]:
    answer = None
    if "doc" in item:
        document = json.loads(item["doc"]["S"])
        answer = Answer(status=document["status"], headers=document["headers"], body=document["body"])
    reservation = Reservation(
        fresh=False, subject=item["subject"]["S"], fingerprint=item["fingerprint"]["S"], answer=answer
    )
    return reservation, instant(item["until"]["S"])
