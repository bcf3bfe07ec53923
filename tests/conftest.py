"""The embedded service, started once for all tests that need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sheetrun.local import Running, up

#: Short waits, so that what takes minutes in production takes seconds here.
PARAMETERS = {
    "RetryDelays": "1,1",
    "PatienceSeconds": "2",
    "UploadSeconds": "60",
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
