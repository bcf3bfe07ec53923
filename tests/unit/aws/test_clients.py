"""Clients of AWS services: made once, and ready for many threads."""

from __future__ import annotations

import gzip
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import botocore
import pytest

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


def test_a_first_client_does_not_look_for_all_services_and_needs_no_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    program = (
        "import os, sys; listed = []; old = os.listdir;"
        "os.listdir = lambda path='.': (listed.append(path), old(path))[1];"
        "from sheetrun.aws.clients import Clients; made = Clients();"
        "names = [c.meta.service_model.service_name for c in (made.dynamodb, made.s3, made.sqs)];"
        "print(*names, made.dynamodb.meta.region_name, len(listed) < 20, 'boto3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["dynamodb", "s3", "sqs", "eu-central-1", "True", "False"]


def test_descriptions_of_services_can_stand_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_DATA_PATH, as for every client that botocore makes."""
    described = tmp_path / "sqs" / "2099-01-01"
    described.mkdir(parents=True)
    known = Path(botocore.__file__).parent / "data" / "sqs"
    (newest,) = known.iterdir()
    for file in newest.iterdir():
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        (described / file.name.removesuffix(".gz")).write_bytes(text.replace(newest.name.encode(), b"2099-01-01"))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert Clients().sqs.meta.service_model.api_version == "2099-01-01"
