"""What jobs cost on AWS: `python -m infra.cost` writes the tables of docs/operating.md from what `infra/cost.json` holds.

The file holds list prices with their date and region, the requests of a job, counted, and durations of its steps, measured
by ``--measure`` on the embedded service of this machine. Nothing is asked of AWS. Free tiers and discounts are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "infra" / "cost.json"
PAGE = ROOT / "docs" / "operating.md"
BEGIN, END = "<!-- cost: written by `python -m infra.cost` -->", "<!-- /cost -->"
PARTS = ("functions", "table", "queues", "store", "API", "logs and traces", "storage")


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook's job. ``seconds`` by function; ``source`` and ``kept`` in bytes (file, artefacts and results)."""

    name: str
    formulas: int
    source: int
    kept: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Facts:
    """``prices`` in dollars by unit; ``memory`` in MB by function; ``requests`` of one job."""

    prices: Mapping[str, float]
    memory: Mapping[str, int]
    requests: Mapping[str, float]
    days_kept: float
    log_bytes: float
    books: tuple[Book, ...]
    scenarios: Mapping[str, float]  #: workbook -> scenarios a second of one core
    idle: tuple[Mapping[str, Any], ...]  #: what a month costs without a job: what, units, price of one
    told: Mapping[str, str]  #: where the figures are from


def load(path: Path = FACTS) -> Facts:
    found = json.loads(path.read_text(encoding="utf-8"))
    books = tuple(Book(**book) for book in found.pop("books"))
    return Facts(books=books, idle=tuple(found.pop("idle")), **found)


def job_cost(facts: Facts, book: Book) -> dict[str, float]:
    """Dollars of one job, by part."""
    price, count = facts.prices, facts.requests
    gigabyte_seconds = sum(facts.memory[name] / 1024 * spent for name, spent in book.seconds.items())
    months = facts.days_kept / 30
    return {
        "functions": gigabyte_seconds * price["lambda_gb_second"] + count["functions"] * price["lambda_request"],
        "table": count["table_writes"] * price["table_write"] + count["table_reads"] * price["table_read"],
        "queues": count["queue"] * price["queue_request"],
        "store": count["store_puts"] * price["store_put"] + count["store_gets"] * price["store_get"],
        "API": count["api"] * price["api_request"],
        "logs and traces": facts.log_bytes / 1e9 * price["log_gb"] + count["traces"] * price["trace"],
        "storage": (book.source + book.kept) / 1e9 * price["store_gb_month"] * months,
    }


def scenarios_cost(facts: Facts, name: str, count: int) -> tuple[float, float]:
    """Seconds of one core, and dollars, in functions of execute's size; one second in 300 is their start."""
    seconds = count / facts.scenarios[name] * (1 + 1 / 300)
    return seconds, seconds * facts.memory["execute"] / 1024 * facts.prices["lambda_gb_second"]


def tables(facts: Facts) -> list[str]:
    """Markdown."""
    lines = [
        f"Prices: {facts.told['prices']}. Durations: {facts.told['durations']}. Requests: {facts.told['requests']}.",
        "",
        f"| dollars per 1,000 jobs | formulas | file, kB | {' | '.join(PARTS)} | **sum** |",
        "|---" * (len(PARTS) + 4) + "|",
    ]
    for book in facts.books:
        cost = {part: 1000 * dollars for part, dollars in job_cost(facts, book).items()}
        parts = " | ".join(f"{cost[part]:.3f}" for part in PARTS)
        lines.append(
            f"| {book.name} | {book.formulas:,} | {book.source / 1000:,.0f} | {parts} | **{sum(cost.values()):.2f}** |"
        )
    lines += ["", "| a million scenarios of | seconds of one core | dollars |", "|---|---|---|"]
    for name in facts.scenarios:
        seconds, dollars = scenarios_cost(facts, name, 1_000_000)
        lines.append(f"| {name} | {seconds:,.0f} | {dollars:.3f} |")
    lines += ["", "| a month without a job (`Watch=all`) | units | dollars |", "|---|---|---|"]
    lines += [f"| {one['what']} | {one['units']:,} | {one['units'] * one['price']:.2f} |" for one in facts.idle]
    return [*lines, f"| **sum** | | **{sum(one['units'] * one['price'] for one in facts.idle):.2f}** |"]


def written(page: str, facts: Facts) -> str:
    """The page with its tables as they are now."""
    body = "\n".join([BEGIN, "", *tables(facts), "", END])
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: body, page, flags=re.S)


def measure(facts: dict[str, Any], rounds: int) -> None:
    """Seconds of every function, and sizes, for each workbook of the file, from jobs on an embedded service."""
    from tests.bench.catalogue import BOOKS

    from sheetrun.client import Client
    from sheetrun.local import up

    names = [book["name"] for book in facts["books"]]
    subprocess.run([sys.executable, "-m", "tests.bench.books", *names], cwd=ROOT, check=True)
    # The sweep would be in the way: it is nobody's job.
    with up(port=0, parameters={"SweepRate": "rate(1 hour)"}) as service, Client(service.url, service.key) as client:
        for book in facts["books"]:
            path = BOOKS[book["name"]].path
            _job(client, path)  # functions that were never called are slower
            before = _spent(service)
            jobs = [_job(client, path) for _ in range(rounds)]
            after = _spent(service)
            book["formulas"] = BOOKS[book["name"]].formulas
            book["seconds"] = {name: round((after[name] - before[name]) / rounds, 3) for name in facts["memory"]}
            book["source"] = path.stat().st_size
            book["kept"] = _kept(service, jobs[-1])


def _job(client: Any, path: Path) -> str:
    """Submits and looks each second, which is a short request; waiting in one would keep a function busy."""
    job = client.submit(path)
    while client.job(job).running:
        time.sleep(1)
    time.sleep(1)  # deliver is behind the end
    return str(job.id)


def _spent(service: Any) -> dict[str, float]:
    """Seconds that each function has run so far, as its REPORT lines say."""
    logs = _aws(service, "logs")
    found: dict[str, float] = {}
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        told = " ".join(event["message"] for page in pages for event in page["events"])
        milliseconds = [float(text) for text in re.findall(r"\tDuration: ([0-9.]+) ms", told)]
        found[group["logGroupName"].rpartition("-")[2]] = sum(milliseconds) / 1000
    return found


def _aws(service: Any, name: str) -> Any:
    import boto3

    from sheetrun.local.emulator import ROOT as CREDENTIALS

    return boto3.Session(region_name=service.region, **CREDENTIALS).client(name, endpoint_url=service.aws_endpoint)


def _kept(service: Any, job_id: str) -> int:
    """Bytes of a job's artefacts and results in the bucket."""
    pages = (
        _aws(service, "s3").get_paginator("list_objects_v2").paginate(Bucket=service.bucket, Prefix=f"jobs/{job_id}/")
    )
    return sum(found["Size"] for page in pages for found in page.get("Contents", []))


def main() -> None:
    parser = argparse.ArgumentParser(description="what jobs cost on AWS")
    parser.add_argument("--measure", metavar="ROUNDS", type=int, help="measure the durations anew first")
    arguments = parser.parse_args()
    if arguments.measure:
        found = json.loads(FACTS.read_text(encoding="utf-8"))
        measure(found, arguments.measure)
        FACTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    facts = load()
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), facts), encoding="utf-8")
    print("\n".join(tables(facts)))


if __name__ == "__main__":
    main()
