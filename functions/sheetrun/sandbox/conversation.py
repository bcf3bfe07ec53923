"""One job's way through a server: feeds it, listens, watches the clock, and never waits for a silent child."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any, Final

from .compiled import CodeCache
from .errors import Cancelled, ForbiddenSyntax, NotIsolated, OutputTooLarge, ProtocolError, SandboxError, TimedOut
from .frames import Decoder, Frame, Kind
from .job import Job, Result
from .limits import Limits
from .logs import Logs
from .pipes import Pipes
from .scratch import make_scratch, remove_scratch, weigh_scratch
from .server import Report, Server, readable_paths
from .verdicts import ended, is_count, said

_TICK_SECONDS: Final = 0.05  # how often cancellation and scratch are looked at
_PROGRESS_SECONDS: Final = 0.1
_LOG_BYTES: Final = 1 << 16
_READ_BYTES: Final = 4 << 20  # per turn, so that a flood cannot keep us from the clock
_PROGRESS_FRAMES: Final = 100_000
_CODE_BYTES: Final = 1 << 30

Progress = Callable[[int, int, str], None]


class Conversation:
    """``run`` once. Between ``begin`` and that the process waits, sealed, and the job itself may still be exchanged."""

    scratch: str  #: these since ``begin``
    pipes: Pipes
    decoder: Decoder

    def __init__(
        self,
        server: Server,
        job: Job,
        limits: Limits,
        cancelled: Callable[[], bool] | None,
        on_progress: Progress | None,
        cache: CodeCache | None,
    ) -> None:
        self.server = server
        self.cancelled = cancelled
        self.on_progress = on_progress
        self.cache = cache
        self._give(job, limits)
        self.logs = Logs()
        self.state = Kind.CONFIGURE  # the last kind of frame that moved the conversation on
        self.progress_count = 0
        self.progress: tuple[int, int, str] | None = None
        self.progress_at = 0.0
        self.ready: dict[str, Any] = {}
        self.payload: bytearray | None = None
        self.failure: SandboxError | None = None
        self.report: Report | None = None
        self._opened: ExitStack | None = None

    def _give(self, job: Job, limits: Limits) -> None:
        self.job = job
        self.limits = limits
        try:
            self.script = job.script.encode()
        except UnicodeEncodeError as error:
            line = job.script.count("\n", 0, error.start) + 1
            raise ForbiddenSyntax(line, "a character that is no text (a lone surrogate)") from None
        self.key = CodeCache.key(self.script, job.policy) if self.cache is not None else b""
        self.known_code = (self.cache.get(self.key) if self.cache is not None else None) or b""

    def begin(self) -> None:
        """Has the process forked, which shuts itself in meanwhile. Raises ``ProtocolError``."""
        with ExitStack() as opened:
            self.scratch = make_scratch()
            opened.callback(remove_scratch, self.scratch)
            self.pipes = Pipes(self.server)
            opened.callback(self.pipes.close)
            self.decoder = Decoder(self.pipes.from_child, self._allowed)
            self.pipes.when(self.pipes.from_child, self._hear)
            self.pipes.when(self.pipes.stdout, self._hear_stdout)
            self.pipes.when(self.pipes.stderr, self._hear_stderr)
            self.pipes.when(self.server.socket, self._job_ended)
            self.pipes.put(Kind.CONFIGURE, self._configuration())
            self.pipes.feed()
            self._opened = opened.pop_all()

    def fits(self, job: Job, limits: Limits) -> bool:
        """Whether a process that was begun for this conversation's job may run another: all that it has been told so far
        is the same, and the wall clock is ours."""
        same = replace(self.job, script=job.script, payload=job.payload) == job
        return same and replace(self.limits, wall_seconds=limits.wall_seconds) == limits

    def run(self, job: Job | None = None, limits: Limits | None = None) -> Result:
        """Raises ``SandboxError``, or whatever ``on_progress`` or ``cancelled`` raised; the job is gone either way.

        ``job`` and ``limits``: others than at first, that ``fits`` has allowed.
        """
        begun = time.monotonic()
        if self._opened is None:
            self.begin()
        try:
            try:
                if job is not None:
                    self._give(job, limits or self.limits)
                self._listen(begun)
            finally:
                self._end()
            self._flush_progress(time.monotonic())
            return self._result(time.monotonic() - begun)
        finally:
            self._close()

    def abandon(self) -> None:
        """Ends a process that was begun and is not needed."""
        try:
            self._end()
        finally:
            self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _configuration(self) -> dict[str, Any]:
        job = self.job
        return {
            "limits": asdict(self.limits),
            "scratch": self.scratch,
            "readable": readable_paths(),
            "policy": None if job.policy is None else job.policy.as_json(),
            "entry": job.entry,
            "preload": job.preload,
            "require": sorted(job.require),
            "without": sorted(job.without),
            "return_code": self.cache is not None,
        }

    # ---- listening

    def _listen(self, begun: float) -> None:
        deadline = begun + self.limits.wall_seconds
        while self.payload is None and self.failure is None and self.report is None:
            now = time.monotonic()
            if now >= deadline:
                raise TimedOut("wall", self.limits.wall_seconds)
            if self.cancelled is not None and self.cancelled():
                raise Cancelled
            weigh_scratch(self.scratch, self.limits)
            if self.progress is not None and now - self.progress_at >= _PROGRESS_SECONDS:
                self._flush_progress(now)
            self.pipes.turn(min(_TICK_SECONDS, deadline - now))

    def _hear_stdout(self) -> None:
        self._log(self.pipes.stdout, self.logs.out)

    def _hear_stderr(self) -> None:
        self._log(self.pipes.stderr, self.logs.err)

    def _log(self, fd: int, keep: Callable[[bytes], None]) -> None:
        try:
            data = os.read(fd, _LOG_BYTES)
        except BlockingIOError:
            return
        if data:
            keep(data)
        else:
            self.pipes.drop(fd)

    def _hear(self) -> None:
        try:
            for frame in self.decoder.pump(_READ_BYTES):
                self._take(frame)
                if self.payload is not None or self.failure is not None:
                    return
        except EOFError:
            self.pipes.drop(self.pipes.from_child)

    def _allowed(self, kind: Kind, length: int) -> None:
        """Which frames are due, and how long they may be. ``CODE`` only where nothing foreign can have run yet."""
        due: tuple[Kind, ...]
        if self.state is Kind.CONFIGURE:
            due = (Kind.READY,)
        elif self.state is Kind.READY and self.cache is not None and not self.known_code:
            due = (Kind.CODE, Kind.FAILED)
        else:
            due = (Kind.PROGRESS, Kind.RESULT, Kind.FAILED)
        if kind not in due:
            raise ProtocolError(f"the sandboxed process sent a {kind.name} frame out of turn")
        longest = {Kind.RESULT: self.limits.output_bytes, Kind.CODE: _CODE_BYTES}.get(kind, 0)
        if length > longest:
            raise OutputTooLarge(kind.name.lower(), longest)

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.READY:
            self._take_ready(frame.header)
        elif frame.kind is Kind.CODE:
            self.state = Kind.CODE
            if self.cache is not None:
                self.cache.put(self.key, bytes(frame.payload))
        elif frame.kind is Kind.PROGRESS:
            self._take_progress(frame.header)
        elif frame.kind is Kind.RESULT:
            self.payload = frame.payload
        else:
            self.failure = said(frame.header, self.limits)

    def _take_ready(self, header: dict[str, Any]) -> None:
        """Sent before anything foreign was read, so it can be believed."""
        self.state = Kind.READY
        self.ready = header
        missing = {
            name: header["missing"].get(name, "unknown layer") for name in self.job.require - set(header["held"])
        }
        if missing:
            raise NotIsolated(missing)
        self.pipes.put(Kind.SCRIPT, None, self.script)
        self.pipes.put(Kind.COMPILED, None, self.known_code)
        self.pipes.put(Kind.INPUT, None, self.job.payload)

    def _take_progress(self, header: dict[str, Any]) -> None:
        self.progress_count += 1
        if self.progress_count > _PROGRESS_FRAMES:
            raise OutputTooLarge("progress", _PROGRESS_FRAMES)
        done, total, message = header.get("done"), header.get("total"), header.get("message")
        if not (is_count(done) and is_count(total) and isinstance(message, str)):
            raise ProtocolError("the sandboxed process sent a progress frame that cannot be read")
        self.progress = (done, total, message[:200])  # type: ignore[assignment]

    def _flush_progress(self, now: float) -> None:
        """The caller may write each to a database: only the latest, ten times a second."""
        if self.progress is not None and self.on_progress is not None:
            self.on_progress(*self.progress)
        self.progress, self.progress_at = None, now

    # ---- the end

    def _job_ended(self) -> None:
        """Takes what was in the pipes when the job ended."""
        self.report = self.server.report()
        if self.pipes.open(self.pipes.from_child):
            self._drain()
        self._drain_logs()

    def _drain(self) -> None:
        while self.payload is None and self.failure is None and self.pipes.open(self.pipes.from_child):
            before = (self.progress_count, self.state)
            self._hear()
            if before == (self.progress_count, self.state) and self.payload is None:
                return

    def _end(self) -> None:
        """The job's process and all that it started are gone when this returns."""
        if self.report is None:
            self.server.kill()
            self.report = self.server.report()
            self._drain_logs()

    def _drain_logs(self) -> None:
        if self.pipes.open(self.pipes.stdout):
            self._hear_stdout()
        if self.pipes.open(self.pipes.stderr):
            self._hear_stderr()

    def _result(self, wall: float) -> Result:
        assert self.report is not None
        if self.failure is not None:
            raise self.failure
        if self.payload is None:
            raise ended(self.report, self.logs.stderr, self.limits)
        return Result(
            payload=self.payload,
            stdout=bytes(self.logs.stdout),
            stderr=bytes(self.logs.stderr),
            wall_seconds=wall,
            cpu_seconds=self.report.cpu_seconds,
            peak_bytes=self.report.peak_bytes,
            layers=tuple(self.ready.get("held", ())),
            missing=dict(self.ready.get("missing", {})),
        )
