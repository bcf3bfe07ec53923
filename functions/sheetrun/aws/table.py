"""Jobs, events and the outbox in one DynamoDB table.

::

    pk            sk               what                      g1pk / g1sk             g2pk / g2sk
    JOB#id        META             the job                   CLIENT#c / id           DUE#shard / when time acts on it
    JOB#id        EVT#000017       an event                                          TELL#shard / its time, if an end
    JOB#id        BODY#000017      how webhooks tell an event (``aws.webhooks``)
    JOB#id        OUT#parse#000001 a message not yet sent                            OUT#shard / when it was written
    LINE#c        turn#id          a job in its client's line, in the order of turns
    LOAD          c                a client's running and waiting jobs, when it was last served
    GATE#n        META             jobs under way (a shard)
    GATE#running  META             jobs that run
    CLIENT#c      ACTIVE           jobs under way of a client
    CLIENT#c      META             the client is known       CLIENTS / c
    CLIENT#c      LIMITS           limits of its own
    CLIENT#c      BUCKET#jobs      when the bucket is full   (``aws.accounts``)
    CLIENT#c      DAY#20566        uploads and bytes of a day
    BATCH#id      META             a batch: the ids of its jobs
    KEY#id        META             an API key                KEYS#c / id
    IDEM#c#hash   META             a stored answer

Every write of a job is conditional on ``rev``. What happens in one state change (job, event, message, gates) is one
transaction. ``ttl`` only reclaims space: deleting is ``sweep``'s, and reading compares times itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sheetrun.aws.adapter import OnTable
from sheetrun.aws.clients import Clients, dependency
from sheetrun.aws.items import SHARDS, Item, event_item, job_item, outbox_item, read_dispatch, read_event, read_job
from sheetrun.aws.places import Places
from sheetrun.jobs.changes import Change
from sheetrun.jobs.errors import Full, Raced
from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job
from sheetrun.jobs.limits import Spend, gate_shards
from sheetrun.service.ids import earliest
from sheetrun.service.ports import JobFilter, Load, Page, Room

PAGES = 20  #: index pages that one list request may read


class DynamoLedger(OnTable):
    """``service.ports.Ledger``."""

    def __init__(self, clients: Clients, table: str, *, patience: timedelta, gates: int = 10_000) -> None:
        super().__init__(clients, table)
        self._patience = patience
        self._gates = gate_shards(gates)
        self.places = Places(clients, table)

    # ---- writing ------------------------------------------------------------------------------------------------

    def create(self, change: Change, *, most: int, most_of_client: int, spend: Spend | None = None) -> None:
        job = change.job
        shards = gate_shards(most)
        actions = [
            {"Put": {**self._put(job_item(job, self._patience)), "ConditionExpression": "attribute_not_exists(pk)"}},
            self._enter(f"GATE#{job.gate}", "META", max(1, most // shards)),
            self._enter(f"CLIENT#{job.client}", "ACTIVE", most_of_client),
            *self.places.spending(spend),
            *self._told(change),
        ]
        reasons = self._transact(actions)
        if not reasons:
            return
        if reasons[0]:
            raise Raced(f"{job.id} exists")
        if reasons[1]:
            raise Full("service", most)
        if reasons[2]:
            raise Full("client", most_of_client)
        if spend is not None and reasons[3]:
            raise self.places.overspent(spend)
        raise Raced(f"{job.id} could not be written")

    def save(self, before: Job, change: Change, *, room: Room | None = None, spend: Spend | None = None) -> None:
        job = change.job
        put = {
            **self._put(job_item(job, self._patience)),
            "ConditionExpression": "rev = :rev",
            "ExpressionAttributeValues": {":rev": {"N": str(before.rev)}},
        }
        told = self._told(change)
        gates = [*self.places.taking(before, job, room), *self.places.spending(spend)]
        moved = [*self._moved(before, job), *self.places.lining_up(before, job)]
        if not told and not gates and not moved:
            self._save_alone(put, job)
            return
        reasons = self._transact([{"Put": put}, *gates, *moved, *told])
        if not reasons:
            return
        if not reasons[0] and room is not None and reasons[1]:
            raise Full("running", room.most)
        if not reasons[0] and room is not None and reasons[2]:
            raise Full("running_client", room.most_of_client)
        if not reasons[0] and spend is not None and reasons[len(gates)]:
            raise self.places.overspent(spend)
        raise Raced(f"{job.id} is not at {before.rev} any more")

    def _save_alone(self, put: Item, job: Job) -> None:
        """A claim's repetition or a heartbeat: one item, so no transaction."""
        with dependency("table"):
            try:
                self._db.put_item(**put)
            except self._db.exceptions.ConditionalCheckFailedException:
                raise Raced(f"{job.id} was written by somebody else") from None

    def _moved(self, before: Job, after: Job) -> list[Item]:
        """Gates change exactly when a job comes to its end, or back from it."""
        if before.ended == after.ended:
            return []
        step = -1 if after.ended else 1
        return [
            self._count(f"GATE#{after.gate}", "META", step),
            self._count(f"CLIENT#{after.client}", "ACTIVE", step),
        ]

    def _enter(self, pk: str, sk: str, most: int) -> Item:
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
                "UpdateExpression": "ADD n :one",
                "ConditionExpression": "attribute_not_exists(n) OR n < :most",
                "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": str(most)}},
            }
        }

    def _count(self, pk: str, sk: str, step: int) -> Item:
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
                "UpdateExpression": "ADD n :step",
                "ExpressionAttributeValues": {":step": {"N": str(step)}},
            }
        }

    def _told(self, change: Change) -> list[Item]:
        """Events and the outbox's message, as actions of the same transaction."""
        actions = [{"Put": self._put(event_item(event, change.job))} for event in change.events]
        if change.dispatch is not None:
            actions.append({"Put": self._put(outbox_item(change.dispatch, change.job))})
        return actions

    def _put(self, item: Item) -> Item:
        return {"TableName": self._table, "Item": item}

    # ---- places and quotas, which are ``places``' --------------------------------------------------------------------

    def spent(self, client: str, day: int) -> tuple[int, int]:
        return self.places.spent(client, day)

    def give_back(self, spend: Spend) -> None:
        self.places.give_back(spend)

    def running(self) -> int:
        return self.places.running()

    def load(self, client: str) -> Load:
        return self.places.load(client)

    def loads(self) -> Sequence[Load]:
        return self.places.loads()

    def first_in_line(self, client: str) -> str | None:
        return self.places.first_in_line(client)

    def tidy(self, load: Load) -> None:
        self.places.tidy(load)

    # ---- reading ------------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job | None:
        found = self._read(f"JOB#{job_id}", "META")
        return None if found is None else read_job(found)

    def events(self, job_id: str, *, after: int, limit: int) -> list[Event]:
        with dependency("table"):
            items = self._db.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
                ExpressionAttributeValues={
                    ":pk": {"S": f"JOB#{job_id}"},
                    ":low": {"S": f"EVT#{min(after + 1, 999_999):06d}"},
                    ":high": {"S": "EVT#999999"},
                },
                ConsistentRead=True,
                Limit=limit,
            )["Items"]
        return [event for event in map(read_event, items) if event.number > after]

    def page(self, client: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page:
        low = "job_" if wanted.created_after is None else f"job_{earliest(wanted.created_after)}"
        high = after or (f"job_{earliest(wanted.created_before)}" if wanted.created_before else "job_~")
        if low > high:
            return Page((), None)  # which a query would refuse
        jobs: list[Job] = []
        start: Item | None = None
        for _ in range(PAGES):
            options: Item = {} if start is None else {"ExclusiveStartKey": start}
            with dependency("table"):
                found = self._db.query(
                    TableName=self._table,
                    IndexName="by-client",
                    KeyConditionExpression="g1pk = :pk AND g1sk BETWEEN :low AND :high",
                    ExpressionAttributeValues={
                        ":pk": {"S": f"CLIENT#{client}"},
                        ":low": {"S": low},
                        ":high": {"S": high},
                    },
                    ScanIndexForward=False,
                    Limit=max(2 * limit, 50),
                    **options,
                )
            for item in found["Items"]:
                job = read_job(item)
                if (after is None or job.id < after) and wanted.holds(job):
                    jobs.append(job)
                    if len(jobs) > limit:
                        return Page(tuple(jobs[:limit]), jobs[limit - 1].id)
            start = found.get("LastEvaluatedKey")
            if start is None:
                return Page(tuple(jobs), None)
        assert start is not None
        return Page(tuple(jobs), start["g1sk"]["S"])

    def due(self, now: datetime, *, limit: int) -> list[str]:
        found: list[tuple[str, str]] = []
        for shard in range(SHARDS):
            items = self._until(f"DUE#{shard}", now, limit)
            found += [(item["g2sk"]["S"], item["pk"]["S"].removeprefix("JOB#")) for item in items]
        return [job_id for _, job_id in sorted(found)[:limit]]

    def unsent(self, before: datetime, *, limit: int) -> list[Dispatch]:
        items = [item for shard in range(SHARDS) for item in self._until(f"OUT#{shard}", before, limit)]
        return [read_dispatch(item) for item in items[:limit]]

    def outbox(self, job_id: str) -> list[Dispatch]:
        with dependency("table"):
            items = self._db.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :out)",
                ExpressionAttributeValues={":pk": {"S": f"JOB#{job_id}"}, ":out": {"S": "OUT#"}},
                ConsistentRead=True,
            )["Items"]
        return [read_dispatch(item) for item in items]

    def sent(self, dispatch: Dispatch) -> None:
        with dependency("table"):
            self._db.delete_item(
                TableName=self._table,
                Key={"pk": {"S": f"JOB#{dispatch.job_id}"}, "sk": {"S": f"OUT#{dispatch.id}"}},
            )

    def delete(self, job: Job) -> None:
        """Events first, the job last: what stops half-way is found again."""
        pk = {"S": f"JOB#{job.id}"}
        while True:
            with dependency("table"):
                items = self._db.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND sk < :meta",
                    ExpressionAttributeValues={":pk": pk, ":meta": {"S": "META"}},
                    ProjectionExpression="pk, sk",
                    Limit=25,
                )["Items"]
                if not items:
                    break
                requests: Any = [{"DeleteRequest": {"Key": {"pk": i["pk"], "sk": i["sk"]}}} for i in items]
                self._db.batch_write_item(RequestItems={self._table: requests})
        with dependency("table"):
            out = self.outbox(job.id)
            for dispatch in out:
                self.sent(dispatch)
            try:
                self._db.delete_item(
                    TableName=self._table,
                    Key={"pk": pk, "sk": {"S": "META"}},
                    ConditionExpression="rev = :rev",
                    ExpressionAttributeValues={":rev": {"N": str(job.rev)}},
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                raise Raced(f"{job.id} changed") from None

    def under_way(self, client: str | None = None) -> int:
        if client is not None:
            keys = [{"pk": {"S": f"CLIENT#{client}"}, "sk": {"S": "ACTIVE"}}]
        else:
            keys = [{"pk": {"S": f"GATE#{gate}"}, "sk": {"S": "META"}} for gate in range(self._gates)]
        requests: Any = {self._table: {"Keys": keys}}
        with dependency("table"):
            items = self._db.batch_get_item(RequestItems=requests)["Responses"].get(self._table, [])
        return sum(int(item["n"]["N"]) for item in items)

    def check(self) -> None:
        with dependency("table"):
            self._db.get_item(TableName=self._table, Key={"pk": {"S": "GATE#0"}, "sk": {"S": "META"}})
