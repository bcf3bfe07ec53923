"""Clients of either service, each one job after the other: upload a workbook, wait for its end, take its values.

``python crowd.py celery|sheetrun URL KEY FILE CLIENTS SECONDS CELL…`` prints one JSON object. A client that is at it when
the time is over goes on to the end of its job, and the time until then counts.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

PAUSE = 0.05  #: seconds between two looks, where a service cannot hold a request until there is news
LATEST = 120.0  #: seconds after which a job counts as failed

Job = tuple[float, float, dict[str, Any]]  #: when its end was known, when its values were there, the values


class Celery:
    """FastAPI in front of Celery: one request takes the file, others ask for the state; the values come with the last."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url

    async def job(self, http: httpx.AsyncClient, data: bytes) -> Job:
        sent = await http.post(f"{self._url}/jobs", files={"file": ("small.xlsx", data)})
        address = f"{self._url}/jobs/{sent.raise_for_status().json()['id']}"
        end = time.perf_counter() + LATEST
        while time.perf_counter() < end:
            await asyncio.sleep(PAUSE)
            job = (await http.get(address)).raise_for_status().json()
            if job["state"] == "SUCCESS":
                now = time.perf_counter()
                return now, now, job["cells"]
            if job["state"] == "FAILURE":
                raise RuntimeError(f"{address} failed")
        raise TimeoutError(address)


class Sheetrun:
    """The job, the file to where the answer says, one request that is held until there is news, the values."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = f"{url}/v1/jobs", {"x-api-key": key}

    async def job(self, http: httpx.AsyncClient, data: bytes) -> Job:
        asked = {"filename": "small.xlsx", "size": len(data)}
        made = (await http.post(self._url, json=asked, headers=self._headers)).raise_for_status().json()
        form = made["upload"]
        (await http.post(form["url"], data=form["fields"], files={"file": ("small.xlsx", data)})).raise_for_status()
        end = time.perf_counter() + LATEST
        while time.perf_counter() < end:
            address = made["urls"]["self"]
            job = (
                (await http.get(address, params={"wait": 20, "until": "ended"}, headers=self._headers))
                .raise_for_status()
                .json()
            )
            if not job["running"]:
                break
        else:
            raise TimeoutError(address)
        ended = time.perf_counter()
        if job["state"] != "succeeded":
            raise RuntimeError(f"{address} is {job['state']}: {job['error']}")
        link = await http.get(job["urls"]["results"]["values"], headers=self._headers)
        found = (await http.get(link.headers["location"])).raise_for_status().json()["cells"]
        return ended, time.perf_counter(), {name.upper(): value for name, value in found.items()}


async def crowd(
    one: Callable[[httpx.AsyncClient, bytes], Awaitable[Job]],
    data: bytes,
    clients: int,
    seconds: float,
    cells: list[str],
) -> dict[str, Any]:
    ends: list[float] = []
    values: list[float] = []
    faults: list[str] = []
    answers: set[str] = set()

    async def client(http: httpx.AsyncClient, until: float) -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            try:
                ended, taken, found = await one(http, data)
            except (httpx.HTTPError, RuntimeError, TimeoutError) as problem:
                faults.append(f"{type(problem).__name__}: {problem}"[:200])
                await asyncio.sleep(PAUSE)
                continue
            ends.append(ended - begun)
            values.append(taken - begun)
            answers.add(json.dumps({cell: found.get(cell.upper()) for cell in cells}))

    limits = httpx.Limits(max_connections=2 * clients, max_keepalive_connections=2 * clients)
    async with httpx.AsyncClient(limits=limits, timeout=LATEST) as http:
        begun = time.perf_counter()
        await asyncio.gather(*(client(http, begun + seconds) for _ in range(clients)))
        wall = time.perf_counter() - begun
    return {
        "jobs": len(values),
        "wall": wall,
        "ends": ends,
        "values": values,
        "faults": faults,
        "answers": [json.loads(answer) for answer in sorted(answers)],
        "cpu": time.process_time(),
    }


def main(kind: str, url: str, key: str, file: str, clients: str, seconds: str, *cells: str) -> None:
    service = {"celery": Celery, "sheetrun": Sheetrun}[kind](url, key)
    data = Path(file).read_bytes()
    print(json.dumps(asyncio.run(crowd(service.job, data, int(clients), float(seconds), list(cells)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
