"""Many clients at once, each with a key of its own: submit, upload, look until the end; then the books are checked."""

from __future__ import annotations

import io
import json
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import openpyxl
import requests

SECONDS_FOR_THE_REST = 300
PAUSE = 1.0  #: between two looks at a job


@dataclass
class Seen:
    """What all clients saw together."""

    statuses: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    looks: list[float] = field(default_factory=list)  #: seconds of a status request, as a client measures them
    waits: list[float] = field(default_factory=list)  #: seconds from submission to the end
    jobs: dict[str, list[str]] = field(default_factory=dict)  #: by client
    wrong: list[str] = field(default_factory=list)
    lost_connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def workbook(number: int) -> bytes:
    """A small model, a different one for each number; the sum of its last column is ``110 * number``."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 11):
        sheet.cell(row, 1, row * number)
        sheet.cell(row, 2, f"=A{row}*2")
    sheet.cell(11, 2, "=SUM(B1:B10)")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Visitor(threading.Thread):
    """One client: a job after the other until the time is over, and then to the end of its last."""

    def __init__(self, url: str, key: str, name: str, number: int, until: float, seen: Seen) -> None:
        super().__init__(name=name, daemon=True)
        self.url, self.key, self.number, self.until, self.seen = url, key, number, until, seen
        self.session = requests.Session()
        self.file = workbook(number)

    def run(self) -> None:
        try:
            while time.monotonic() < self.until:
                self.one()
        except Exception as error:
            with self.seen.lock:
                self.seen.wrong.append(f"{self.name}: {error!r}")

    def one(self) -> None:
        """One job from its submission to its values. Every request that creates is sent twice, with the same key."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        begun = time.monotonic()
        body = {"filename": f"{self.name}.xlsx", "size": len(self.file)}
        first = self.ask("POST", "/v1/jobs", json=body, headers=headers)
        again = self.ask("POST", "/v1/jobs", json=body, headers=headers)
        job = first.json()
        with self.seen.lock:
            self.seen.jobs.setdefault(self.name, []).append(job["id"])
            if again.json()["id"] != job["id"]:
                self.seen.wrong.append(f"{self.name}: one Idempotency-Key made two jobs")
        upload = job["upload"]
        sent = self.session.post(upload["url"], data=upload["fields"], files={"file": self.file}, timeout=60)
        with self.seen.lock:
            self.seen.statuses[("upload", sent.status_code, "")] += 1
        end = time.monotonic() + SECONDS_FOR_THE_REST
        while job["running"]:
            if time.monotonic() > end:
                raise TimeoutError(f"{job['id']} is still {job['state']}")
            time.sleep(PAUSE)
            asked = time.monotonic()
            job = self.ask("GET", f"/v1/jobs/{job['id']}").json()
            with self.seen.lock:
                self.seen.looks.append(time.monotonic() - asked)
        with self.seen.lock:
            self.seen.waits.append(time.monotonic() - begun)
        if job["state"] != "succeeded":
            raise AssertionError(f"{job['id']} ended as {job['state']}: {json.dumps(job['error'])}")
        link = self.ask("GET", f"/v1/jobs/{job['id']}/results/values")
        values = self.session.get(link.headers["Location"], timeout=60).json()["cells"]
        if values["Sheet!B11"] != 110 * self.number:
            raise AssertionError(f"{job['id']} says {values['Sheet!B11']}, which is not {110 * self.number}")

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """An answer that is not "later": 429 and 503 are obeyed, and counted."""
        headers = {"x-api-key": self.key, **options.pop("headers", {})}
        while True:
            try:
                answer = self.session.request(
                    method, self.url + path, headers=headers, timeout=60, allow_redirects=False, **options
                )
            except requests.ConnectionError:
                with self.seen.lock:
                    self.seen.lost_connections += 1
                time.sleep(0.2)
                continue
            code = ""
            if answer.status_code >= 400 and "problem+json" in answer.headers.get("Content-Type", ""):
                code = answer.json()["code"]
            route = f"{method} {'/v1/jobs/…' if path.count('/') > 2 else path}"
            with self.seen.lock:
                self.seen.statuses[(route, answer.status_code, code)] += 1
            if answer.status_code in (409, 429) or (answer.status_code == 503 and code == "at_capacity"):
                time.sleep(min(5.0, float(answer.headers.get("Retry-After", "1"))))
                continue
            if answer.status_code >= 400:
                raise AssertionError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
            return answer


@dataclass(frozen=True)
class Outcome:
    """What a run showed. ``faults`` empty: nothing was lost, doubled, wrong, or refused as it must not be."""

    jobs: int
    faults: Sequence[str]
    statuses: Counter[tuple[str, int, str]]
    look_median_ms: float
    wait_median: float
    wait_longest: float
    lost_connections: int


def run(url: str, keys: dict[str, str], seconds: float) -> Outcome:
    """Every client of ``keys`` (name -> key) works for so many seconds."""
    seen = Seen()
    until = time.monotonic() + seconds
    visitors = [Visitor(url, key, name, number, until, seen) for number, (name, key) in enumerate(keys.items(), 1)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    faults = [*seen.wrong, *books(url, keys, seen)]
    faults += [
        f"{count} answers {status} {code} to {route}"
        for (route, status, code), count in seen.statuses.items()
        if status >= 500 and code != "at_capacity"
    ]
    return Outcome(
        jobs=sum(map(len, seen.jobs.values())),
        faults=faults,
        statuses=seen.statuses,
        look_median_ms=1000 * statistics.median(seen.looks or [0.0]),
        wait_median=statistics.median(seen.waits or [0.0]),
        wait_longest=max(seen.waits, default=0.0),
        lost_connections=seen.lost_connections,
    )


def books(url: str, keys: dict[str, str], seen: Seen) -> list[str]:
    """Each client's list against what it submitted: every job once, ended well, and no other."""
    faults = []
    for name, key in keys.items():
        listed: list[dict[str, Any]] = []
        path = "/v1/jobs?limit=100"
        while path:
            answer = requests.get(url + path, headers={"x-api-key": key}, timeout=60).json()
            listed += answer["jobs"]
            path = f"/v1/jobs?limit=100&after={answer['after']}" if answer["after"] else ""
        ids = Counter(job["id"] for job in listed)
        mine = Counter(seen.jobs.get(name, []))
        if ids != mine:
            faults.append(f"{name} submitted {sum(mine.values())} jobs and has {sum(ids.values())}")
        faults += [f"{job['id']} is {job['state']}" for job in listed if job["state"] != "succeeded"]
    return faults
