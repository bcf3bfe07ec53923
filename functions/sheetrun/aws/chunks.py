"""Chunks of jobs in the table, and the tally that each finished one is added to.

::

    JOB#id        CHUNK#000017     a chunk that was claimed
    JOB#id        CHUNKS           the tally: chunks, scenarios, failed
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sheetrun.aws.adapter import OnTable
from sheetrun.aws.clients import dependency
from sheetrun.aws.items import Item, encoded, ttl_of
from sheetrun.jobs.chunks import Chunk, Tally
from sheetrun.jobs.errors import Raced
from sheetrun.jobs.job import instant, rfc3339


class DynamoChunks(OnTable):
    """``service.ports.Chunks``."""

    def chunk(self, job_id: str, number: int) -> Chunk | None:
        item = self._read_at(_key(job_id, number))
        return None if item is None else _read(item)

    def chunks(self, job_id: str) -> Mapping[int, Chunk]:
        found: dict[int, Chunk] = {}
        with dependency("table"):
            pages = self._db.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": {"S": f"JOB#{job_id}"}, ":sk": {"S": "CHUNK#"}},
                ConsistentRead=True,
            )
            for page in pages:
                found |= {chunk.number: chunk for chunk in map(_read, page["Items"])}
        return found

    def save_chunk(self, chunk: Chunk, *, expires_at: datetime) -> None:
        ttl = ttl_of(expires_at)
        put: Item = {"TableName": self._table, "Item": {**_item(chunk), "ttl": ttl}}
        if chunk.rev == 1:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "rev = :rev"
            put["ExpressionAttributeValues"] = {":rev": {"N": str(chunk.rev - 1)}}
        if not chunk.done:
            self._alone(put, chunk)
            return
        tally: Item = {
            "TableName": self._table,
            "Key": {"pk": {"S": f"JOB#{chunk.job_id}"}, "sk": {"S": "CHUNKS"}},
            "UpdateExpression": "ADD chunks :one, scenarios :scenarios, failed :failed SET #ttl = :ttl",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":scenarios": {"N": str(chunk.scenarios)},
                ":failed": {"N": str(chunk.failed)},
                ":ttl": ttl,
            },
        }
        if self._transact([{"Put": put}, {"Update": tally}]):
            raise Raced(f"chunk {chunk.number} was written by somebody else")

    def tally(self, job_id: str) -> Tally:
        item = self._read(f"JOB#{job_id}", "CHUNKS")
        if item is None:
            return Tally()
        return Tally(**{name: int(item[name]["N"]) for name in ("chunks", "scenarios", "failed")})

    def _alone(self, put: Item, chunk: Chunk) -> None:
        with dependency("table"):
            try:
                self._db.put_item(**put)
            except self._db.exceptions.ConditionalCheckFailedException:
                raise Raced(f"chunk {chunk.number} was written by somebody else") from None


def _key(job_id: str, number: int) -> Item:
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": f"CHUNK#{number:06d}"}}


def _item(chunk: Chunk) -> Item:
    document = {
        "round": chunk.round,
        "attempts": chunk.attempts,
        "epoch": chunk.epoch,
        "lease_until": None if chunk.lease_until is None else rfc3339(chunk.lease_until),
        "done": chunk.done,
        "scenarios": chunk.scenarios,
        "failed": chunk.failed,
    }
    return {
        **_key(chunk.job_id, chunk.number),
        "rev": {"N": str(chunk.rev)},
        "doc": encoded(document),
    }


def _read(item: Mapping[str, Any]) -> Chunk:
    document = json.loads(item["doc"]["S"])
    lease = document.pop("lease_until")
    return Chunk(
        job_id=item["pk"]["S"].removeprefix("JOB#"),
        number=int(item["sk"]["S"].removeprefix("CHUNK#")),
        lease_until=None if lease is None else instant(lease),
        rev=int(item["rev"]["N"]),
        **document,
    )
