"""One job's way through a server: feeds it, listens, watches the clock, and never waits for a silent child."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

from .compiled import CodeCache
from .errors import (
    Cancelled,
    Crashed,
    ForbiddenSyntax,
    Killed,
    NotIsolated,
    OutOfMemory,
    OutputTooLarge,
    ProtocolError,
    SandboxError,
    TimedOut,
)
from .frames import Decoder, Frame, Kind, encode
from .job import Job, Result
from .limits import Limits
from .server import Report, Server, readable_paths

_TICK_SECONDS: Final = 0.05  # how often cancellation and scratch are looked at
_PROGRESS_SECONDS: Final = 0.1
_READ_BYTES: Final = 4 << 20  # per turn, so that a flood cannot keep us from the clock
_PIPE_BYTES: Final = 1 << 20
_LOG_KEPT: Final = 64 << 10
_LOG_ALLOWED: Final = 8 << 20
_PROGRESS_FRAMES: Final = 100_000
_CODE_BYTES: Final = 1 << 30
_F_SETPIPE_SZ: Final = 1031

Progress = Callable[[int, int, str], None]


class Conversation:
    """``run`` once. Between ``begin`` and that the process waits, sealed, and the job itself may still be exchanged."""

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
        self.scratch: str | None = None
        self._give(job, limits)
        self.selector = selectors.DefaultSelector()
        self.outgoing: list[memoryview] = []
        self.logs = {"stdout": bytearray(), "stderr": bytearray()}
        self.log_total = 0
        self.state = Kind.CONFIGURE  # the last kind of frame that moved the conversation on
        self.progress_count = 0
        self.progress: tuple[int, int, str] | None = None
        self.progress_at = 0.0
        self.ready: dict[str, Any] = {}
        self.payload: bytearray | None = None
        self.failure: SandboxError | None = None
        self.report: Report | None = None

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
        self.scratch = tempfile.mkdtemp(prefix="sheetrun-")
        try:
            self._open_pipes()
            self._put(Kind.CONFIGURE, self._configuration(self.scratch))
            self._feed()
        except BaseException:
            self._close()
            raise

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
        if self.scratch is None:
            self.begin()
        try:
            try:
                if job is not None:
                    self._give(job, limits or self.limits)
                self._listen(begun, self.scratch or "")
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
        self._close_pipes()
        if self.scratch is not None:
            _remove(self.scratch)

    def _configuration(self, scratch: str) -> dict[str, Any]:
        job = self.job
        return {
            "limits": asdict(self.limits),
            "scratch": scratch,
            "readable": readable_paths(),
            "policy": None if job.policy is None else job.policy.as_json(),
            "entry": job.entry,
            "preload": job.preload,
            "require": sorted(job.require),
            "without": sorted(job.without),
            "return_code": self.cache is not None,
        }

    # ---- pipes

    def _open_pipes(self) -> None:
        receive, self.to_child = os.pipe()
        self.from_child, send = os.pipe()
        self.stdout, out = os.pipe()
        self.stderr, err = os.pipe()
        try:
            self.server.submit((receive, send, out, err))
        finally:
            for fd in (receive, send, out, err):
                os.close(fd)
        for fd in (self.to_child, self.from_child):
            _widen(fd)
        for fd in (self.to_child, self.from_child, self.stdout, self.stderr):
            os.set_blocking(fd, False)
        self.decoder = Decoder(self.from_child, self._allowed)
        read = selectors.EVENT_READ
        self.selector.register(self.from_child, read, self._hear)
        self.selector.register(self.stdout, read, lambda: self._log(self.stdout, "stdout"))
        self.selector.register(self.stderr, read, lambda: self._log(self.stderr, "stderr"))
        self.selector.register(self.server.socket, read, self._job_ended)

    def _close_pipes(self) -> None:
        self.selector.close()
        for name in ("to_child", "from_child", "stdout", "stderr"):
            fd = getattr(self, name, None)
            if fd is not None:
                os.close(fd)

    def _put(self, kind: Kind, header: dict[str, Any] | None = None, payload: bytes = b"") -> None:
        if not self.outgoing:
            self.selector.register(self.to_child, selectors.EVENT_WRITE, self._feed)
        self.outgoing += [memoryview(piece) for piece in (encode(kind, header, len(payload)), payload) if piece]

    def _feed(self) -> None:
        try:
            sent = os.writev(self.to_child, self.outgoing[:16])
        except BlockingIOError:
            return
        except BrokenPipeError:  # the child is done with us; its frames or its end say why
            sent = sum(map(len, self.outgoing))
        while self.outgoing and sent >= len(self.outgoing[0]):
            sent -= len(self.outgoing.pop(0))
        if self.outgoing:
            self.outgoing[0] = self.outgoing[0][sent:]
        else:
            self.selector.unregister(self.to_child)

    def _log(self, fd: int, name: str) -> None:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.selector.unregister(fd)
            return
        kept = self.logs[name]
        if name == "stderr":
            kept += data
            del kept[:-_LOG_KEPT]  # the end of it holds the traceback
        else:
            kept += data[: _LOG_KEPT - len(kept)]
        self.log_total += len(data)
        if self.log_total > _LOG_ALLOWED:
            raise OutputTooLarge("logs", _LOG_ALLOWED)

    # ---- listening

    def _listen(self, begun: float, scratch: str) -> None:
        deadline = begun + self.limits.wall_seconds
        while self.payload is None and self.failure is None and self.report is None:
            now = time.monotonic()
            if now >= deadline:
                raise TimedOut("wall", self.limits.wall_seconds)
            if self.cancelled is not None and self.cancelled():
                raise Cancelled
            if self.limits.scratch_bytes:
                self._weigh(scratch)
            if self.progress is not None and now - self.progress_at >= _PROGRESS_SECONDS:
                self._flush_progress(now)
            for key, _ in self.selector.select(min(_TICK_SECONDS, deadline - now)):
                key.data()

    def _hear(self) -> None:
        try:
            for frame in self.decoder.pump(_READ_BYTES):
                self._take(frame)
                if self.payload is not None or self.failure is not None:
                    return
        except EOFError:
            self.selector.unregister(self.from_child)

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
            self.failure = self._failure(frame.header)

    def _take_ready(self, header: dict[str, Any]) -> None:
        """Sent before anything foreign was read, so it can be believed."""
        self.state = Kind.READY
        self.ready = header
        missing = {
            name: header["missing"].get(name, "unknown layer") for name in self.job.require - set(header["held"])
        }
        if missing:
            raise NotIsolated(missing)
        self._put(Kind.SCRIPT, None, self.script)
        self._put(Kind.COMPILED, None, self.known_code)
        self._put(Kind.INPUT, None, self.job.payload)

    def _take_progress(self, header: dict[str, Any]) -> None:
        self.progress_count += 1
        if self.progress_count > _PROGRESS_FRAMES:
            raise OutputTooLarge("progress", _PROGRESS_FRAMES)
        done, total, message = header.get("done"), header.get("total"), header.get("message")
        if not (_is_count(done) and _is_count(total) and isinstance(message, str)):
            raise ProtocolError("the sandboxed process sent a progress frame that cannot be read")
        self.progress = (done, total, message[:200])  # type: ignore[assignment]

    def _flush_progress(self, now: float) -> None:
        """The caller may write each to a database: only the latest, ten times a second."""
        if self.progress is not None and self.on_progress is not None:
            self.on_progress(*self.progress)
        self.progress, self.progress_at = None, now

    def _failure(self, header: dict[str, Any]) -> SandboxError:
        """What the child says of itself; by now it may be anything, so only its shape is trusted."""
        why = header.get("why")
        line = header.get("line")
        line = line if _is_count(line) else None
        if why == "forbidden":
            return ForbiddenSyntax(line or 1, str(header.get("detail"))[:500])
        if why == "memory":
            return OutOfMemory(self.limits.memory_bytes)
        if why == "output":
            return OutputTooLarge("result", self.limits.output_bytes)
        if why == "raised":
            return Crashed(1, str(header.get("trace"))[-16_000:], str(header.get("exception"))[:1000], line)
        return ProtocolError("the sandboxed process failed without saying why")

    def _weigh(self, scratch: str) -> None:
        """All scratch files together. The directory is flat and nothing in it can be unlinked (``landlock``)."""
        size = count = 0
        with os.scandir(scratch) as entries:
            for entry in entries:
                count += 1
                size += entry.stat(follow_symlinks=False).st_size
        if size > self.limits.scratch_bytes:
            raise OutputTooLarge("scratch", self.limits.scratch_bytes)
        if count > self.limits.scratch_files:
            raise OutputTooLarge("scratch", self.limits.scratch_files)

    # ---- the end

    def _job_ended(self) -> None:
        self.report = self.server.report()
        for registered in list(self.selector.get_map().values()):
            if registered.fd == self.from_child:
                self._drain()
            elif registered.fd in (self.stdout, self.stderr):
                registered.data()

    def _drain(self) -> None:
        """Frames that were in the pipe when the job ended."""
        while self.payload is None and self.failure is None and self.from_child in self.selector.get_map():
            before = (self.progress_count, self.state)
            self._hear()
            if before == (self.progress_count, self.state) and self.payload is None:
                return

    def _end(self) -> None:
        """The job's process and all that it started are gone when this returns."""
        if self.report is None:
            self.server.kill()
            self.report = self.server.report()
            for fd, name in ((self.stdout, "stdout"), (self.stderr, "stderr")):
                if fd in self.selector.get_map():
                    self._log(fd, name)

    def _result(self, wall: float) -> Result:
        assert self.report is not None
        if self.failure is not None:
            raise self.failure
        if self.payload is None:
            raise self._verdict(self.report)
        return Result(
            payload=bytes(self.payload),
            stdout=bytes(self.logs["stdout"]),
            stderr=bytes(self.logs["stderr"]),
            wall_seconds=wall,
            cpu_seconds=self.report.cpu_seconds,
            peak_bytes=self.report.peak_bytes,
            layers=tuple(self.ready.get("held", ())),
            missing=dict(self.ready.get("missing", {})),
        )

    def _verdict(self, report: Report) -> SandboxError:
        """From how the process ended, when it did not say itself."""
        if report.exit_code >= 0:
            return Crashed(report.exit_code, self.logs["stderr"].decode(errors="replace")[-16_000:])
        number = -report.exit_code
        spent = report.cpu_seconds >= self.limits.cpu_seconds
        if number == signal.SIGXCPU or (number == signal.SIGKILL and spent):
            return TimedOut("cpu", self.limits.cpu_seconds)
        return Killed(number)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _widen(fd: int) -> None:
    """A larger pipe takes fewer turns; how large it may be is the system's business."""
    try:
        import fcntl

        fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        return


def _remove(directory: str) -> None:
    """Also when the job took the permissions away from what it left there, or put a link in its place."""
    if os.path.islink(directory):
        os.unlink(directory)
    elif os.path.isdir(directory):
        os.chmod(directory, stat.S_IRWXU)
        for parent, names, _files in os.walk(directory):  # from the top, so that each is open before it is entered
            for name in names:
                path = os.path.join(parent, name)
                if not os.path.islink(path):
                    os.chmod(path, stat.S_IRWXU)
        shutil.rmtree(directory)
