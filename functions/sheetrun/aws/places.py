"""Places among the running jobs, clients' lines, and what a client spent today: as actions of the ledger's transactions.

The layout is in ``aws.table``. A count changes only in the transaction that takes or leaves what it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.aws.adapter import OnTable
from sheetrun.aws.clients import dependency
from sheetrun.aws.items import Item
from sheetrun.jobs.errors import Full
from sheetrun.jobs.job import Job, instant, rfc3339
from sheetrun.jobs.limits import DAY, Spend
from sheetrun.service.ports import Load, Room

_RUNNING = {"pk": {"S": "GATE#running"}, "sk": {"S": "META"}}


class Places(OnTable):
    """``taking`` and ``spending`` may fail by their conditions and come first; ``lining_up`` cannot fail."""

    # ---- actions -------------------------------------------------------------------------------------------------------

    def taking(self, before: Job, after: Job, room: Room | None) -> list[Item]:
        """A place for a job that is admitted: first the whole's, then its client's."""
        if before.admitted or not after.admitted:
            return []
        if room is None:
            raise ValueError("a job is admitted only where there is room")
        served = rfc3339(after.not_before) if after.not_before is not None else ""
        mine = self._add(
            _load_key(after.client),
            {"running": 1, "waiting": -1 if before.in_line else 0},
            "attribute_not_exists(#running) OR #running < :most_running",
            most_running=room.most_of_client,
        )
        mine["Update"]["UpdateExpression"] = f"SET served = :served {mine['Update']['UpdateExpression']}"
        mine["Update"]["ExpressionAttributeValues"][":served"] = {"S": served}
        return [self._add(_RUNNING, {"n": 1}, "attribute_not_exists(#n) OR #n < :most_n", most_n=room.most), mine]

    def lining_up(self, before: Job, after: Job) -> list[Item]:
        """Into the line, out of it (admitted, or at an end), and out of a place."""
        actions: list[Item] = []
        if after.in_line and not before.in_line:
            line = {**_line_key(after), "client": {"S": after.client}}
            actions = [
                {"Put": {"TableName": self._table, "Item": line}},
                self._add(_load_key(after.client), {"waiting": 1, "running": 0}),
            ]
        elif before.in_line and not after.in_line:
            actions = [{"Delete": {"TableName": self._table, "Key": _line_key(before)}}]
            if not after.admitted:
                actions.append(self._add(_load_key(after.client), {"waiting": -1}))
        if before.admitted and not after.admitted:
            actions += [self._add(_RUNNING, {"n": -1}), self._add(_load_key(after.client), {"running": -1})]
        return actions

    def spending(self, spend: Spend | None) -> list[Item]:
        """Against the client's day."""
        if spend is None or not (spend.uploads or spend.bytes):
            return []
        if spend.uploads > spend.most_uploads or spend.bytes > spend.most_bytes:
            raise self.overspent(spend)
        action = self._add(
            _day_key(spend.client, spend.day),
            {"uploads": spend.uploads, "bytes": spend.bytes},
            "(attribute_not_exists(#uploads) OR #uploads <= :most_uploads)"
            " AND (attribute_not_exists(#bytes) OR #bytes <= :most_bytes)",
            most_uploads=spend.most_uploads - spend.uploads,
            most_bytes=spend.most_bytes - spend.bytes,
        )
        action["Update"]["UpdateExpression"] = f"SET #ttl = :ttl {action['Update']['UpdateExpression']}"
        action["Update"]["ExpressionAttributeNames"]["#ttl"] = "ttl"
        action["Update"]["ExpressionAttributeValues"][":ttl"] = {"N": str((spend.day + 3) * DAY)}
        return [action]

    def overspent(self, spend: Spend) -> Full:
        """Which of the two limits it was."""
        uploads, _ = self.spent(spend.client, spend.day)
        if uploads + spend.uploads > spend.most_uploads:
            return Full("uploads", spend.most_uploads)
        return Full("bytes", spend.most_bytes)

    def _add(self, key: Item, steps: dict[str, int], condition: str | None = None, **limits: int) -> Item:
        values = {f":{name}": {"N": str(step)} for name, step in steps.items()}
        action: Item = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in steps),
            "ExpressionAttributeNames": {f"#{name}": name for name in steps},
            "ExpressionAttributeValues": values | {f":{name}": {"N": str(limit)} for name, limit in limits.items()},
        }
        if condition is not None:
            action["ConditionExpression"] = condition
        return {"Update": action}

    # ---- reading -------------------------------------------------------------------------------------------------------

    def spent(self, client: str, day: int) -> tuple[int, int]:
        item = self._read_at(_day_key(client, day)) or {}
        return _number(item, "uploads"), _number(item, "bytes")

    def give_back(self, spend: Spend) -> None:
        update = self._add(_day_key(spend.client, spend.day), {"uploads": -spend.uploads, "bytes": -spend.bytes})
        with dependency("table"):
            self._db.update_item(**update["Update"])

    def running(self) -> int:
        return _number(self._read_at(_RUNNING) or {}, "n")

    def load(self, client: str) -> Load:
        return _load(client, self._read_at(_load_key(client)) or {})

    def loads(self) -> Sequence[Load]:
        found: list[Load] = []
        options: Item = {}
        while True:
            with dependency("table"):
                answer: Any = self._db.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues={":pk": {"S": "LOAD"}},
                    ConsistentRead=True,
                    **options,
                )
            found += [_load(item["sk"]["S"], item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            options = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def first_in_line(self, client: str) -> str | None:
        with dependency("table"):
            items = self._db.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"LINE#{client}"}},
                ConsistentRead=True,
                Limit=1,
            )["Items"]
        return items[0]["sk"]["S"].rpartition("#")[2] if items else None

    def tidy(self, load: Load) -> None:
        with dependency("table"):
            try:
                self._db.delete_item(
                    TableName=self._table,
                    Key=_load_key(load.client),
                    ConditionExpression="#running = :none AND #waiting = :none",
                    ExpressionAttributeNames={"#running": "running", "#waiting": "waiting"},
                    ExpressionAttributeValues={":none": {"N": "0"}},
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                return  # it has something to do again


def _load_key(client: str) -> Item:
    return {"pk": {"S": "LOAD"}, "sk": {"S": client}}


def _line_key(job: Job) -> Item:
    turn = job.turn_at or job.created_at
    return {"pk": {"S": f"LINE#{job.client}"}, "sk": {"S": f"{rfc3339(turn)}#{job.id}"}}


def _day_key(client: str, day: int) -> Item:
    return {"pk": {"S": f"CLIENT#{client}"}, "sk": {"S": f"DAY#{day}"}}


def _number(item: Mapping[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _load(client: str, item: Mapping[str, Any]) -> Load:
    served = item.get("served", {}).get("S")
    return Load(
        client=client,
        running=_number(item, "running"),
        waiting=_number(item, "waiting"),
        served=instant(served) if served else None,
    )
