"""Which function answers which method and path. Paths are templates: ``/v1/jobs/{id}/results/{name+}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sheetrun.jobs.errors import MethodNotAllowed, NotFound
from sheetrun.records import dataclass
from sheetrun.service.access import Caller
from sheetrun.service.web.http import Request, Response


@dataclass(frozen=True, slots=True)
class Call:
    """A request that found its route; ``caller`` is None only on routes that need no key."""

    request: Request
    path: Mapping[str, str]
    who: Caller | None = None

    @property
    def caller(self) -> Caller:
        if self.who is None:
            raise RuntimeError("this route has no caller")
        return self.who


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``scope`` None: no key is needed."""

    method: str
    template: str
    handler: Handler
    scope: str | None = "read"

    @property
    def pattern(self) -> re.Pattern[str]:
        text = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", self.template)
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]{1,128})", text))


def _nowhere(call: Call) -> Response:
    raise RuntimeError("the route is another function's")


class Router:
    """Finds routes; few enough that a walk is the fastest way."""

    def __init__(self, routes: list[Route], *, elsewhere: Sequence[tuple[str, str]] = ()) -> None:
        """``elsewhere``: methods and templates that a gateway brings to another function; other methods are not allowed
        there."""
        self.routes = routes
        self._compiled = [(route, route.pattern) for route in routes]
        self._elsewhere = [
            (method, Route(method=method, template=template, handler=_nowhere).pattern)
            for method, template in elsewhere
        ]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """Raises ``NotFound``, ``MethodNotAllowed``. HEAD is served by GET."""
        wanted = "GET" if method == "HEAD" else method
        allowed: list[str] = []
        for route, pattern in self._compiled:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if route.method == wanted:
                return route, match.groupdict()
            allowed.append(route.method)
        allowed += [at for at, pattern in self._elsewhere if at != wanted and pattern.fullmatch(path)]
        if allowed:
            raise MethodNotAllowed(
                f"{method} is not for {path}; use {' or '.join(allowed)}.", extra={"allow": sorted(allowed)}
            )
        raise NotFound(f"There is nothing at {path}.", code="no_such_route")
