"""The one table in memory, in all its roles."""

from __future__ import annotations

from sheetrun.service.fakes.answers import MemoryAnswers
from sheetrun.service.fakes.buckets import MemoryBuckets
from sheetrun.service.fakes.keys import MemoryKeys
from sheetrun.service.fakes.ledger import MemoryLedger


class MemoryTable(MemoryLedger, MemoryKeys, MemoryBuckets, MemoryAnswers):
    """Ledger, keys, limits and idempotency in dictionaries, behind one lock."""
