"""Functions that die, messages that come twice, notifications that are lost: on the real queues and table."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.e2e.conftest import SECONDS, Client, workbook
from tests.elsewhere import Service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def queue(aws: Any, name: str) -> str:
    urls = aws("sqs").list_queues(QueueNamePrefix=f"sheetrun-{name}")["QueueUrls"]
    assert len(urls) == 1
    return str(urls[0])


def sweep(aws: Any) -> dict[str, int]:
    answer = aws("lambda").invoke(FunctionName="sheetrun-sweep", Payload="{}")
    found: dict[str, int] = json.loads(answer["Payload"].read())
    return found


def test_every_message_twice_makes_one_result(client: Client, aws: Any) -> None:
    made = client.submit()
    client.upload(made, workbook())
    client.until(made["id"])
    before = client.job(made["id"])
    for name, step, number in (
        ("ParseNormalQueue", "parse", 1),
        ("GenerateQueue", "generate", 2),
        ("ExecuteNormalQueue", "execute", 3),
    ):
        body = json.dumps({"job_id": made["id"], "step": step, "epoch": number})
        aws("sqs").send_message(QueueUrl=queue(aws, name), MessageBody=body)
    time.sleep(3)
    assert client.job(made["id"]) == before


def test_a_lost_notification_is_found(client: Client, service: Service, aws: Any) -> None:
    """The object is written while the bucket tells nobody: only a sweep can find it, ours or the one of each minute."""
    s3 = aws("s3")
    told = s3.get_bucket_notification_configuration(Bucket=service.bucket)
    told.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=service.bucket, NotificationConfiguration={})
    try:
        made = client.submit()
        client.upload(made, workbook())
        end = time.monotonic() + SECONDS
        while client.job(made["id"], wait=1)["state"] == "awaiting_upload" and time.monotonic() < end:
            sweep(aws)
        assert client.until(made["id"])["state"] == "succeeded"
    finally:
        s3.put_bucket_notification_configuration(Bucket=service.bucket, NotificationConfiguration=told)


def test_a_message_nobody_can_read_ends_in_the_dead_letters(aws: Any) -> None:
    """It does no harm on the way: three tries at most, then it rests."""
    url = queue(aws, "GenerateQueue")
    aws("sqs").send_message(QueueUrl=url, MessageBody="not json")
    names = ["ApproximateNumberOfMessages"]
    end = time.monotonic() + SECONDS
    waiting = "1"
    while waiting != "0" and time.monotonic() < end:
        time.sleep(0.2)
        waiting = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]]
    assert waiting == "0"


def test_dead_letters_end_their_job(client: Client, aws: Any) -> None:
    made = client.submit()
    body = json.dumps({"job_id": made["id"], "step": "parse", "epoch": 1})
    # Nothing was uploaded, so no step is due: the letter is about another state of the job and changes nothing.
    aws("sqs").send_message(QueueUrl=queue(aws, "StepDeadLetters"), MessageBody=body)
    time.sleep(2)
    assert client.job(made["id"])["state"] == "awaiting_upload"
