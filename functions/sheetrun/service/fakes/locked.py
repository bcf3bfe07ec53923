"""What the roles of the table in memory have in common."""

from __future__ import annotations

import threading


class Locked:
    """One lock for all roles that an object has: what they write is seen whole or not at all."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
