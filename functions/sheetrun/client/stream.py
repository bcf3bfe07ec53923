"""A job's events as server-sent events, as an ``EventSource`` reads them (html.spec.whatwg.org, 9.2).

Through a gateway that hands on only whole answers a stream comes in pieces; the reader comes back with ``Last-Event-ID``
after the ``retry`` that it was told, and 204 says that nothing will follow.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator

from sheetrun.client.errors import BadAnswer
from sheetrun.client.session import Session
from sheetrun.client.transport import Request
from sheetrun.client.values import Event
from sheetrun.records import dataclass

HOLD = 35.0  #: seconds that a piece may take to begin
FIRST_RETRY = 3.0


@dataclass(slots=True)
class Message:
    """One event of a stream, in the words of the standard."""

    id: str | None = None
    event: str = "message"
    data: str = ""
    retry: int | None = None  #: milliseconds


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """Events, and retries of their own; what is cut off at the end is left out."""
    current = Message()
    lines: list[str] = []
    seen = False
    for line in _lines(chunks):
        if not line:
            if seen:
                current.data = "\n".join(lines)
                yield current
            current, lines, seen = Message(), [], False
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            lines.append(value)
        elif name == "event":
            current.event = value
        elif name == "id" and "\0" not in value:
            current.id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            current.retry = int(value)
        seen = seen or name in ("data", "event", "id", "retry")


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Ends of lines are CR LF, LF or CR; a byte order mark at the beginning is none of the text."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    text = ""
    for chunk in chunks:
        text += decoder.decode(chunk)
        while True:
            place = min((at for at in (text.find("\n"), text.find("\r")) if at >= 0), default=-1)
            if place < 0 or (text[place] == "\r" and place + 1 == len(text)):
                break
            yield text[:place]
            text = text[place + (2 if text.startswith("\r\n", place) else 1) :]
    if text.endswith("\r"):
        yield text[:-1]


def stream(session: Session, path: str, *, after: int, timeout: float) -> Iterator[Event]:
    """Events after a number, until the service says that there will be no more."""
    position, pause = after, FIRST_RETRY
    while True:
        headers = {"Accept": "text/event-stream"}
        if position:
            headers["Last-Event-ID"] = str(position)
        request = Request("GET", session.address(path), headers, timeout=timeout + HOLD)
        with session.send(request) as response:
            if response.status == 204:
                return
            if "text/event-stream" not in response.headers.get("content-type", ""):
                raise BadAnswer(request.url, response.status, "which is no event stream")
            for message in messages(response.chunks(4096)):
                if message.retry is not None:
                    pause = message.retry / 1000
                if not message.data:
                    continue
                event = Event.of(_object(message.data, request.url))
                if event.id > position:
                    position = event.id
                    yield event
        session.sleep(pause)


def _object(text: str, url: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise BadAnswer(url, 200, "and an event of the stream is not a JSON object")
    return document
