"""What the tests of the use cases share: the whole service in memory."""

from __future__ import annotations

import pytest

from tests.support import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
