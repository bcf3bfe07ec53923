"""Jobs, events and messages as items of the table, and what all items have in common. The layout is in ``aws.table``."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job, instant, rfc3339
from sheetrun.jobs.states import Priority, Step

Item: TypeAlias = dict[str, Any]

SHARDS = 4  #: of the index that ``sweep`` reads
TTL_SLACK = timedelta(days=7)


def shard_of(name: str) -> int:
    """Of the index by time: one of a few, always the same one for a job or a delivery."""
    return zlib.crc32(name.encode()) % SHARDS


def encoded(document: Any) -> Item:
    """A value as the text that an item keeps."""
    return {"S": json.dumps(document, ensure_ascii=False, separators=(",", ":"))}


def ttl_of(expires_at: datetime) -> Item:
    """When the table may reclaim an item's space: ``sweep`` has deleted it long before, unless it could not."""
    return {"N": str(int((expires_at + TTL_SLACK).timestamp()))}


def job_item(job: Job, patience: timedelta) -> Item:
    return {
        "pk": {"S": f"JOB#{job.id}"},
        "sk": {"S": "META"},
        "rev": {"N": str(job.rev)},
        "state": {"S": job.state.value},
        "doc": encoded(job.document()),
        "g1pk": {"S": f"CLIENT#{job.client}"},
        "g1sk": {"S": job.id},
        "g2pk": {"S": f"DUE#{shard_of(job.id)}"},
        "g2sk": {"S": rfc3339(job.due_at(patience))},
        "ttl": ttl_of(job.expires_at),
    }


def read_job(item: Mapping[str, Any]) -> Job:
    return Job.from_document(json.loads(item["doc"]["S"]))


def event_item(event: Event, job: Job) -> Item:
    item: Item = {
        "pk": {"S": f"JOB#{job.id}"},
        "sk": {"S": f"EVT#{event.number:06d}"},
        "doc": encoded({"type": event.type, "at": rfc3339(event.at), "data": dict(event.data)}),
        "ttl": ttl_of(job.expires_at),
    }
    if event.ends:  # the event is its own outbox: it leaves the index when its receivers are known
        item |= {"g2pk": {"S": f"TELL#{shard_of(job.id)}"}, "g2sk": {"S": rfc3339(event.at)}}
    return item


def read_event(item: Mapping[str, Any]) -> Event:
    document = json.loads(item["doc"]["S"])
    return Event(
        number=int(item["sk"]["S"].removeprefix("EVT#")),
        type=document["type"],
        at=instant(document["at"]),
        data=document["data"],
    )


def outbox_item(dispatch: Dispatch, job: Job) -> Item:
    document = {
        "step": dispatch.step.value,
        "number": dispatch.number,
        "priority": dispatch.priority.value,
        "delay": dispatch.delay,
    }
    written = max(job.timestamps.values(), default=rfc3339(job.created_at))
    if job.not_before is not None:
        written = max(written, rfc3339(job.not_before))
    return {
        "pk": {"S": f"JOB#{job.id}"},
        "sk": {"S": f"OUT#{dispatch.id}"},
        "doc": encoded(document),
        "g2pk": {"S": f"OUT#{shard_of(job.id)}"},
        "g2sk": {"S": written},
        "ttl": ttl_of(job.expires_at),
    }


def read_dispatch(item: Mapping[str, Any]) -> Dispatch:
    document = json.loads(item["doc"]["S"])
    return Dispatch(
        job_id=item["pk"]["S"].removeprefix("JOB#"),
        step=Step(document["step"]),
        number=document["number"],
        priority=Priority(document["priority"]),
        delay=document["delay"],
    )
