"""The frames that parent and child exchange on pipes: kind, JSON header, binary payload, each with its length ahead.

    2 bytes  magic "SR"      1 byte  kind      4 bytes  header length      8 bytes  payload length      header, payload

No pickle, no marshal of anything that foreign code could have written: the payload is bytes to both sides.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Any, BinaryIO, Final

from sheetrun.records import dataclass

from .errors import ProtocolError

_HEAD: Final = struct.Struct(">2sBIQ")
_MAGIC: Final = b"SR"
HEADER_LIMIT: Final = 1 << 20


class Kind(IntEnum):
    # parent to child
    CONFIGURE = 1  #: limits, policy, entry
    SCRIPT = 2
    COMPILED = 3  #: what CODE gave on an earlier run of the same script; empty when there is none
    INPUT = 4
    # child to parent
    READY = 16  #: which layers were applied; foreign text is read only after it
    CODE = 17  #: the compiled script; sent before anything of it is executed, so nothing foreign can forge it
    PROGRESS = 18
    RESULT = 19
    FAILED = 20


@dataclass(frozen=True, slots=True)
class Frame:
    kind: Kind
    header: dict[str, Any]
    payload: bytearray


def encode(kind: Kind, header: Mapping[str, object] | None = None, payload_length: int = 0) -> bytes:
    """The bytes that come before the payload."""
    text = json.dumps(header or {}, separators=(",", ":")).encode()
    return _HEAD.pack(_MAGIC, kind, len(text), payload_length) + text


def write(fd: int, kind: Kind, header: Mapping[str, object] | None = None, *pieces: Any) -> None:
    """Blocking write of a whole frame (the child's side). ``pieces``: of its payload, bytes or contiguous arrays."""
    views = [memoryview(piece).cast("B") for piece in pieces]
    for view in (memoryview(encode(kind, header, sum(map(len, views)))), *views):
        while view:
            view = view[os.write(fd, view) :]


def read(stream: BinaryIO, expected: Kind) -> tuple[dict[str, Any], bytes]:
    """Blocking read of a whole frame (the child's side). Raises ``ProtocolError``."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise ProtocolError(f"the pipe ended before the {expected.name} frame")
    magic, kind, header_length, payload_length = _HEAD.unpack(head)
    if magic != _MAGIC or kind != expected or header_length > HEADER_LIMIT:
        raise ProtocolError(f"expected a {expected.name} frame")
    header = json.loads(stream.read(header_length))
    payload = stream.read(payload_length)
    if len(payload) < payload_length:
        raise ProtocolError(f"the pipe ended within the {expected.name} frame")
    return header, payload


class Decoder:
    """Takes frames out of a non-blocking pipe (the parent's side), trusting nothing that it reads.

    ``allowed(kind, length)`` is asked before a payload is read, and raises if that kind is not due or too long.
    """

    def __init__(self, fd: int, allowed: Callable[[Kind, int], None]) -> None:
        self._fd = fd
        self._allowed = allowed
        self._head = bytearray()  # head and header of the frame that is being read
        self._frame: Frame | None = None  # the frame whose payload is being read
        self._filled = 0

    def pump(self, budget: int) -> Iterator[Frame]:
        """Reads about ``budget`` bytes at most; gives the frames that are whole. Raises ``EOFError`` at the end."""
        while budget > 0:
            view = self._target()
            try:
                count = os.readv(self._fd, [view])
            except BlockingIOError:
                return
            finally:
                size = len(view)
                view.release()
            if count == 0:
                raise EOFError
            budget -= count
            frame = self._advance(count, size)
            if frame is not None:
                yield frame

    def _target(self) -> memoryview:
        if self._frame is not None:
            return memoryview(self._frame.payload)[self._filled :]
        missing = _HEAD.size - self._filled
        if missing <= 0:
            missing = _HEAD.size + self._header_length() - self._filled
        self._head.extend(bytes(self._filled + missing - len(self._head)))
        return memoryview(self._head)[self._filled : self._filled + missing]

    def _header_length(self) -> int:
        magic, _kind, header_length, _payload_length = _HEAD.unpack_from(self._head)
        if magic != _MAGIC or not 0 < header_length <= HEADER_LIMIT:
            raise ProtocolError("the sandboxed process wrote something that is not a frame")
        return int(header_length)

    def _advance(self, count: int, size: int) -> Frame | None:
        self._filled += count
        if count < size:
            return None
        if self._frame is None:
            if self._filled < _HEAD.size + (length := self._header_length()):
                return None
            self._frame = self._begin(bytes(self._head[_HEAD.size : _HEAD.size + length]))
            self._filled = 0
            if self._frame.payload:
                return None
        frame, self._frame, self._filled = self._frame, None, 0
        self._head.clear()
        return frame

    def _begin(self, text: bytes) -> Frame:
        _magic, number, _header_length, payload_length = _HEAD.unpack_from(self._head)
        try:
            kind = Kind(number)
            header = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProtocolError("the sandboxed process wrote a frame that cannot be read") from error
        if not isinstance(header, dict):
            raise ProtocolError("the sandboxed process wrote a frame without a header")
        self._allowed(kind, payload_length)
        return Frame(kind, header, bytearray(payload_length))
