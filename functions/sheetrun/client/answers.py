"""What a service answered as what was asked for, or BadAnswer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sheetrun.client.errors import BadAnswer
from sheetrun.client.values import Job


def job_of(answer: Mapping[str, Any], address: str) -> Job:
    """The job that an answer of the service at ``address`` is."""
    try:
        return Job.of(answer)
    except KeyError as error:
        raise BadAnswer(address, 200, f"and the job has no {error}") from None


def result_of(content: bytes, address: str, what: str) -> dict[str, Any]:
    """A result that is a JSON object; ``what`` it is called in the error."""
    document = json.loads(content)
    if not isinstance(document, dict):
        raise BadAnswer(address, 200, f"and its {what} not an object")
    return document
