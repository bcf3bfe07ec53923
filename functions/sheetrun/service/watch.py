"""Lets a computation be stopped at any moment, not only where it tells its progress.

::

    thread of the watch: every quarter of a second, is the work to stop? ── yes ──► a signal to the main thread
    main thread, while it computes: the signal's handler raises ``Interrupted``
                 elsewhere (talking to the store, to a sandbox that is asked by itself): it does nothing

A thread cannot end another one's Python code; a signal's handler can, between two of its instructions, as Ctrl-C does.
Off the main thread, and where there are no such signals, work is stopped where it reports its progress.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EVERY = 0.25  #: seconds between two looks

_SIGNAL: signal.Signals | None = getattr(signal, "SIGUSR1", None)


class Interrupted(BaseException):
    """Raised in the middle of a computation; not an ``Exception``, so that nothing on the way takes it for a failure."""


class Watch:
    """Asks ``stopped`` while its block runs; within ``computing()``, a yes raises ``Interrupted``."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._computing = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._main = _SIGNAL is not None and threading.current_thread() is threading.main_thread()
        self._before: object = None

    def __enter__(self) -> Watch:
        if self._main and _SIGNAL is not None:
            self._before = signal.signal(_SIGNAL, self._interrupt)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._computing = False
        self._over.set()
        self._thread.join()
        if self._main and _SIGNAL is not None:
            signal.signal(_SIGNAL, self._before)  # type: ignore[arg-type]

    @contextmanager
    def computing(self) -> Iterator[None]:
        """What runs in here may be cut off: it holds nothing that must be given back."""
        self._computing = True
        try:
            yield
        finally:
            self._computing = False

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Within ``computing``: what runs in here must not be cut off (it asks by itself)."""
        before, self._computing = self._computing, False
        try:
            yield
        finally:
            self._computing = before

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            if self._stopped() and self._computing and self._main and _SIGNAL is not None:
                signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._computing:
            self._computing = False
            raise Interrupted
