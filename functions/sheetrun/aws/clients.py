"""Clients of AWS, made when first asked for, with time-outs that fit inside a function's.

They are made by botocore, which is what boto3 is made of: what boto3 puts around it is of no use here, and every cold start
would import it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.session import Session

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


class Maker(Protocol):
    """What makes clients: a ``boto3.Session``."""

    def client(self, service_name: Any, /, *, endpoint_url: str | None, config: Config) -> Any: ...


class Clients:
    """``endpoint`` None: what the environment says (``AWS_ENDPOINT_URL``), else AWS itself. ``session`` None: credentials
    and region too are what the environment says."""

    def __init__(self, *, endpoint: str | None = None, session: Maker | None = None) -> None:
        self._new = _session().create_client if session is None else session.client
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
        client = self._new(name, endpoint_url=self._endpoint, config=_PATHS if own else _CONFIG)
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


class _Services(Loader):
    """The descriptions of services, which come with botocore. It would look into four hundred folders to learn that these
    are there, a third of what the first client takes."""

    def list_available_services(self, type_name: str) -> list[str]:
        return ["dynamodb", "s3", "sqs"]


def _session() -> Session:
    session = Session()
    own = session.get_config_variable("data_path")  # AWS_DATA_PATH
    session.register_component(
        "data_loader", _Services([os.path.expanduser(p) for p in own.split(os.pathsep)] if own else [])
    )
    return session


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
