"""What a call of a model takes on the embedded service, beside an empty Lambda function behind the same gateway.

``python -m tests.bench.calls [FILE.xlsx…]``: medians of calls one after another, in milliseconds. Nothing here fails
for a time.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import requests

from sheetrun.client import Client
from sheetrun.local import Running, up
from sheetrun.local.emulator import ROOT

from .catalogue import ROOT as PROJECT

TIMES: Final = 100
WARM: Final = 10
PARAMETERS: Final = {"RequestsPerMinute": "100000", "CallsPerMinute": "100000"}
_TRUST: Final = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},'
    ' "Action": "sts:AssumeRole"}]}'
)
_EMPTY: Final = (
    "import sys\ndef handler(event, context):\n    print('.', file=sys.stderr)\n"  # a line, or the emulator waits for one
    "    return {'statusCode': 200, 'body': '{}'}\n"
)


def main(files: Sequence[str]) -> int:
    """Prints a table."""
    books = [Path(file) for file in files] or [PROJECT / "examples" / "solar_farm.xlsx"]
    with up(port=0, parameters=PARAMETERS) as service, requests.Session() as http:
        url = empty_function(service)
        rows = [("an empty function", *timed(lambda: http.post(url, data="{}", timeout=60)), "")]
        client = Client(f"{service.url}/v1", service.key)
        for book in books:
            rows.append(call_of(service, client, http, book))
        rows.append(("an empty function, again", *timed(lambda: http.post(url, data="{}", timeout=60)), ""))
    floor = min(rows[0][1], rows[-1][1])
    print(f"{'':38} {'median':>8} {'fastest':>8} {'above empty':>12}  formulas computed")
    for name, median, fastest, formulas in rows:
        print(f"{name:38.38} {median:8.1f} {fastest:8.1f} {median - floor:12.1f}  {formulas}")
    return 0


def call_of(service: Running, client: Client, http: requests.Session, book: Path) -> tuple[str, float, float, str]:
    """One number that is set, another each time, and the first output that it reaches."""
    job = client.wait(client.submit(book))
    model = client.model(job)
    url, headers = f"{service.url}/v1/models/{job.id}/calculate", {"x-api-key": service.key}
    value = 0
    best: tuple[int, str, str] = (0, "", "")
    for entry in [e for e in model["inputs"] if e["type"] == "number" and "shape" not in e][:8]:
        for output in [last_cell(e["reference"]) for e in model["outputs"]][:5]:
            body = {"inputs": {entry["reference"]: entry["value"]}, "outputs": [output], "strict": False}
            found = http.post(url, json=body, headers=headers, timeout=60).json().get("formulas", 0)
            best = max(best, (found, entry["reference"], output))

    def call() -> requests.Response:
        nonlocal value
        value += 1
        body = {"inputs": {best[1]: 1 + value / 1000}, "outputs": [best[2]], "strict": False}
        return http.post(url, json=body, headers=headers, timeout=60)

    return (book.name, *timed(call), f"{best[0]:,} of {job.report.formulas if job.report else 0:,}")


def last_cell(reference: str) -> str:
    """``Model!L9`` of ``Model!L2:L9``."""
    sheet, mark, cells = reference.rpartition("!")
    return f"{sheet}{mark}{cells.rpartition(':')[2]}"


def timed(call: Callable[[], requests.Response]) -> tuple[float, float]:
    """(median, fastest) in ms, after some calls that are not counted."""
    took = []
    for number in range(WARM + TIMES):
        begun = time.perf_counter()
        answer = call()
        if number >= WARM:
            took.append((time.perf_counter() - begun) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code}: {answer.text[:200]}")
    return statistics.median(took), min(took)


def empty_function(service: Running) -> str:
    """The address of a REST API that goes to a function which does nothing."""
    session = boto3.Session(region_name=service.region, **ROOT)
    functions: Any = session.client("lambda", endpoint_url=service.aws_endpoint)
    gateway: Any = session.client("apigateway", endpoint_url=service.aws_endpoint)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", _EMPTY)
    identities: Any = session.client("iam", endpoint_url=service.aws_endpoint)
    role = identities.create_role(RoleName="empty", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    arn = functions.create_function(
        FunctionName="empty",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
    )["FunctionArn"]
    api = gateway.create_rest_api(name="empty")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="empty")["id"]
    where = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}
    gateway.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:{service.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="x")
    functions.add_permission(
        FunctionName="empty",
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    return f"{service.aws_endpoint}/restapis/{api}/x/_user_request_/empty"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
