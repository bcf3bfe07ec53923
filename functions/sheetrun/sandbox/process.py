"""Runs one job in a fresh interpreter, which is gone afterwards. ``warm`` does the same in milliseconds."""

from __future__ import annotations

from collections.abc import Callable

from .compiled import CodeCache
from .conversation import Conversation, Progress
from .job import Job, Result
from .limits import Limits
from .server import Server, harden_parent

__all__ = ["Job", "Limits", "Result", "harden_parent", "run"]


def run(
    job: Job,
    limits: Limits | None = None,
    *,
    cancelled: Callable[[], bool] | None = None,
    on_progress: Progress | None = None,
    cache: CodeCache | None = None,
) -> Result:
    """Raises ``SandboxError``. ``cancelled`` is asked about twenty times a second; ``on_progress`` may raise to cancel.

    When this returns or raises, no process of the job is left and its scratch directory is removed.
    """
    harden_parent()
    server = Server.started(job.preload, whole=False)
    try:
        return Conversation(server, job, limits or Limits(), cancelled, on_progress, cache).run()
    finally:
        server.close()
