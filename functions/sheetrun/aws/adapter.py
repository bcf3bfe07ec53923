"""What the adapters on the one table share: which table it is, and reading one item of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sheetrun.aws.clients import Clients, dependency

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class OnTable:
    """An adapter on the table ``table``."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    @property
    def _db(self) -> DynamoDBClient:
        return self._clients.dynamodb

    def _read(self, pk: str, sk: str) -> Mapping[str, Any] | None:
        with dependency("table"):
            return self._db.get_item(
                TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            ).get("Item")
