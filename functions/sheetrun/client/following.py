"""Following a job until it has ended, by long polls: as a job that changes, or as the events of its story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sheetrun.client.answers import job_of
from sheetrun.client.errors import WaitTimeout
from sheetrun.client.session import Session
from sheetrun.client.values import Event, Job, jobs_of

_HOLD: Final = 20.0  #: seconds that one long poll may be held (the contract allows 25)
_AT_ONCE: Final = 0.05  #: an answer within so many seconds was not held
_PAUSE: Final = 0.25  #: a service that does not hold must not be asked in a busy loop


def changes(
    session: Session, route: str, timeout: float | None, request_timeout: float, *, quiet: bool = False
) -> Iterator[Job]:
    """The job at first, and whenever it has changed, until it has ended; with ``quiet`` seldom before that.

    Raises WaitTimeout after ``timeout`` seconds. ``request_timeout``: of each request, beside the time that it is held.
    """
    start = session.monotonic()
    etag: str | None = None
    hold = 0.0 if not quiet else min(_HOLD, _HOLD if timeout is None else timeout)
    until = {"until": "ended"} if quiet else {}
    latest: Job | None = None
    while True:
        asked = session.monotonic()
        answer, response = session.call(
            "GET",
            route,
            query={"wait": f"{hold:.0f}", **until} if hold >= 1 else None,
            headers={"If-None-Match": etag} if etag else None,
            timeout=request_timeout + hold,
        )
        if response.status != 304:
            news = job_of(answer, session.base)
            if latest is None or news.raw != latest.raw:
                yield news
            latest, etag = news, response.headers.get("etag")
            if latest.ended:
                return
        now = session.monotonic()
        left = float("inf") if timeout is None else timeout - (now - start)
        if left <= 0 and latest is not None:
            raise WaitTimeout(latest, timeout or 0.0)
        if hold and now - asked < _AT_ONCE:
            session.sleep(min(_PAUSE, left))
        hold = min(_HOLD, max(1.0, left))


def story(
    session: Session, route: str, *, after: int, follow: bool, request_timeout: float, ended: Callable[[], bool]
) -> Iterator[Event]:
    """Events from number ``after`` on; with ``follow``, until the job has ``ended``."""
    position = after
    hold = _HOLD if follow else None
    while True:
        asked = session.monotonic()
        query = {"after": position, "wait": hold and int(hold)}
        page, _ = session.call("GET", f"{route}/events", query=query, timeout=request_timeout + (hold or 0))
        events = [Event.of(item) for item in jobs_of(page, "events")]
        for event in events:
            yield event
            position = max(position, event.id)
        if not events:
            if not follow or ended():
                return
            if session.monotonic() - asked < _AT_ONCE:
                session.sleep(_PAUSE)
        elif follow and events[-1].ends and ended():
            return
