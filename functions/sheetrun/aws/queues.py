"""Messages on SQS: one queue per step, and per priority where waiting is felt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sheetrun.aws.clients import Clients, dependency
from sheetrun.jobs.errors import StepRetryable
from sheetrun.jobs.events import Dispatch
from sheetrun.service.ports import Depth, queue_name

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueues:
    """``service.ports.Queues``; ``urls`` by queue name, ``own`` are the queues that this function reads."""

    def __init__(
        self, clients: Clients, urls: Mapping[str, str], *, own: Mapping[str, str] | None = None, deliver: str = ""
    ) -> None:
        self._clients = clients
        self._urls = urls
        self._deliver = deliver
        self._own = {url.rsplit("/", 1)[-1]: url for url in (own or {}).values()}

    @property
    def _sqs(self) -> SQSClient:
        return self._clients.sqs

    def send(self, dispatch: Dispatch) -> None:
        name = queue_name(dispatch.step, dispatch.priority)
        url = self._urls.get(name)
        if url is None:
            raise StepRetryable("queue_unknown", f"this function was not given the queue {name}")
        with dependency("queue"):
            self._sqs.send_message(
                QueueUrl=url, MessageBody=json.dumps(dispatch.message()), DelaySeconds=min(900, dispatch.delay)
            )

    def post(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        with dependency("queue"):
            self._sqs.send_message(
                QueueUrl=self._deliver, MessageBody=json.dumps(message), DelaySeconds=min(900, max(0, delay))
            )

    def put_off(self, source: str, receipt: str, seconds: int) -> None:
        """SQS holds a message back for 12 hours at most."""
        url = self._own.get(source.rsplit(":", 1)[-1])
        if url is None:
            raise StepRetryable("queue_unknown", f"this function was not given the URL of {source}")
        with dependency("queue"):
            self._sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=min(43_200, max(0, seconds))
            )

    def depth(self) -> Depth:
        waiting: dict[str, int] = {}
        running = 0
        for name, url in sorted(self._urls.items()):
            with dependency("queue"):
                numbers = self._sqs.get_queue_attributes(
                    QueueUrl=url,
                    AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
                )["Attributes"]
            waiting[name] = int(numbers["ApproximateNumberOfMessages"])
            running += int(numbers["ApproximateNumberOfMessagesNotVisible"])
        return Depth(waiting, running)

    def check(self) -> None:
        _, url = min(self._urls.items())
        with dependency("queue"):
            self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
