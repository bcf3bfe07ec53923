"""What operators look at, in the table of the jobs: counters and dead letters.

::

    pk      sk          what
    STATS   META        counters: one attribute each
    DEAD    dead_…      a dead letter
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sheetrun.aws.adapter import OnTable
from sheetrun.aws.clients import dependency
from sheetrun.aws.items import Item, encoded
from sheetrun.jobs.job import instant, rfc3339
from sheetrun.service.letters import Letter, LetterPage, Source


class DynamoOperations(OnTable):
    """``service.metrics.Counters`` and ``service.letters.Letters``."""

    def add(self, amounts: Mapping[str, float]) -> None:
        """In one write, however many they are."""
        names = {f"#n{place}": name for place, name in enumerate(amounts)}
        values = {f":v{place}": {"N": f"{amount:.6f}"} for place, amount in enumerate(amounts.values())}
        with dependency("table"):
            self._db.update_item(
                TableName=self._table,
                Key={"pk": {"S": "STATS"}, "sk": {"S": "META"}},
                UpdateExpression="ADD " + ", ".join(f"#n{place} :v{place}" for place in range(len(amounts))),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )

    def totals(self) -> Mapping[str, float]:
        with dependency("table"):
            found = self._db.get_item(TableName=self._table, Key={"pk": {"S": "STATS"}, "sk": {"S": "META"}}).get(
                "Item"
            )
        return {name: float(value["N"]) for name, value in (found or {}).items() if "N" in value}

    def keep(self, letter: Letter) -> None:
        document = {
            "source": letter.source.value,
            "at": rfc3339(letter.at),
            "expires_at": rfc3339(letter.expires_at),
            "body": letter.body,
            "job_id": letter.job_id,
            "receives": letter.receives,
        }
        item: Item = {
            "pk": {"S": "DEAD"},
            "sk": {"S": letter.id},
            "doc": encoded(document),
            "ttl": {"N": str(int(letter.expires_at.timestamp()))},
        }
        with dependency("table"):
            self._db.put_item(TableName=self._table, Item=item)

    def letter(self, letter_id: str) -> Letter | None:
        found = self._read("DEAD", letter_id)
        return None if found is None else _read(found)

    def letters(self, *, after: str | None, limit: int) -> LetterPage:
        with dependency("table"):
            items = self._db.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk < :after",
                ExpressionAttributeValues={":pk": {"S": "DEAD"}, ":after": {"S": after or "dead_~"}},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=limit + 1,
            )["Items"]
        found = tuple(_read(item) for item in items)
        return LetterPage(found[:limit], found[limit - 1].id if len(found) > limit else None)

    def drop(self, letter_id: str) -> None:
        with dependency("table"):
            self._db.delete_item(TableName=self._table, Key={"pk": {"S": "DEAD"}, "sk": {"S": letter_id}})


def _read(item: Mapping[str, Any]) -> Letter:
    document = json.loads(item["doc"]["S"])
    return Letter(
        id=item["sk"]["S"],
        source=Source(document["source"]),
        at=instant(document["at"]),
        expires_at=instant(document["expires_at"]),
        body=document["body"],
        job_id=document["job_id"],
        receives=document["receives"],
    )
