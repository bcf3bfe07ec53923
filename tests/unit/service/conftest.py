"""What the tests of the use cases share: the whole service in memory."""

from __future__ import annotations

import pytest

from tests.support import Bench

from .called import Called, loan


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Called:
    return Called(loan(tmp_path_factory.mktemp("loan")))
