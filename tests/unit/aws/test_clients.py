"""Clients of AWS services: made once, and ready for many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import boto3

from sheetrun.aws.clients import Clients


def test_a_client_knows_its_exceptions_before_threads_share_it() -> None:
    """botocore makes their classes on first use: two threads would get two sets, and miss each other's exceptions."""
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    clients = Clients(endpoint="http://127.0.0.1:1", session=session)
    for client in (clients.dynamodb, clients.s3, clients.sqs):
        assert client._exceptions is not None
    assert clients.dynamodb is clients.dynamodb


def test_threads_that_ask_at_once_get_one_client() -> None:
    """Two would have two classes for each error, and what one raises the other would not catch."""
    clients = Clients(session=boto3.Session(region_name="us-east-1"))
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: id(clients.sqs), range(64)))
    assert len(set(found)) == 1
