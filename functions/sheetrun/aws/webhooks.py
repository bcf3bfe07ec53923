"""Webhooks in the table of the jobs (``aws.table``).

::

    pk            sk               what                        g2pk / g2sk
    CLIENT#c      HOOK#id          an endpoint
    HOOK#id       GUARD            its breaker and leases
    HOOK#id       DLV#id           a delivery                  SEND#shard / when it must be looked after
    JOB#id        BODY#000017      how an event is told
    JOB#id        EVT#000017       an end that was not told    TELL#shard / its time (``aws.table``)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sheetrun.aws.adapter import OnTable
from sheetrun.aws.clients import dependency
from sheetrun.aws.items import SHARDS, Item, encoded, shard_of
from sheetrun.jobs.errors import Raced
from sheetrun.jobs.job import instant, rfc3339
from sheetrun.jobs.webhooks import Attempt, Delivery, DeliveryStatus, Endpoint, Guard, Secret
from sheetrun.service.outgoing import DeliveryPage

PAGES = 10  #: that one list request may read


class DynamoWebhooks(OnTable):
    """``service.outgoing.Webhooks``."""

    # ---- endpoints ----------------------------------------------------------------------------------------------

    def add_endpoint(self, endpoint: Endpoint) -> Endpoint:
        if self._create(_endpoint_item(endpoint)):
            return endpoint
        return self.get_endpoint(endpoint.client, endpoint.id) or endpoint

    def save_endpoint(self, endpoint: Endpoint) -> None:
        self._replace(_endpoint_item(endpoint), endpoint.rev)

    def get_endpoint(self, client: str, endpoint_id: str) -> Endpoint | None:
        found = self._read(f"CLIENT#{client}", f"HOOK#{endpoint_id}")
        return None if found is None else _read_endpoint(found)

    def endpoints(self, client: str) -> Sequence[Endpoint]:
        found: list[Endpoint] = []
        start: Item = {}
        while True:
            with dependency("table"):
                page = self._db.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :hook)",
                    ExpressionAttributeValues={":pk": {"S": f"CLIENT#{client}"}, ":hook": {"S": "HOOK#"}},
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    **start,
                )
            found += [_read_endpoint(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def drop_endpoint(self, client: str, endpoint_id: str) -> None:
        with dependency("table"):
            for pk, sk in ((f"CLIENT#{client}", f"HOOK#{endpoint_id}"), (f"HOOK#{endpoint_id}", "GUARD")):
                self._db.delete_item(TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def guard(self, endpoint_id: str) -> Guard:
        found = self._read(f"HOOK#{endpoint_id}", "GUARD")
        return Guard() if found is None else _read_guard(found)

    def save_guard(self, endpoint_id: str, guard: Guard) -> None:
        item = {
            "pk": {"S": f"HOOK#{endpoint_id}"},
            "sk": {"S": "GUARD"},
            "rev": {"N": str(guard.rev)},
            "doc": encoded(_document(guard)),
        }
        if guard.rev > 1:
            self._replace(item, guard.rev)
        elif not self._create(item):
            raise Raced(f"the guard of {endpoint_id} was changed")

    # ---- deliveries ---------------------------------------------------------------------------------------------

    def add_delivery(self, delivery: Delivery) -> Delivery:
        if self._create(_delivery_item(delivery)):
            return delivery
        return self.get_delivery(delivery.endpoint, delivery.id) or delivery

    def save_delivery(self, delivery: Delivery) -> None:
        self._replace(_delivery_item(delivery), delivery.rev)

    def get_delivery(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        found = self._read(f"HOOK#{endpoint_id}", f"DLV#{delivery_id}")
        return None if found is None else _read_delivery(found)

    def deliveries(
        self, endpoint_id: str, *, status: DeliveryStatus | None, after: str | None, limit: int
    ) -> DeliveryPage:
        found: list[Delivery] = []
        start: Item = {}
        for _ in range(PAGES):
            with dependency("table"):
                page = self._db.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
                    ExpressionAttributeValues={
                        ":pk": {"S": f"HOOK#{endpoint_id}"},
                        ":low": {"S": "DLV#"},
                        ":high": {"S": f"DLV#{after or '~'}"},
                    },
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    Limit=limit + 2,
                    **start,
                )
            for item in page["Items"]:
                delivery = _read_delivery(item)
                if delivery.id != after and (status is None or delivery.status is status):
                    found.append(delivery)
                    if len(found) > limit:
                        return DeliveryPage(tuple(found[:limit]), found[limit - 1].id)
            if "LastEvaluatedKey" not in page:
                return DeliveryPage(tuple(found), None)
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        last = start["ExclusiveStartKey"]["sk"]["S"].removeprefix("DLV#")
        return DeliveryPage(tuple(found), last)

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Delivery]:
        found = [item for shard in range(SHARDS) for item in self._until(f"SEND#{shard}", now, limit)]
        return [_read_delivery(item) for item in sorted(found, key=lambda item: item["g2sk"]["S"])[:limit]]

    # ---- events -------------------------------------------------------------------------------------------------

    def add_body(self, job_id: str, event: int, body: str, expires_at: datetime) -> str:
        item = {**_body_key(job_id, event), "doc": {"S": body}, "ttl": {"N": str(int(expires_at.timestamp()))}}
        return body if self._create(item) else self.body(job_id, event) or body

    def body(self, job_id: str, event: int) -> str | None:
        found = self._read(**{name: key["S"] for name, key in _body_key(job_id, event).items()})
        return None if found is None else str(found["doc"]["S"])

    def untold(self, before: datetime, *, limit: int) -> Sequence[tuple[str, int]]:
        found = [item for shard in range(SHARDS) for item in self._until(f"TELL#{shard}", before, limit)]
        return [
            (item["pk"]["S"].removeprefix("JOB#"), int(item["sk"]["S"].removeprefix("EVT#"))) for item in found[:limit]
        ]

    def told(self, job_id: str, event: int) -> bool:
        with dependency("table"):
            try:
                self._db.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": f"EVT#{event:06d}"}},
                    UpdateExpression="REMOVE g2pk, g2sk",
                    ConditionExpression="attribute_exists(g2pk)",
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                return False  # somebody else was faster, or the job was deleted meanwhile
        return True

    # ---- the table ----------------------------------------------------------------------------------------------

    def _create(self, item: Item) -> bool:
        """Whether it was not there."""
        with dependency("table"):
            try:
                self._db.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")
            except self._db.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _replace(self, item: Item, rev: int) -> None:
        with dependency("table"):
            try:
                self._db.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="rev = :rev",
                    ExpressionAttributeValues={":rev": {"N": str(rev - 1)}},
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                raise Raced(f"{item['sk']['S']} was changed by somebody else") from None


# ---- values as JSON documents ---------------------------------------------------------------------------------------


def _document(value: Any) -> Any:
    """A dataclass of plain values, times and others of its kind; what is empty is left out."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {name: _document(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_document(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        found = {spec.name: getattr(value, spec.name) for spec in fields(value)}
        return {name: _document(item) for name, item in found.items() if item is not None and item != ()}
    return value


def _times(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: instant(value) if name in names else value for name, value in document.items()}


def _endpoint_item(endpoint: Endpoint) -> Item:
    return {
        "pk": {"S": f"CLIENT#{endpoint.client}"},
        "sk": {"S": f"HOOK#{endpoint.id}"},
        "rev": {"N": str(endpoint.rev)},
        "doc": encoded(_document(endpoint)),
    }


def _read_endpoint(item: Mapping[str, Any]) -> Endpoint:
    document = _times(json.loads(item["doc"]["S"]), "created_at")
    document["secrets"] = tuple(Secret(**_times(secret, "until")) for secret in document["secrets"])
    document["events"] = tuple(document["events"])
    return Endpoint(**document)


def _read_guard(item: Mapping[str, Any]) -> Guard:
    document = _times(json.loads(item["doc"]["S"]), "failing_since", "open_until")
    document["leases"] = {name: instant(until) for name, until in document["leases"].items()}
    return Guard(**document)


def _delivery_item(delivery: Delivery) -> Item:
    item: Item = {
        "pk": {"S": f"HOOK#{delivery.endpoint}"},
        "sk": {"S": f"DLV#{delivery.id}"},
        "rev": {"N": str(delivery.rev)},
        "doc": encoded(_document(delivery)),
        "ttl": {"N": str(int(delivery.expires_at.timestamp()))},
    }
    if delivery.look_at is not None:
        item |= {"g2pk": {"S": f"SEND#{shard_of(delivery.id)}"}, "g2sk": {"S": rfc3339(delivery.look_at)}}
    return item


def _read_delivery(item: Mapping[str, Any]) -> Delivery:
    times = ("created_at", "expires_at", "body_until", "due_at", "lease_until", "look_at")
    document = _times(json.loads(item["doc"]["S"]), *times)
    document["attempts"] = tuple(Attempt(**_times(attempt, "at")) for attempt in document.get("attempts", ()))
    document["status"] = DeliveryStatus(document["status"])
    return Delivery(**document)


def _body_key(job_id: str, event: int) -> Item:
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": f"BODY#{event:06d}"}}
