"""The ports in memory, for tests here and for whoever embeds the use cases: conditional like the real ones."""

from __future__ import annotations

from sheetrun.service.fakes.ambient import FakeClock, FakeIds, FakeLog
from sheetrun.service.fakes.blobs import MemoryBlobs
from sheetrun.service.fakes.queues import MemoryQueues
from sheetrun.service.fakes.table import MemoryTable

__all__ = ["FakeClock", "FakeIds", "FakeLog", "MemoryBlobs", "MemoryQueues", "MemoryTable"]
