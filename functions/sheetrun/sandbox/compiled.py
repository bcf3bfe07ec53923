"""Remembers compiled scripts between runs: a long script takes longer to parse than to run.

What is kept was compiled by our own code, in a process that had not executed anything of the script yet
(``frames.Kind.CODE``), and is only ever loaded inside a sandboxed process.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Final

from .allowlist import Policy

_BYTES: Final = 64 * 2**20


class CodeCache:
    """Least recently used goes first. Safe to share between threads."""

    def __init__(self, limit_bytes: int = _BYTES) -> None:
        self._limit = limit_bytes
        self._held: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    @staticmethod
    def key(script: bytes, policy: Policy | None) -> bytes:
        """A script checked against one policy is not a script checked against another."""
        import hashlib  # takes as long as all else here, and one run alone has no cache

        rules = json.dumps(None if policy is None else policy.as_json()).encode()
        return hashlib.sha256(rules).digest() + hashlib.sha256(script).digest()

    def get(self, key: bytes) -> bytes | None:
        with self._lock:
            code = self._held.get(key)
            if code is not None:
                self._held.move_to_end(key)
            return code

    def put(self, key: bytes, code: bytes) -> None:
        with self._lock:
            if key in self._held or len(code) > self._limit:
                return
            self._held[key] = code
            self._size += len(code)
            while self._size > self._limit:
                _, dropped = self._held.popitem(last=False)
                self._size -= len(dropped)
