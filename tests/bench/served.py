"""A million scenarios of the small benchmark workbook on the embedded service, from the request to its results.

``python -m tests.bench.served [COUNT]`` prints one JSON object: seconds, scenarios a second, chunks, the largest worker.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import requests

from sheetrun.local import up

from .books import make
from .catalogue import BOOKS

BOOK = "small_200"
OUTPUTS = ("Model!L2", "Model!L21")
SAMPLE = {"Params!B1": {"normal": [1.1, 0.05]}}


def measure(count: int) -> dict[str, Any]:
    make([BOOK])
    running = up(port=0)
    try:
        return _measured(running.url, running.key, count)
    finally:
        running.stop()


def _measured(url: str, key: str, count: int) -> dict[str, Any]:
    session = requests.Session()
    session.headers["x-api-key"] = key

    def until_end(job_id: str) -> tuple[dict[str, Any], int]:
        most = 0
        while True:
            job = session.get(f"{url}/v1/jobs/{job_id}", params={"wait": 1}, timeout=60).json()
            most = max(most, _largest())
            if not job["running"]:
                return job, most

    job = session.post(f"{url}/v1/jobs", json={"filename": "small.xlsx"}, timeout=60).json()
    with BOOKS[BOOK].path.open("rb") as file:
        form = job["upload"]
        requests.post(form["url"], data=form["fields"], files={"file": file}, timeout=60).raise_for_status()
    until_end(job["id"])
    body = {"sample": SAMPLE, "count": count, "seed": 1, "outputs": OUTPUTS}
    begun = time.monotonic()
    made = session.post(f"{url}/v1/models/{job['id']}/scenarios", json=body, timeout=60).json()
    done, most = until_end(made["id"])
    seconds = time.monotonic() - begun
    if done["state"] != "succeeded":
        raise RuntimeError(json.dumps(done))
    return {
        "scenarios": count,
        "seconds": round(seconds, 1),
        "per_second": round(count / seconds),
        "chunks": done["report"]["chunks"],
        "largest_process_mb": round(most / 2**20),
        "load": os.getloadavg()[0],
    }


def _largest() -> int:
    """Resident bytes of the largest process below this one."""
    sizes = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                sizes[int(place.name)] = (int(fields[1]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))
            except (OSError, IndexError):  # it ended meanwhile
                continue
    ours, found = {os.getpid()}, 0
    for _ in range(6):
        ours |= {pid for pid, (parent, _) in sizes.items() if parent in ours}
    for pid in ours - {os.getpid()}:
        found = max(found, sizes.get(pid, (0, 0))[1])
    return found


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)))
