"""The service, embedded or elsewhere, once for all tests that need it; how properties are tested."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sheetrun.local import launching, up
from tests import elsewhere
from tests.differences import LOCALSTACK
from tests.elsewhere import Service
from tests.recording import launcher

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
    "ChunkSeconds": "1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Elsewhere is LocalStack: what it is known to do otherwise is left out, and the report says why."""
    for item in items if elsewhere.ENDPOINT else []:
        reason = LOCALSTACK.get(item.nodeid.partition("[")[0])
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=f"LocalStack: {reason}"))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """MiniStack on a free port, with IAM enforced and the template deployed to it, what was allowed being written down;
    or the stack that is elsewhere."""
    if elsewhere.ENDPOINT:
        yield elsewhere.deployed_at(elsewhere.ENDPOINT)
        return
    program = launcher(Path(launching.__file__), tmp_path_factory.mktemp("launcher"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "__file__", str(program))
        running = up(port=0, parameters=PARAMETERS)
    try:
        yield Service(
            running.url, running.key, running.aws_endpoint, running.table, running.bucket, running.region, running.log
        )
    finally:
        running.stop()
