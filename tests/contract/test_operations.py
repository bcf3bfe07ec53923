"""Counters and dead letters: the fakes and the table keep the same promises."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sheetrun.aws.clients import Clients
from sheetrun.aws.operations import DynamoOperations
from sheetrun.service.fake_webhooks import MemoryOperations
from sheetrun.service.letters import Letter, Source
from tests.elsewhere import Service

NOW = datetime(2099, 1, 31, 9, 30, tzinfo=UTC)


@pytest.fixture(params=["fakes", pytest.param("aws", marks=pytest.mark.e2e)])
def operations(request: pytest.FixtureRequest) -> Iterator[MemoryOperations | DynamoOperations]:
    if request.param == "fakes":
        yield MemoryOperations()
        return
    service: Service = request.getfixturevalue("service")
    clients: Clients = request.getfixturevalue("clients")
    yield DynamoOperations(clients, service.table)


def test_counters_add_up_under_many_writers(operations: MemoryOperations | DynamoOperations) -> None:
    name = f"test_{secrets.token_hex(6)}_total"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: operations.add({f"{name}:a": 1, f"{name}:b": 0.25}), range(40)))
    totals = operations.totals()
    assert (totals[f"{name}:a"], totals[f"{name}:b"]) == (40, 10)


def test_letters(operations: MemoryOperations | DynamoOperations) -> None:
    mark = f"dead_z{secrets.token_hex(6)}"  # after all letters of the running service
    letters = [
        Letter(
            id=f"{mark}{number}",
            source=Source.STEP,
            at=NOW,
            expires_at=NOW + timedelta(days=1),
            body='{"ü": 1}',
            job_id="job_1" if number else None,
            receives=3,
        )
        for number in range(3)
    ]
    for letter in letters:
        operations.keep(letter)
    assert operations.letter(letters[1].id) == letters[1]
    assert operations.letter(f"{mark}9") is None
    first = operations.letters(after=f"{mark}~", limit=2)
    assert first.letters == (letters[2], letters[1])
    assert first.after == letters[1].id
    second = operations.letters(after=first.after, limit=2)
    assert second.letters[0] == letters[0]
    for letter in letters:
        operations.drop(letter.id)
        operations.drop(letter.id)
    assert operations.letter(letters[0].id) is None
