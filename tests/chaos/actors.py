"""Invocations that take turns: each is a thread, and only the one that holds the baton runs.

So a schedule is the same each time, and a worker can be paused between any two of its calls to the outside, left for
dead, and woken when another has done its work long since.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any


class Killed(BaseException):
    """The process is gone: nothing that it still wants to do has an effect."""


class Actor:
    """One invocation. ``skew`` is how wrong its clock is."""

    def __init__(self, name: str, work: Callable[[], Any], *, skew: timedelta, deadline: float) -> None:
        self.name = name
        self.skew = skew
        self.deadline = deadline  #: when its function's time is over
        self.frozen_until: float | None = None  #: it runs on by itself, however late, and nobody can stop it
        self.doomed = False
        self.over = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def resume(self) -> None:
        """Runs until it pauses, ends or dies."""
        if not self._thread.is_alive():
            self._thread.start()
        self._go.release()
        self._back.acquire()
        if self.over:
            self._thread.join()

    def kill(self) -> None:
        """Ends it where it is."""
        self.doomed = True
        if self._thread.ident is None:
            self.over = True
        elif not self.over:
            self.resume()

    def pause(self) -> None:
        """Called by itself: hands the baton back."""
        self._back.release()
        self._go.acquire()
        if self.doomed:
            raise Killed

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self.doomed:
                self.result = self._work()
        except BaseException as error:  # whatever ends a process; who started it looks at what it was
            self.error = error
        self.over = True
        self._back.release()
