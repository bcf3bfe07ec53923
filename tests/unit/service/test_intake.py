"""Files at the door: what is refused, what comes by the inbox, what was replaced."""

from __future__ import annotations

import base64
import hashlib

import pytest

from sheetrun.service import compute
from sheetrun.service.uploads import Arrival
from tests.support import XLSX, Bench


def test_the_door_refuses_an_empty_file(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made, b"")
    job = bench.job(made["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == "empty_file"
    assert bench.next_message() is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello, world", "text_file"),
        (b"<!doctype html><html></html>", "html"),
        (b"%PDF-1.7", "pdf"),
        (b"PK\x03\x04 and no more", "truncated_zip"),
        (b"\x00\x01\x02", "not_a_workbook"),
    ],
)
def test_each_kind_of_other_file_is_told_by_its_own_code(bench: Bench, data: bytes, code: str) -> None:
    bench.compute = compute  # type: ignore[assignment]  # the real one
    made = bench.submit()
    bench.upload(made, data)
    bench.run_all()
    job = bench.job(made["id"])
    assert (job["state"], job["error"]["stage"]) == ("failed", "parse")
    assert job["error"]["code"] == code
    assert job["attempts"] == {"parse": 1}


def test_a_file_with_another_checksum_is_refused(bench: Bench) -> None:
    digest = base64.b64encode(hashlib.sha256(XLSX).digest()).decode()
    good, bad = (bench.submit({"filename": "a.xlsx", "sha256": digest}) for _ in range(2))
    bench.upload(good)
    bench.upload(bad, XLSX + b"!")
    assert bench.job(good["id"])["state"] == "queued"
    assert bench.job(bad["id"])["error"]["code"] == "checksum_mismatch"


def drop(bench: Bench, key: str, data: bytes = XLSX, **metadata: str) -> str | None:
    stat = bench.blobs.upload(key, data, metadata)
    return bench.world.door.arrived(Arrival(key=key, at=bench.clock.now(), etag=stat.etag, sequencer="1"))


def test_a_file_dropped_in_the_inbox_becomes_a_job(bench: Bench) -> None:
    first = drop(bench, "inbox/acme/2026/model one.xlsx", priority="low")
    again = drop(bench, "inbox/acme/2026/model one.xlsx", priority="low")
    assert first is not None
    assert again == first
    assert bench.queues.messages[0][0] == "parse-low"
    bench.run_all()
    job = bench.job(first)
    assert job["filename"] == "model one.xlsx"
    assert job["state"] == "succeeded"


def test_a_drop_with_wrong_metadata_fails_with_the_reason(bench: Bench) -> None:
    job_id = drop(bench, "inbox/acme/a.xlsx", priority="urgent")
    assert job_id is not None
    assert "priority" in bench.job(job_id)["error"]["detail"]
    job_id = drop(bench, "inbox/acme/old.xls")
    assert job_id is not None
    assert bench.job(job_id)["error"]["code"] == "unsupported_format"


def test_a_drop_for_nobody_is_ignored(bench: Bench) -> None:
    assert drop(bench, "inbox/stranger/a.xlsx") is None
    assert drop(bench, "elsewhere/a.xlsx") is None
    assert bench.table.jobs == {}


def test_a_file_that_was_replaced_after_it_was_accepted_is_not_computed(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    bench.blobs.upload(f"uploads/acme/{made['id']}/source", XLSX + b"other")
    bench.run_all()
    assert bench.job(made["id"])["error"]["code"] == "source_changed"
