"""The embedded service, started once for all tests that need it; how properties are tested."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from sheetrun.local import Running, up

# CI tries the same examples each time, so that a change is judged by what it does; elsewhere they are new each time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

#: Short waits, so that what takes minutes in production takes seconds here.
PARAMETERS = {
    "RetryDelays": "1,1",
    "PatienceSeconds": "2",
    "UploadSeconds": "60",
    "WebhookSchedule": "0,1,1,1",
    "WebhookSeconds": "60",
    "RequestsPerMinute": "100000",
}


@pytest.fixture(scope="session")
def service() -> Iterator[Running]:
    """MiniStack on a free port, with IAM enforced and the template deployed to it."""
    running = up(port=0, parameters=PARAMETERS)
    try:
        yield running
    finally:
        running.stop()
