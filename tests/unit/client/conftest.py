"""What commands meet: a service in memory that they find through the environment, and an engine that computes nothing."""

from __future__ import annotations

import pytest

import sheetrun.client.session
from sheetrun.client import MockTransport

from .engine import Engine, pretended
from .service import Scripted


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted()
    monkeypatch.setenv("SHEETRUN_URL", "http://service.test/v1")
    monkeypatch.setenv("SHEETRUN_KEY", "key-1")
    monkeypatch.setattr(sheetrun.client.session, "HttpTransport", lambda: MockTransport(made))
    monkeypatch.setattr(sheetrun.client.session.time, "sleep", lambda _: None)
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return pretended(monkeypatch)
