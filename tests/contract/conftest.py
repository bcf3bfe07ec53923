"""The ports, once in memory and once on the embedded AWS, in a table of their own: the service's sweep does not see them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sheetrun.aws.accounts import DynamoBatches, DynamoIdempotency, DynamoKeys, DynamoLimits
from sheetrun.aws.blobs import S3Blobs
from sheetrun.aws.clients import Clients
from sheetrun.aws.queues import SqsQueues
from sheetrun.aws.table import DynamoLedger
from sheetrun.local.emulator import ROOT
from sheetrun.service.fakes import MemoryBlobs, MemoryQueues, MemoryTable
from sheetrun.service.ports import all_queue_names
from tests.contract.ports import PATIENCE, Ports

# Far from now, so that the schedule of the running service leaves these jobs alone.
from tests.elsewhere import Service


@pytest.fixture(scope="session")
def own_table(service: Service) -> str:
    """Made as the template's is."""
    db: Any = boto3.Session(region_name=service.region, **ROOT).client("dynamodb", endpoint_url=service.aws_endpoint)
    made = db.describe_table(TableName=service.table)["Table"]
    name = f"contract-{secrets.token_hex(4)}"
    indexes = [
        {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
        for index in made["GlobalSecondaryIndexes"]
    ]
    db.create_table(
        TableName=name,
        AttributeDefinitions=made["AttributeDefinitions"],
        KeySchema=made["KeySchema"],
        GlobalSecondaryIndexes=indexes,
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture(scope="session")
def clients(service: Service) -> Clients:
    """Of the embedded AWS, with its own credentials."""
    return Clients(endpoint=service.aws_endpoint, session=boto3.Session(region_name=service.region, **ROOT))


@pytest.fixture(params=["fakes", pytest.param("aws", marks=pytest.mark.e2e)])
def ports(request: pytest.FixtureRequest) -> Iterator[Ports]:
    client = f"c{secrets.token_hex(6)}"
    if request.param == "fakes":
        table, blobs = MemoryTable(), MemoryBlobs()
        yield Ports(table, table, table, table, table, blobs, MemoryQueues(), blobs.upload, client)
        return
    service: Service = request.getfixturevalue("service")
    own_table: str = request.getfixturevalue("own_table")
    clients: Clients = request.getfixturevalue("clients")
    prefix = f"contract-{client}"
    urls = {name: clients.sqs.create_queue(QueueName=f"{prefix}-{name}")["QueueUrl"] for name in all_queue_names()}
    s3 = S3Blobs(clients, service.bucket)
    yield Ports(
        DynamoLedger(clients, own_table, patience=PATIENCE, gates=10_000),
        DynamoKeys(clients, own_table),
        DynamoBatches(clients, own_table),
        DynamoLimits(clients, own_table),
        DynamoIdempotency(clients, own_table),
        s3,
        SqsQueues(clients, urls, own=urls),
        lambda key, data: s3.put(key, data, content_type="application/octet-stream"),
        client,
    )
    for url in urls.values():
        clients.sqs.delete_queue(QueueUrl=url)
