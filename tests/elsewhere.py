"""The stack under test where it is not the embedded run's: ``SHEETRUN_TEST_ENDPOINT`` names where it was deployed to.

Nothing is started or stopped here (``make test-localstack`` does); a key is made, and that is all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from sheetrun.aws.accounts import DynamoKeys
from sheetrun.aws.clients import Clients
from sheetrun.local.emulator import ROOT
from sheetrun.service.access import SCOPES, Access
from sheetrun.service.ids import SystemClock, SystemIds

ENDPOINT = os.environ.get("SHEETRUN_TEST_ENDPOINT", "")
REGION = "us-east-1"
STACK = "sheetrun"

#: This machine, as the functions see it: they are in containers there, and processes of this machine in the embedded run.
HERE = urlsplit(ENDPOINT).hostname or "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Service:
    """``url`` is the API's base, to which ``/v1`` is added; ``key`` an API key with all scopes."""

    url: str
    key: str
    aws_endpoint: str
    table: str
    bucket: str
    region: str = REGION
    log: Path | None = None  #: what the embedded emulator says; beside it lies what its judge decided


def deployed_at(endpoint: str) -> Service:
    """The stack there, with a new key for the client ``local``."""
    session = boto3.Session(region_name=REGION, **ROOT)
    formation = session.client("cloudformation", endpoint_url=endpoint)
    (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    keys = DynamoKeys(Clients(endpoint=endpoint, session=session), outputs["TableName"])
    return Service(
        url=f"{endpoint}/restapis/{outputs['ApiId']}/{outputs['StageName']}/_user_request_",
        key=Access(keys, SystemClock(), SystemIds()).create("local", scopes=SCOPES, name="tests"),
        aws_endpoint=endpoint,
        table=outputs["TableName"],
        bucket=outputs["BucketName"],
    )
