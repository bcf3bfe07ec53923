"""Frames arrive whole however the pipe cuts them, and nothing else is taken for a frame."""

from __future__ import annotations

import json
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.sandbox.errors import OutputTooLarge, ProtocolError
from sheetrun.sandbox.frames import HEADER_LIMIT, Decoder, Frame, Kind, encode, read, write


def allow(kind: Kind, length: int) -> None:
    if length > 100_000:
        raise OutputTooLarge(kind.name, 100_000)


def decode(pieces: list[bytes], budget: int = 1 << 20) -> list[Frame]:
    """Through a pipe, piece by piece."""
    out, into = os.pipe()
    os.set_blocking(out, False)
    decoder = Decoder(out, allow)
    frames: list[Frame] = []
    try:
        for piece in pieces:
            os.write(into, piece)
            frames += decoder.pump(budget)
        os.close(into)
        into = -1
        try:
            while True:
                before = len(frames)
                frames += decoder.pump(budget)
                assert len(frames) > before or budget < 1 << 20
        except EOFError:
            return frames
    finally:
        os.close(out)
        if into >= 0:
            os.close(into)


FRAMES = st.tuples(st.sampled_from(list(Kind)), st.dictionaries(st.text(), st.integers() | st.text()), st.binary())


@given(st.lists(FRAMES, max_size=4), st.lists(st.integers(1, 40), max_size=60))
def test_frames_survive_any_cut(sent: list[tuple[Kind, dict[str, object], bytes]], cuts: list[int]) -> None:
    data = b"".join(encode(kind, header, len(payload)) + payload for kind, header, payload in sent)
    pieces = []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    got = decode([piece for piece in (*pieces, data) if piece])
    assert [(frame.kind, frame.header, bytes(frame.payload)) for frame in got] == sent


@given(st.binary(max_size=80))
def test_any_bytes_are_frames_or_a_protocol_error(data: bytes) -> None:
    try:
        decode([data] if data else [])
    except (ProtocolError, OutputTooLarge):
        return


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"XX" + bytes(20), ProtocolError),
        (struct.pack(">2sBIQ", b"SR", Kind.RESULT, 0, 0), ProtocolError),
        (struct.pack(">2sBIQ", b"SR", Kind.RESULT, HEADER_LIMIT + 1, 0), ProtocolError),
        (struct.pack(">2sBIQ", b"SR", 200, 2, 0) + b"{}", ProtocolError),
        (struct.pack(">2sBIQ", b"SR", Kind.RESULT, 2, 0) + b"[]", ProtocolError),
        (struct.pack(">2sBIQ", b"SR", Kind.RESULT, 2, 0) + b"{{", ProtocolError),
        (struct.pack(">2sBIQ", b"SR", Kind.RESULT, 2, 2**64 - 1) + b"{}", OutputTooLarge),
    ],
)
def test_what_is_no_frame(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode([data])


def test_a_small_budget_only_takes_more_turns() -> None:
    data = encode(Kind.RESULT, {}, 1000) + bytes(1000)
    assert [len(frame.payload) for frame in decode([data], budget=10)] == [1000]


def test_the_blocking_side_reads_what_it_wrote() -> None:
    out, into = os.pipe()
    write(into, Kind.INPUT, {"a": 1}, b"payload")
    write(into, Kind.SCRIPT)
    os.close(into)
    with open(out, "rb") as stream:
        assert read(stream, Kind.INPUT) == ({"a": 1}, b"payload")
        with pytest.raises(ProtocolError, match="expected a INPUT"):
            read(stream, Kind.INPUT)
        with pytest.raises(ProtocolError, match="ended before"):
            read(stream, Kind.INPUT)


def test_a_frame_that_ends_early_is_told_from_a_whole_one() -> None:
    out, into = os.pipe()
    os.write(into, encode(Kind.INPUT, json.loads("{}"), 100) + b"short")
    os.close(into)
    with open(out, "rb") as stream, pytest.raises(ProtocolError, match="ended within"):
        read(stream, Kind.INPUT)
