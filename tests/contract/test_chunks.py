"""Chunks and objects written piece by piece: the fakes and the adapters keep the same promises."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from sheetrun.aws import blobs as aws_blobs
from sheetrun.aws.chunks import DynamoChunks
from sheetrun.aws.clients import Clients
from sheetrun.jobs.chunks import Chunk, Tally, claim_chunk, finish_chunk
from sheetrun.jobs.errors import Raced
from sheetrun.local import Running
from sheetrun.service.fakes import MemoryTable
from sheetrun.service.ports import Chunks
from tests.contract.ports import NOW, Ports

LATER = NOW + timedelta(hours=1)


@pytest.fixture(params=["fakes", pytest.param("aws", marks=pytest.mark.e2e)])
def chunks(request: pytest.FixtureRequest) -> Iterator[Chunks]:
    if request.param == "fakes":
        yield MemoryTable()
        return
    service: Running = request.getfixturevalue("service")
    clients: Clients = request.getfixturevalue("clients")
    yield DynamoChunks(clients, service.table)


def claimed(job_id: str, number: int) -> Chunk:
    chunk = claim_chunk(Chunk(job_id=job_id, number=number), NOW, round_=0, lease=timedelta(seconds=9), max_attempts=3)
    assert isinstance(chunk, Chunk)
    return chunk


def test_a_chunk_is_written_by_one_and_counted_once(chunks: Chunks) -> None:
    job_id = f"job_{secrets.token_hex(6)}"
    assert chunks.chunk(job_id, 7) is None
    assert chunks.tally(job_id) == Tally()
    mine = claimed(job_id, 7)
    chunks.save_chunk(mine, expires_at=LATER)
    with pytest.raises(Raced):
        chunks.save_chunk(mine, expires_at=LATER)
    assert chunks.chunk(job_id, 7) == mine
    done = finish_chunk(mine, mine, scenarios=100, failed=3)
    chunks.save_chunk(done, expires_at=LATER)
    with pytest.raises(Raced):
        chunks.save_chunk(done, expires_at=LATER)
    assert chunks.chunk(job_id, 7) == done
    assert chunks.tally(job_id) == Tally(chunks=1, scenarios=100, failed=3)


def test_all_that_end_at_once_are_counted(chunks: Chunks) -> None:
    job_id = f"job_{secrets.token_hex(6)}"

    def finish(number: int) -> bool:
        mine = claimed(job_id, number)
        try:
            chunks.save_chunk(mine, expires_at=LATER)
            chunks.save_chunk(finish_chunk(mine, mine, scenarios=10, failed=number % 2), expires_at=LATER)
        except Raced:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(finish, [*range(12), *range(12)]))
    found = chunks.chunks(job_id)
    assert sorted(found) == list(range(12))
    assert sum(won) == sum(chunk.done for chunk in found.values())
    assert chunks.tally(job_id).chunks == sum(won)
    assert chunks.tally(job_id).scenarios == 10 * sum(won)


def test_a_late_write_loses(chunks: Chunks) -> None:
    job_id = f"job_{secrets.token_hex(6)}"
    late = claimed(job_id, 0)
    chunks.save_chunk(late, expires_at=LATER)
    other = claim_chunk(late, LATER, round_=0, lease=timedelta(seconds=9), max_attempts=3)
    assert isinstance(other, Chunk)
    chunks.save_chunk(other, expires_at=LATER)
    with pytest.raises(Raced):
        chunks.save_chunk(replace(late, done=True, rev=late.rev + 1), expires_at=LATER)
    assert chunks.tally(job_id) == Tally()


def test_objects_written_piece_by_piece(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_blobs, "WRITTEN_PART", 5 * 2**20)
    key = f"jobs/{ports.client}/results/big.bin"
    pieces = [bytes([n]) * (3 * 2**20 + n) for n in range(5)]
    with ports.blobs.writing(key, content_type="application/octet-stream") as file:
        for piece in pieces:
            file.write(piece)
        assert file.tell() == sum(map(len, pieces))
    assert ports.blobs.get(key) == b"".join(pieces)
    with ports.blobs.writing(key, content_type="text/plain") as file:
        file.write(b"small")
    assert ports.blobs.get(key) == b"small"


@pytest.mark.parametrize("size", [10, 6 * 2**20])
def test_an_object_that_was_given_up_is_not_there(ports: Ports, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_blobs, "WRITTEN_PART", 5 * 2**20)
    key = f"jobs/{ports.client}/results/never.bin"

    def fail() -> None:
        with ports.blobs.writing(key, content_type="application/octet-stream") as file:
            file.write(bytes(size))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ports.blobs.head(key) is None
