"""The embedded run as a process: state over a restart, a clean stop."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sheetrun.local import up
from tests.e2e.conftest import Client, workbook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def children(group: int) -> list[int]:
    """Processes of a process group that are alive."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_jobs_and_keys_outlive_a_restart_and_nothing_stays_behind(tmp_path: Path) -> None:
    first = up(port=0, data_dir=tmp_path)
    client = Client(first.url, first.key)
    done = client.submit()
    client.upload(done, workbook())
    assert client.until(done["id"])["state"] == "succeeded"
    waiting = client.submit()
    group = os.getpgid(first._emulator.process.pid)
    first.stop()
    assert children(group) == []
    assert not first._scratch.exists()

    begun = time.monotonic()
    second = up(data_dir=tmp_path)
    try:
        assert (second.url, second.key) == (first.url, first.key)
        assert time.monotonic() - begun < 60
        assert client.job(done["id"])["state"] == "succeeded"
        assert client.call("GET", f"/v1/jobs/{done['id']}/results/values").status_code == 302
        assert client.upload(waiting, workbook()).status_code == 204
        assert client.until(waiting["id"])["state"] == "succeeded"
    finally:
        second.stop()
    second.stop()
