"""What the adapters on the one table share: which table it is, and the ways to read and write it that they all need."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sheetrun.aws.clients import Clients, dependency
from sheetrun.aws.items import Item
from sheetrun.jobs.errors import Raced
from sheetrun.jobs.job import rfc3339

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONFLICT_TRIES = 8


class OnTable:
    """An adapter on the table ``table``."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    @property
    def _db(self) -> DynamoDBClient:
        return self._clients.dynamodb

    def _read(self, pk: str, sk: str) -> Mapping[str, Any] | None:
        return self._read_at({"pk": {"S": pk}, "sk": {"S": sk}})

    def _read_at(self, key: Item) -> Mapping[str, Any] | None:
        with dependency("table"):
            return self._db.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _until(self, pk: str, moment: datetime, limit: int) -> list[Item]:
        """What the index by time has under a name, up to a moment; the oldest first."""
        with dependency("table"):
            return self._db.query(
                TableName=self._table,
                IndexName="by-time",
                KeyConditionExpression="g2pk = :pk AND g2sk <= :now",
                ExpressionAttributeValues={":pk": {"S": pk}, ":now": {"S": rfc3339(moment)}},
                Limit=limit,
            )["Items"]

    def _transact(self, actions: list[Item]) -> list[bool]:
        """Which conditions failed, by action; empty when all was written. A conflict of two writers is tried again."""
        for attempt in range(_CONFLICT_TRIES):
            with dependency("table"):
                try:
                    self._db.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
                    return []
                except self._db.exceptions.TransactionCanceledException as error:
                    codes = [reason.get("Code", "None") for reason in error.response["CancellationReasons"]]
            if "ConditionalCheckFailed" in codes:
                return [code == "ConditionalCheckFailed" for code in codes]
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise Raced("the transaction met others again and again")
