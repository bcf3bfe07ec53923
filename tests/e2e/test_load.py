"""A few clients at once for a short time: nothing is lost, doubled or refused. The whole of it is ``make load``."""

from __future__ import annotations

import pytest

from sheetrun.service.access import Access
from tests.e2e.conftest import Client
from tests.load.crowd import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_a_few_clients_at_once(client: Client, access: Access) -> None:
    keys = {f"few-{number}": access.create(f"few-{number}") for number in range(3)}
    outcome = run(client.url, keys, 2.0)
    assert outcome.faults == []
    assert outcome.jobs >= len(keys)
