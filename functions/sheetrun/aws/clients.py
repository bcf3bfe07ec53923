"""boto3 clients, made when first asked for, with time-outs that fit inside a function's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sheetrun.jobs.errors import StepRetryable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 3},
    signature_version="v4",
    s3={"addressing_style": "virtual"},
)
#: On an endpoint of our own (an emulator, a private gateway) a bucket is in the path: its name is in no DNS.
_PATHS = _CONFIG.merge(Config(s3={"addressing_style": "path"}))


class Clients:
    """``endpoint`` None: what the environment says (``AWS_ENDPOINT_URL``), else AWS itself."""

    def __init__(self, *, endpoint: str | None = None, region: str | None = None, session: boto3.Session | None = None):
        self._session = session or boto3.Session(region_name=region)
        self._endpoint = endpoint
        self._made: dict[str, object] = {}
        self._making = Lock()

    def _client(self, name: str) -> object:
        with self._making:  # two threads with a client each would not know the errors of each other's
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name: str) -> object:
        own = self._endpoint or _environment_endpoint()
        client = self._session.client(
            name,  # type: ignore[call-overload]
            endpoint_url=self._endpoint,
            config=_PATHS if own else _CONFIG,
        )
        # botocore makes the classes of exceptions when they are first asked for. Two threads that ask at once get two
        # sets of them, and one catches what the other never raises.
        _ = client.exceptions
        return client

    @property
    def dynamodb(self) -> DynamoDBClient:
        return self._client("dynamodb")  # type: ignore[return-value]

    @property
    def s3(self) -> S3Client:
        return self._client("s3")  # type: ignore[return-value]

    @property
    def sqs(self) -> SQSClient:
        return self._client("sqs")  # type: ignore[return-value]


def _environment_endpoint() -> bool:
    """Whether the environment names an endpoint (botocore reads it)."""
    return any(name == "AWS_ENDPOINT_URL" or name.startswith("AWS_ENDPOINT_URL_") for name in os.environ)


@contextmanager
def dependency(name: str) -> Iterator[None]:
    """What the service behind ``name`` does not do becomes ``StepRetryable``: it is nobody's fault here."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise StepRetryable(f"{name}_unavailable", f"the {name} answered {code}") from error
    except BotoCoreError as error:
        raise StepRetryable(f"{name}_unavailable", f"the {name} does not answer ({type(error).__name__})") from error
