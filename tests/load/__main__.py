"""``python -m tests.load``: a hundred clients for a minute, then the graded workbooks. Figures, and 1 on a fault."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from typing import Any

import boto3

from sheetrun.client import Client
from sheetrun.local import Running, up
from sheetrun.local.emulator import ROOT
from tests.load import crowd, graded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=100, help="clients at once (default: 100)")
    parser.add_argument("--seconds", type=float, default=60, help="how long they go on (default: 60)")
    parser.add_argument("--only", choices=("crowd", "graded"), help="only one of the two parts")
    parser.add_argument("--jobs", type=int, default=10, help="graded submissions in each of the two ways (default: 10)")
    arguments = parser.parse_args()
    faults: list[str] = []
    with up(port=0, tell=say) as service:
        if arguments.only != "graded":
            faults += crowded(service, arguments.clients, arguments.seconds)
        folder = graded.corpus()
        if arguments.only != "crowd" and folder is None:
            say("the graded workbooks are not here (SHEETRUN_CORPUS): left out")
        elif arguments.only != "crowd" and folder is not None:
            for every, how in ((0.0, "at once"), (6.0, "ten a minute")):
                say(f"graded workbooks, {arguments.jobs} {how}:")
                with Client(service.url, service.key) as client:
                    outcome = graded.run(client, folder, jobs=arguments.jobs, every=every, tell=say)
                faults += [
                    f"{one.filename}: {one.state}, {one.matched} of {one.compared} {one.error}"
                    for one in outcome
                    if not one.right
                ]
                say(f"  longest {max(one.seconds for one in outcome):.1f} s")
    for fault in faults[:20]:
        say(f"FAULT {fault}")
    say("no fault" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def crowded(service: Running, clients: int, seconds: float) -> list[str]:
    """Runs the crowd and tells its figures."""
    with Client(service.url, service.key) as operator:
        keys = {f"client-{n:03}": operator.operator.create_key(f"client-{n:03}").text or "" for n in range(clients)}
    outcome = crowd.run(service.url, keys, seconds)
    say(f"{clients} clients for {seconds:g} s: {outcome.jobs} jobs")
    say(f"  from submission to the end: median {outcome.wait_median:.1f} s, longest {outcome.wait_longest:.1f} s")
    say(f"  a status request: median {outcome.look_median_ms:.0f} ms at the client")
    server = server_side(service)
    if server:
        say(f"  and {statistics.median(server):.0f} ms in the function ({len(server):,} requests)")
    for (route, status, code), count in sorted(outcome.statuses.items()):
        say(f"  {count:6,}  {status}  {route} {code}")
    say(f"  {outcome.lost_connections} lost connections")
    faults = list(outcome.faults)
    if server and statistics.median(server) >= 100:
        faults.append(f"the median status request took {statistics.median(server):.0f} ms in the function")
    return faults


def server_side(service: Running) -> list[int]:
    """Milliseconds of every request for one job's status, from the function's own log lines."""
    logs: Any = boto3.Session(region_name=service.region, **ROOT).client("logs", endpoint_url=service.aws_endpoint)
    found = []
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/sheetrun-api"):
        for event in page["events"]:
            for line in event["message"].splitlines():
                if '"event": "request"' not in line or '"method": "GET"' not in line:
                    continue
                record = json.loads(line[line.index("{") :])
                if record["path"].startswith("/v1/jobs/job_") and record["path"].count("/") == 3:
                    found.append(int(record["ms"]))
    return found


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
